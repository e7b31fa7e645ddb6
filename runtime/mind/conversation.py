"""One conversation: what was heard becomes a turn. No clock but the one given, no queue, no socket.

utterance -> recogniser -> behaviour -> emotion -> dialogue -> Turn. Stage times are kept with the turn. Where
a language model words the reply, `begin` and `take` return before it has: `speak` gives out its sentences.
`hear`, `read` and `answer` wait for all of them.
"""

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from runtime.contracts.audio import Samples
from runtime.contracts.config import CareSettings, DialogueSettings
from runtime.contracts.errors import MissingExtraError, PackError
from runtime.contracts.pack import Pack
from runtime.mind import safety
from runtime.mind.behaviour import Behaviour, Understanding
from runtime.mind.card import MOST_IN_PROMPT, card_answer
from runtime.mind.care import CHILD_HELP, Unsaid, to_children
from runtime.mind.continuations import Continuations
from runtime.mind.dialogue import Act, Dialogue, Persona, Reply
from runtime.mind.early import Look, Plan, is_closed
from runtime.mind.emotion import Emotion
from runtime.mind.grammar import Grammar, Parse, normalise
from runtime.mind.history import History
from runtime.mind.memory import replies
from runtime.mind.memory.memory import Answer, Memory
from runtime.mind.memory.recalling import NOBODY_TOLD
from runtime.mind.moment_ago import just_told, said_again, told_of
from runtime.mind.output_rules import told_about
from runtime.mind.prompt import MAX_TURNS, NO_ACT, Prompt
from runtime.mind.reader import Reader
from runtime.mind.replying import Speaking, Telling
from runtime.mind.safety import CRISIS, UNSAFE
from runtime.mind.talker import Talker
from runtime.mind.talkers import talker_of
from runtime.mind.who import CARD_SAYS_IT, Case, who
from runtime.mind.wording import words_of
from runtime.speech.asr import Hypothesis, Recogniser
from runtime.speech.spotter import Spotter

_log = logging.getLogger(__name__)
LEAST_CONFIDENCE, LEAST_GUESS = 0.5, 0.6
"""Below these the pet asks again instead of acting: on a sentence of the grammar, on a guess"""
ALWAYS_OBEYED = frozenset({"stop", CRISIS, UNSAFE})
MEMORY_INTENTS = frozenset({"remember", "recall", "forget", "consent"})
"""Sentences of the grammar that the memory answers"""
MOMENT_S = 300.0
"""Quiet for longer, and nothing of what was said before is told to whoever asks"""


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
    clear: float = 1.0
    """The probability that nearly all the words are right, 0..1"""
    stages_ms: dict[str, float] = field(default_factory=dict)
    forgotten: tuple[str, ...] = ()
    """What must be nowhere any more, because this turn asked for it"""

    @property
    def act(self) -> Act | None:
        return self.reply.act

    def told(self, telling: Telling) -> "Turn":
        """The same with the words that `telling` has given out."""
        text = " ".join(telling.said)
        return replace(self, reply=replace(self.reply, text=text, by=telling.by, why=telling.why))


class Conversation:
    """The parts of one pack, wired. `reset` makes it forget the turns, not the pack."""

    def __init__(
        self,
        pack: Pack,
        *,
        seed: int = 7,
        names: Sequence[str] = (),
        settings: DialogueSettings | None = None,
        talker: Talker | None = None,
        recall: Callable[[str], Sequence[str]] | None = None,
        memory: Memory | None = None,
        clock: Callable[[], float] = time.perf_counter,
        hide: Callable[[str], None] = lambda text: None,
        persona: Path | None = None,
        care: CareSettings | None = None,
    ) -> None:
        """`talker`: in place of the one that settings and pack bring along. `recall`: what is remembered and
        fits the words heard, for `Prompt.facts`; the memory's where not given. `hide`: told of all words
        heard, which no log may hold. `persona`: in place of the pack's, as a soul brought it along. `care`:
        limits of its owner's; with a child it has neither memory nor a model.
        """
        self._pack = pack
        self._persona_file = persona or pack.path("persona.toml")
        self._care = care = care or CareSettings()
        self._unsaid = Unsaid(care.never_say)
        self._settings = settings or DialogueSettings()
        if care.children:
            self._settings, talker, recall, memory = to_children(self._settings), None, None, None
        self.talker = None if care.children else talker or _talker_of(pack, self._settings)
        """Whoever words open talk; None: the lines do"""
        self._memory = memory
        self._recall = recall or (memory.recall if memory else lambda heard: ())
        self._seed = seed
        self._clock, self._hide = clock, hide
        self._grammar = grammar = Grammar.load(pack.path("grammar.yaml"))
        self.reset()
        own = dict.fromkeys(normalise(" ".join(self._dialogue.persona.card)).split())
        self._recogniser = Recogniser(pack.part("asr"), grammar, prefixes=names, words=own)
        self._continuations = Continuations(grammar)
        reader = self._settings.reader or pack.optional_part("reader")
        self._behaviour = Behaviour(
            pack.optional_part("behaviour"),
            grammar,
            Reader(reader) if reader else None,
            children=care.children,
        )

    @property
    def name(self) -> str:
        """The pet's."""
        return self._dialogue.persona.name

    @property
    def grammar(self) -> Grammar:
        return self._grammar

    @property
    def persona(self) -> Persona:
        return self._dialogue.persona

    @property
    def _card(self) -> tuple[str, ...]:
        """What a language model reads of the card: the same at every turn, and short."""
        return self.persona.card[:MOST_IN_PROMPT]

    def reset(self, persona: Path | None = None) -> None:
        """Another talk; `persona`: as the pet of this file from here on."""
        self._persona_file = persona or self._persona_file
        self._dialogue = Dialogue(
            self._persona_file,
            self._pack.path("actions.toml"),
            self._seed,
            left=self._unsaid.left,
            help=CHILD_HELP if self._care.children else safety.HELP,
        )
        self._speaking = Speaking(
            self._settings,
            self._dialogue.instead,
            self.talker,
            is_word=self._is_word,
            unsaid=self._unsaid.find,
        )
        self._chance = random.Random(self._seed)
        self.emotion = Emotion(self._seed, self._dialogue.effects())
        self.history = History()
        self._heard: tuple[Samples, list[Hypothesis]] | None = None
        self._understood: tuple[tuple[str | None, float], Understanding] | None = None
        self._quiet_s = 0.0
        """Since the last turn"""
        if self._memory is not None:
            self._memory.pet = self.name
            self._memory.reset()

    def stop_spotter(self) -> Spotter:
        """See `Recogniser.stop_spotter`."""
        return self._recogniser.stop_spotter()

    def name_spotter(self, name: str) -> Spotter | None:
        """See `Recogniser.name_spotter`."""
        return self._recogniser.name_spotter(name)

    def warm(self) -> None:
        """Let the language model get ready in the background, so that the first question is no slower."""
        self._speaking.warm(Prompt(self.name, "hello", card=self._card))

    def _is_word(self, word: str) -> bool:
        return word in self._dialogue.vocabulary or self._recogniser.knows(word)

    def hear(self, samples: Samples, *, stop: bool = False) -> Turn:
        """As `begin`, with the whole reply."""
        return self.whole(self.begin(samples, stop=stop))

    def rest(self, dt_s: float) -> None:
        """Nothing was said for `dt_s` seconds."""
        self.emotion.tick(dt_s)
        self._quiet_s += dt_s
        if self._quiet_s > MOMENT_S:  # by now somebody else may be asking
            self.history.clear()

    def read(self, text: str) -> Turn:
        """A turn from typed words, with the whole reply."""
        return self.answer(text, 1.0)

    def answer(
        self, text: str | None, belief: float, clear: float | None = None, told: Prompt | None = None
    ) -> Turn:
        """As `take`, with the whole reply."""
        return self.whole(self.take(text, belief, clear, told=told))

    def speak(self, turn: Turn) -> Telling:
        """The sentences of the turn's reply, as they are found; a model begins to work at once."""
        return self._speaking.begin(turn.reply, turn.mood)

    def whole(self, turn: Turn) -> Turn:
        """`turn` with all the words of its reply."""
        start = self._clock()
        telling = self.speak(turn)
        for _ in telling:
            pass
        turn.stages_ms["reply"] += (self._clock() - start) * 1e3
        return turn.told(telling)

    def begin(self, samples: Samples, *, stop: bool = False) -> Turn:
        """A turn from an utterance's samples; `stop`: the stop detector heard its word in them."""
        start = self._clock()
        hypotheses, self._heard = self._recognise(samples), None
        asr_ms = (self._clock() - start) * 1e3
        best = hypotheses[0] if hypotheses else None
        text, confidence, clear = (best.text, best.confidence, best.clear) if best else (None, 0.0, 0.0)
        if stop and "stop" in self._grammar.intents and "stop" not in (text or "").split():
            text, confidence, clear = "stop", 1.0, 1.0
        return self.take(text, confidence, clear, stages_ms={"asr": asr_ms})

    def glance(self, samples: Samples, silence_s: float) -> Look:
        """What an utterance that may go on seems to mean so far; changes nothing. `silence_s`: at its end."""
        hypotheses = self._recognise(samples)
        text, confidence = (hypotheses[0].text, hypotheses[0].confidence) if hypotheses else (None, 0.0)
        understanding = self._understand(text, confidence)
        plan = self._dialogue.plan(understanding)
        in_grammar = bool(hypotheses) and hypotheses[0].in_grammar
        closed = in_grammar and is_closed(plan, self._futures(text or ""))
        unexplained = hypotheses[0].unexplained_steps if in_grammar else 0
        return Look(text, understanding, plan, in_grammar, closed, unexplained, silence_s)

    def _recognise(self, samples: Samples) -> list[Hypothesis]:
        """What is in them.

        The silence at an utterance's end is cut to a length, so its last looks and the whole of it are the
        same sound, which is read once.
        """
        if self._heard is None or not np.array_equal(self._heard[0], samples):
            self._heard = samples, self._recogniser.recognise(samples)
        return self._heard[1]

    def _understand(self, text: str | None, belief: float) -> Understanding:
        """What they mean; the same words, glanced at again and at last whole, are understood once."""
        if self._understood is None or self._understood[0] != (text, belief):
            self._understood = (text, belief), _sure(self._behaviour.understand(text, belief))
        return self._understood[1]

    def act_of(self, parse: Parse) -> Act | None:
        """What the body does about a sentence of the grammar."""
        return self._dialogue.plan(Understanding(parse.intent, parse.slots)).act

    def _futures(self, text: str) -> tuple[Plan, ...] | None:
        parses = self._continuations.meanings(text)
        if parses is None:
            return None
        return tuple(self._dialogue.plan(Understanding(parse.intent, parse.slots)) for parse in parses)

    def take(
        self,
        text: str | None,
        belief: float,
        clear: float | None = None,
        *,
        told: Prompt | None = None,
        stages_ms: dict[str, float] | None = None,
    ) -> Turn:
        """A turn from words that were recognised with so much belief, 0..1; None: nothing was.

        `clear`: see `Turn`; the belief where not given. `told`: whose history and facts a model is to know
        instead of this conversation's.
        """
        self._hide(text or "")
        stages_ms = {} if stages_ms is None else stages_ms
        clear = belief if clear is None else clear
        start = self._clock()
        understanding, self._understood = self._understand(text, belief), None
        answer = self._again(text, understanding, clear) or self._remembered(
            text, understanding, clear, "said" if "asr" in stages_ms else "typed"
        )
        if answer is None or answer.why == NOBODY_TOLD:
            answer = self._just_told(text, understanding, clear) or answer
        self._quiet_s = 0.0
        if answer is not None:
            why = f"memory: {answer.why}" if answer.intent in MEMORY_INTENTS else answer.why
            understanding = replace(understanding, intent=answer.intent, slots={}, rule=None, why=why)
        understood = self._clock()
        self.emotion.hear(understanding.intent, understanding.feeling)
        if answer is None:
            reply = self._reply(understanding, text, clear, told)
        else:
            reply, text = self._told(understanding, answer), answer.heard or text
            self.history.forget(answer.forgotten)
        stages_ms["behaviour"] = (understood - start) * 1e3
        stages_ms["reply"] = (self._clock() - understood) * 1e3
        # Help and comfort are not spoken in an excited voice.
        grave = understanding.rule is not None or understanding.intent == CRISIS
        mood = "calm" if grave else self.emotion.mood
        forgotten = answer.forgotten if answer else ()
        return Turn(text, understanding, reply, mood, belief, clear, stages_ms, forgotten)

    def _again(self, text: str | None, found: Understanding, clear: float) -> Answer | None:
        """What was said a moment ago, where that is asked for."""
        if text is None or found.intent in ALWAYS_OBEYED or clear < self._settings.least_clear:
            return None
        said = said_again(normalise(text), self.history.turns(), self.name)
        return None if said is None else Answer("repeat", said, "said a moment ago")

    def _remembered(
        self, text: str | None, found: Understanding, clear: float, source: Literal["said", "typed"]
    ) -> Answer | None:
        """The memory's answer, where the turn is about what the pet knows of its people."""
        unsure = found.guessed or found.intent is None
        if self._memory is None or text is None or found.intent in ALWAYS_OBEYED:
            return None
        if (not unsure and found.intent not in MEMORY_INTENTS) or (unsure and clear < LEAST_GUESS):
            return None
        answer = self._memory.hear(text, source, clear, certain=source == "typed" or not unsure)
        unknown = answer is not None and answer.why == NOBODY_TOLD and self._speaking.has_model
        return None if unknown and told_of(text, self._lately()) else answer

    def _just_told(self, text: str | None, found: Understanding, clear: float) -> Answer | None:
        """What somebody told a moment ago, and no memory took up, where it answers a question."""
        asks = found.guessed or found.intent in (None, "recall")
        if text is None or not asks or clear < self._settings.least_clear:
            return None
        said = just_told(text, self._lately())
        return None if said is None else Answer("recall", said, "said a moment ago")

    def _lately(self) -> tuple[tuple[str, str], ...]:
        """(heard, said) of the last turns that were heard well enough."""
        return self.history.understood(self._settings.least_clear)[-MAX_TURNS:]

    def _told(self, understanding: Understanding, answer: Answer) -> Reply:
        """What the memory says, unless its owner wants that unsaid."""
        plan, words = self._dialogue.plan(understanding), self._unsaid.find(answer.text)
        text = self._dialogue.instead("beyond", self.emotion.mood) if words else answer.text
        why = f"never say: {words!r} held back" if words else understanding.why
        return Reply(text, plan.sound, plan.act, by="rule", why=why)

    def _reply(
        self, understanding: Understanding, text: str | None, clear: float, told: Prompt | None
    ) -> Reply:
        """The line for it, and where a model is to find the words, what it is told."""
        reply = self._dialogue.reply(understanding, self.emotion.mood, text)
        row, words = self._dialogue.row(understanding), len(words_of(text or ""))
        card = card_answer(self._dialogue.persona.card, text or "", self.name)
        by, why = who(Case(understanding, row, words, clear, self._settings, card))
        if why == CARD_SAYS_IT and card is not None:
            return replace(reply, text=card, by=by, why=why)
        if by != "model" or text is None or not self._speaking.has_model:
            return replace(reply, by="lines" if by == "model" else by, why=why)
        prompt = Prompt(
            name=self.name,
            heard=text,
            card=self._card,
            facts=told.facts if told else tuple(self._recall(text)),
            history=told.history if told else self.history.understood(self._settings.least_clear),
            mood=self.emotion.mood,
            act=reply.act.name if reply.act else NO_ACT,
        )
        fact = told_about(prompt)  # said where the model's words are held back
        told_text = replies.only_know(fact) if fact and not self._unsaid.find(fact) else reply.text
        seed = self._chance.randrange(2**31)
        return replace(reply, text=told_text, by=by, why=why, prompt=prompt, seed=seed)


def _talker_of(pack: Pack, settings: DialogueSettings) -> Talker | None:
    """A pack whose model cannot be used still speaks, in its lines."""
    try:
        return talker_of(pack, settings)
    except (PackError, MissingExtraError) as error:
        _log.warning("no language model: %s", error)
        return None


def _sure(understanding: Understanding) -> Understanding:
    """A guess becomes "not understood", except where doing nothing would be the risk."""
    least = LEAST_GUESS if understanding.guessed else LEAST_CONFIDENCE
    if understanding.confidence >= least or understanding.intent in ALWAYS_OBEYED:
        return understanding
    return replace(understanding, intent=None, slots={}, rule=None, why=f"too unsure; {understanding.why}")
