"""Questions that the pet's own card answers word for word: no model words better what its owner wrote.

A question fits a sentence that holds all its telling words ("do you love cheese", "I love cheese."), or those
of the kind it asks for ("what are you scared of", "I am afraid of thunder.").
"""

import re
from collections.abc import Sequence

from runtime.mind.memory.tokens import plain, tokens

MOST_IN_PROMPT = 8
"""Sentences of a card that a language model reads at every turn; the others answer by the rules alone"""
MOST_ANSWERED = 2
"""Sentences of one answer"""
_ASKS_IT = re.compile(
    r"^(?:what|where|when|who|whom|whose|which|how|why|are|do|does|is|have|has|can|tell me|name|describe)\b.*"
    r"\b(?:you(?:r|rs|rself)?|you're)\b"
)
_YES_NO = re.compile(r"^(?:are|do|does|is|have|has|can|tell me (?:if|whether)) ")
_OF_ANYTHING = re.compile(
    r"\b(?:something|anything|anyone|somebody|friends?|habits?|favou?rite|bed|basket|toy)\b"
)
"""A yes-or-no question of one thing is not answered by another thing; one of "something" is"""
_CALLS = r"(?P<w>bark|howl|growl|whine|meow|purr|hiss|yowl)"
_LIKED = r"love|loves|like|enjoy|fond of|makes you happy|makes your tail wag|happiest|best thing"
_DISLIKED = (
    r"(?:not|never) (?:really )?(?:like|love|enjoy)|n't (?:like|enjoy)|hate|dislike|annoys?|can't stand"
)
_FRIENDS = r"best friends?|who is your friend|have (?:a )?friends?|who do you like (?:most|best)"
_FELT = re.compile(r"^(?:i love|i like|i do not like|i am afraid of|my favou?rite \w+ is) ", re.IGNORECASE)
_FEELINGS = frozenset(
    tokens("love like enjoy hate dislike afraid scared fear frightened nervous fond really if whether not")
)
KINDS: tuple[tuple[str, str], ...] = (
    (r"\bfavou?rite (?P<w>\w+)", r"^my favou?rite {w} "),
    (r"\b(?:afraid|scared?|scares|fears?|frighten\w*|nervous|terrif\w*)\b", r"^i am afraid of "),
    (rf"(?:\b|(?<=do)|(?<=does))(?:{_DISLIKED})\b", r"^i do not like "),
    (
        r"\b(?:runs? away from|makes you hide|hide from)\b",
        r"^(?:i am afraid of|i do not like|i always hide) ",
    ),
    (r"\bwhere (?:do|did) you (?:sleep|nap|rest|lie)\b|\byour (?:bed|basket)\b", r"^i sleep "),
    (rf"\b(?:{_FRIENDS})\b", r"^my best friend is "),
    (rf"\bwhat do you {_CALLS} (?:at|with|for|to)\b", r"^i {w} (?:at|with|for|to|along) "),
    (rf"\b(?:when|why) do you {_CALLS}\b", r"^i {w} "),
    (r"\b(?:habits?|quirks?|rituals?|routines?|special about you|(?:always|usually) do)\b", r"^i always "),
    (rf"\b(?:{_LIKED})\b", r"^(?:i love|i like|my favou?rite) "),
)
"""What asks for a kind of sentence -> how such a sentence begins; {w}: the word that was asked with"""


def card_answer(card: Sequence[str], heard: str) -> str | None:
    """What of the card answers a question to the pet, MOST_ANSWERED sentences at most; None: nothing does."""
    said = plain(heard)
    if not _ASKS_IT.match(said):
        return None
    asked = set(tokens(heard))
    if _YES_NO.match(said) and not (asked - _FEELINGS) and not _OF_ANYTHING.search(said):
        return None  # "do you love me" asks for nothing that a card tells
    fitting = [sentence for sentence in card if asked and asked <= set(tokens(sentence))]
    if not fitting and (things := asked - _FEELINGS) and things != asked:
        # "do you hate snow" is answered by "I love snow" as well
        fitting = [says for says in card if _FELT.match(says) and things <= set(tokens(says))]
    if fitting:
        return " ".join(sorted(fitting, key=len)[:MOST_ANSWERED])
    found = [] if _YES_NO.match(said) and not _OF_ANYTHING.search(said) else _of_kind(card, said)
    return " ".join(found[:MOST_ANSWERED]) or None


def _of_kind(card: Sequence[str], said: str) -> list[str]:
    for asks, begins in KINDS:
        if found := re.search(asks, said):
            start = re.compile(begins.format_map(found.groupdict()), re.IGNORECASE)
            return [sentence for sentence in card if start.match(sentence)]
    return []
