"""A secret spoken to a robot without consent: neither its words nor its sound leave the process' memory.

Every byte that the robot and its children hand to the kernel is looked at. A second robot, whose owner shares
words, hears the same and shows that they would be found: in its topics, as it recognised them.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from runtime.audio.capture import read_audio
from runtime.broker import available_kind, run_broker
from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.demo.script import CLIPS
from runtime.mind.grammar import normalise
from runtime.speech.tts import SilentVoice, voice
from tests.runtime.privacy import traced

pytestmark = [
    pytest.mark.skipif(traced.refused() != "", reason=traced.refused()),
    pytest.mark.skipif(available_kind() is None, reason="no broker is installed"),
]
SECRET = "the golden attic key lies under the third flower pot"
_WINDOW = 24
"""Samples of one needle: 1.5 ms, which no other sound shares by chance"""
_LOUD = 1_000
_END_S = 120.0


@dataclass(frozen=True)
class Evidence:
    """What two robots handed to the kernel, and the sound that they heard."""

    private: list[tuple[str, bytes]]
    sharing: list[tuple[str, bytes]]
    home: Path
    secret: Samples


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    speaker = voice()
    if isinstance(speaker, SilentVoice):
        pytest.skip("no voice is installed")
    secret = speaker.speak(SECRET, "calm")
    speaker.close()
    home = tmp_path_factory.mktemp("robots")
    pause = np.zeros(4 * SAMPLE_RATE_HZ, np.int16)
    heard = np.concatenate([read_audio(CLIPS / "hey_buddy_sit_down.flac"), pause, secret, pause])
    soundfile.write(home / "heard.wav", heard, SAMPLE_RATE_HZ, "PCM_16")
    with run_broker() as broker:
        robots = []
        for name, share in (("private", "false"), ("sharing", "true")):
            (home / name).mkdir()
            settings = [f"robot_id={name}", f"mqtt.port={broker.port}", f"privacy.share_text={share}"]
            settings += [f"audio.source={home / 'heard.wav'}", "audio.sink=silence"]
            robots.append(traced.run(home / name, settings))
        private, sharing = (robot.written(_END_S) for robot in robots)
    return Evidence(private, sharing, home, secret)


def recognised(written: list[tuple[str, bytes]]) -> list[str]:
    """What the sharing robot says on its topics that it heard, turn by turn."""
    found = re.findall(rb'"heard":("(?:[^"\\]|\\.)*")', b"".join(data for _, data in written))
    return list(dict.fromkeys(json.loads(text) for text in found))


def long_words(texts: list[str]) -> set[str]:
    return {word for text in texts for word in normalise(text).split() if len(word) >= 5}


def test_the_sharing_robot_proves_that_words_would_be_found(evidence: Evidence) -> None:
    heard = recognised(evidence.sharing)
    assert "sit down" in heard[0]
    assert len(heard) >= 2, "the secret was not heard at all"
    assert long_words(heard[1:])


def test_no_word_of_the_secret_leaves_a_private_robot(evidence: Evidence) -> None:
    """As it was spoken and as it was recognised: three words in a row are no coincidence."""
    told = [data.lower() for _, data in evidence.private]
    everything = b"\0".join(told)
    assert any(kind == "topic" and b'"intent":"sit"' in data for kind, data in evidence.private)
    heard = recognised(evidence.sharing)[1:]
    for text in (SECRET, *heard):
        for three in threes(text):
            assert three.encode() not in everything, three
    for word in ("attic", "flower", "golden"):
        assert word.encode() not in everything
    assert recognised(evidence.private) == []


def threes(text: str) -> list[str]:
    """Every three words in a row; the whole where there are fewer."""
    words = normalise(text).split()
    return [" ".join(words[at : at + 3]) for at in range(max(1, len(words) - 2))]


def test_no_sound_of_the_secret_leaves_a_robot(evidence: Evidence) -> None:
    for written in (evidence.private, evidence.sharing):
        everything = b"\0".join(data for _, data in written)
        assert not any(needle in everything for needle in needles(evidence.secret))


def test_the_needles_would_be_found() -> None:
    noise = np.random.default_rng(1).integers(-9_000, 9_000, 16_000).astype(np.int16)
    for form in (noise.tobytes(), (noise / 32_768).astype(np.float32).tobytes(), noise[:1_600].tobytes()):
        assert any(needle in form for needle in needles(noise))


def needles(sound: Samples) -> list[bytes]:
    """Loud windows, a hundredth of a second apart, as 16-bit and as floating-point samples."""
    starts = range(0, len(sound) - _WINDOW, SAMPLE_RATE_HZ // 100)
    windows = [sound[at : at + _WINDOW] for at in starts]
    loud = [window for window in windows if np.abs(window.astype(int)).max() > _LOUD]
    assert len(loud) > 50
    return [
        form for window in loud for form in (window.tobytes(), (window / 32_768).astype(np.float32).tobytes())
    ]


def test_no_file_of_the_private_robot_holds_it(evidence: Evidence) -> None:
    files = [p for p in (evidence.home / "private").rglob("*") if p.is_file() and p.name != "strace.log"]
    assert any(path.name.startswith("events-") for path in files)
    held = b"\0".join(path.read_bytes().lower() for path in files)
    assert all(word not in held for word in (b"attic", b"flower", b"golden"))
    assert not any(needle in held for needle in needles(evidence.secret))
    assert not list((evidence.home / "private").rglob("core*"))
