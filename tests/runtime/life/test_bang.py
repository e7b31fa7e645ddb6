"""What bangs and what does not."""

import numpy as np
import pytest

from runtime.audio.capture import read_audio
from runtime.contracts.audio import BLOCK_SAMPLES, Samples
from runtime.demo.script import CLIPS
from runtime.life.bang import REST_BLOCKS, Bang, level


def bangs(samples: Samples) -> int:
    bang = Bang()
    blocks = len(samples) // BLOCK_SAMPLES
    return sum(bang.step(block) for block in samples[: blocks * BLOCK_SAMPLES].reshape(blocks, -1))


def clap(rng: np.random.Generator, seconds: float = 1.0, at_s: float = 0.5) -> Samples:
    """A burst that decays within a tenth of a second, in a quiet room."""
    t_s = np.arange(int(16_000 * seconds)) / 16_000 - at_s
    burst = np.where(t_s >= 0, np.exp(-np.maximum(t_s, 0) / 0.03), 0) * rng.normal(0, 0.6, len(t_s))
    return np.asarray(np.clip(burst + rng.normal(0, 1e-3, len(t_s)), -1, 1) * 32_767, np.int16)


@pytest.mark.parametrize("seed", range(20))
def test_a_clap_bangs_once(seed: int) -> None:
    assert bangs(clap(np.random.default_rng(seed), at_s=0.3 + seed / 100)) == 1


def test_its_echo_is_none() -> None:
    rng = np.random.default_rng(1)
    assert bangs(np.tile(clap(rng), 5)) == 1
    assert bangs(np.tile(clap(rng), REST_BLOCKS // 50 + 5)) == 2


@pytest.mark.parametrize("clip", sorted(path.name for path in CLIPS.glob("*.flac")))
def test_speech_does_not_bang_even_at_full_scale(clip: str) -> None:
    speech = read_audio(CLIPS / clip).astype(np.float64)
    loud = np.asarray(speech / np.abs(speech).max() * 32_767, np.int16)
    quiet = np.zeros(16_000, np.int16)
    assert bangs(np.concatenate([quiet, loud, quiet])) == 0


def test_noise_that_goes_on_does_not_bang() -> None:
    rng = np.random.default_rng(1)
    swell = np.linspace(0, 0.5, 160_000) * rng.normal(0, 1, 160_000)
    assert bangs(np.asarray(np.clip(swell, -1, 1) * 32_767, np.int16)) == 0
    assert bangs(np.zeros(16_000, np.int16)) == 0


def test_the_level_is_in_decibels_below_full_scale() -> None:
    assert level(np.full(320, 32_767, np.int16)) == pytest.approx(0.0, abs=0.01)
    assert level(np.full(320, 3_277, np.int16)) == pytest.approx(-20.0, abs=0.01)
    assert level(np.zeros(320, np.int16)) == level(np.zeros(0, np.int16)) == -96.0
