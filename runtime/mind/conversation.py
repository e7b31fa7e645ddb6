"""One conversation: what was heard becomes a turn. No clock but the one given, no queue, no socket.

utterance -> recogniser -> behaviour -> emotion -> dialogue -> Turn. Stage times are kept with the turn.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from runtime.contracts.audio import Samples
from runtime.contracts.pack import Pack
from runtime.mind.behaviour import Behaviour, Understanding
from runtime.mind.continuations import Continuations
from runtime.mind.dialogue import Act, Dialogue, Reply
from runtime.mind.early import Look, Plan, is_closed
from runtime.mind.emotion import Emotion
from runtime.mind.grammar import Grammar
from runtime.mind.history import History
from runtime.mind.safety import CRISIS
from runtime.speech.asr import Recogniser

LEAST_CONFIDENCE, LEAST_GUESS = 0.5, 0.6
"""Below these the pet asks again instead of acting: on a sentence of the grammar, on a guess"""
ALWAYS_OBEYED = frozenset({"stop", CRISIS})


@dataclass(frozen=True, slots=True)
class Turn:
    """What one utterance led to."""

    heard: str | None
    """None where nothing was recognised"""
    understanding: Understanding
    reply: Reply
    mood: str
    belief: float = 1.0
    """The recogniser's own confidence in what it heard, 0..1"""
    stages_ms: dict[str, float] = field(default_factory=dict)

    @property
    def act(self) -> Act | None:
        return self.reply.act


class Conversation:
    """The parts of one pack, wired. `reset` makes it forget the turns, not the pack."""

    def __init__(
        self,
        pack: Pack,
        *,
        seed: int = 7,
        names: Sequence[str] = (),
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._pack = pack
        self._seed = seed
        self._clock = clock
        self._grammar = grammar = Grammar.load(pack.path("grammar.yaml"))
        self._recogniser = Recogniser(pack.part("asr"), grammar, prefixes=names)
        self._continuations = Continuations(grammar)
        behaviour = pack.folder / "behaviour"
        self._behaviour = Behaviour(behaviour if behaviour.is_dir() else None, grammar)
        self.reset()

    def reset(self) -> None:
        persona, actions = self._pack.path("persona.toml"), self._pack.path("actions.toml")
        self._dialogue = Dialogue(persona, actions, self._seed)
        self.emotion = Emotion(self._seed, self._dialogue.effects())
        self.history = History()

    def hear(self, samples: Samples, *, stop: bool = False) -> Turn:
        """A turn from an utterance's samples; `stop`: the stop detector heard its word in them."""
        start = self._clock()
        hypotheses = self._recogniser.recognise(samples)
        asr_ms = (self._clock() - start) * 1e3
        best = hypotheses[0] if hypotheses else None
        text, confidence = (best.text, best.confidence) if best else (None, 0.0)
        if stop and "stop" in self._grammar.intents and "stop" not in (text or "").split():
            text, confidence = "stop", 1.0
        return self.answer(text, confidence, {"asr": asr_ms})

    def glance(self, samples: Samples, silence_s: float) -> Look:
        """What an utterance that may go on seems to mean so far; changes nothing. `silence_s`: at its end."""
        hypotheses = self._recogniser.recognise(samples, n=1)
        text, confidence = (hypotheses[0].text, hypotheses[0].confidence) if hypotheses else (None, 0.0)
        understanding = _sure(self._behaviour.understand(text, confidence))
        plan = self._dialogue.plan(understanding)
        in_grammar = bool(hypotheses) and hypotheses[0].in_grammar
        closed = in_grammar and is_closed(plan, self._futures(text or ""))
        unexplained = hypotheses[0].unexplained_steps if in_grammar else 0
        return Look(text, understanding, plan, in_grammar, closed, unexplained, silence_s)

    def _futures(self, text: str) -> tuple[Plan, ...] | None:
        parses = self._continuations.meanings(text)
        if parses is None:
            return None
        return tuple(self._dialogue.plan(Understanding(parse.intent, parse.slots)) for parse in parses)

    def read(self, text: str) -> Turn:
        """A turn from typed words."""
        return self.answer(text, 1.0)

    def answer(self, text: str | None, belief: float, stages_ms: dict[str, float] | None = None) -> Turn:
        """A turn from words that were recognised with so much belief, 0..1; None: nothing was."""
        stages_ms = {} if stages_ms is None else stages_ms
        start = self._clock()
        understanding = _sure(self._behaviour.understand(text, belief))
        understood = self._clock()
        self.emotion.hear(understanding.intent)
        reply = self._dialogue.reply(understanding, self.emotion.mood, text)
        stages_ms["behaviour"] = (understood - start) * 1e3
        stages_ms["reply"] = (self._clock() - understood) * 1e3
        return Turn(text, understanding, reply, self.emotion.mood, belief, stages_ms)


def _sure(understanding: Understanding) -> Understanding:
    """A guess becomes "not understood", except where doing nothing would be the risk."""
    least = LEAST_GUESS if understanding.guessed else LEAST_CONFIDENCE
    if understanding.confidence >= least or understanding.intent in ALWAYS_OBEYED:
        return understanding
    return replace(understanding, intent=None, slots={}, why=f"too unsure; {understanding.why}")
