"""Where a name ends inside a spoken sentence, by forced alignment; None where it cannot be told."""

from functools import cache

import numpy as np
import numpy.typing as npt
import torch

from runtime.contracts.audio import Samples
from runtime.speech.features import HOP_SAMPLES, log_mel, normalise
from runtime.speech.units import BLANK, encode
from training.asr import gaussians
from training.asr.align import align
from training.wake.words import phones_of


def end_of(samples: Samples, said: str, after: str) -> int | None:
    """The sample at which `said` ends in a clip of `said` + `after`.

    None without the acoustic model (Debian's pocketsphinx-en-us), for words that are not read as English, and
    where the sounds do not fit into the clip.
    """
    ears = _ears()
    mine, others = phones_of(said), phones_of(after)
    if ears is None or not mine or not others:
        return None
    with torch.inference_mode():
        likelihoods = ears(torch.from_numpy(normalise(log_mel(samples)))[None])[0].numpy()
    return _end(align(likelihoods, encode([*mine, *others])), encode(mine), encode(others))


def _end(path: npt.NDArray[np.int64], mine: list[int], others: list[int]) -> int | None:
    """The unit of every frame -> the sample after the last frame of `mine`; None where sounds are missing."""
    starts = np.flatnonzero(np.diff(path, prepend=-1))
    runs = [(int(path[i]), int(i)) for i in starts if path[i] != BLANK]
    wanted = _merged([*mine, *others])
    if [unit for unit, _ in runs] != wanted:
        return None  # a sound said twice with a pause between, or no room for all
    first = len(_merged(mine)) - (mine[-1] == others[0])
    begin = runs[first][1]
    if mine[-1] == others[0]:  # one sound for both: its middle
        stop = runs[first + 1][1] if first + 1 < len(runs) else len(path)
        return (begin + stop) // 2 * HOP_SAMPLES
    voiced = np.flatnonzero(path[:begin] != BLANK)
    return (int(voiced[-1]) + 1) * HOP_SAMPLES


def _merged(units: list[int]) -> list[int]:
    return [unit for i, unit in enumerate(units) if i == 0 or unit != units[i - 1]]


@cache
def _ears() -> gaussians.PhoneLikelihoods | None:
    if not (gaussians.MODEL / "means").is_file():
        return None
    torch.set_num_threads(1)
    return gaussians.PhoneLikelihoods().eval()
