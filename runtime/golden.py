"""What a pack made of a few known clips and sentences where it was built, to be compared where it runs.

`golden.json` in a pack holds the heads' highest scores and the words heard in clips that come with everpaw,
and what sentences of the pack's own grammar meant. A pack that answers otherwise on the robot is damaged, or
its engine computes something else.
"""

import statistics
import time
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from runtime.audio.embeddings import WakeFeatures
from runtime.audio.soundfiles import read_audio
from runtime.audio.wake import HeadScorer
from runtime.contracts.audio import SAMPLE_RATE_HZ, AudioBlock, Samples
from runtime.contracts.errors import PackError
from runtime.contracts.pack import Pack
from runtime.mind.conversation import Conversation
from runtime.mind.grammar import Grammar

GOLDEN_NAME = "golden.json"
CLIPS = ("hey_buddy_sit_down", "stop", "what_can_you_do")
SENTENCES, SEED = 8, 7
SCORE_SLACK = 0.1
"""Another processor rounds otherwise"""
SURE = 0.8
"""Words that were believed less may come out otherwise elsewhere"""
_VOICE = Path(__file__).parent / "demo" / "voice"


class Clip(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    heard: str | None
    belief: float
    scores: dict[str, float]
    """Head -> highest score"""


class Golden(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    clips: dict[str, Clip]
    meanings: dict[str, str | None]
    """Typed sentence -> intent"""


def load(pack: Pack) -> Golden:
    """What the pack did where it was built; PackError where it does not say."""
    try:
        return Golden.model_validate_json(pack.path(GOLDEN_NAME).read_bytes())
    except ValidationError as error:
        raise PackError(
            f"pack {pack.folder}: {GOLDEN_NAME} is of another version; build the pack again"
        ) from error


def take(pack: Pack) -> tuple[Golden, float]:
    """What the pack does here, and the median milliseconds from a clip's end to an answer."""
    heads = pack.files("wake", ".onnx")
    mind = Conversation(pack, seed=SEED, names=[head.stem.replace("_", " ") for head in heads])
    scorer = HeadScorer(heads, WakeFeatures(), anybody=True)
    clips, took_ms = {}, []
    for name in CLIPS:
        samples = read_audio(_VOICE / f"{name}.flac")
        mind.reset()
        began_s = time.perf_counter()
        turn = mind.hear(samples)
        took_ms.append((time.perf_counter() - began_s) * 1e3)
        scores = {head.stem: score for head, score in zip(heads, _scores(scorer, samples), strict=True)}
        clips[name] = Clip(heard=turn.heard, belief=round(turn.belief, 2), scores=scores)
    drawn = Grammar.load(pack.path("grammar.yaml")).sentences(np.random.default_rng(SEED), SENTENCES)
    meanings = {text: mind.read(text).understanding.intent for text, _, _ in drawn}
    return Golden(clips=clips, meanings=meanings), statistics.median(took_ms)


def _scores(scorer: HeadScorer, samples: Samples) -> list[float]:
    """Each head's highest score with half a second of silence behind the clip."""
    scorer.reset()
    padded = np.concatenate([samples, np.zeros(SAMPLE_RATE_HZ // 2, np.int16)])
    steps = scorer.step(AudioBlock(padded, 0))
    return [round(max(column), 2) for column in zip(*(scores for _, scores in steps), strict=True)]


def differences(wanted: Golden, found: Golden) -> list[str]:
    """One line for everything that came out otherwise."""
    lines = []
    for name, clip in wanted.clips.items():
        here = found.clips.get(name)
        if here is None:
            continue  # a clip of another everpaw
        if clip.belief >= SURE and here.heard != clip.heard:
            lines.append(f"{name}: heard {here.heard!r}, not {clip.heard!r}")
        lines += [
            f"{name}: head {head} says {here.scores.get(head)}, not {score}"
            for head, score in clip.scores.items()
            if abs(here.scores.get(head, -1.0) - score) > SCORE_SLACK
        ]
    lines += [
        f"{text!r} means {found.meanings.get(text)!r}, not {intent!r}"
        for text, intent in wanted.meanings.items()
        if found.meanings.get(text) != intent
    ]
    return lines
