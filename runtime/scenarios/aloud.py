"""The steps of a scenario that are to sound: people in a room, heard by a whole pet in its stream's time.

What is begun early, taken back, talked into and remembered as really said comes out as on the robot
(runtime.rehearsal); the pet always listens, since scenarios are about what is said, not about being called.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

import numpy as np

from runtime.answer import TurnRecord
from runtime.bus import Delivery
from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.contracts.pack import Pack
from runtime.demo.people import People, Said, people
from runtime.mind.conversation import Conversation
from runtime.pipeline import Listeners
from runtime.rehearsal import MORNING, Rehearsal, rehearsal
from runtime.scenarios.script import Step
from runtime.speech.tts import EspeakVoice, Voice, voice

_ANSWER_S, _MORE_S, _REPLY_S = 2.5, 0.7, 12.0
"""Waited for an answer, for a second one, and for the end of a reply"""
_PAUSE_S = 0.5
_WATCH_S = 0.1


class Aloud:
    """`begin` a scenario, then `hear` its steps in order."""

    def __init__(self, pet: Rehearsal, persons: People, speaker: Voice, records: list[TurnRecord]) -> None:
        self._pet, self._persons, self._speaker, self._records = pet, persons, speaker, records
        self._own_acts: list[str] = []
        for name in ("cmnd/skill", "cmnd/gait"):
            pet.bus.subscribe(name, self._on_movement)

    def begin(self, mind: Conversation, seed: int, hour: float = MORNING) -> None:
        """Another mind in the same body, and the same voices, room and moments whatever was played before."""
        self._pet.robot.answerer.mouth.hush()
        self._pet.begin_life(mind, hour)
        self._pet.robot.ears.stay_awake(float("inf"))
        self._persons.begin_anew(seed)
        if isinstance(self._speaker, EspeakVoice):
            self._speaker.begin_anew()
        self._own_acts.clear()

    def wait(self, seconds: int) -> None:
        """Nobody says anything, and the pet lives on."""
        self._settle()
        self._pet.rest(seconds)

    def own_acts(self) -> list[str]:
        """Skills and gaits that it began of its own will since this was asked last."""
        acts, self._own_acts = self._own_acts, []
        return acts

    @property
    def posture(self) -> str:
        return self._pet.robot.life.state.posture

    def hear(self, step: Step, words: str, *, talked_into: bool) -> list[TurnRecord]:
        """The turns that the step's sound leads to; `talked_into`: the next step falls into the reply."""
        if step.into is None:
            self._settle()
        else:
            self._pet.quiet(step.into)
        self._records.clear()
        self._pet.hear(self._sound(step, words))
        for _ in range(round(_ANSWER_S / _WATCH_S)):
            if self._records:
                break
            self._pet.quiet(_WATCH_S)
        if not talked_into:
            self._pet.quiet(_MORE_S)
        return list(self._records)

    def _on_movement(self, delivery: Delivery) -> None:
        row = json.loads(delivery.payload)
        if row["source"] == "autonomy":
            self._own_acts.append(row.get("skill") or row["gait"])

    def _settle(self) -> None:
        for _ in range(round(_REPLY_S / _WATCH_S)):
            if not self._pet.robot.answering:
                break
            self._pet.quiet(_WATCH_S)
        self._pet.quiet(_PAUSE_S)

    def _sound(self, step: Step, words: str) -> Samples:
        spoken = self._persons.say(Said(text=words))
        voice_alone = spoken.samples[spoken.start : spoken.end]
        mixed = voice_alone.astype(np.float64)
        if step.over is not None:
            other = self._persons.say(Said(text=step.over.say)).samples * 10 ** (step.over.level_db / 20)
            start = round(step.over.delay_s * SAMPLE_RATE_HZ)
            mixed = np.concatenate([mixed, np.zeros(max(0, start + len(other) - len(mixed)))])
            mixed[start : start + len(other)] += other
        if step.noise_db is not None:
            mixed = np.pad(mixed, SAMPLE_RATE_HZ // 2)
            level = float(np.sqrt(np.mean(voice_alone.astype(np.float64) ** 2)))
            mixed += np.random.default_rng(7).normal(0, level * 10 ** (-step.noise_db / 20), len(mixed))
        return np.asarray(np.clip(mixed, -32_768, 32_767), np.int16)


@contextmanager
def aloud(pack: Pack, tell: Callable[[TurnRecord], None] = lambda record: None) -> Iterator[Aloud]:
    """Voices, room and pet for all scenarios of a run; AudioError where espeak-ng is missing.

    `tell` is given every turn that comes of what is heard.
    """
    records: list[TurnRecord] = []

    def note(record: TurnRecord) -> None:
        records.append(record)
        tell(record)

    with ExitStack() as stack:
        persons = stack.enter_context(people())
        speaker = stack.enter_context(closing(voice()))
        listeners = Listeners(turn=note)
        pet = stack.enter_context(rehearsal(pack, voice=speaker, listeners=listeners))
        yield Aloud(pet, persons, speaker, records)
