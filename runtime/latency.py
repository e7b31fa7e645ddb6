"""How long the pet takes, over whole conversations in real time with the simulated body.

Clock: from the acoustic end of the last word, as the turn detector marks it, to the setpoint that the bridge
reports as taken by the microcontroller, and to the first sample handed to the loudspeaker.
"""

import argparse
from contextlib import closing

from runtime import starter
from runtime.audio.capture import QueueSource
from runtime.audio.playback import NullSink
from runtime.bench import Figures, percentiles, progress
from runtime.demo.owner import Owner, living, stage
from runtime.demo.script import load_script
from runtime.demo.timeline import Shown

STAGES = ("endpoint", "asr", "behaviour", "reply", "understood", "voice")


def measure(args: argparse.Namespace) -> Figures:
    """{"setpoint_ms", "first_sound_ms", "stop_ms", "stages_ms", "broker", "understood"}."""
    shown: list[Shown] = []
    sink = NullSink()
    with (
        closing(sink),
        stage(starter.load_pack(), sink) as scene,
        living(scene.robot, QueueSource()) as microphone,
    ):
        owner = Owner(scene.robot, microphone, scene.watch, scene.turns)
        for number in range(args.rounds):
            progress(f"conversation {number + 1} of {args.rounds}")
            shown += [result for result in owner.converse(load_script()) if isinstance(result, Shown)]
        broker = scene.body.broker.kind
    stops = [s for s in shown if s.meant == "stop"]
    others = [s for s in shown if s.meant != "stop"]
    return {
        "setpoint_ms": _of(others, "motion"),
        "first_sound_ms": _of(others, "sound"),
        "stop_ms": _of(stops, "motion"),
        "stages_ms": {stage_name: _of(others, stage_name) for stage_name in STAGES},
        "understood": {"right": sum(s.right for s in shown), "of": args.rounds * len(load_script())},
        "broker": broker,
    }


def _of(shown: list[Shown], name: str) -> dict[str, float | int | None]:
    return percentiles([s.record.timings_ms[name] for s in shown if name in s.record.timings_ms])
