"""Every synthetic voice there is on this machine, and which of them are kept aside.

Half of the clips come from espeak-ng, which has hundreds of voices; the rest from the few that were recorded
from people. Held-out voices are for reports only: no recipe may train on them. What is not installed
is left out; `missing()` says what, with the line to type.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt
import soxr

from runtime.contracts.audio import SAMPLE_RATE_HZ
from runtime.contracts.errors import TrainingError
from training.data import espeak, festival, pico

Floats = npt.NDArray[np.float32]
"""Shape (n,), 16 kHz mono, full scale 1.0"""
EngineName = Literal["espeak", "flite", "festival", "pico"]

ESPEAK_SHARE = 0.5
_HELD_OUT_RECORDED = {"flite:rms", "festival:ked_diphone"}
_HELD_OUT_BYTE = 26
_ROBOTIC = ("robo", "Robot", "croak", "Demonic", "whisper", "Storm", "Tweaky", "AnxiousAndy", "kaukovalta")
_MAX_CHARS = 400


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice. `weight` is how often it is drawn beside the others of its engine."""

    id: str
    """As in `espeak:en-us+f3` or `flite:slt`"""
    engine: EngineName
    name: str
    held_out: bool
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Utterance:
    """One text as one voice will say it: all the chance is in here, so it can be a cache's key."""

    text: str
    voice: Voice
    rate: float
    """1 is the voice's own; 2 is twice as fast"""
    pitch: float
    """Multiplies the voice's mean pitch"""
    liveliness: int = 50
    """0..100, how far pitch moves; espeak-ng only"""
    gap: int = 0
    """Extra pause between words, 10 ms; espeak-ng only"""


def _variant_is_held_out(variant: str) -> bool:
    return hashlib.sha256(variant.encode()).digest()[0] < _HELD_OUT_BYTE


@cache
def all_voices() -> tuple[Voice, ...]:
    """Whatever is installed, in a fixed order."""
    engine = espeak.espeak()
    found = []
    for variant in engine.variants() if engine else []:
        held_out, weight = _variant_is_held_out(variant), 0.3 if variant.startswith(_ROBOTIC) else 1.0
        for accent in espeak.ACCENTS:
            name = f"{accent}+{variant}"
            found.append(Voice(f"espeak:{name}", "espeak", name, held_out, weight))
    recorded: list[tuple[EngineName, str]] = [("flite", name) for name in festival.flite_voices()]
    recorded += [("festival", name) for name in festival.festival_voices()]
    recorded += [("pico", name) for name in pico.pico_voices()]
    for kind, name in recorded:
        voice_id = f"{kind}:{name}"
        # kal, kal16 and festival's kal_diphone are one person
        weight = 0.4 if "kal" in name else 1.0
        found.append(Voice(voice_id, kind, name, voice_id in _HELD_OUT_RECORDED, weight))
    return tuple(found)


def voices(held_out: bool = False) -> list[Voice]:
    """The voices to train on, or the ones kept aside; TrainingError where no synthesiser is installed."""
    if not all_voices():
        raise TrainingError(
            "no speech synthesiser is installed; type: pip install 'everpaw[voice]' "
            "(and for recorded voices: apt install flite festival festvox-kallpc16k festvox-us-slt-hts)"
        )
    return [voice for voice in all_voices() if voice.held_out == held_out]


def missing() -> list[str]:
    """One line for each synthesiser that is not there."""
    engines = {voice.engine for voice in all_voices()}
    cures = {
        "espeak": "pip install 'everpaw[voice]'",
        "flite": "apt install flite",
        "festival": "apt install festival festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts",
        "pico": "pip install 'everpaw[voices]'",
    }
    return [
        f"{name} is not installed, its voices are left out; type: {cures[name]}"
        for name in cures
        if name not in engines
    ]


def choose(among: Sequence[Voice], rng: np.random.Generator) -> Voice:
    """One voice at random: espeak-ng in `ESPEAK_SHARE` of the draws where others exist too."""
    wanted = rng.random() < ESPEAK_SHARE
    group = [voice for voice in among if (voice.engine == "espeak") == wanted] or list(among)
    weights = np.array([voice.weight for voice in group])
    return group[int(rng.choice(len(group), p=weights / weights.sum()))]


def plan(text: str, voice: Voice, rng: np.random.Generator) -> Utterance:
    """Draw rate, pitch and liveliness; TrainingError for a text without a letter or of absurd length."""
    if not any(c.isalpha() for c in text) or len(text) > _MAX_CHARS:
        raise TrainingError(
            f"cannot speak {text[:60]!r}; give words with letters, at most {_MAX_CHARS} signs"
        )
    rate = float(np.clip(np.exp(rng.normal(0.0, 0.18)), 0.65, 1.6))
    pitch = float(np.clip(np.exp(rng.normal(0.0, 0.16)), 0.7, 1.45))
    return Utterance(
        text, voice, round(rate, 2), round(pitch, 2), int(rng.integers(15, 95)), int(rng.integers(0, 4))
    )


def render(utterance: Utterance) -> Floats:
    """Say it: 16 kHz, peak 0.5, silence at both ends cut off."""
    samples, rate_hz = _speak(utterance)
    sound = samples.astype(np.float32) / 32768.0
    if rate_hz != SAMPLE_RATE_HZ:
        sound = soxr.resample(sound, rate_hz, SAMPLE_RATE_HZ, quality="HQ")
    sound = _trim(sound)
    if len(sound) < SAMPLE_RATE_HZ // 50:
        raise TrainingError(f"{utterance.voice.id} made no sound of {utterance.text!r}; try another spelling")
    return (0.5 * sound / np.abs(sound).max()).astype(np.float32)


def synthesize(text: str, voice: Voice, rng: np.random.Generator) -> Floats:
    """`text` by `voice` at a random rate and pitch; see `render`."""
    return render(plan(text, voice, rng))


def _speak(utterance: Utterance) -> festival.Wave:
    u, name = utterance, utterance.voice.name
    if u.voice.engine == "flite":
        return festival.flite(u.text, name, 1.0 / u.rate, u.pitch)
    if u.voice.engine == "festival":
        return festival.festival(name).speak(u.text, 1.0 / u.rate)
    if u.voice.engine == "pico":
        return pico.pico(u.text, name, u.rate, u.pitch)
    engine = espeak.espeak()
    if engine is None:
        raise TrainingError("espeak-ng is gone; type: pip install 'everpaw[voice]'")
    pitch = int(np.clip(50 + 70 * np.log(u.pitch), 5, 95))
    return engine.speak(u.text, name, int(165 * u.rate), pitch, u.liveliness, u.gap), engine.rate_hz


def _trim(sound: Floats, floor_db: float = -40.0, margin: int = 160) -> Floats:
    """Cut what is `floor_db` under the loudest 10 ms at both ends, but for 10 ms."""
    frames = sound[: len(sound) // 160 * 160].reshape(-1, 160)
    level = np.sqrt((frames**2).mean(axis=1)) if len(frames) else np.zeros(0, np.float32)
    loud = np.flatnonzero(level > level.max(initial=0.0) * 10 ** (floor_db / 20))
    if not len(loud):
        return sound[:0]
    return sound[max(0, loud[0] * 160 - margin) : (loud[-1] + 1) * 160 + margin]
