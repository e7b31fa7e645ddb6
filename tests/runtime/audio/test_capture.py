"""Sources: any sound file comes out as 16 kHz mono blocks; queues, silence, pacing and bad files."""

import threading
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from runtime.audio.capture import FileSource, NullSource, QueueSource, Source, read_audio
from runtime.contracts.audio import BLOCK_SAMPLES, SAMPLE_RATE_HZ, AudioBlock, Samples, SourceFault
from runtime.contracts.errors import AudioError

FORMATS = [
    (8_000, 1, "PCM_16", "wav"),
    (44_100, 2, "PCM_24", "wav"),
    (48_000, 6, "FLOAT", "wav"),
    (22_050, 1, "DOUBLE", "wav"),
    (16_000, 1, "PCM_16", "flac"),
    (96_000, 2, "PCM_24", "flac"),
    (11_025, 1, "PCM_U8", "wav"),
    (48_000, 2, "VORBIS", "ogg"),
]


def tone(rate_hz: int, duration_s: float = 1.0, hz: float = 440.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(round(rate_hz * duration_s)) / rate_hz)


def write(path: Path, rate_hz: int, channels: int, subtype: str) -> Path:
    soundfile.write(path, np.stack([tone(rate_hz)] * channels, axis=1), rate_hz, subtype)
    return path


def listen(source: Source) -> tuple[Samples, list[SourceFault]]:
    """All samples in order, and the faults; blocks must join without a gap."""
    samples: list[Samples] = [np.zeros(0, np.int16)]
    faults: list[SourceFault] = []
    position = 0
    for item in source:
        if isinstance(item, SourceFault):
            faults.append(item)
            continue
        assert item.start_sample == position
        assert item.samples.dtype == np.int16
        position += len(item.samples)
        samples.append(item.samples)
    return np.concatenate(samples), faults


@pytest.mark.parametrize(("rate_hz", "channels", "subtype", "suffix"), FORMATS)
def test_any_format_comes_out_alike(
    tmp_path: Path, rate_hz: int, channels: int, subtype: str, suffix: str
) -> None:
    path = write(tmp_path / f"tone.{suffix}", rate_hz, channels, subtype)
    samples, faults = listen(FileSource(path))
    assert faults == []
    assert abs(len(samples) - SAMPLE_RATE_HZ) <= 16
    expected = tone(SAMPLE_RATE_HZ, len(samples) / SAMPLE_RATE_HZ) * 32_768
    inner = slice(800, -800)
    assert np.abs(samples[inner] - expected[inner]).max() < 700
    assert np.array_equal(samples, read_audio(path))


def test_sixteen_kilohertz_mono_is_not_touched(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    original = rng.integers(-32_768, 32_768, 5_001).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", original, SAMPLE_RATE_HZ)
    assert np.array_equal(read_audio(tmp_path / "a.wav"), original)
    blocks = [b for b in FileSource(tmp_path / "a.wav") if isinstance(b, AudioBlock)]
    assert {len(b.samples) for b in blocks[:-1]} == {BLOCK_SAMPLES}
    assert len(blocks[-1].samples) == 5_001 % BLOCK_SAMPLES


def test_padding_is_silence_around_it(tmp_path: Path) -> None:
    path = write(tmp_path / "tone.wav", 16_000, 1, "PCM_16")
    samples, _ = listen(FileSource(path, pad_s=0.5))
    assert len(samples) == 2 * SAMPLE_RATE_HZ
    assert not samples[:8_000].any()
    assert not samples[-8_000:].any()
    assert np.array_equal(samples[8_000:-8_000], read_audio(path))


def test_what_is_beyond_full_scale_is_clipped_not_wrapped(tmp_path: Path) -> None:
    loud = np.array([4.0, -4.0, np.nan, np.inf, -np.inf, 0.5] * 100, np.float32)
    soundfile.write(tmp_path / "loud.wav", loud, SAMPLE_RATE_HZ, "FLOAT")
    assert read_audio(tmp_path / "loud.wav")[:6].tolist() == [32_767, -32_768, 0, 32_767, -32_768, 16_384]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.wav", b"", r"empty.wav is empty \(0 bytes\); give a WAV, FLAC"),
        (
            "words.wav",
            b"these are words, not sound\n" * 50,
            r"words.wav cannot be read as sound \(.+\); give",
        ),
        ("half.wav", b"RIFF\x24\x00\x00\x00WAVEfmt ", r"half.wav cannot be read as sound"),
        ("raw.raw", b"\0" * 640, r"raw.raw cannot be read as sound"),
    ],
)
def test_what_is_no_sound_file_is_one_clear_line(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    for read in (read_audio, FileSource):
        with pytest.raises(AudioError, match=message) as caught:
            read(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_missing_folder_and_soundless(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="does not exist"):
        read_audio(tmp_path / "nowhere.wav")
    with pytest.raises(AudioError, match="is a folder"):
        read_audio(tmp_path)
    soundfile.write(tmp_path / "none.wav", np.zeros(0), SAMPLE_RATE_HZ)
    with pytest.raises(AudioError, match=r"holds no sound \(0 samples\)"):
        read_audio(tmp_path / "none.wav")
    soundfile.write(tmp_path / "slow.wav", np.zeros(10), 100)
    with pytest.raises(AudioError, match="has 100 Hz and 1 channels"):
        read_audio(tmp_path / "slow.wav")


def test_a_truncated_wav_gives_what_is_there(tmp_path: Path) -> None:
    path = write(tmp_path / "cut.wav", 16_000, 1, "PCM_16")
    path.write_bytes(path.read_bytes()[: 44 + 2 * 8_000])
    samples, faults = listen(FileSource(path))
    assert len(samples) == 8_000
    assert faults == []


def test_a_flac_broken_midway_is_reported_and_survived(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(-9_000, 9_000, 5 * SAMPLE_RATE_HZ).astype(np.int16)
    soundfile.write(tmp_path / "b.flac", noise, SAMPLE_RATE_HZ)
    data = (tmp_path / "b.flac").read_bytes()
    (tmp_path / "b.flac").write_bytes(data[: len(data) // 2])
    samples, faults = listen(FileSource(tmp_path / "b.flac", pad_s=0.1))
    assert SAMPLE_RATE_HZ < len(samples) < 5 * SAMPLE_RATE_HZ
    assert [f.kind for f in faults] == ["ended"]
    assert "b.flac is broken after" in faults[0].detail
    with pytest.raises(AudioError, match="is broken after"):
        read_audio(tmp_path / "b.flac")


def test_an_hour_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "hour.wav"
    with soundfile.SoundFile(path, "w", 8_000, 1, "PCM_U8") as file:
        for _ in range(60):
            file.write(np.zeros(60 * 8_000, np.int16))
    tracemalloc.start()
    try:
        count = sum(1 for _ in FileSource(path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 3_600 * 50
    assert peak < 5_000_000


def test_realtime_waits_for_every_sample() -> None:
    began_s = time.monotonic()
    for item in NullSource(0.3):
        assert isinstance(item, AudioBlock)
        assert time.monotonic() - began_s >= item.end_s - 0.002
        time.sleep(0.005)  # a slow reader must not make the stream slower
    assert time.monotonic() - began_s < 0.3 + 2.0


def test_close_ends_a_stream_at_once(tmp_path: Path) -> None:
    path = write(tmp_path / "tone.wav", 16_000, 1, "PCM_16")
    sources: list[Source] = [NullSource(), QueueSource(), FileSource(path, realtime=True, pad_s=60)]
    for source in sources:
        threading.Timer(0.05, source.close).start()
        samples, _ = listen(source)
        assert len(samples) < 2 * SAMPLE_RATE_HZ


def test_a_queue_speaks_what_is_pushed_and_is_silent_between() -> None:
    source = QueueSource(realtime=False)
    spoken = np.arange(1, 701, dtype=np.int16)
    assert source.push(spoken[:100])
    assert source.push(spoken[100:])
    source.end()
    samples, faults = listen(source)
    assert faults == []
    assert len(samples) == 3 * BLOCK_SAMPLES
    assert np.array_equal(samples[:700], spoken)
    assert not samples[700:].any()


def test_a_queue_is_bounded_and_says_what_it_dropped() -> None:
    source = QueueSource(limit_s=0.1, realtime=False)
    assert not source.push(np.ones(2_400, np.int16))
    assert source.waiting_s == pytest.approx(0.1)
    source.end()
    samples, faults = listen(source)
    assert samples.sum() == 1_600
    assert [(f.kind, f.at_sample) for f in faults] == [("overflow", 0)]
    assert "0.05 s dropped" in faults[0].detail


def test_waiting_until_the_queue_was_heard() -> None:
    source = QueueSource()
    reader = threading.Thread(target=listen, args=(source,))
    reader.start()
    source.push(np.ones(1_600, np.int16))
    assert not source.wait_until_heard(timeout_s=0)
    assert source.wait_until_heard(timeout_s=5)
    source.close()
    reader.join(timeout=5)
    assert not reader.is_alive()
