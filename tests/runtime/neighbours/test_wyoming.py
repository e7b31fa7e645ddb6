"""Our wake, ears and voice to a real Wyoming client, and a real Wyoming server as the pet's voice."""

import asyncio
import re
import socket
from collections.abc import Callable
from contextlib import closing
from functools import partial

import numpy as np
import pytest

pytest.importorskip("wyoming", reason="the [neighbours] extra is not installed")

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.server import AsyncServer
from wyoming.tts import Synthesize
from wyoming.wake import Detect, Detection, NotDetected

from runtime import starter
from runtime.audio.capture import read_audio
from runtime.broker import free_port
from runtime.contracts.audio import Samples
from runtime.contracts.errors import ConfigError
from runtime.demo.script import CLIPS
from runtime.neighbours.wyoming import Offer, Stream, main
from runtime.neighbours.wyoming_voice import WyomingVoice
from runtime.speech.tts import SilentVoice, voice

FORM = {"rate": 16_000, "width": 2, "channels": 1}


@pytest.fixture(scope="module")
def offer() -> Offer:
    return Offer(starter.load_pack(), SilentVoice())


def talk(offer: Offer, events: list[Event], last: Callable[[str], bool]) -> list[Event]:
    """What comes back for `events`, up to the first of a type that `last` knows."""

    async def converse() -> list[Event]:
        uri = f"tcp://127.0.0.1:{free_port()}"
        server = AsyncServer.from_uri(uri)
        await server.start(partial(Stream, offer))
        got: list[Event] = []
        async with AsyncClient.from_uri(uri) as client:
            for event in events:
                await client.write_event(event)
            while not got or not last(got[-1].type):
                event = await asyncio.wait_for(client.read_event(), 60)
                assert event is not None
                got.append(event)
        await server.stop()
        return got

    return asyncio.run(converse())


def sound(samples: Samples, rate: int = 16_000) -> list[Event]:
    form = {**FORM, "rate": rate}
    chunks = [
        AudioChunk(audio=samples[i : i + 1_280].tobytes(), **form) for i in range(0, len(samples), 1_280)
    ]
    return [AudioStart(**form).event(), *(chunk.event() for chunk in chunks), AudioStop().event()]


def padded(name: str) -> Samples:
    silence = np.zeros(16_000, np.int16)
    return np.concatenate([silence, read_audio(CLIPS / name), silence])


def test_it_tells_what_it_has(offer: Offer) -> None:
    [told] = talk(offer, [Describe().event()], Info.is_type)
    info = Info.from_event(told)
    assert [model.phrase for model in info.wake[0].models] == ["hey buddy"]
    assert info.asr[0].models[0].languages == ["en"]
    assert info.tts[0].voices


def test_its_name_is_detected_and_other_words_are_not(offer: Offer) -> None:
    end = lambda kind: Detection.is_type(kind) or NotDetected.is_type(kind)  # noqa: E731
    heard = talk(offer, [Detect().event(), *sound(padded("hey_buddy_sit_down.flac"))], end)
    assert Detection.from_event(heard[-1]).name == "hey_buddy"
    [nothing] = talk(offer, [Detect().event(), *sound(padded("what_can_you_do.flac"))], end)
    assert NotDetected.is_type(nothing.type)


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_an_utterance_comes_back_as_words(offer: Offer, rate: int) -> None:
    samples = padded("wag_your_tail.flac")
    if rate == 48_000:
        samples = np.repeat(samples, 3)
    [told] = talk(offer, [Transcribe().event(), *sound(samples, rate)], Transcript.is_type)
    assert Transcript.from_event(told).text == "wag your tail"


def test_an_empty_utterance_is_no_words(offer: Offer) -> None:
    [told] = talk(offer, sound(np.zeros(0, np.int16)), Transcript.is_type)
    assert Transcript.from_event(told).text == ""


def test_a_wyoming_server_speaks_for_the_pet_and_its_own_voice_where_it_does_not() -> None:
    with closing(voice()) as own:
        speaking = Offer(starter.load_pack(), own)
        port = free_port()

        async def served() -> Samples:
            server = AsyncServer.from_uri(f"tcp://127.0.0.1:{port}")
            await server.start(partial(Stream, speaking))
            theirs = WyomingVoice(f"tcp://127.0.0.1:{port}", SilentVoice())
            samples = await asyncio.to_thread(theirs.speak, "good morning", "calm")
            await server.stop()
            return samples

        samples = asyncio.run(served())
        # espeak-ng dithers: two times the same words are alike, not equal.
        assert abs(len(samples) - len(own.speak("good morning", "calm"))) < 800
        assert np.abs(samples.astype(int)).max() > 1_000
        gone = WyomingVoice(f"tcp://127.0.0.1:{port}", own)
        assert len(gone.speak("good morning", "calm")) > 4_000


@pytest.mark.parametrize("uri", ["tcp://8.8.8.8:10200", "http://127.0.0.1:1", "tcp://127.0.0.1"])
def test_a_voice_outside_the_house_is_refused(uri: str) -> None:
    with pytest.raises(ConfigError):
        WyomingVoice(uri, SilentVoice())


def test_speech_is_sent_whole(offer: Offer) -> None:
    told = talk(offer, [Synthesize(text="hello").event()], AudioStop.is_type)
    assert [AudioStart.is_type(told[0].type), AudioStop.is_type(told[-1].type)] == [True, True]


@pytest.mark.parametrize(
    "uri", ["foo", "tcp://127.0.0.1", "tcp://127.0.0.1:99999", "tcp://127.0.0.1:taken", "unix:///none/x"]
)
def test_an_address_where_nothing_can_listen_is_told(uri: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        uri = uri.replace("taken", str(other.getsockname()[1]))
        with pytest.raises(ConfigError, match=re.escape(uri)):
            main(["--uri", uri])
