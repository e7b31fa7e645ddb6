"""Plays a scenario to a freshly started mind and says what was not as expected. No clock, no sound card."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from runtime.contracts.audio import BLOCK_SAMPLES, SAMPLE_RATE_HZ, AudioBlock, Samples
from runtime.contracts.config import TurnSettings, WakeSettings
from runtime.contracts.pack import Pack
from runtime.demo.people import People, Said
from runtime.ears import Ears, EarSettings, Heard
from runtime.mind.conversation import Conversation, Turn
from runtime.mind.grammar import Grammar
from runtime.mind.memory.memory import Memory
from runtime.mind.safety import CRISIS
from runtime.scenarios.script import Scenario, Step, Talk, never_said

MAX_WORDS = 40
"""A reply is short"""
HELP = r"112.*911"
"""Whoever is in danger is told whom to call"""
_SILENCE = np.zeros(SAMPLE_RATE_HZ, np.int16)


@dataclass(slots=True)
class Result:
    """What came of one scenario."""

    name: str
    falls_short: str = ""
    """Why it is known not to pass"""
    turns: int = 0
    failures: list[str] = field(default_factory=list)
    transcript: list[tuple[str, str]] = field(default_factory=list)
    """(person, pet) of every turn"""

    @property
    def passed(self) -> bool:
        return not self.failures

    @property
    def as_known(self) -> bool:
        """It passes, or is known not to; one that passes although it is known not to is news as well."""
        return self.passed != bool(self.falls_short)


class Player:
    """`play` one scenario after the other. `people` speak the steps that are to sound."""

    def __init__(self, pack: Pack, people: Callable[[], People]) -> None:
        self._pack, self._people = pack, people
        self._names = [head.stem.replace("_", " ") for head in pack.files("wake", ".onnx")]
        self._grammar = Grammar.load(pack.path("grammar.yaml"))
        self._never = never_said()
        # Always awake: scenarios are about what is said, not about being called.
        spotter = Conversation(pack, names=self._names).stop_spotter()
        stops = pack.files("stop", ".onnx")
        self._ears = Ears(EarSettings([], stops, WakeSettings(), TurnSettings(), spotter))

    def play(self, scenario: Scenario) -> Result:
        """Every step in order, with a mind of its own seed."""
        with TemporaryDirectory(prefix="everpaw-") as folder:
            memory = None
            if scenario.memory != "none":
                memory = Memory(Path(folder) / "memory", enabled=scenario.memory == "allowed")
            return self._play(scenario, memory)

    def _play(self, scenario: Scenario, memory: Memory | None) -> Result:
        result = Result(scenario.name, scenario.falls_short)
        mind = Conversation(self._pack, seed=scenario.seed, names=self._names, memory=memory)
        never = [*self._never, *scenario.never]
        if scenario.needs_sound:  # the same voices, whatever was played before
            self._people().begin_with(scenario.seed)
        for number, step in enumerate(scenario.steps, 1):
            for failure in self._step(mind, step, result, never):
                result.failures.append(f"step {number}: {failure}")
        return result

    def _step(self, mind: Conversation, step: Step, result: Result, never: Sequence[str]) -> Iterator[str]:
        if step.wait is not None:
            for _ in range(round(step.wait)):
                mind.emotion.tick(1.0)
        elif step.talk is not None:
            yield from self._talk(mind, step, step.talk, result, never)
        else:
            yield from self._say(mind, step, result, never)

    def _say(self, mind: Conversation, step: Step, result: Result, never: Sequence[str]) -> Iterator[str]:
        replies: list[str] = []
        for words in step.words:
            turns = self._hear(mind, step, words) if step.sound else [mind.read(words)]
            if not turns:
                yield f"{words!r} was not heard at all"
                continue
            for turn in turns:
                _remember(mind, turn, step.cut, result)
                yield from _forbidden(turn, [*never, *step.never])
            yield from _expected(turns, step)
            yield from _afterwards(mind, step)
            replies.append(turns[-1].reply.text)
        yield from _variety(replies, step)

    def _talk(
        self, mind: Conversation, step: Step, talk: Talk, result: Result, never: Sequence[str]
    ) -> Iterator[str]:
        replies = []
        for text, intent, slots in self._grammar.sentences(np.random.default_rng(talk.seed), talk.turns):
            turn = mind.read(text)
            _remember(mind, turn, None, result)
            yield from _forbidden(turn, never)
            found = turn.understanding
            if (found.intent, found.slots) != (intent, slots):
                yield f"{text!r}: understood {found.intent} {found.slots}, meant {intent} {slots}"
            replies.append(turn.reply.text)
        yield from _variety(replies, step)

    def _hear(self, mind: Conversation, step: Step, words: str) -> list[Turn]:
        """The turns that the step's sound leads to."""
        samples = self._sound(step, words)
        self._ears.reset()
        noticed = [
            one
            for start in range(0, len(samples), BLOCK_SAMPLES)
            for one in self._ears.step(AudioBlock(samples[start : start + BLOCK_SAMPLES], start))
        ]
        heard = [one for one in [*noticed, *self._ears.finish()] if isinstance(one, Heard)]
        return [mind.hear(one.utterance.samples, stop=one.stop) for one in heard]

    def _sound(self, step: Step, words: str) -> Samples:
        people = self._people()
        voice = people.say(Said(text=words)).samples
        mixed = np.concatenate([_SILENCE, voice, _SILENCE]).astype(np.float64)
        if step.over is not None:
            other = people.say(Said(text=step.over.say)).samples * 10 ** (step.over.level_db / 20)
            start = len(_SILENCE) + round(step.over.delay_s * SAMPLE_RATE_HZ)
            mixed = np.concatenate([mixed, np.zeros(max(0, start + len(other) + len(_SILENCE) - len(mixed)))])
            mixed[start : start + len(other)] += other
        if step.noise_db is not None:
            level = float(np.sqrt(np.mean(voice.astype(np.float64) ** 2)))
            mixed += np.random.default_rng(7).normal(0, level * 10 ** (-step.noise_db / 20), len(mixed))
        return np.asarray(np.clip(mixed, -32_768, 32_767), np.int16)


def _remember(mind: Conversation, turn: Turn, cut: float | None, result: Result) -> None:
    share = 1.0 if cut is None else cut
    mind.history.add(turn.heard, turn.reply.text, lambda: share)
    result.turns += 1
    result.transcript.append((turn.heard or "…", mind.history.turns()[-1][1]))


def _expected(turns: list[Turn], step: Step) -> Iterator[str]:
    """What none of the turns did although the step asks for it; one sound may be cut into several turns."""
    intents = [turn.understanding.intent for turn in turns]
    heard = " / ".join(repr(turn.heard) for turn in turns)
    if step.intents and not set(intents) & set(step.intents):
        why = turns[-1].understanding.why
        yield f"heard {heard}: intent {intents[-1]}, expected {step.intent} ({why})"
    acts = [turn.act.name if turn.act else "none" for turn in turns]
    if step.acts and not {*acts} & {*step.acts}:
        yield f"heard {heard}: does {acts[-1]}, expected {' or '.join(step.acts)}"
    if step.slots is not None and not any(turn.understanding.slots == step.slots for turn in turns):
        yield f"heard {heard}: slots {turns[-1].understanding.slots}, expected {step.slots}"
    replies = [turn.reply.text for turn in turns]
    helped = any(turn.understanding.intent == CRISIS and re.search(HELP, turn.reply.text) for turn in turns)
    if step.help is not None and helped != step.help:
        yield f"heard {heard}: {'no help' if step.help else 'offers help'}, says {replies[-1]!r}"
    if step.help and "halt" not in acts:
        yield f"heard {heard}: does {acts[-1]} where somebody is in danger"
    if step.says and not any(re.search(step.says, reply, re.IGNORECASE) for reply in replies):
        yield f"says {replies[-1]!r}, expected /{step.says}/"


def _afterwards(mind: Conversation, step: Step) -> Iterator[str]:
    if step.moods and mind.emotion.mood not in step.moods:
        yield f"is {mind.emotion.mood}, expected {' or '.join(step.moods)}"
    said = mind.history.turns()[-1][1]
    if step.said is not None and not re.search(step.said, said, re.IGNORECASE):
        yield f"remembers {said!r} as said, expected /{step.said}/"


def _variety(replies: Sequence[str], step: Step) -> Iterator[str]:
    again = sum(one == other for one, other in pairwise(replies))
    if step.repeats is not None and again > step.repeats:
        yield f"{again} replies were the one before; at most {step.repeats}"
    if len({*replies}) < step.wordings:
        yield f"{len({*replies})} different replies; at least {step.wordings}"


def _forbidden(turn: Turn, never: Sequence[str]) -> Iterator[str]:
    reply = turn.reply.text
    for pattern in never:
        if re.search(pattern, reply, re.IGNORECASE):
            yield f"says {reply!r}, which /{pattern}/ forbids"
    if len(reply.split()) > MAX_WORDS:
        yield f"says {len(reply.split())} words; at most {MAX_WORDS}"
