"""A sudden loud noise: a door that slams, a thing that falls. A pure stage; 20 ms blocks of 16-bit sound.

A bang comes up within one or two blocks, where speech swells, and it is louder than a voice.
"""

import numpy as np

from runtime.contracts.audio import Samples

LOUD_DB = -10.0
"""Level of a block, below full scale: a voice close by reaches -20"""
JUMP_DB = 30.0
"""Above the level two blocks earlier"""
REST_BLOCKS = 500
"""Ten seconds; the echo of a bang is none"""
_FLOOR_DB = -96.0


class Bang:
    """`step` every block; True for the one in which it bangs."""

    def __init__(self) -> None:
        self._before = (0.0, 0.0)
        self._rest = 0

    def step(self, samples: Samples) -> bool:
        level_db = level(samples)
        jump_db = level_db - max(min(self._before), _FLOOR_DB)
        self._before = (self._before[1], level_db)
        self._rest = max(self._rest - 1, 0)
        if level_db < LOUD_DB or jump_db < JUMP_DB or self._rest:
            return False
        self._rest = REST_BLOCKS
        return True


def level(samples: Samples) -> float:
    """Decibels below full scale."""
    if not len(samples):
        return _FLOOR_DB
    wide = samples.astype(np.float32)
    power = float(np.dot(wide, wide)) / len(wide) / 32_768.0**2
    return max(10 * float(np.log10(power)), _FLOOR_DB) if power > 0 else _FLOOR_DB
