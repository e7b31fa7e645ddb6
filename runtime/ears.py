"""The ears: blocks of microphone signal in, what was noticed out. A pure stage: no clock, queue or socket.

Wake and stop share one stream of speech embeddings; turns are cut beside them. An utterance is let through
when the pet was called during it, or while it listens on after an answer. Times are seconds of the stream.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.audio.recent import Recent
from runtime.audio.stop import AT_REST, Care, StopDetector, StopHit
from runtime.audio.turns import (
    SpeechGrows,
    SpeechOnset,
    SpeechStarted,
    TurnDetector,
    TurnEvent,
    Utterance,
)
from runtime.audio.wake import WakeDetector, WakeFeatures, WakeHit
from runtime.audio.witness import Witnesses
from runtime.contracts.audio import AudioBlock
from runtime.contracts.config import TurnSettings, WakeSettings
from runtime.speech.spotter import Spotter

NAME_ALONE_S = 0.1
"""Speech that ends within this of the moment its name fired was the name and nothing else"""
VOICE_S = 0.3
"""After a voice, so long "stop!" is looked for"""
STOP_SLACK_S = 1.0
"""A stop detector answers up to this long after the word it heard"""


@dataclass(frozen=True, slots=True)
class Heard:
    """A whole utterance that was meant for the pet."""

    utterance: Utterance
    stop: bool
    """The stop detector fired within it: whatever else it seems to say, it stops"""


Noticed = WakeHit | StopHit | SpeechOnset | SpeechStarted | SpeechGrows | Heard


@dataclass(frozen=True, slots=True)
class EarSettings:
    heads: Sequence[Path]
    """Wake heads; none means that the pet always listens"""
    stop_heads: Sequence[Path]
    wake: WakeSettings
    turns: TurnSettings
    spotter: Spotter | None = None
    """Looks for the stop word as well"""
    witnesses: Witnesses | None = None
    """Look for the names where a head is not sure"""


class Ears:
    """`step` one block at a time, in order; `reset` before another stream."""

    def __init__(self, settings: EarSettings) -> None:
        self._always = not settings.heads
        self._follow_up_s = settings.wake.follow_up_s
        features, recent = WakeFeatures(), Recent()
        self._features = features
        wake = settings.wake
        self._wake = WakeDetector(
            settings.heads, wake.backend, features, wake.networks, wake.anybody,
            settings.witnesses if wake.witness else None, recent,
        )  # fmt: skip
        self._stop = StopDetector(settings.stop_heads, features, settings.spotter, recent)
        self._turns = TurnDetector(settings.turns)
        self._awake_until_s = float("-inf")
        self._stopped_s = float("-inf")
        self._called_s = float("-inf")

    @property
    def awake_until_s(self) -> float:
        return float("inf") if self._always else self._awake_until_s

    def stay_awake(self, until_s: float) -> None:
        """Listen without the name until then (stream seconds); never shortens."""
        self._awake_until_s = max(self._awake_until_s, until_s)

    def be_patient(self, start_s: float, silence_s: float | None, acting: bool = False) -> None:
        """See `TurnDetector.be_patient`; from any thread."""
        self._turns.be_patient(start_s, silence_s, acting)

    def step(
        self, block: AudioBlock, *, deaf: bool = False, masked: bool = False, care: Care = AT_REST
    ) -> list[Noticed]:
        """What this block brought, in order: names, stops, then turns.

        `deaf`: the pet itself is speaking and its echo stands in the block. Names and "stop!" are still
        heard, other words are not. `masked`: the echo was taken out, and little but its rest is left.
        `care`: how closely "stop!" is listened for.
        """
        wakes = self._wake.step(block, alone=deaf)
        voiced = block.end_s - self._turns.voice_s <= VOICE_S
        stops = self._stop.step(block, voiced=voiced, care=care)
        for hit in wakes:
            self._called_s = hit.t_s
            self.stay_awake(hit.t_s + self._follow_up_s)
        for stop in stops:
            self._stopped_s = stop.t_s
            self.stay_awake(stop.t_s + STOP_SLACK_S)
        listening = not deaf and block.end_s <= self.awake_until_s
        turns = self._turns.step(block, listening, deaf=deaf, masked=masked)
        return [*wakes, *stops, *self._heard(turns)]

    def finish(self) -> list[Noticed]:
        """The stream ended: the utterance under way, if there is one."""
        return self._heard(self._turns.finish())

    def reset(self) -> None:
        self._awake_until_s = float("-inf")
        self._stopped_s = float("-inf")
        self._called_s = float("-inf")
        self._features.reset()
        self._wake.reset()
        self._stop.reset()
        self._turns.reset()

    def _heard(self, events: Sequence[TurnEvent]) -> list[Noticed]:
        noticed: list[Noticed] = []
        for event in events:
            if not isinstance(event, Utterance):
                noticed.append(event)
            elif not self._is_name_alone(event):
                stop = event.start_s <= self._stopped_s <= event.end_s + STOP_SLACK_S
                noticed.append(Heard(event, stop))
        return noticed

    def _is_name_alone(self, utterance: Utterance) -> bool:
        return utterance.start_s < self._called_s and utterance.end_s <= self._called_s + NAME_ALONE_S
