"""`everpaw replay`: feed a recorded session to one stage, or to all, and show what differs.

    ears   sound -> names, stops, utterances       needs a session with sound
    asr    the utterances' sound -> words          needs a session with sound
    mind   words -> intents, acts, replies, moods  needs a session with words

`all` chains them: the mind gets the words that the recogniser hears today. Nothing here reads a clock; the
same session, pack and program give the same rows.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime import session, starter
from runtime.audio.echo import EchoCanceller
from runtime.audio.stop import StopHit, care_for
from runtime.audio.wake import WakeHit
from runtime.contracts.audio import BLOCK_S, BLOCK_SAMPLES, AudioBlock
from runtime.contracts.errors import SessionError
from runtime.contracts.pack import Pack
from runtime.ears import Ears, EarSettings, Heard
from runtime.mind.conversation import Conversation, Turn
from runtime.mind.emotion import Feeling
from runtime.mind.prompt import Prompt
from runtime.session import Row, Session

STAGES = ("ears", "asr", "mind", "all")
_PATIENCE_S = 60.0
"""A model is not hurried: how busy the machine is must change nothing"""
NEAR_S = 0.1
"""Moments so near count as the same: the ends of utterances depend on when the mind looked"""
_MIND = ("intent", "slots", "act", "sound", "mood", "reply")
_ALL = ("text", *_MIND)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was recorded."""

    stage: str
    place: str
    was: Any
    now: Any


def replay(recorded: Session, pack: Pack, stage: str) -> tuple[list[Difference], list[Row]]:
    """(what differs, the turns as they come out today); SessionError where the session lacks something."""
    events = recorded.rows(session.EVENTS)
    differences: list[Difference] = []
    fresh = _turns(events)
    if stage in ("ears", "asr", "all"):
        noticed = hear(recorded, pack)
        if stage != "asr":
            differences += compare_noticed(events, noticed)
        if stage != "ears":
            fresh = listen(recorded, pack, events, noticed)
            fields: Sequence[str] = ("text",) if stage == "asr" else _ALL
            differences += compare_turns(stage, events, fresh, fields)
    if stage == "mind":
        fresh = think(recorded, pack, events)
        differences += compare_turns("mind", events, fresh, _MIND)
    return differences, fresh


def hear(recorded: Session, pack: Pack) -> list[WakeHit | StopHit | Heard]:
    """Names, stops and utterances that the ears find in the session's sound."""
    heard, played = recorded.audio(session.MICROPHONE), recorded.audio(session.PLAYED)
    config = recorded.manifest.config
    heads = [*pack.files("wake", ".onnx"), *config.wake.heads]
    mind, stops = _mind(recorded, pack), pack.files("stop", ".onnx")
    settings = EarSettings(heads, stops, config.wake, config.turns, mind.stop_spotter(), mind.name_spotter)
    ears = Ears(settings)
    echo = EchoCanceller() if config.audio.echo_cancellation else None
    found: list[WakeHit | StopHit | Heard] = []
    changes = [row for row in recorded.rows(session.EVENTS) if row["kind"] == "does"]
    does = {"speaking": False, "moving": False}
    for start in range(0, len(heard), BLOCK_SAMPLES):
        now = slice(start, start + BLOCK_SAMPLES)
        block = AudioBlock(heard[now], start)
        while changes and changes[0]["at_s"] <= block.start_s + BLOCK_S / 2:
            does = changes.pop(0)
        speaking = does["speaking"]
        care = care_for(speaking=speaking, moving=does["moving"])
        if speaking:
            ears.stay_awake(block.end_s + config.wake.follow_up_s)
        if echo is None:
            noticed = ears.step(block, deaf=speaking, care=care)
        else:
            cleaned = echo.step(block, played[now])
            noticed = ears.step(cleaned.block, masked=cleaned.masked, care=care)
        found += [one for one in noticed if isinstance(one, WakeHit | StopHit | Heard)]
    return found + [one for one in ears.finish() if isinstance(one, Heard)]


def listen(recorded: Session, pack: Pack, events: list[Row], noticed: Sequence[object]) -> list[Row]:
    """The turns again, from the utterances' own sound."""
    mind = _mind(recorded, pack)
    utterances = [one for one in noticed if isinstance(one, Heard)]
    rows = []
    for row, heard in zip(_turns(events), utterances, strict=False):
        _rest(mind, row)
        rows.append(_renewed(row, mind.hear(heard.utterance.samples, stop=heard.stop), words=True))
        _remember(mind, row)
    return rows


def think(recorded: Session, pack: Pack, events: list[Row]) -> list[Row]:
    """The turns again, from the recorded words."""
    if not recorded.manifest.words:
        raise SessionError(f"{recorded.folder} holds no words; record with --words to replay the mind")
    mind = _mind(recorded, pack)
    rows = []
    for row in _turns(events):
        _rest(mind, row)
        turn = mind.answer(row["text"], row["belief"], row.get("clear"), told=_told(mind, row))
        rows.append(_renewed(row, turn, words=True))
        _remember(mind, row)
    return _with_words_from_elsewhere(rows, events) if recorded.manifest.config.dialogue.server else rows


def _remember(mind: Conversation, row: Row) -> None:
    """What was said then is what "say that again" asks for."""
    if row.get("reply") is not None:
        mind.history.add(row.get("text"), row["reply"], lambda: 1.0)


def _with_words_from_elsewhere(rows: list[Row], events: list[Row]) -> list[Row]:
    """What another machine said cannot be asked again, and stays."""
    return [
        {**row, "reply": then["reply"]} if then.get("by") == "model" else row
        for row, then in zip(rows, _turns(events), strict=True)
    ]


def _told(mind: Conversation, row: Row) -> Prompt | None:
    """What a model knew then: what had really sounded before, and what was remembered."""
    if not row.get("told"):
        return None
    history = tuple((heard, said) for heard, said in row["told"]["history"])
    return Prompt(mind.name, row["text"], facts=tuple(row["told"]["facts"]), history=history)


def compare_noticed(events: list[Row], noticed: Sequence[WakeHit | StopHit | Heard]) -> list[Difference]:
    """What the ears find today beside what they found then."""
    was: list[tuple[str, float]] = [
        (row["kind"], float(row[_time_of(row["kind"])])) for row in events if row["kind"] in _HEARD
    ]
    now = [_moment(one) for one in noticed]
    found = []
    for kind in _HEARD:
        before, after = ([at for k, at in side if k == kind] for side in (was, now))
        if len(before) != len(after):
            found.append(Difference("ears", kind, f"{len(before)} times", f"{len(after)} times"))
            continue
        for number, (then_s, now_s) in enumerate(zip(before, after, strict=True)):
            if abs(then_s - now_s) > NEAR_S:
                found.append(Difference("ears", f"{kind} {number + 1}", f"{then_s:.3f} s", f"{now_s:.3f} s"))
    return found


def compare_turns(stage: str, events: list[Row], fresh: list[Row], fields: Sequence[str]) -> list[Difference]:
    """Turn by turn, field by field."""
    was = _turns(events)
    found = []
    if len(was) != len(fresh):
        found.append(Difference(stage, "turns", len(was), len(fresh)))
    for before, after in zip(was, fresh, strict=False):
        for name in fields:
            if name in before and before[name] != after[name] and not _cut_short(before, after, name):
                found.append(Difference(stage, f"turn {before['number']} {name}", before[name], after[name]))
    return found


def _cut_short(before: Row, after: Row, name: str) -> bool:
    """A model's reply that somebody talked into then, and that is made to its end now."""
    return name == "reply" and before.get("by") == "model" and after["reply"].startswith(before["reply"])


def update(recorded: Session, pack: Pack, fresh: list[Row], stage: str) -> None:
    """Make what comes out today the session's references: turns, and with the ears their moments.

    A name, stop or utterance too many or too few is no reference; record the session again.
    """
    path = recorded.folder / session.EVENTS
    renewed = {row["number"]: row for row in fresh}
    moments: dict[str, list[float]] = {kind: [] for kind in _HEARD}
    for one in hear(recorded, pack) if stage in ("ears", "all") else []:
        kind, at_s = _moment(one)
        moments[kind].append(at_s)
    rows = []
    for row in recorded.rows(path.name):
        if row["kind"] == "turn":
            row = renewed.get(row.get("number"), row)
        elif moments.get(row["kind"]):
            row = {**row, _time_of(row["kind"]): round(moments[row["kind"]].pop(0), 3)}
        rows.append(row)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    manifest = recorded.manifest
    session.seal(recorded.folder, manifest.config, pack.sha256, words=manifest.words)


_HEARD = ("wake", "stop", "heard")


def _time_of(kind: str) -> str:
    """The field of a row that says when it was noticed."""
    return "end_s" if kind == "heard" else "at_s"


def _moment(one: WakeHit | StopHit | Heard) -> tuple[str, float]:
    """(kind of row, seconds of the stream)"""
    if isinstance(one, Heard):
        return "heard", one.utterance.end_s
    return ("wake" if isinstance(one, WakeHit) else "stop"), one.t_s


def _mind(recorded: Session, pack: Pack) -> Conversation:
    names = [head.stem.replace("_", " ") for head in pack.files("wake", ".onnx")]
    config = recorded.manifest.config
    patient = {"server": "", "first_sentence_s": _PATIENCE_S, "reply_s": _PATIENCE_S}
    settings = config.dialogue.model_copy(update=patient)
    return Conversation(pack, seed=config.seed, names=names, settings=settings, care=config.care)


def _turns(events: list[Row]) -> list[Row]:
    return [row for row in events if row["kind"] == "turn"]


def _rest(mind: Conversation, row: Row) -> None:
    """As it felt before the turn; what moved it meanwhile, besides time, is not in the session."""
    if row.get("feeling"):
        mind.emotion.feeling = Feeling(**row["feeling"])
        return
    for _ in range(row["rests"]):
        mind.emotion.tick(1.0)


def _renewed(row: Row, turn: Turn, *, words: bool) -> Row:
    fresh = {
        **row,
        "belief": round(turn.belief, 6),
        "intent": turn.understanding.intent,
        "slots": turn.understanding.slots,
        "act": turn.act.model_dump() if turn.act else None,
        "sound": turn.reply.sound,
        "mood": turn.mood,
    }
    return {**fresh, "text": turn.heard, "reply": turn.reply.text} if words else fresh


def main(argv: list[str]) -> int:
    """`everpaw replay`: exit status 1 where something differs."""
    parser = argparse.ArgumentParser(
        prog="everpaw replay", description="What differs from a recorded session."
    )
    parser.add_argument("session", type=Path, metavar="FOLDER")
    parser.add_argument("--stage", choices=STAGES, default="all")
    parser.add_argument("--pack", type=Path, help="folder of a pack; the starter where not given")
    parser.add_argument("--update", action="store_true", help="make what comes out today the reference")
    parser.add_argument("--json", action="store_true", help="one object a difference on stdout")
    args = parser.parse_args(argv)
    recorded, pack = session.load(args.session), starter.load_pack(args.pack)
    if recorded.manifest.pack_sha256 != pack.sha256:
        print("everpaw: recorded with another pack; differences may be the pack's", file=sys.stderr)
    differences, fresh = replay(recorded, pack, args.stage)
    for one in differences:
        if args.json:
            print(json.dumps({"stage": one.stage, "place": one.place, "was": one.was, "now": one.now}))
        else:
            print(f"{one.stage}: {one.place}: was {one.was!r}, is {one.now!r}")
    if args.update:
        update(recorded, pack, fresh, args.stage)
        print(f"everpaw: {len(differences)} references changed in {args.session}", file=sys.stderr)
        return 0
    print(f"everpaw: {len(differences)} differences in stage {args.stage}", file=sys.stderr)
    return int(bool(differences))
