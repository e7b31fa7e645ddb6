"""Plays a scenario to a freshly started mind and says what was not as expected. No clock, no sound card."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from runtime.answer import TurnRecord
from runtime.contracts.pack import Pack
from runtime.mind.conversation import Conversation, Turn
from runtime.mind.grammar import Grammar
from runtime.mind.memory.memory import Memory
from runtime.mind.safety import CRISIS
from runtime.rehearsal import MORNING
from runtime.scenarios.aloud import Aloud
from runtime.scenarios.script import Scenario, Step, Talk, never_said

MAX_WORDS = 40
"""A reply is short"""
HELP = r"112.*911"
"""Whoever is in danger is told whom to call"""


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
    """`play` one scenario after the other. `aloud` is asked for only where a step is to sound."""

    def __init__(self, pack: Pack, aloud: Callable[[], Aloud]) -> None:
        self._pack, self._aloud = pack, aloud
        self._names = [head.stem.replace("_", " ") for head in pack.files("wake", ".onnx")]
        self._grammar = Grammar.load(pack.path("grammar.yaml"))
        self._never = never_said()

    def play(self, scenario: Scenario) -> Result:
        """Every step in order, with a mind of its own seed."""
        with TemporaryDirectory(prefix="everpaw-") as folder:
            if scenario.memory == "none":
                return self._play(scenario, None)
            enabled = scenario.memory == "allowed"
            with closing(Memory(Path(folder) / "memory", enabled=enabled)) as memory:
                return self._play(scenario, memory)

    def _play(self, scenario: Scenario, memory: Memory | None) -> Result:
        result = Result(scenario.name, scenario.falls_short)
        mind = Conversation(self._pack, seed=scenario.seed, names=self._names, memory=memory)
        never = [*self._never, *scenario.never]
        living = None
        if scenario.needs_sound:
            self._aloud().begin(mind, scenario.seed, MORNING if scenario.hour is None else scenario.hour)
            living = None if scenario.hour is None else self._aloud()
        for number, step in enumerate(scenario.steps, 1):
            following = scenario.steps[number : number + 1]
            talked_into = any(one.into is not None for one in following)
            if living is None:
                failures = [*self._step(mind, step, result, never, talked_into)]
            elif step.wait is not None:
                living.wait(round(step.wait))
                failures = [*_lived(living, step)]
            else:
                spoken = self._say_aloud(mind, step, result, never, talked_into)
                failures = [*spoken, *_lived(living, step)]
            result.failures += [f"step {number}: {failure}" for failure in failures]
        return result

    def _step(
        self, mind: Conversation, step: Step, result: Result, never: Sequence[str], talked_into: bool
    ) -> Iterator[str]:
        if step.wait is not None:
            for _ in range(round(step.wait)):
                mind.emotion.tick(1.0)
        elif step.talk is not None:
            yield from self._talk(mind, step, step.talk, result, never)
        elif step.sound:
            yield from self._say_aloud(mind, step, result, never, talked_into)
        else:
            yield from self._say(mind, step, result, never)

    def _say(self, mind: Conversation, step: Step, result: Result, never: Sequence[str]) -> Iterator[str]:
        replies: list[str] = []
        for words in step.words:
            turn = mind.read(words)
            mind.history.add(turn.heard, turn.reply.text, partial(_share, step.cut))
            yield from _came_of(mind, [turn], step, result, never)
            replies.append(turn.reply.text)
        yield from _variety(replies, step)

    def _say_aloud(
        self, mind: Conversation, step: Step, result: Result, never: Sequence[str], talked_into: bool
    ) -> Iterator[str]:
        for words in step.words:
            records = self._aloud().hear(step, words, talked_into=talked_into)
            if not records:
                yield f"{words!r} was not heard at all"
                continue
            yield from _came_of(mind, [record.turn for record in records], step, result, never)
            yield from _begun(mind, records, step)

    def _talk(
        self, mind: Conversation, step: Step, talk: Talk, result: Result, never: Sequence[str]
    ) -> Iterator[str]:
        replies = []
        for text, intent, slots in self._grammar.sentences(np.random.default_rng(talk.seed), talk.turns):
            turn = mind.read(text)
            mind.history.add(turn.heard, turn.reply.text, lambda: 1.0)
            yield from _came_of(mind, [turn], step, result, never)
            found = turn.understanding
            if (found.intent, found.slots) != (intent, slots):
                yield f"{text!r}: understood {found.intent} {found.slots}, meant {intent} {slots}"
            replies.append(turn.reply.text)
        yield from _variety(replies, step)


def _share(cut: float | None) -> float:
    return 1.0 if cut is None else cut


def _came_of(
    mind: Conversation, turns: list[Turn], step: Step, result: Result, never: Sequence[str]
) -> Iterator[str]:
    """What is wrong with the turns of one step, which the history holds already."""
    said = [said for _, said in mind.history.turns()[-len(turns) :]]
    for turn, spoken in zip(turns, said, strict=True):
        result.turns += 1
        result.transcript.append((turn.heard or "…", spoken))
        yield from _forbidden(turn, [*never, *step.never])
    yield from _expected(turns, step)
    yield from _afterwards(mind, step)


def _begun(mind: Conversation, records: Sequence[TurnRecord], step: Step) -> Iterator[str]:
    """What only shows aloud: acts begun early, and what was left of the reply somebody fell into."""
    early = [record.early for record in records]
    if step.early is not None and step.early not in early:
        yield f"began {early[-1] or 'nothing'!r} early, expected {step.early or 'nothing'!r}"
    if step.leaves is not None:
        left = mind.history.turns()[-len(records) - 1][1]
        if not re.search(step.leaves, left, re.IGNORECASE):
            yield f"remembers {left!r} of the reply it was talked into, expected /{step.leaves}/"


def _lived(pet: Aloud, step: Step) -> Iterator[str]:
    """What it did of its own will although the step asks for something else."""
    done = pet.own_acts()
    others = [] if step.own in (None, "some") else [act for act in done if act not in (step.own or ())]
    if others:
        yield f"does {', '.join(others)} of its own will, expected {' or '.join(step.own or ()) or 'nothing'}"
    if step.own and not done:
        yield "does nothing of its own will"
    if step.postures and pet.posture not in step.postures:
        yield f"its posture is {pet.posture}, expected {' or '.join(step.postures)}"


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
