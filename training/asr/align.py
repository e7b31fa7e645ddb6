"""Where each sound of a clip lies: forced alignment by the Gaussians' likelihoods."""

import numpy as np
import numpy.typing as npt

from runtime.speech import units
from training.asr.gaussians import ORDER, STATES

_SILENCE = ORDER.index("SIL")
_PAUSE = -2.0
"""Units of likelihood for entering a pause between two sounds; at the ends of a clip it is free"""
_NEVER = np.float32(-1e9)


def align(likelihoods: npt.NDArray[np.float32], said: list[int]) -> npt.NDArray[np.int64]:
    """(T, 126) likelihoods and the units that were said -> the unit of every frame, BLANK where silent.

    Viterbi through three states a sound, pauses allowed between sounds; all BLANK where T is too short.
    """
    columns, label, entry = _chain(said)
    steps = len(likelihoods)
    if not said or steps < STATES * len(said):
        return np.full(steps, units.BLANK, np.int64)
    scores = likelihoods[:, columns]  # (T, states)
    sounds = np.arange(len(columns))
    pause = label == units.BLANK
    may_skip = ~pause & (sounds % (2 * STATES) == STATES) & (sounds >= 2 * STATES)
    best = np.full(len(columns), _NEVER, np.float32)
    best[0], best[STATES] = scores[0, 0], scores[0, STATES]
    came = np.zeros((steps, len(columns)), np.int8)
    for t in range(1, steps):
        # stay, come from the state before, or leap over the pause from the last state of the sound before
        step = np.concatenate([[_NEVER], best[:-1]]) + entry
        leap = np.where(may_skip, best[np.maximum(sounds - STATES - 1, 0)], _NEVER)
        ways = np.stack([best, step, leap])
        choice = ways.argmax(axis=0)
        came[t] = choice
        best = ways[choice, sounds] + scores[t]
    state = len(columns) - 1 if best[-1] > best[-1 - STATES] else len(columns) - 1 - STATES
    path = np.empty(steps, np.int64)
    for t in range(steps - 1, -1, -1):
        path[t] = state
        state -= (0, 1, STATES + 1)[came[t, state]]
    return label[path]


def _chain(said: list[int]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Pause, sound, pause, sound, ..., pause: columns of the likelihoods, units, price of entering each."""
    columns, label, entry = [], [], []
    for i, unit in enumerate([units.BLANK, *(u for s in said for u in (s, units.BLANK))]):
        phone = ORDER.index(units.UNITS[unit]) if unit != units.BLANK else _SILENCE
        columns += [STATES * phone + k for k in range(STATES)]
        label += [unit] * STATES
        inner = 0 < i < 2 * len(said) and unit == units.BLANK
        entry += [_PAUSE if inner else 0.0, 0.0, 0.0]
    return np.array(columns), np.array(label), np.array(entry, np.float32)
