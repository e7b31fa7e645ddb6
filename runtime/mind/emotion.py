"""The pet's mood: valence and arousal that events push and time calms. No clock, no chance at run time.

Same seed, same events, same ticks: same mood. The seed sets the temperament (where the mood rests and how
strongly it is moved), as two puppies of a litter differ. Surprise and curiosity are short: they cover the
mood for a few seconds and leave.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass

VALENCE_TAU_S = 150.0
AROUSAL_TAU_S = 60.0
SLEEPY_AFTER_S = 240.0
"""Without events for this long, arousal sinks toward sleep"""
FLASHES = {"curious": 6.0, "startled": 4.0}
"""Short moods, seconds"""
MOODS = ("calm", "happy", "excited", "sad", "sleepy", *FLASHES)

Effects = Mapping[str, tuple[float, float]]
"""Intent -> what it adds to (valence, arousal)"""
EFFECTS: Effects = {
    "praise": (0.4, 0.15),
    "love": (0.4, 0.1),
    "thanks": (0.2, 0.0),
    "hello": (0.15, 0.2),
    "play": (0.2, 0.3),
    "dance": (0.2, 0.3),
    "scold": (-0.5, 0.1),
    "sleep": (0.0, -0.8),
    "wake_up": (0.0, 0.5),
    "quiet": (0.0, -0.25),
    "startle": (-0.1, 0.6),
}
"""Where a pack says nothing of an intent"""
SHARED: Mapping[str, tuple[float, float]] = {
    "anger": (-0.2, 0.1),
    "disgust": (-0.1, 0.0),
    "fear": (-0.15, 0.15),
    "joy": (0.25, 0.15),
    "sadness": (-0.2, -0.2),
    "surprise": (0.0, 0.2),
}
"""What the speaker's feeling adds to the pet's (valence, arousal), where the words were no order"""
_FLASH_OF: Mapping[str | None, str] = {None: "curious", "ask_abilities": "curious", "startle": "startled"}
_ANY_EVENT = (0.02, 0.04)
"""Being spoken to at all is pleasant"""


@dataclass(frozen=True, slots=True)
class Temperament:
    """Where the mood rests, and how strongly events move it."""

    valence: float
    arousal: float
    gain: float


@dataclass(frozen=True, slots=True)
class Feeling:
    """Everything that is remembered of the mood; whoever keeps it can give it back."""

    valence: float
    arousal: float
    flash: str = ""
    """A short mood that covers the other, empty where none does"""
    flash_left_s: float = 0.0
    quiet_s: float = 0.0
    """Since the last event"""

    @property
    def mood(self) -> str:
        """One of MOODS."""
        if self.flash:
            return self.flash
        if self.arousal < -0.45:
            return "sleepy"
        if self.valence < -0.25:
            return "sad"
        if self.valence > 0.3 and self.arousal > 0.35:
            return "excited"
        return "happy" if self.valence > 0.3 else "calm"


class Emotion:
    """`hear` what was understood, `tick` the seconds, read `mood`."""

    def __init__(self, seed: int = 0, effects: Effects | None = None) -> None:
        chance = random.Random(seed)
        self.temperament = Temperament(
            chance.uniform(0.05, 0.15), chance.uniform(-0.05, 0.05), chance.uniform(0.9, 1.1)
        )
        self._effects = {**EFFECTS, **(effects or {})}
        self.feeling = Feeling(self.temperament.valence, self.temperament.arousal)
        self.leaning: tuple[float, float] | None = None
        """(valence, arousal) that its needs draw it to; None: the temperament's, and sleepy after a while"""

    @property
    def valence(self) -> float:
        return self.feeling.valence

    @property
    def arousal(self) -> float:
        return self.feeling.arousal

    @property
    def mood(self) -> str:
        """One of MOODS."""
        return self.feeling.mood

    def hear(self, intent: str | None, feeling: str = "") -> None:
        """An intent, "startle" for a sudden noise, or None for words not understood.

        `feeling`: what the speaker seems to feel, see SHARED.
        """
        shared = SHARED.get(feeling) if intent is None else None
        valence, arousal = shared or (self._effects.get(intent, (0.0, 0.0)) if intent else (0.0, 0.0))
        gain, flash = self.temperament.gain, "" if shared else _FLASH_OF.get(intent, "")
        self.feeling = Feeling(
            _pushed(self.valence, gain * valence + _ANY_EVENT[0] * (valence >= 0)),
            _pushed(self.arousal, gain * arousal + _ANY_EVENT[1] * (arousal >= 0)),
            flash,
            FLASHES.get(flash, 0.0),
        )

    def tick(self, dt_s: float) -> None:
        """Let `dt_s` seconds pass."""
        was = self.feeling
        quiet_s = was.quiet_s + dt_s
        left_s = max(0.0, was.flash_left_s - dt_s)
        valence, arousal = self.leaning or self._rest(quiet_s)
        self.feeling = Feeling(
            was.valence + (valence - was.valence) * -math.expm1(-dt_s / VALENCE_TAU_S),
            was.arousal + (arousal - was.arousal) * -math.expm1(-dt_s / AROUSAL_TAU_S),
            was.flash if left_s else "",
            left_s,
            quiet_s,
        )

    def _rest(self, quiet_s: float) -> tuple[float, float]:
        drowsy = quiet_s > SLEEPY_AFTER_S
        return self.temperament.valence, -0.7 if drowsy else self.temperament.arousal


def _pushed(value: float, by: float) -> float:
    """Moves less the nearer it is to the end it is pushed to; stays within -1..1."""
    room = 1 - value if by > 0 else 1 + value
    return max(-1.0, min(1.0, value + by * min(1.0, room)))
