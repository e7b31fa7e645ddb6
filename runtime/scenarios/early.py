"""`everpaw eval early`: is what is begun before the end of a sentence what the whole sentence means?

Sentences of every order are spoken, and orders that go on: to another order of the grammar ("shake ...
your head"), to another one altogether ("sit down ... no lie down"), to words that leave it, undo it or only
tell of it. Ears, mind and rules are the robot's own, in the time of the stream (runtime.rehearsal), so the
figures are the same on every machine; voices are those of runtime.demo.people, in no training set.
"""

import argparse
import json
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from runtime import starter
from runtime.audio.capture import read_audio
from runtime.bench import Figures, percentiles
from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.contracts.config import RobotConfig, Settings, WakeSettings
from runtime.contracts.pack import Pack
from runtime.demo.people import VARIANTS, People, Said, people
from runtime.demo.script import CLIPS
from runtime.mind.conversation import MEMORY_INTENTS
from runtime.mind.grammar import Grammar, Parse
from runtime.pace import Pace
from runtime.pipeline import Listeners, TurnRecord
from runtime.rehearsal import Rehearsal, rehearsal

KINDS = ("order", "longer order", "other order", "same", "undone", "told", "talk")
OUTCOMES = ("right early", "right", "taken back", "wrong early", "wrong", "no answer")
MOST, _DRAWN = 24, 4_000
_QUIET_S = 1.3
_CALL_EVERY = 25
_HARMLESS = frozenset({None, "halt", "curious"})
"""Acts that are right where nothing was asked for"""


class Tails(Settings):
    """`early.toml`."""

    pauses_s: Annotated[tuple[float, ...], Field(min_length=1)]
    same: tuple[str, ...]
    undone: tuple[str, ...]
    told: tuple[str, ...]
    talk: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One sentence, in one or two parts with a pause between, and what the whole of it asks for."""

    kind: str
    parts: tuple[str, ...]
    meant: Parse | None
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Judged:
    case: Case
    outcome: str
    begun_ms: float | None
    """The early act, from the acoustic end of the last word; negative before it"""
    turns: int
    heard: tuple[str | None, ...]


def orders(grammar: Grammar) -> dict[str, Parse]:
    """Sentences with their meanings, up to `MOST` an intent, each once and in a fixed order.

    What the memory answers is left out: what the body does then depends on what it knows.
    """
    drawn = grammar.sentences(np.random.default_rng(3), _DRAWN)
    found: dict[str, Parse] = {}
    counts: Counter[str] = Counter()
    for text, intent, slots in drawn:
        if text not in found and counts[intent] < MOST and intent not in MEMORY_INTENTS:
            found[text] = Parse(intent, slots)
            counts[intent] += 1
    return dict(sorted(found.items()))


def cases(grammar: Grammar, tails: Tails, each: int) -> list[Case]:
    """All orders, all that go on to another meaning, and `each` drawn ones a further kind and pause."""
    whole = orders(grammar)
    found = [Case("order", (text,), meant) for text, meant in whole.items()]
    rng = np.random.default_rng(11)
    pauses = [tails.pauses_s[int(i)] for i in rng.integers(len(tails.pauses_s), size=len(whole))]
    for pause_s, (text, meant) in zip(pauses, whole.items(), strict=True):
        words = text.split()
        for cut in range(1, len(words)):
            first, rest = " ".join(words[:cut]), " ".join(words[cut:])
            if grammar.parse(first) not in (None, meant):
                found.append(Case("longer order", (first, rest), meant, pause_s))
    found += _drawn(list(whole.items()), tails, each, rng)
    return found + [Case("talk", (text,), None) for text in tails.talk]


def _drawn(
    whole: list[tuple[str, Parse]], tails: Tails, each: int, rng: np.random.Generator
) -> Iterator[Case]:
    def draw() -> tuple[str, Parse]:
        return whole[int(rng.integers(len(whole)))]

    for pause_s in tails.pauses_s:
        for number in range(each):
            one, meant = draw()
            other, meant_after = draw()
            yield Case("other order", (one, f"no {other}"), meant_after, pause_s)
            yield Case("same", (one, tails.same[number % len(tails.same)]), meant, pause_s)
            yield Case("undone", (one, tails.undone[number % len(tails.undone)]), None, pause_s)
            yield Case("told", (one, tails.told[number % len(tails.told)]), None, pause_s)


def judge(case: Case, meant_act: str | None, records: Sequence[TurnRecord], end_s: float) -> Judged:
    """What came of a case. `meant_act`: name of the act that is right; `end_s`: end of the last word."""
    heard = tuple(record.turn.heard for record in records)
    early = [record for record in records if record.early in ("kept", "taken back")]
    begun_ms = None
    if early and "reaction" in early[0].timings_ms:
        begun_ms = early[0].timings_ms["reaction"] + (early[0].end_s - end_s) * 1e3
    return Judged(case, _outcome(case, meant_act, records), begun_ms, len(records), heard)


def _outcome(case: Case, meant_act: str | None, records: Sequence[TurnRecord]) -> str:
    if not records:
        return "no answer"
    acts = [record.turn.act.name if record.turn.act else None for record in records]
    right = acts[-1] == meant_act if case.meant else acts[-1] in _HARMLESS
    kept = [act for act, record in zip(acts, records, strict=True) if record.early == "kept"]
    back = any(record.early == "taken back" for record in records)
    wrongly = [act for act in kept if act != meant_act and not (case.meant is None and act in _HARMLESS)]
    if right:
        return "taken back" if back or wrongly else "right early" if kept else "right"
    return "wrong early" if wrongly else "wrong"


class Stand:
    """Plays cases to one pet, one after the other."""

    def __init__(self, pack: Pack, pet: Rehearsal, persons: People, records: list[TurnRecord]) -> None:
        self._pack, self._pet, self._persons, self._records = pack, pet, persons, records
        self._played = 0

    def play(self, case: Case, voice: int) -> Judged:
        """`voice`: number of the person, who says both parts."""
        if self._played % _CALL_EVERY == 0:
            self._pet.hear(read_audio(CLIPS / "hey_buddy_sit_down.flac"))
            self._pet.quiet(_QUIET_S)
        self._played += 1
        samples, end = self._spoken(case, voice)
        self._records.clear()
        end_s = (self._pet.heard + end) / SAMPLE_RATE_HZ
        self._pet.hear(samples)
        self._pet.quiet(_QUIET_S)
        self._pet.robot.answerer.mouth.hush()
        return judge(case, self._act_of(case.meant), self._records, end_s)

    def _spoken(self, case: Case, voice: int) -> tuple[Samples, int]:
        """(the sound, the sample after its last word)"""
        parts = []
        for part in case.parts:
            self._persons.begin_with(voice)
            parts.append(self._persons.say(Said(text=part)))
        first, last = parts[0], parts[-1]
        if len(parts) == 1:
            return first.samples, first.end
        silence = np.zeros(round(case.pause_s * SAMPLE_RATE_HZ), np.int16)
        before = np.concatenate([first.samples[: first.end], silence])
        return np.concatenate([before, last.samples[last.start :]]), len(before) + last.end - last.start

    def _act_of(self, meant: Parse | None) -> str | None:
        act = self._pet.robot.conversation.act_of(meant) if meant else None
        return act.name if act else None


def figures(judged: Sequence[Judged]) -> Figures:
    """Counts a kind, and what matters of them: {kind: {...}, "all": {...}}."""
    kinds = [kind for kind in KINDS if any(one.case.kind == kind for one in judged)]
    return {name: _count([j for j in judged if name in ("all", j.case.kind)]) for name in [*kinds, "all"]}


def _count(judged: Sequence[Judged]) -> Figures:
    counts = Counter(one.outcome for one in judged)
    begun = counts["right early"] + counts["taken back"] + counts["wrong early"]
    return {
        "n": len(judged),
        **{outcome: counts[outcome] for outcome in OUTCOMES},
        "wrong_early_share": round(counts["wrong early"] / max(1, begun), 4),
        "answered_twice": sum(one.turns > 1 for one in judged),
        "begun_ms": percentiles([one.begun_ms for one in judged if one.begun_ms is not None]),
    }


def main(argv: list[str]) -> int:
    """`everpaw eval early`."""
    parser = argparse.ArgumentParser(prog="everpaw eval", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("kind", choices=("early",))
    parser.add_argument("--pack", type=Path, help="folder of a pack; the starter where not given")
    parser.add_argument("--each", type=int, default=8, help="drawn sentences of each further kind and pause")
    parser.add_argument("--limit", type=int, help="only so many cases, drawn evenly: a shorter run")
    parser.add_argument("--voices", type=int, choices=range(1, len(VARIANTS) + 1), default=1)
    parser.add_argument("--json", action="store_true", help="one object a case on stdout, then the figures")
    args = parser.parse_args(argv)
    if min(args.each, args.limit or 1) < 1 or args.limit == 0:
        parser.error("--each and --limit are at least 1")
    pack = starter.load_pack(args.pack)
    tails = Tails.model_validate(tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8")))
    every = cases(Grammar.load(pack.path("grammar.yaml")), tails, args.each)
    order = np.random.default_rng(5).permutation(len(every))[: args.limit]
    chosen = [every[int(i)] for i in sorted(order)]
    judged = []
    for one in _played(pack, chosen, args.voices):
        judged.append(one)
        if args.json:
            print(json.dumps(_row(one), ensure_ascii=False), flush=True)
    told = figures(judged)
    print(json.dumps(told) if args.json else _table(told, judged))
    return 0


def _played(pack: Pack, chosen: Sequence[Case], voices: int) -> Iterator[Judged]:
    records: list[TurnRecord] = []
    config = RobotConfig(wake=WakeSettings(follow_up_s=120))
    total = len(chosen) * voices
    pace = Pace(total)
    with (
        people() as persons,
        rehearsal(pack, config, listeners=Listeners(turn=records.append)) as pet,
    ):
        stand = Stand(pack, pet, persons, records)
        for round_number in range(voices):
            for number, case in enumerate(chosen):
                yield stand.play(case, voice=number + round_number)
                done = round_number * len(chosen) + number + 1
                if done % 20 == 0:
                    print(f"everpaw: {done} of {total}, {pace.left(done)}", file=sys.stderr)


def _row(one: Judged) -> dict[str, Any]:
    case = one.case
    return {
        "kind": case.kind,
        "said": " ... ".join(case.parts),
        "pause_s": case.pause_s,
        "meant": case.meant.intent if case.meant else None,
        "outcome": one.outcome,
        "begun_ms": one.begun_ms,
        "heard": list(one.heard),
    }


def _table(told: Figures, judged: Sequence[Judged]) -> str:
    lines = [f"{'':<14}" + "".join(f"{name:>13}" for name in ("n", *OUTCOMES, "answered twice", "begun ms"))]
    for kind, row in told.items():
        cells = [
            row["n"],
            *(row[outcome] for outcome in OUTCOMES),
            row["answered_twice"],
            row["begun_ms"]["p50"],
        ]
        lines.append(f"{kind:<14}" + "".join(f"{'-' if cell is None else cell:>13}" for cell in cells))
    for one in judged:
        if one.outcome == "wrong early":
            lines.append(f"wrong early: {' ... '.join(one.case.parts)!r}: heard {one.heard}")
    return "\n".join(lines)
