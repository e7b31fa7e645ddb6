"""The page of synthetic voices: every sound in it can be decoded, and what cannot be spoken is told."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from training.data import listen, noise, voices

needs_a_voice = pytest.mark.skipif(
    not voices.all_voices(), reason="no synthesiser: pip install 'everpaw[voice]'"
)


@pytest.fixture(autouse=True)
def _few_noises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVERPAW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(noise, "KINDS", {k: noise.KINDS[k] for k in ("white", "hum")})


@needs_a_voice
def test_every_sound_on_the_page_can_be_heard(tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    assert listen.main(["--text", "hey <b>", "--text", "小白", "--voices", "2", "--out", str(out)]) == 0
    written = out.read_text(encoding="utf-8")
    sounds = re.findall(r'src="data:audio/flac;base64,([^"]+)"', written)
    assert len(sounds) == 2 * 3 + 2 + 1
    for data in sounds:
        samples, rate_hz = soundfile.read(io.BytesIO(base64.b64decode(data)))
        assert rate_hz == 16_000
        assert np.abs(samples).max() == pytest.approx(0.7, abs=0.02)
    assert "hey &lt;b&gt;" in written
    assert "espeak:cmn" in written
    assert "http" not in written


@needs_a_voice
@pytest.mark.parametrize(
    ("text", "name", "told"), [("!!", "a.html", "cannot speak"), ("sit", "a.txt", ".html")]
)
def test_what_cannot_be_spoken_or_written_leaves_no_page(
    text: str, name: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert listen.main(["--text", text, "--voices", "1", "--out", str(tmp_path / name)]) == 1
    assert told in capsys.readouterr().err
    assert not list(tmp_path.glob("a.*"))


def test_a_page_of_no_voices_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        listen.main(["--text", "sit", "--voices", "0", "--out", str(tmp_path / "a.html")])
