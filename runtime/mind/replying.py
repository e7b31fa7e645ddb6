"""A reply's words as they come: a model's, sentence by sentence, checked, within limits; else the line.

`Speaking.begin` sets a model to work and returns at once; iterating the `Telling` gives out sentences that
may be spoken. Whatever happens to the model, something fitting is said, and nothing that a rule objects to:
what was given out before stands, the rest is left away. A model that failed is left alone for a while.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

from runtime.contracts.config import DialogueSettings
from runtime.mind.dialogue import Reply
from runtime.mind.forbidden import Instead
from runtime.mind.output_rules import Breach, Context, check
from runtime.mind.prompt import Prompt
from runtime.mind.pump import LateError, Pump
from runtime.mind.sentences import Cutter
from runtime.mind.talker import Talker
from runtime.mind.who import By

_log = logging.getLogger(__name__)
REST_S = 20.0
"""A model that failed is not asked again for so long: nobody waits for it turn after turn"""
_LAST_TOKEN_S = 0.2


class Telling:
    """One reply under way. Iterate it once; `stop` may be called from any thread and ends it."""

    def __init__(self, speaking: "Speaking", reply: Reply, mood: str) -> None:
        self._speaking, self._reply, self._mood = speaking, reply, mood
        self._began_s = time.monotonic()
        self._stopped = False
        self.said: list[str] = []
        """Given out so far"""
        self.by: By = reply.by
        """Who found the words in the end"""
        self.why = reply.why
        self._pump = speaking.ask(reply)

    def __iter__(self) -> Iterator[str]:
        for sentence in self._sentences():
            if self._stopped:
                return
            self.said.append(sentence)
            yield sentence

    @property
    def from_model(self) -> bool:
        """A model was set to work."""
        return self._pump is not None

    def stop(self) -> None:
        """Nothing more is wanted: the model stops, and no sentence follows."""
        self._stopped = True
        if self._pump is not None:
            self._pump.close()

    def _sentences(self) -> Iterator[str]:
        if self._pump is not None and self._reply.prompt is not None:
            with closing(self._pump):
                yield from self._told(self._pump, self._reply.prompt)
        if not self.said and not self._stopped:
            if self.by == "model":
                self.by, self.why = (
                    "lines",
                    self.why if self.why != self._reply.why else "the model said nothing",
                )
            yield from [self._reply.text] if self._reply.text else []

    def _told(self, pump: Pump, prompt: Prompt) -> Iterator[str]:
        """The model's sentences up to the first that a rule objects to, or to its failing."""
        try:
            for sentence in self._cut(pump):
                breach = self._speaking.breach(sentence, prompt, self.said)
                if breach is not None:
                    yield from self._instead(breach)
                    return
                yield sentence
        except LateError:
            self._fail("it took too long")
        except Exception as error:  # whatever a model does, the conversation goes on
            self._fail(str(error) or type(error).__name__)

    def _cut(self, pump: Pump) -> Iterator[str]:
        """Sentences as soon as they are whole; LateError, or what the model raised."""
        cutter, settings = Cutter(), self._speaking.settings
        while True:
            limit_s = settings.reply_s if self.said else settings.first_sentence_s
            piece = pump.next(self._began_s + limit_s)
            if piece is None:
                break
            yield from cutter.feed(piece)
        if not self._stopped:
            self._speaking.worked()
            yield from cutter.finish()

    def _instead(self, breach: Breach) -> Iterator[str]:
        self.why = f"rule {breach.rule}: {breach.words!r} held back"
        _log.info("rule %s held a sentence back", breach.rule)  # no words in a log
        line = self._speaking.instead(breach.instead, self._mood)
        if line:
            self.by = self.by if self.said else "rule"
            yield line

    def _fail(self, reason: str) -> None:
        self.why = reason
        self._speaking.failed(reason)


class Speaking:
    """One pet's words: a talker if it has one, the settings, and the lines that stand by."""

    def __init__(
        self,
        settings: DialogueSettings,
        instead: Callable[[Instead, str], str],
        talker: Talker | None = None,
        *,
        is_word: Callable[[str], bool] = lambda word: True,
        clock: Callable[[], float] = time.monotonic,
        unsaid: Callable[[str], str | None] = lambda sentence: None,
    ) -> None:
        """`instead`: (what is wanted in place of held back words, mood) -> line, "" where nothing is.
        `unsaid`: the words of a sentence that the owner lets nobody say, or None.
        """
        self._unsaid = unsaid
        self.settings, self.instead, self._is_word = settings, instead, is_word
        self._talker, self._clock = talker, clock
        self._rests_until_s = float("-inf")
        self._complained = ""
        self._pump: Pump | None = None

    @property
    def has_model(self) -> bool:
        """A language model can be asked now."""
        return self._talker is not None and self._clock() >= self._rests_until_s

    def context(self, prompt: Prompt, before: Sequence[str]) -> Context:
        """What a sentence of a model is checked against, after those `before` it."""
        return Context(prompt, tuple(before), self.settings.max_words, self._is_word)

    def breach(self, sentence: str, prompt: Prompt, before: Sequence[str]) -> Breach | None:
        """What speaks against saying it, None where nothing does."""
        if words := self._unsaid(sentence):
            return Breach("never say", words, "beyond")
        return check(sentence, self.context(prompt, before))

    def begin(self, reply: Reply, mood: str) -> Telling:
        """Set the model to work, where `reply` asks for it."""
        return Telling(self, reply, mood)

    def ask(self, reply: Reply) -> Pump | None:
        """The model at work on `reply`; None where nobody is to be asked."""
        if reply.prompt is None or self._talker is None:
            return None
        if (
            self._pump is not None
        ):  # a model does one thing at a time; one that was stopped ends with its token
            self._pump.close()
            self._pump.join(_LAST_TOKEN_S)
        talker, prompt, seed = self._talker, reply.prompt, reply.seed
        self._pump = Pump(lambda: talker.stream(prompt, seed=seed))
        return self._pump

    def warm(self, prompt: Prompt) -> None:
        """Let a model load and read what stays the same, in the background; its words are thrown away."""
        if self._talker is not None:
            self.ask(Reply("", prompt=prompt))
            if self._pump is not None:
                self._pump.close()

    def worked(self) -> None:
        """A whole reply came."""
        self._complained = ""

    def failed(self, reason: str) -> None:
        """It gave no reply; said in the log once until it works again."""
        self._rests_until_s = self._clock() + REST_S
        if reason != self._complained:
            self._complained = reason
            _log.warning("the language model did not answer (%s); the persona's lines do", reason)
