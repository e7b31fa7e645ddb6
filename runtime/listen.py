"""`everpaw listen`: the ears and the mind on sound files, without a robot.

Each file is streamed between two stretches of silence through a fresh state, so the order of files changes
nothing. Times are seconds from the first sample of the file.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import soundfile

from runtime import starter
from runtime.audio.capture import FileSource
from runtime.audio.wake import WakeHit
from runtime.contracts.audio import SourceFault
from runtime.contracts.config import TurnSettings, WakeSettings
from runtime.contracts.errors import AudioError, ConfigError
from runtime.contracts.pack import Pack
from runtime.ears import Ears, EarSettings, Heard, Noticed
from runtime.mind.conversation import Conversation, Turn

Row = dict[str, Any]


def wake_heads(pack: Pack, choice: str | None) -> list[Path]:
    """The pack's heads, the one of that NAME, a HEAD.onnx file, or none for `off`."""
    heads = pack.files("wake", ".onnx")
    if choice is None:
        return heads
    if choice == "off":
        return []
    if choice.endswith(".onnx"):
        if not Path(choice).is_file():
            raise ConfigError(f"--wake {choice}: no such file; give an openWakeWord head, a name or off")
        return [Path(choice)]
    named = [head for head in heads if head.stem == choice.lower().replace(" ", "_")]
    if not named:
        known = ", ".join(head.stem for head in heads)
        raise ConfigError(f"--wake {choice!r}: the pack knows {known}; give one of these, HEAD.onnx or off")
    return named


class Listener:
    """Ears and mind over whole files."""

    def __init__(self, pack: Pack, heads: Sequence[Path], wake: WakeSettings, *, seed: int = 7) -> None:
        names = [head.stem.replace("_", " ") for head in pack.files("wake", ".onnx")]
        self._mind = Conversation(pack, seed=seed, names=names)
        spotter = self._mind.stop_spotter()
        stops, turns = pack.files("stop", ".onnx"), TurnSettings()
        self._ears = Ears(EarSettings(heads, stops, wake, turns, spotter, self._mind.name_spotter))

    def hear(self, path: Path, *, pad_s: float, realtime: bool) -> Row:
        """One file's row; AudioError where it cannot be read."""
        self._ears.reset()
        self._mind.reset()
        wakes: list[Row] = []
        utterances: list[Row] = []
        timings: dict[str, list[float]] = {
            "endpoint": [],
            "asr": [],
            "behaviour": [],
            "reply": [],
            "total": [],
        }
        with closing(FileSource(path, realtime=realtime, pad_s=pad_s)) as source:
            for now_s, noticed in self._notice(source):
                if isinstance(noticed, WakeHit):
                    wakes.append(_wake_row(noticed, pad_s))
                elif isinstance(noticed, Heard):
                    arrived = time.perf_counter()
                    turn = self._mind.hear(noticed.utterance.samples, stop=noticed.stop)
                    answered_ms = (time.perf_counter() - arrived) * 1e3
                    utterances.append(_utterance_row(noticed, turn, pad_s))
                    endpoint_ms = (now_s - noticed.utterance.end_s) * 1e3
                    stages = {"endpoint": endpoint_ms, **turn.stages_ms, "total": endpoint_ms + answered_ms}
                    for name, ms in stages.items():
                        timings[name].append(round(ms, 1))
        return {
            "file": str(path),
            "duration_s": round(soundfile.info(str(path)).duration, 3),
            "wakes": wakes,
            "utterances": utterances,
            "timings_ms": timings if realtime else None,
        }

    def _notice(self, source: FileSource) -> Iterator[tuple[float, Noticed]]:
        """(stream seconds, what was noticed then), the last utterance included."""
        now_s = 0.0
        for block in source:
            if isinstance(block, SourceFault):
                raise AudioError(block.detail)
            now_s = block.end_s
            yield from ((now_s, noticed) for noticed in self._ears.step(block))
        yield from ((now_s, noticed) for noticed in self._ears.finish())


def _wake_row(hit: WakeHit, pad_s: float) -> Row:
    return {"name": hit.name, "t_s": round(hit.t_s - pad_s, 3), "score": round(hit.score, 4)}


def _utterance_row(heard: Heard, turn: Turn, pad_s: float) -> Row:
    start_s, end_s = heard.utterance.start_s - pad_s, heard.utterance.end_s - pad_s
    return {"start_s": round(start_s, 3), "end_s": round(end_s, 3), **turn_row(turn)}


def turn_row(turn: Turn) -> Row:
    """The part of an utterance's object that words alone decide."""
    return {
        "text": turn.heard,
        "confidence": round(turn.understanding.confidence, 3),
        "intent": turn.understanding.intent,
        "slots": turn.understanding.slots,
        "action": turn.act.name if turn.act else None,
        "mood": turn.mood,
        "reply": turn.reply.text,
        "by": turn.reply.by,
        "why": turn.reply.why,
    }


def main(argv: list[str]) -> int:
    """`everpaw listen`."""
    parser = argparse.ArgumentParser(prog="everpaw listen", description="What the pet makes of sound files.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--pack", type=Path, help="folder of a pack; the starter where not given")
    parser.add_argument(
        "--wake", help="NAME of a head in the pack, HEAD.onnx, or off (every utterance counts)"
    )
    parser.add_argument("--backend", choices=("pyopen-wakeword", "openwakeword"), default="pyopen-wakeword")
    parser.add_argument("--networks", type=Path, help="folder of feature networks for --backend openwakeword")
    parser.add_argument("--pad-s", type=float, default=1.0, help="seconds of silence around each file")
    parser.add_argument(
        "--realtime", action="store_true", help="stream at the pace of life and time the stages"
    )
    parser.add_argument("--json", action="store_true", help="one object a line on stdout")
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args(argv)
    if not 0 <= args.pad_s <= 60:
        raise ConfigError(f"--pad-s {args.pad_s}: give seconds between 0 and 60")
    pack = starter.load_pack(args.pack)
    wake = WakeSettings(backend=args.backend, networks=args.networks)
    listener = Listener(pack, wake_heads(pack, args.wake), wake, seed=args.seed)
    show: Callable[[Row], None] = print_json if args.json else _print_words
    failed = False
    for file in args.files:
        try:
            show(listener.hear(file, pad_s=args.pad_s, realtime=args.realtime))
        except AudioError as error:
            failed = True
            show({"file": str(file), "error": str(error)})
    return int(failed)


def print_json(row: Row) -> None:
    """One object on a line of stdout."""
    print(json.dumps(row, ensure_ascii=False), flush=True)


def _print_words(row: Row) -> None:
    if "error" in row:
        print(f"everpaw: {row['error']}", file=sys.stderr)
        return
    print(f"{row['file']}  {row['duration_s']} s")
    for wake in row["wakes"]:
        print(f"  {wake['t_s']:7.2f} s  woke to {wake['name']} ({wake['score']:.2f})")
    for utterance in row["utterances"]:
        print(f"  {utterance['start_s']:7.2f} s", end="")
        print_turn(utterance)


def print_turn(row: Row) -> None:
    """A `turn_row` in words."""
    slots = " ".join(f"{name}={value}" for name, value in row["slots"].items())
    print(f"  heard: {row['text']!r}  understood: {row['intent']} {slots} ({row['confidence']:.2f})")
    print(f"             does: {row['action']}  says: {row['reply']!r}  mood: {row['mood']}")
    print(f"             words by: {row['by']} ({row['why']})")
