"""A voice of another house: words become sound at a Wyoming server, such as wyoming-piper on this computer.

`audio.voice_server = "tcp://127.0.0.1:10200"`. A server that is away or slow is told once; the pet's own
voice speaks then, so that no answer is lost.
"""

import asyncio
import logging
from urllib.parse import urlsplit

import numpy as np
import soxr
from wyoming.audio import AudioChunk, AudioChunkConverter, AudioStop
from wyoming.client import AsyncClient
from wyoming.tts import Synthesize

from runtime.addresses import outside
from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.contracts.errors import ConfigError
from runtime.speech.tts import MAX_CHARACTERS, Voice

log = logging.getLogger(__name__)

REPLY_S = 5.0


class WyomingVoice:
    """Used by one thread at a time; `own` speaks where the server does not.

    ConfigError for an address that is none or outside the house: what the pet says stays there.
    """

    def __init__(self, uri: str, own: Voice) -> None:
        parts = urlsplit(uri)
        if parts.scheme != "tcp" or not parts.hostname or parts.port is None:
            raise ConfigError(f"audio.voice_server = {uri!r}: write it as tcp://127.0.0.1:10200")
        if away := outside(parts.hostname, parts.port):
            raise ConfigError(f"audio.voice_server {parts.hostname} is {away[0]}, outside the house")
        self._uri, self._own = uri, own
        self.why = f"the server at {uri}"
        self._complained = False

    def speak(self, text: str, mood: str) -> Samples:
        """`text` as 16 kHz samples."""
        words = " ".join(text.split())[:MAX_CHARACTERS]
        if not words:
            return np.zeros(0, np.int16)
        try:
            samples = asyncio.run(asyncio.wait_for(self._ask(words), REPLY_S))
        except (OSError, TimeoutError, EOFError, ValueError) as error:
            if not self._complained:
                log.warning("the voice at %s does not answer (%s); the pet's own speaks", self._uri, error)
            self._complained = True
            return self._own.speak(text, mood)
        self._complained = False
        return samples

    def close(self) -> None:
        self._own.close()

    async def _ask(self, words: str) -> Samples:
        pieces: list[bytes] = []
        rate_hz = SAMPLE_RATE_HZ
        async with AsyncClient.from_uri(self._uri) as client:
            await client.write_event(Synthesize(text=words).event())
            while True:
                event = await client.read_event()
                if event is None:
                    raise EOFError("it hung up")
                if AudioChunk.is_type(event.type):
                    chunk = AudioChunk.from_event(event)
                    rate_hz = chunk.rate
                    pieces.append(AudioChunkConverter(width=2, channels=1).convert(chunk).audio)
                elif AudioStop.is_type(event.type):
                    break
        samples = np.frombuffer(b"".join(pieces), np.int16)
        if rate_hz == SAMPLE_RATE_HZ:
            return samples
        resampled: Samples = soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ)
        return resampled
