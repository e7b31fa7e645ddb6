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
_FLASH_OF: Mapping[str | None, str] = {None: "curious", "ask_abilities": "curious", "startle": "startled"}
_ANY_EVENT = (0.02, 0.04)
"""Being spoken to at all is pleasant"""


@dataclass(frozen=True, slots=True)
class Temperament:
    """Where the mood rests, and how strongly events move it."""

    valence: float
    arousal: float
    gain: float


class Emotion:
    """`hear` what was understood, `tick` the seconds, read `mood`."""

    def __init__(self, seed: int = 0, effects: Effects | None = None) -> None:
        chance = random.Random(seed)
        self.temperament = Temperament(
            chance.uniform(0.05, 0.15), chance.uniform(-0.05, 0.05), chance.uniform(0.9, 1.1)
        )
        self._effects = {**EFFECTS, **(effects or {})}
        self.valence = self.temperament.valence
        self.arousal = self.temperament.arousal
        self._flash = ""
        self._flash_left_s = 0.0
        self._quiet_s = 0.0

    @property
    def mood(self) -> str:
        """One of MOODS."""
        if self._flash:
            return self._flash
        if self.arousal < -0.45:
            return "sleepy"
        if self.valence < -0.25:
            return "sad"
        if self.valence > 0.3 and self.arousal > 0.35:
            return "excited"
        return "happy" if self.valence > 0.3 else "calm"

    def hear(self, intent: str | None) -> None:
        """An intent, "startle" for a sudden noise, or None for words not understood."""
        valence, arousal = self._effects.get(intent, (0.0, 0.0)) if intent else (0.0, 0.0)
        gain = self.temperament.gain
        self.valence = _pushed(self.valence, gain * valence + _ANY_EVENT[0] * (valence >= 0))
        self.arousal = _pushed(self.arousal, gain * arousal + _ANY_EVENT[1] * (arousal >= 0))
        self._flash = _FLASH_OF.get(intent, "")
        self._flash_left_s = FLASHES.get(self._flash, 0.0)
        self._quiet_s = 0.0

    def tick(self, dt_s: float) -> None:
        """Let `dt_s` seconds pass."""
        self._quiet_s += dt_s
        self._flash_left_s = max(0.0, self._flash_left_s - dt_s)
        if self._flash_left_s == 0.0:
            self._flash = ""
        drowsy = self._quiet_s > SLEEPY_AFTER_S
        rest = -0.7 if drowsy else self.temperament.arousal
        self.valence += (self.temperament.valence - self.valence) * -math.expm1(-dt_s / VALENCE_TAU_S)
        self.arousal += (rest - self.arousal) * -math.expm1(-dt_s / AROUSAL_TAU_S)


def _pushed(value: float, by: float) -> float:
    """Moves less the nearer it is to the end it is pushed to; stays within -1..1."""
    room = 1 - value if by > 0 else 1 + value
    return max(-1.0, min(1.0, value + by * min(1.0, room)))
