"""Who is understood less well: voices by their height and accent."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed; pip install 'everpaw[training]'")

from training.asr import people
from training.data.voices import Voice, all_voices


@pytest.mark.parametrize(("hz", "height"), [(110, "low"), (170, "middle"), (230, "high")])
def test_a_voice_is_as_high_as_its_pitch(hz: int, height: str) -> None:
    at = np.arange(16_000) / 16_000
    buzz = sum(np.sin(2 * np.pi * hz * k * at) / k for k in range(1, 12))
    assert people.height((5_000 * buzz).astype(np.int16)) == height


def test_answers_are_told_apart_by_group() -> None:
    assert people.grouped(["b", "a", "b"], [True, False, False]) == {"a": [False], "b": [True, False]}


def test_only_a_formant_synthesiser_has_accents() -> None:
    assert people.accent(Voice("espeak:en-gb+f2", "espeak", "en-gb+f2", True, 1.0)) == "en-gb"
    assert people.accent(Voice("flite:rms", "flite", "rms", True, 1.0)) == "recorded American"


@pytest.mark.skipif(not all_voices(), reason="no speech synthesiser; pip install 'everpaw[voice]'")
def test_every_accent_says_every_text() -> None:
    said = [(name, text) for name, text, _ in people.said_in_accents(["sit down", "good boy"], 3)]
    accents = {name for name, _ in said}
    assert len(said) == len(set(said)) == 2 * len(accents)
    assert "en-us" in accents
