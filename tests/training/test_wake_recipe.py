"""The wake recipe at its smallest: it runs, it writes a head, and bad names are refused before any work."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="pip install 'everpaw[training]'")
pytest.importorskip("onnxscript", reason="pip install 'everpaw[training]'")

from runtime.audio.heads import WakeHead
from runtime.contracts.errors import TrainingError
from training import wake, wake_clips, wake_report
from training.data import voices

needs_a_voice = pytest.mark.skipif(
    not voices.all_voices(), reason="no synthesiser: pip install 'everpaw[voice]'"
)


@needs_a_voice
def test_smoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVERPAW_DATA", raising=False)
    path = wake.train("Stop", tmp_path / "stop", seed=1, smoke=True, workers=0)
    head = WakeHead(path)
    described = json.loads(path.with_suffix(".json").read_text())
    assert head.settings.name == described["name"] == "stop"
    assert head.settings.threshold == pytest.approx(described["threshold"])
    assert head.windows == wake.STOP.windows
    assert path.stat().st_size < 500_000
    assert b"/training/" not in path.read_bytes()
    assert "python -m training.wake" in (tmp_path / "cards" / "stop.md").read_text()


@pytest.mark.parametrize("name", ["", "   ", "42", "?!", "x" * 60])
def test_bad_names_are_refused(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert wake.main(["--name", name, "--out", str(tmp_path), "--smoke"]) == 1
    assert "give one to four words with letters" in capsys.readouterr().err


def test_without_a_synthesiser_the_cure_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voices, "all_voices", lambda: ())
    with pytest.raises(TrainingError, match="no speech synthesiser"):
        wake.train("rex", tmp_path, seed=1, smoke=True)


def test_windows_just_after_the_name_are_positive() -> None:
    clip = wake_clips.Clip(np.zeros((30, 96), np.float32), 1.0, "name", "rex")
    labels = wake.label(clip, wake.WAKE)
    times = (np.arange(30) + 1) * 0.08
    assert labels[(times >= 1.0) & (times <= 1.4)].all()
    assert (labels[times < 0.7] == 0).all()
    assert -1 in labels


@needs_a_voice
def test_negatives_never_hold_the_name() -> None:
    words = wake_clips.words_for("hey buddy")
    assert "hey buddy" not in words.near
    assert {"hey bunny", "buddy hey", "somebuddy"} - set(words.near) == {"somebuddy"}
    assert all("stop" not in text.split() for text in wake_clips.words_for("stop").near)


def test_parts_split_speakers_and_leave_out_the_word_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for word in ("stop", "go"):
        (tmp_path / "keywords" / word).mkdir(parents=True)
        for speaker in range(40):
            (tmp_path / "keywords" / word / f"{speaker:08x}_nohash_0.flac").touch()
    monkeypatch.setenv("EVERPAW_DATA", str(tmp_path))
    parts = [set(wake_clips.real_negatives(part, "stop")) for part in ("train", "choose", "report")]
    assert sum(map(len, parts)) == len(set().union(*parts)) == 40
    assert not any("/stop/" in path for part in parts for path in part)


def test_the_bound_on_rare_events() -> None:
    assert wake_report._poisson_bound(0) == pytest.approx(3.0, abs=0.01)
    assert wake_report._poisson_bound(3) == pytest.approx(7.75, abs=0.01)
