"""How long the pet takes, over commands and open questions at the pace of life, in a simulated room.

Clock: from the acoustic end of the last word in the clip itself to the first setpoint that the bridge reports
as taken by the microcontroller, and to the first sample of the reply's words (pet sounds are counted apart).
What comes before the end of the last word is negative, and stays so.
"""

import argparse

from runtime import starter
from runtime.bench import Figures, percentiles, progress
from runtime.demo.interview import Answered, interview
from runtime.demo.people import Said, load_lines, people
from runtime.demo.room import RoomSettings

STAGES = ("endpoint", "asr", "behaviour", "reply", "voice", "start")
"""Of the way to the reply's first word: waiting for the end, recognising, understanding, choosing words,
synthesising them (with the body's yes or no), and the loudspeaker's start"""


def measure(args: argparse.Namespace) -> Figures:
    """{"commands", "questions", "early", "stages_ms", "stage_shares", "broker", "raw_ms"}."""
    lines = load_lines()
    asked = {"commands": lines.command, "questions": lines.question}
    answers: dict[str, list[Answered]] = {}
    with people() as persons, interview(starter.load_pack(), RoomSettings()) as (talk, scene, _):
        for kind, all_said in asked.items():
            answers[kind] = []
            for number in range(args.rounds):
                progress(f"{len(all_said)} {kind}, round {number + 1} of {args.rounds}")
                for said in all_said:
                    answered = talk.ask(persons.say(said))
                    answers[kind] += [answered] if answered else []
                    talk.pause()
        broker = scene.body.broker.kind
    everything = [answered for group in answers.values() for answered in group]
    stages = [found for answered in everything if (found := stages_of(answered.timings_ms))]
    return {
        **{kind: _group(found, asked[kind], args.rounds) for kind, found in answers.items()},
        "early": early_figures(everything),
        "stages_ms": {name: percentiles([stage[name] for stage in stages]) for name in STAGES},
        "stage_shares": shares(stages),
        "broker": broker,
        "raw_ms": {kind: [_raw(answered) for answered in found] for kind, found in answers.items()},
    }


def stages_of(timings_ms: dict[str, float]) -> dict[str, float]:
    """The way to the reply's first word, stage by stage; {} where no word came."""
    if "words" not in timings_ms or "voice" not in timings_ms:
        return {}
    wording = timings_ms.get("wording", 0.0)
    return {
        "endpoint": timings_ms["endpoint"],
        "asr": timings_ms.get("asr", 0.0),
        "behaviour": timings_ms["behaviour"],
        "reply": timings_ms["reply"] + wording,
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


def _group(found: list[Answered], asked: tuple[Said, ...], rounds: int) -> Figures:
    return {
        "setpoint_ms": percentiles([ms for a in found if (ms := a.setpoint_ms) is not None]),
        "words_ms": percentiles([a.timings_ms["words"] for a in found if "words" in a.timings_ms]),
        "sound_ms": percentiles([a.timings_ms["sound"] for a in found if "sound" in a.timings_ms]),
        "answered": {"n": len(found), "of": rounds * len(asked), "as_meant": sum(a.right for a in found)},
    }


def _raw(answered: Answered) -> Figures:
    return {
        "said": answered.spoken.line.text,
        "heard": answered.record.turn.heard,
        "intent": answered.record.turn.understanding.intent,
        "early": answered.record.early,
        **{name: round(ms, 1) for name, ms in answered.timings_ms.items()},
    }
