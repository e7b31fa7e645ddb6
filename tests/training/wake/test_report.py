"""The report's arithmetic against known values, and its counting on a head that hears any loud sound."""

import os
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="pip install 'everpaw[training]'")

from runtime.contracts.audio import AudioBlock
from runtime.intervals import wilson
from training.asr import sphinx
from training.data import speech
from training.data.voices import Utterance
from training.wake import report as wake_report
from training.wake import rivals as wake_rivals


def test_the_bound_on_rare_events() -> None:
    assert wake_report.poisson_bound(0) == pytest.approx(3.0, abs=0.01)
    assert wake_report.poisson_bound(3) == pytest.approx(7.75, abs=0.01)


@pytest.mark.parametrize(
    ("events", "low", "high"), [(0, 0.0, 0.0250), (3, 0.0068, 0.0571), (75, 0.4210, 0.5790)]
)
def test_the_interval_of_a_share(events: int, low: float, high: float) -> None:
    assert wilson(events, 150) == pytest.approx((low, high), abs=5e-4)


def test_misses_and_fires_are_counted_and_their_hours_told() -> None:
    loud, quiet = np.full(160_000, 9000, np.int16), np.zeros(360_000, np.int16)
    figures = wake_report.on_recordings(
        lambda sounds: [int(abs(s.astype(int)).max() > 8000) for s in sounds],
        [loud, loud, quiet + 1],
        {"talk": [quiet, loud], "pets": [loud]},
    )
    assert str(figures["missed_people_clean"]).startswith("1/3 = 33.3 %")
    assert str(figures["fires_talk"]).startswith("1 in 0.009 h (at most 525")
    assert str(figures["fires_in_all"]).startswith("2 in 0.012 h")


@pytest.mark.parametrize(("name", "chinese"), [("小白", True), ("max", False)])
def test_a_chinese_name_is_measured_by_voices_that_speak_mandarin(
    name: str, chinese: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def speak(plan: Utterance) -> np.ndarray:
        said.append(plan.voice.name)
        return np.ones(1_600, np.float32)

    monkeypatch.setattr(speech, "spoken", speak)
    assert wake_report.synthetic(Deaf(), name, 4, np.inf) == {"missed": wake_report.share(4, 4)}
    assert [voice.startswith("cmn+") for voice in said] == [chinese] * 4


class Deaf:
    def step(self, block: AudioBlock) -> list[wake_report.Hit]:
        return []

    def reset(self) -> None: ...


@pytest.mark.data
def test_pocketsphinx_spots_its_phrase_and_not_another() -> None:
    root = os.environ.get("EVERPAW_DATA")
    if not root:
        pytest.skip("EVERPAW_DATA is not set")
    if not sphinx.installed():
        pytest.skip("no pocketsphinx: apt install pocketsphinx")
    clips = [wake_report._read(Path(root) / "wake_fixtures" / f"{n}.flac") for n in ("computer", "snowboy")]
    padded = [np.pad(clip, 16_000) for clip in clips]
    assert wake_rivals.Spotter("computer").fired(padded, 1e-20) == [True, False]
