"""`everpaw record`: the long-running robot, with a session kept of what happened.

Kept are bus, timings and seed; sound only with --audio, words only with --words or --audio: whoever keeps the
sound keeps what was said.
"""

import argparse
import json
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from runtime import session, starter
from runtime.answer import TurnRecord
from runtime.audio.stop import StopHit
from runtime.audio.turns import SpeechStarted
from runtime.audio.wake import WakeHit
from runtime.body import mono_ms
from runtime.bus import Delivery
from runtime.contracts.audio import AudioBlock, SourceFault
from runtime.contracts.config import RobotConfig, load_config
from runtime.contracts.messages import WORDS
from runtime.contracts.topics import TOPICS
from runtime.ears import Heard
from runtime.pipeline import Listeners, Meanwhile
from runtime.robot import add_settings, live

_WORDS = WORDS | {"text", "value", "person", "meant"}
"""Fields of messages, at any depth, that hold what somebody said"""


class Subscribable(Protocol):
    """The part of a bus a recorder needs."""

    def subscribe(self, pattern: str, callback: Callable[[Delivery], None]) -> None: ...


class Recorder:
    """Writes what it is told into a session. Its callbacks may come from any thread."""

    def __init__(self, writer: session.Writer, *, words: bool, tell: Listeners | None = None) -> None:
        self._writer, self._words = writer, words
        self._tell = tell or Listeners()
        self._lock = threading.Lock()
        self._began_ms: int | None = None
        self._closed = False
        self._does = {"speaking": False, "moving": False}

    def listeners(self) -> Listeners:
        """To be given to the robot; whoever was told before is told as well."""
        return Listeners(
            turn=self._on_turn,
            wake=self._on_wake,
            stop=self._on_stop,
            barge_in=self._on_barge_in,
            heard=self._on_heard,
            block=self._on_block,
            fault=self._on_fault,
        )

    def follow(self, bus: Subscribable) -> None:
        """Keep every message on the robot's topics."""
        for kind in sorted({topic.kind for topic in TOPICS.values()}):
            bus.subscribe(kind, self._on_delivery)

    def close(self) -> None:
        """Nothing that comes later is written."""
        with self._lock:
            self._closed = True

    def _row(self, file: str, **fields: Any) -> None:
        with self._lock:
            if not self._closed:
                self._writer.row(file, {"t_ms": self._since_the_first(), **fields})

    def _since_the_first(self) -> int:
        now_ms = mono_ms()
        self._began_ms = now_ms if self._began_ms is None else self._began_ms
        return now_ms - self._began_ms

    def _on_delivery(self, delivery: Delivery) -> None:
        try:
            payload = json.loads(delivery.payload)
        except ValueError:
            payload = delivery.payload.hex()
        if not self._words:
            payload = _without_words(payload)
        self._row(session.BUS, name=delivery.name, retained=delivery.retained, payload=payload)

    def _on_turn(self, record: TurnRecord) -> None:
        self._row(session.EVENTS, kind="turn", **turn_fields(record, words=self._words))
        self._tell.turn(record)

    def _on_wake(self, hit: WakeHit) -> None:
        self._row(session.EVENTS, kind="wake", name=hit.name, at_s=round(hit.t_s, 3))
        self._tell.wake(hit)

    def _on_stop(self, hit: StopHit) -> None:
        self._row(session.EVENTS, kind="stop", at_s=round(hit.t_s, 3))
        self._tell.stop(hit)

    def _on_barge_in(self, started: SpeechStarted) -> None:
        self._row(session.EVENTS, kind="barge_in", at_s=round(started.at_s, 3))
        self._tell.barge_in(started)

    def _on_heard(self, heard: Heard) -> None:
        self._row(session.EVENTS, kind="heard", **heard_fields(heard))
        self._tell.heard(heard)

    def _on_fault(self, fault: SourceFault) -> None:
        self._row(session.EVENTS, kind="fault", fault=fault.kind, detail=fault.detail)
        self._tell.fault(fault)

    def _on_block(self, block: AudioBlock, meanwhile: Meanwhile) -> None:
        with self._lock:
            if not self._closed:
                self._since_the_first()
                self._writer.sound(block.samples, meanwhile.played)
        does = {"speaking": meanwhile.speaking, "moving": meanwhile.moving}
        if does != self._does:
            self._does = does
            self._row(session.EVENTS, kind="does", at_s=round(block.start_s, 3), **does)
        self._tell.block(block, meanwhile)


def heard_fields(heard: Heard) -> dict[str, Any]:
    """What a row tells of an utterance; times in seconds of the stream."""
    utterance = heard.utterance
    return {"start_s": round(utterance.start_s, 3), "end_s": round(utterance.end_s, 3), "stop": heard.stop}


def _without_words(payload: Any) -> Any:
    if isinstance(payload, dict):
        return {key: None if key in _WORDS else _without_words(value) for key, value in payload.items()}
    return [_without_words(one) for one in payload] if isinstance(payload, list) else payload


def turn_fields(record: TurnRecord, *, words: bool) -> dict[str, Any]:
    """What a row tells of a turn. Without `words` neither what was heard nor what was said."""
    turn = record.turn
    fields: dict[str, Any] = {
        "number": record.number,
        "rests": record.rests,
        "feeling": asdict(record.feeling) if record.feeling else None,
        "belief": round(turn.belief, 6),
        "clear": round(turn.clear, 6),
        "intent": turn.understanding.intent,
        "slots": turn.understanding.slots if words else {},
        "act": turn.act.model_dump() if turn.act else None,
        "sound": turn.reply.sound,
        "mood": turn.mood,
        "early": record.early,
        "body": record.body,
        "timings_ms": {name: round(ms, 1) for name, ms in record.timings_ms.items()},
    }
    if not words:
        return fields
    prompt = turn.reply.prompt
    told = {"history": prompt.history, "facts": prompt.facts} if prompt else None
    return {"text": turn.heard, "reply": turn.reply.text, "by": turn.reply.by, "told": told, **fields}


def main(argv: list[str]) -> int:
    """`everpaw record`."""
    parser = argparse.ArgumentParser(
        prog="everpaw record", description="The long-running robot, its session kept in a folder."
    )
    parser.add_argument("out", type=Path, metavar="FOLDER", help="a new folder; written whole or not at all")
    parser.add_argument("--audio", action="store_true", help="keep the sound too, and with it the words")
    parser.add_argument("--words", action="store_true", help="keep what was heard and said")
    add_settings(parser)
    args = parser.parse_args(argv)
    config = load_config(RobotConfig, args.config, args.set)
    words = args.words or args.audio
    pack = starter.load_pack(config.pack.path)
    with session.writing(args.out, config, pack.sha256, audio=args.audio, words=words) as writer:
        recorder = Recorder(writer, words=words)
        try:
            live(config, lambda bus, _: _following(recorder, bus))
        finally:
            recorder.close()
    print(f"everpaw: the session stands in {args.out}", file=sys.stderr)
    return 0


def _following(recorder: Recorder, bus: Subscribable) -> Listeners:
    recorder.follow(bus)
    return recorder.listeners()
