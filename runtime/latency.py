"""How long the pet takes, over commands and open questions at the pace of life, in a simulated room.

Clock: from the acoustic end of the last word in the clip itself to the first setpoint that the bridge reports
as taken by the microcontroller, and to the first sample of the reply's words (pet sounds are counted apart).
What comes before the end of the last word is negative, and stays so.

Peers are the same parts without what makes them quick: nothing begins early, and a fixed silence ends every
utterance, as most assistants have it: half a second, and the 0.8 s that Pipecat waits by default. They are
asked every third line, and compared on those lines alone.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from runtime import starter
from runtime.bench import Figures, percentiles, progress, ratio
from runtime.contracts.config import EarlySettings, RobotConfig, TurnSettings
from runtime.demo.interview import Answered, interview
from runtime.demo.people import People, Said, load_lines, people
from runtime.demo.room import RoomSettings
from runtime.pace import Pace

STAGES = ("endpoint", "asr", "behaviour", "reply", "wording", "voice", "start")
"""Of the way to the reply's first word: waiting for the end, recognising, understanding, choosing a line,
a language model's first sentence, synthesising it (with the body's yes or no), and the loudspeaker's start"""
PEERS = {
    f"fixed {silence_s * 1e3:.0f} ms": RobotConfig(
        early=EarlySettings(enabled=False), turns=TurnSettings(endpoint_silence_s=silence_s)
    )
    for silence_s in (0.5, 0.8)
}
_EVERY = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """A line with its answer, None where none came."""

    number: int
    """In the script, which decides whose voice it is"""
    kind: str
    answer: Answered | None


Script = Sequence[tuple[int, str, Said]]
"""(number, kind, line)"""


def measure(args: argparse.Namespace) -> Figures:
    """{"commands", "questions", "early", "stages_ms", "stage_shares", "peers", "broker", "raw_ms"}."""
    lines = load_lines()
    said = [*(("commands", one) for one in lines.command), *(("questions", one) for one in lines.question)]
    script = [(number, kind, one) for number, (kind, one) in enumerate(said * args.rounds)]
    beside = script[: len(said) : _EVERY]
    with people() as persons:
        asked, broker = _converse(persons, RobotConfig(), script, "this pet")
        peers = {
            name: _converse(persons, config, beside, name)[0]
            for name, config in ({} if args.no_peers else PEERS).items()
        }
    answers = [one.answer for one in asked if one.answer]
    stages = [found for answered in answers if (found := stages_of(answered.timings_ms))]
    return {
        **{kind: group([one for one in asked if one.kind == kind]) for kind in ("commands", "questions")},
        "early": early_figures(answers),
        "stages_ms": {name: percentiles([stage[name] for stage in stages]) for name in STAGES},
        "stage_shares": shares(stages),
        "peers": {name: against(asked[: len(said) : _EVERY], found) for name, found in peers.items()},
        "broker": broker,
        "raw_ms": _raw(asked),
        "raw_peers_ms": {name: _raw(found) for name, found in peers.items()},
    }


def _converse(persons: People, config: RobotConfig, script: Script, who: str) -> tuple[list[Asked], str]:
    """(every line with its answer, kind of broker)"""
    asked = []
    with interview(starter.load_pack(), RoomSettings(), config) as (talk, scene, _):
        for number, kind, said in _told(script, who):
            persons.begin_with(number)
            asked.append(Asked(number, kind, talk.ask(persons.say(said))))
            talk.pause()
        return asked, scene.body.broker.kind


def _told(script: Script, who: str) -> Iterator[tuple[int, str, Said]]:
    """The script, with a word now and then on how long it will still take."""
    pace = Pace(len(script))
    for done, line in enumerate(script):
        if done % 12 == 0:
            left = f", {pace.left(done)}" if done else ""
            progress(f"{who}: line {done + 1} of {len(script)}{left}")
        yield line


def stages_of(timings_ms: dict[str, float]) -> dict[str, float]:
    """The way to the reply's first word, stage by stage; {} where no word came."""
    if "words" not in timings_ms or "voice" not in timings_ms:
        return {}
    wording = timings_ms.get("wording", 0.0)
    return {
        "endpoint": timings_ms["endpoint"],
        "asr": timings_ms.get("asr", 0.0),
        "behaviour": timings_ms["behaviour"],
        "reply": timings_ms["reply"],
        "wording": wording,
        "voice": timings_ms["voice"] - timings_ms["understood"] - wording,
        "start": timings_ms["words"] - timings_ms["voice"],
    }


def shares(stages: list[dict[str, float]]) -> dict[str, float]:
    """Each stage's part of all the time to the first word, 0..1."""
    total = sum(sum(stage.values()) for stage in stages)
    return {name: round(sum(stage[name] for stage in stages) / total, 3) for name in STAGES} if total else {}


def early_figures(answers: list[Answered]) -> dict[str, float | int]:
    """How often something was begun before the end, and what became of it."""
    counts = {
        name: sum(a.record.early == name for a in answers) for name in ("kept", "taken back", "reaction")
    }
    begun = counts["kept"] + counts["taken back"]
    wrong = sum(answered.wrongly_early for answered in answers)
    return {
        "commits": begun,
        "taken_back": counts["taken back"],
        "wrong": wrong,
        "wrong_share": round(wrong / begun, 4) if begun else 0.0,
        "reactions": counts["reaction"],
        "cut_short": sum(answered.split for answered in answers),
    }


def group(asked: Sequence[Asked]) -> Figures:
    """Percentiles of one kind of lines."""
    found = [one.answer for one in asked if one.answer]
    return {
        "setpoint_ms": percentiles([ms for a in found if (ms := a.setpoint_ms) is not None]),
        "words_ms": percentiles([a.timings_ms["words"] for a in found if "words" in a.timings_ms]),
        "sound_ms": percentiles([a.timings_ms["sound"] for a in found if "sound" in a.timings_ms]),
        "answered": {"n": len(found), "of": len(asked), "as_meant": sum(a.right for a in found)},
    }


def against(ours: Sequence[Asked], peer: Sequence[Asked]) -> Figures:
    """The peer's figures, and ours as multiples of them over the same lines."""
    found: Figures = {}
    for kind in ("commands", "questions"):
        mine, other = (group([one for one in side if one.kind == kind]) for side in (ours, peer))
        found[kind] = {
            "setpoint_ms": other["setpoint_ms"],
            "words_ms": other["words_ms"],
            "as_meant": other["answered"]["as_meant"],
            "ours_as_meant": mine["answered"]["as_meant"],
            "ours_setpoint": ratio(mine["setpoint_ms"]["p50"], other["setpoint_ms"]["p50"]),
            "ours_words": ratio(mine["words_ms"]["p50"], other["words_ms"]["p50"]),
        }
    return found


def _raw(asked: Sequence[Asked]) -> list[Figures]:
    return [_row(one.kind, one.answer) for one in asked if one.answer]


def _row(kind: str, answered: Answered) -> Figures:
    setpoint_ms = answered.setpoint_ms
    return {
        "kind": kind,
        "said": answered.spoken.line.text,
        "heard": answered.record.turn.heard,
        "intent": answered.record.turn.understanding.intent,
        "early": answered.record.early,
        "setpoint": None if setpoint_ms is None else round(setpoint_ms, 1),
        **{name: round(ms, 1) for name, ms in answered.timings_ms.items()},
    }
