"""Plays a scenario to a freshly started mind and says what was not as expected. No clock, no sound card."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from runtime.contracts.audio import BLOCK_SAMPLES, SAMPLE_RATE_HZ, AudioBlock, Samples
from runtime.contracts.config import TurnSettings, WakeSettings
from runtime.contracts.pack import Pack
from runtime.demo.people import People, Said
from runtime.ears import Ears, EarSettings, Heard
from runtime.mind.conversation import Conversation, Turn
from runtime.mind.grammar import Grammar
from runtime.scenarios.script import ANY, Scenario, Step, Talk

MAX_WORDS = 40
"""A reply is short"""
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
        # Always awake: scenarios are about what is said, not about being called.
        self._ears = Ears(EarSettings([], pack.files("stop", ".onnx"), WakeSettings(), TurnSettings()))

    def play(self, scenario: Scenario) -> Result:
        """Every step in order, with a mind of its own seed."""
        result = Result(scenario.name, scenario.falls_short)
        mind = Conversation(self._pack, seed=scenario.seed, names=self._names)
        for number, step in enumerate(scenario.steps, 1):
            for failure in self._step(mind, step, result, scenario.never):
                result.failures.append(f"step {number}: {failure}")
        return result

    def _step(self, mind: Conversation, step: Step, result: Result, never: Sequence[str]) -> Iterator[str]:
        if step.wait is not None:
            for _ in range(round(step.wait)):
                mind.emotion.tick(1.0)
        elif step.talk is not None:
            yield from self._talk(mind, step.talk, step.repeats, result, never)
        else:
            turns = self._hear(mind, step) if step.sound else [mind.read(step.say or "")]
            if not turns:
                yield f"{step.say!r} was not heard at all"
                return
            for turn in turns:
                _remember(mind, turn, step.cut, result)
                yield from _forbidden(turn, [*never, *step.never])
            yield from _expected(turns, step)
            yield from _remembered(mind, step)

    def _talk(
        self, mind: Conversation, talk: Talk, repeats: int, result: Result, never: Sequence[str]
    ) -> Iterator[str]:
        said_again = 0
        before = ""
        for text, intent, slots in self._grammar.sentences(np.random.default_rng(talk.seed), talk.turns):
            turn = mind.read(text)
            _remember(mind, turn, None, result)
            yield from _forbidden(turn, never)
            found = turn.understanding
            if (found.intent, found.slots) != (intent, slots):
                yield f"{text!r}: understood {found.intent} {found.slots}, meant {intent} {slots}"
            said_again += turn.reply.text == before
            before = turn.reply.text
        if said_again > repeats:
            yield f"{said_again} replies were the one before; at most {repeats}"

    def _hear(self, mind: Conversation, step: Step) -> list[Turn]:
        """The turns that the step's sound leads to."""
        samples = self._sound(step)
        self._ears.reset()
        noticed = [
            one
            for start in range(0, len(samples), BLOCK_SAMPLES)
            for one in self._ears.step(AudioBlock(samples[start : start + BLOCK_SAMPLES], start))
        ]
        heard = [one for one in [*noticed, *self._ears.finish()] if isinstance(one, Heard)]
        return [mind.hear(one.utterance.samples, stop=one.stop) for one in heard]

    def _sound(self, step: Step) -> Samples:
        people = self._people()
        voice = people.say(Said(text=step.say or "")).samples
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
    if step.act not in (ANY, *acts):
        yield f"heard {heard}: does {acts[-1]}, expected {step.act}"
    if step.slots is not None and not any(turn.understanding.slots == step.slots for turn in turns):
        yield f"heard {heard}: slots {turns[-1].understanding.slots}, expected {step.slots}"
    replies = [turn.reply.text for turn in turns]
    if step.says and not any(re.search(step.says, reply, re.IGNORECASE) for reply in replies):
        yield f"says {replies[-1]!r}, expected /{step.says}/"


def _remembered(mind: Conversation, step: Step) -> Iterator[str]:
    said = mind.history.turns()[-1][1]
    if step.said is not None and not re.search(step.said, said, re.IGNORECASE):
        yield f"remembers {said!r} as said, expected /{step.said}/"


def _forbidden(turn: Turn, never: Sequence[str]) -> Iterator[str]:
    reply = turn.reply.text
    for pattern in never:
        if re.search(pattern, reply, re.IGNORECASE):
            yield f"says {reply!r}, which /{pattern}/ forbids"
    if len(reply.split()) > MAX_WORDS:
        yield f"says {len(reply.split())} words; at most {MAX_WORDS}"
