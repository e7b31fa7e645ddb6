"""What no language model may say through the pet: one table, read sentence by sentence before it is spoken.

A rule looks at one sentence and at what is known of the turn, and names the words it objects to. Whatever
model answers, small or large, on the robot or behind a server, its words pass here. The first rule that
objects decides what is said instead. Words are English.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runtime.mind import safety
from runtime.mind.forbidden import TABLE, WORDS, Forbidden, Instead
from runtime.mind.grammar import QUESTIONS, normalise
from runtime.mind.memory.tokens import tokens
from runtime.mind.moment_ago import is_for_memory
from runtime.mind.prompt import Prompt

MAX_SENTENCE_WORDS = 30
MAX_WORDS = 40
"""Of a whole reply"""


@dataclass(frozen=True, slots=True)
class Context:
    """The turn a sentence belongs to."""

    prompt: Prompt
    before: tuple[str, ...] = ()
    """Sentences of this reply already given out"""
    max_words: int = MAX_WORDS
    is_word: Callable[[str], bool] = lambda word: True
    """Whether there is such a word in English; asked in small letters"""

    @property
    def known(self) -> str:
        """All that the model was told, lower case."""
        prompt = self.prompt
        turns = [text for turn in prompt.history for text in turn]
        return " ".join([prompt.name, prompt.heard, *prompt.card, *prompt.facts, *turns]).lower()


Finder = Callable[[str, Context], str | None]
"""(sentence, turn) -> the words objected to, or None"""


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    finds: Finder
    instead: Instead = ""


@dataclass(frozen=True, slots=True)
class Breach:
    rule: str
    words: str
    instead: Instead


def check(sentence: str, context: Context, rules: Sequence[Rule] | None = None) -> Breach | None:
    """The first of `rules` (RULES where None) that objects to `sentence`, or None."""
    plain = sentence.replace("’", "'").replace("‘", "'")
    for rule in RULES if rules is None else rules:
        words = rule.finds(plain, context)
        if words is not None:
            return Breach(rule.name, words, rule.instead)
    return None


_DENIAL = re.compile(r"\b(?:not|never|no|nor|nobody|cannot|without|only a robot)\b|n't\b")
_DENIED_WITHIN = 3
"""Words before a claim in which a denial counts"""


def _words(row: Forbidden, patterns: Sequence[re.Pattern[str]]) -> Finder:
    """Objects to the first of `patterns` that stands there, and is neither denied nor known."""

    def finds(sentence: str, context: Context) -> str | None:
        for found in (match for pattern in patterns for match in pattern.finditer(sentence)):
            near = " ".join([*sentence[: found.start()].split()[-_DENIED_WITHIN:], found.group()])
            denied = row.unless_denied and _DENIAL.search(near.lower())
            if not denied and not (row.unless_told and found.group().lower() in context.known):
                return found.group()
        return None

    return finds


def _crisis(sentence: str, _: Context) -> str | None:
    """What would be a cry for help from a person."""
    return safety.is_crisis(normalise(sentence))


_BODY = re.compile(r"\b(?:four|two) (?:legs|paws|feet|ears|eyes)\b|\bhigh five\b", re.IGNORECASE)
_DIGITS = re.compile(r"\d+(?:[.,:]\d+)*")


def _numbers(sentence: str, context: Context) -> str | None:
    """A number nobody told it. "One" may be somebody; its legs and ears may be counted."""
    known = {*_DIGITS.findall(context.known), *normalise(context.known).split()}
    plain = _BODY.sub(" ", sentence)
    said = _DIGITS.findall(plain) + [word for word in normalise(plain).split() if word in WORDS.numbers]
    return next((number for number in said if number not in known), None)


_CAPITAL = re.compile(r"(?<!^)(?<![\"“])(?<![.!?…:\"“]\s)\b[A-Z][a-z][\w'-]*")


_CALLED = re.compile(r"\b(?:called|named|name is|name's) [\w'-]+", re.IGNORECASE)


def _names(sentence: str, context: Context) -> str | None:
    """A name nobody told it. The word that begins a sentence is no name for its capital alone."""
    known = {*normalise(context.known).split(), *WORDS.no_names, *WORDS.small_words}
    for found in (*_CAPITAL.finditer(sentence), *_CALLED.finditer(sentence)):
        word = normalise(found.group().split()[-1]).removesuffix("'s")
        if word not in known and f"{word}'s" not in known:
            return found.group()
    return None


_MINE = re.compile(r"\bmy((?: [\w'-]+){1,2})", re.IGNORECASE)


def _belongings(sentence: str, context: Context) -> str | None:
    """Something or somebody of its own that nobody told it of."""
    told = {*normalise(context.known).split()} - WORDS.small_words
    known = {_singular(word) for word in told} | WORDS.its_own
    for found in _MINE.finditer(sentence):
        if not known.intersection(map(_singular, normalise(found.group(1)).split())):
            return found.group()
    return None


def _singular(word: str) -> str:
    return word.removesuffix("'s").removesuffix("s")


_LEAST_LETTERS = 3


def _gibberish(sentence: str, context: Context) -> str | None:
    """A word that is none, as a small model makes them up."""
    known = {*normalise(context.known).split()}
    words = normalise(sentence.replace("-", " ")).split()
    return next(
        (w for w in words if len(w) >= _LEAST_LETTERS and w not in known and not context.is_word(w)), None
    )


_RECALLED = re.compile(r"\b(?:you (?:told|said|mentioned)|i remember)\b(.*)", re.IGNORECASE)


def _recalled(sentence: str, context: Context) -> str | None:
    """ "You told me that ..." of what nobody told it: more than a quarter of what follows is new to it."""
    found = _RECALLED.search(sentence)
    if found is None or _DENIAL.search(sentence.lower()):
        return None
    known = {_singular(word) for word in normalise(context.known).split()}
    told = {*normalise(found.group(1)).split()} - WORDS.small_words
    new = [word for word in told if _singular(word) not in known]
    return found.group() if 4 * len(new) > len(told) else None


_ADMITS = re.compile(
    r"\b(?:don't|do not|can't|cannot|never) (?:know|say|remember|heard?)\b|"
    r"\b(?:nobody|not|never|haven't)\b.*\btold\b|\bno idea\b"
)


def told_about(prompt: Prompt) -> str | None:
    """What somebody told of the thing that a question is about, as it was told; None for no question.

    Of what was said before, what the memory takes up counts for nothing: it may be somebody else's.
    """
    if not _asks(prompt.heard):
        return None
    about = {*tokens(prompt.heard)} - {*tokens(prompt.name)}
    lately = (heard for heard, _ in reversed(prompt.history) if not is_for_memory(heard))
    told = (*prompt.facts, *(heard for heard in lately if not _asks(heard)))
    return next((text for text in told if about.intersection(tokens(text))), None)


def _asks(text: str) -> bool:
    return bool(QUESTIONS.intersection(normalise(text).split()[:1]))


def _made_up(sentence: str, context: Context) -> str | None:
    """An answer about what somebody told it, a third of whose telling words nobody did."""
    if sentence.endswith("?") or _ADMITS.search(sentence.lower()) or told_about(context.prompt) is None:
        return None
    said, known = tokens(sentence), {*tokens(context.known)}
    new = [word for word in said if word not in known]
    return sentence if 3 * len(new) > len(said) else None


_STUTTER = re.compile(
    r"\b(?!(?:very|really|much|many|long|far|that|had|bye|knock|wag|woof|sniff|night)\b)([a-z]{3,}) \1\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")


def _repeats(sentence: str, context: Context) -> str | None:
    """A stutter, a word four times in a row, three words twice over, or a sentence said before."""
    if stutter := _STUTTER.search(sentence):
        return stutter.group()
    words = normalise(sentence).split()
    triples = [tuple(words[i : i + 3]) for i in range(len(words) - 2)]
    for place, triple in enumerate(triples):
        if triple in triples[place + 1 :] and (len(set(triple)) == 1 or triple in triples[place + 3 :]):
            return " ".join(triple)
    last = context.prompt.history[-1][1] if context.prompt.history else ""
    if _answers(sentence, context.prompt.heard):
        last = ""  # whoever asks for what was just said is told it again
    said = {normalise(one) for one in (*context.before, last, *_SENTENCE_END.split(last))}
    return sentence if normalise(sentence) in said else None


def _answers(sentence: str, heard: str) -> bool:
    """It holds a telling word of what was asked."""
    return _asks(heard) and not set(tokens(heard)).isdisjoint(tokens(sentence))


def _too_long(sentence: str, context: Context) -> str | None:
    words, before = len(sentence.split()), sum(len(one.split()) for one in context.before)
    if words > MAX_SENTENCE_WORDS or before + words > context.max_words:
        return f"{before + words} words"
    return None


RULES: tuple[Rule, ...] = (
    Rule("crisis", _crisis, "help"),
    *(Rule(row.name, _words(row, patterns), row.instead) for row, patterns in TABLE),
    Rule("numbers", _numbers),
    Rule("names", _names),
    Rule("belongings", _belongings),
    Rule("gibberish", _gibberish),
    Rule("recalled", _recalled),
    Rule("made up", _made_up),
    Rule("repetition", _repeats),
    Rule("length", _too_long),
)
