"""What people say to each other, cut at pauses, and what of it is taken for a command."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed; pip install 'everpaw[training]'")

from runtime import starter
from runtime.audio.capture import read_audio
from runtime.demo.script import CLIPS
from runtime.mind.grammar import Grammar
from runtime.speech.asr import Recogniser
from training.asr import remarks


def test_talk_is_cut_at_pauses() -> None:
    rng = np.random.default_rng(2)
    parts = {16_000: 400, 8_000: 3, 96_000: 400, 4_000: 3, 1_600: 400, 12_000: 3}
    sound = np.concatenate([rng.normal(0, level, length) for length, level in parts.items()]).astype(np.int16)
    found = [len(one) / 16_000 for one in remarks.stretches(sound)]
    assert found == pytest.approx([1.25, 5.4], abs=0.1), "the last is too short"
    assert [*remarks.stretches(np.zeros(16_000, np.int16))] == []


def test_an_order_is_taken_for_one_and_noise_is_not() -> None:
    pack = starter.load_pack()
    recogniser = Recogniser(pack.part("asr"), Grammar.load(pack.path("grammar.yaml")))
    noise = np.random.default_rng(3).normal(0, 300, 16_000).astype(np.int16)
    found = remarks.measure(recogniser, [read_audio(CLIPS / "stop.flac"), noise])
    assert found["taken"]["percent"] == 50.0
    assert found["for"] == {"stop": 1}


def test_without_recordings_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("EVERPAW_DATA", raising=False)
    assert remarks.main([str(starter.FOLDER / "asr")]) == 1
    assert "EVERPAW_DATA" in capsys.readouterr().err
