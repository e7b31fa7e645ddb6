"""`everpaw wyoming`: the pet's wake name, recogniser and voice for whoever speaks Wyoming, as Home Assistant.

One connection is one stream. `detect` makes it a wake stream, `transcribe` an utterance that ends with
`audio-stop`; without either an utterance is taken. Sound of any rate and width is converted. Models are
shared, one thread at a time; sound is kept in memory only, at most MAX_S of it.
"""

import argparse
import asyncio
import sys
import threading
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioChunkConverter, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import (
    AsrModel,
    AsrProgram,
    Attribution,
    Describe,
    Info,
    TtsProgram,
    TtsVoice,
    WakeModel,
    WakeProgram,
)
from wyoming.server import AsyncEventHandler, AsyncServer
from wyoming.tts import Synthesize
from wyoming.wake import Detect, Detection, NotDetected

from runtime import __version__, starter
from runtime.audio.wake import WakeDetector
from runtime.contracts.audio import SAMPLE_RATE_HZ, AudioBlock, Samples
from runtime.contracts.errors import ConfigError
from runtime.contracts.pack import Pack
from runtime.mind.conversation import Conversation
from runtime.speech.tts import Voice, voice

DEFAULT_URI = "tcp://127.0.0.1:10400"
MAX_S = 30.0
"""Of one utterance; what comes later is not heard"""
CHUNK = 1_600
"""Samples of one piece of our speech on the wire"""
_BY = Attribution(name="everpaw", url="")


class Offer:
    """What one pack can do for others. `hears` and `speaks` may be called from any thread."""

    def __init__(self, pack: Pack, speaker: Voice) -> None:
        self.pack, self._speaker = pack, speaker
        self.heads = pack.files("wake", ".onnx")
        self._names = [head.stem.replace("_", " ") for head in self.heads]
        self._mind = Conversation(pack, seed=7, names=self._names)
        self._lock = threading.Lock()

    def ears(self) -> WakeDetector:
        """For one stream."""
        return WakeDetector(self.heads)

    def hears(self, samples: Samples) -> str:
        """The words of an utterance; "" where there were none."""
        with self._lock:
            look = self._mind.glance(samples, 1.0)
            self._mind.reset()
            return look.text or ""

    def speaks(self, text: str) -> Samples:
        return self._speaker.speak(text, "calm")

    def info(self) -> Info:
        language = self.pack.manifest.language
        versioned: dict[str, Any] = {
            "attribution": _BY,
            "installed": True,
            "description": self.pack.manifest.name,
            "version": __version__,
        }
        wakes = [
            WakeModel(name=head.stem, phrase=name, languages=[language], **versioned)
            for head, name in zip(self.heads, self._names, strict=True)
        ]
        model = AsrModel(name=self.pack.manifest.name, languages=[language], **versioned)
        speech = TtsVoice(name=self.pack.manifest.name, languages=[language], **versioned)
        return Info(
            wake=[WakeProgram(name="everpaw", models=wakes, **versioned)],
            asr=[AsrProgram(name="everpaw", models=[model], **versioned)],
            tts=[TtsProgram(name="everpaw", voices=[speech], **versioned)],
        )


class Stream(AsyncEventHandler):
    """One connection."""

    def __init__(self, offer: Offer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(reader, writer)
        self._offer = offer
        self._convert = AudioChunkConverter(rate=SAMPLE_RATE_HZ, width=2, channels=1)
        self._ears: WakeDetector | None = None
        self._detected = False
        self._heard: list[Samples] = []
        self._count = 0

    async def handle_event(self, event: Event) -> bool:
        if Describe.is_type(event.type):
            await self.write_event(self._offer.info().event())
        elif Detect.is_type(event.type):
            self._ears = self._offer.ears()
        elif AudioStart.is_type(event.type):
            self._heard, self._count, self._detected = [], 0, False
        elif AudioChunk.is_type(event.type):
            await self._hear(self._convert.convert(AudioChunk.from_event(event)))
        elif AudioStop.is_type(event.type):
            await self._end()
        elif Synthesize.is_type(event.type):
            await self._speak(Synthesize.from_event(event).text)
        return True

    async def _hear(self, chunk: AudioChunk) -> None:
        samples = np.frombuffer(chunk.audio, np.int16)
        block = AudioBlock(samples, self._count)
        self._count += len(samples)
        if self._ears is None:
            if self._count <= MAX_S * SAMPLE_RATE_HZ:
                self._heard.append(samples)
            return
        for hit in await asyncio.to_thread(self._ears.step, block):
            self._detected = True
            name = hit.name.replace(" ", "_")
            await self.write_event(Detection(name=name, timestamp=round(hit.t_s * 1_000)).event())

    async def _end(self) -> None:
        if self._ears is not None:
            if not self._detected:
                await self.write_event(NotDetected().event())
            self._ears.reset()
            return
        heard = np.concatenate(self._heard) if self._heard else np.zeros(0, np.int16)
        text = await asyncio.to_thread(self._offer.hears, heard) if len(heard) else ""
        await self.write_event(Transcript(text=text, language=self._offer.pack.manifest.language).event())

    async def _speak(self, text: str) -> None:
        samples = await asyncio.to_thread(self._offer.speaks, text)
        form = {"rate": SAMPLE_RATE_HZ, "width": 2, "channels": 1}
        await self.write_event(AudioStart(**form).event())
        for start in range(0, len(samples), CHUNK):
            piece = samples[start : start + CHUNK].tobytes()
            await self.write_event(AudioChunk(audio=piece, **form).event())
        await self.write_event(AudioStop().event())


def main(argv: list[str]) -> int:
    """`everpaw wyoming`."""
    parser = argparse.ArgumentParser(
        prog="everpaw wyoming", description="The pet's wake name, recogniser and voice over Wyoming."
    )
    parser.add_argument("--uri", default=DEFAULT_URI, help="where to listen, as tcp://127.0.0.1:10400")
    parser.add_argument("--pack", type=Path, help="folder of a pack; the starter where not given")
    args = parser.parse_args(argv)
    try:
        listening = AsyncServer.from_uri(args.uri)
    except ValueError as error:
        raise ConfigError(f"--uri {args.uri!r}: {error}; write it as {DEFAULT_URI}") from error
    with closing(voice()) as speaker:
        offer = Offer(starter.load_pack(args.pack), speaker)
        name = offer.pack.manifest.name
        print(f"everpaw: {name} is offered at {args.uri} ; Ctrl-C ends", file=sys.stderr, flush=True)
        try:
            asyncio.run(listening.run(partial(Stream, offer)))
        except OSError as error:
            raise ConfigError(f"nothing can listen at {args.uri} ({error}); name another address") from error
    return 0
