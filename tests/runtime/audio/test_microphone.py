"""The microphone and the speaker on a small fake sound card; the real one where PyAudio finds it missing."""

import time
from collections.abc import Iterator

import numpy as np
import pytest

from runtime.audio import microphone
from runtime.audio.device import Heard, Wanted
from runtime.audio.microphone import MicrophoneSource
from runtime.audio.playback import SpeakerSink
from runtime.contracts.audio import AudioBlock, Samples, SourceFault
from runtime.contracts.errors import AudioError


class FakeStream:
    def __init__(self, rate_hz: int = 16_000) -> None:
        self.rate_hz = rate_hz
        self.active = True

    def close(self) -> None:
        self.active = False


class FakeCard:
    """A card whose interrupts the test raises itself."""

    def __init__(self, rate_hz: int = 16_000) -> None:
        self.rate_hz = rate_hz
        self.present = True
        self.streams: list[FakeStream] = []

    def record(self, device: int | None, heard: Heard) -> FakeStream:
        self.heard = heard
        return self._open()

    def play(self, device: int | None, wanted: Wanted) -> FakeStream:
        self.wanted = wanted
        return self._open()

    def _open(self) -> FakeStream:
        if not self.present:
            raise AudioError("no microphone (default device: not found); plug one in")
        self.streams.append(FakeStream(self.rate_hz))
        return self.streams[-1]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microphone, "STALL_S", 0.03)
    monkeypatch.setattr(microphone, "RETRY_S", 0.01)


def faults(items: Iterator[AudioBlock | SourceFault], count: int) -> list[str]:
    found: list[str] = []
    while len(found) < count:
        item = next(items)
        if isinstance(item, SourceFault):
            found.append(item.kind)
    return found


def pieces(count: int) -> list[Samples]:
    return list(np.arange(count * 160, dtype=np.int16).reshape(count, 160))


def test_pieces_become_blocks() -> None:
    card = FakeCard()
    source = MicrophoneSource(card=card)
    for piece in pieces(4):
        card.heard(piece, False)
    items = iter(source)
    first, second = next(items), next(items)
    assert isinstance(first, AudioBlock)
    assert isinstance(second, AudioBlock)
    assert (first.start_sample, second.start_sample) == (0, 320)
    assert np.concatenate([first.samples, second.samples]).tolist() == list(range(640))
    source.close()
    assert list(items) == []
    assert not card.streams[0].active


def test_overflow_is_reported_and_survived() -> None:
    card = FakeCard()
    items = iter(MicrophoneSource(card=card))
    for piece in pieces(203):
        card.heard(piece, False)
    fault = next(items)
    assert isinstance(fault, SourceFault)
    assert fault.kind == "overflow"
    assert "0.03 s dropped" in fault.detail
    assert isinstance(next(items), AudioBlock)


def test_what_the_card_lost_is_reported() -> None:
    card = FakeCard()
    items = iter(MicrophoneSource(card=card))
    card.heard(pieces(1)[0], True)
    assert faults(items, 1) == ["overflow"]


def test_a_stall_is_reported_once_and_the_stream_goes_on() -> None:
    card = FakeCard()
    items = iter(MicrophoneSource(card=card))
    assert faults(items, 1) == ["stalled"]
    for piece in pieces(2):
        card.heard(piece, False)
    assert isinstance(next(items), AudioBlock)
    assert faults(items, 1) == ["stalled"]


def test_a_lost_device_is_opened_again() -> None:
    card = FakeCard()
    source = MicrophoneSource(card=card)
    items = iter(source)
    card.streams[0].active = False
    card.present = False
    assert faults(items, 2) == ["stalled", "ended"]
    card.present = True
    # The generator waits for the device; the samples of the new stream wait in the queue.
    for piece in pieces(2):
        card.heard(piece, False)
    assert isinstance(next(items), AudioBlock)
    assert [stream.active for stream in card.streams] == [False, True]


def test_no_microphone_at_the_start_is_an_error() -> None:
    card = FakeCard()
    card.present = False
    with pytest.raises(AudioError, match="no microphone"):
        MicrophoneSource(card=card)


def test_the_speaker_plays_in_order_and_knows_when() -> None:
    card = FakeCard()
    sink = SpeakerSink(card=card)
    assert (sink.busy, sink.first_sample_at_s) == (False, None)
    sink.play(np.full(200, 1, np.int16))
    sink.play(np.full(100, 2, np.int16))
    assert (sink.busy, sink.first_sample_at_s) == (True, None)
    began_s = time.monotonic()
    assert card.wanted(160, 0.01).tolist() == [1] * 160
    assert sink.first_sample_at_s is not None
    assert sink.first_sample_at_s >= began_s + 0.01
    first_s = sink.first_sample_at_s
    assert card.wanted(160, 0.01).tolist() == [1] * 40 + [2] * 100 + [0] * 20
    assert sink.first_sample_at_s > first_s
    assert not sink.busy


def test_stop_silences_the_very_next_buffer() -> None:
    card = FakeCard()
    sink = SpeakerSink(card=card)
    sink.play(np.ones(1_000, np.int16))
    card.wanted(160, 0.0)
    sink.stop()
    assert not card.wanted(160, 0.0).any()
    assert not sink.busy
    sink.play(np.full(10, 3, np.int16))
    assert sink.first_sample_at_s is None
    assert card.wanted(10, 0.0).tolist() == [3] * 10


def test_a_pause_keeps_what_the_card_has_not_got_yet() -> None:
    card = FakeCard()
    sink = SpeakerSink(card=card)
    clip = sink.play(np.arange(1, 1_001).astype(np.int16))
    card.wanted(160, 0.5)
    sink.pause()
    assert not card.wanted(160, 0.0).any()
    assert sink.busy
    sink.resume()
    assert card.wanted(160, 0.5).tolist() == list(range(161, 321))
    assert clip.start_s is not None
    assert clip.cut_s == pytest.approx(clip.start_s + 0.01)
    assert clip.rest is not None
    assert clip.rest.samples.tolist() == list(range(161, 1_001))
    assert clip.rest.start_s is not None


def test_a_card_of_another_rate_gets_its_rate() -> None:
    card = FakeCard(rate_hz=48_000)
    sink = SpeakerSink(card=card)
    sink.play(np.full(1_600, 1_000, np.int16))
    out = card.wanted(10_000, 0.0)
    assert abs(np.count_nonzero(np.abs(out) > 500) - 4_800) < 60


def test_the_real_card_says_clearly_what_is_missing(capfd: pytest.CaptureFixture[str]) -> None:
    pyaudio = pytest.importorskip("pyaudio")
    portaudio = pyaudio.PyAudio()
    count = portaudio.get_device_count()
    portaudio.terminate()
    if count:
        pytest.skip("this machine has a sound device")
    capfd.readouterr()
    with pytest.raises(AudioError, match=r"no microphone \(default device: not found\); plug one in"):
        MicrophoneSource()
    with pytest.raises(AudioError, match=r"no speaker \(device 3: not found\)"):
        SpeakerSink(3)
    assert capfd.readouterr().err == ""
