"""The recipe makes audible, bounded, repeatable sounds the bank can load."""

from pathlib import Path

import numpy as np

from runtime.speech.sounds import SoundBank
from training import sounds


def test_smoke(tmp_path: Path) -> None:
    one, other = tmp_path / "one/sounds", tmp_path / "other/sounds"
    for out in (one, other):
        assert sounds.main(["--out", str(out), "--smoke"]) == 0
    bank = SoundBank(one)
    assert bank.kinds == sorted(sounds.KINDS)
    for kind in bank.kinds:
        samples = bank.pick(kind, "calm").astype(int)
        assert 0.1 < len(samples) / 16_000 < 4
        assert 8_000 < np.abs(samples).max() < 32_767
        assert (one / f"{kind}_1.flac").read_bytes() == (other / f"{kind}_1.flac").read_bytes()
    assert "seed 7" in (tmp_path / "one/cards/sounds.md").read_text()
