"""What the pet says about what it knows: short, in the view of whoever speaks, never more than was told."""

from collections.abc import Sequence

from runtime.mind.memory.entry import Entry
from runtime.mind.memory.facts import Fact
from runtime.mind.memory.viewpoint import sentence, to_listener, to_others

HOW_TO_ALLOW = (
    "I keep nothing yet. If you want me to remember things, say: you may remember things. Then tell me again."
)
NOT_ALLOWED = "I may not remember things yet."
ALLOWED = (
    "Thank you. I will remember what you tell me. It stays with me, and you can say forget that at any time."
)
DENIED = "Okay, I remember nothing new and tell nothing old. To wipe what I know, use everpaw memory erase."
WHAT = "What shall I remember?"
SECRET = "That sounds like a secret. I keep no PINs, passwords or card numbers, so I did not."
HIDDEN = "(not kept)"
"""Instead of words that must be nowhere"""
KEPT = "Okay, I keep everything."
FORGOT_ALL = "I forgot everything."
EMPTY = "There is nothing I could forget."
NOTHING_TO_FORGET = "I know nothing about that, so there is nothing to forget."
NOT_YOURS = "Somebody else told me that, so it is not yours to forget."
ASK_THE_OWNER = "That is for my owner to say."
BROKEN = "I can't get at my memory just now. Somebody should look after it."
MY_OWNER = "my owner"
MAX_SENTENCES = 4
"""Of one answer; a list for reading is `everpaw memory list`"""
_UNKNOWN = (
    "I don't know that. You can tell me.",
    "Nobody has told me, so I don't know.",
    "I don't know. Tell me and I'll remember.",
)
_KEPT = ("{0} I'll remember.", "{0} Got it.", "I'll remember that. {0}")


def kept(fact: Fact, turn: int) -> str:
    """Read back, so that it can be put right."""
    return _KEPT[turn % len(_KEPT)].format(sentence(to_listener(fact.text)))


def known(fact: Fact, turn: int) -> str:
    return f"I know. {sentence(to_listener(fact.text))}"


def replaced(fact: Fact) -> str:
    return f"Okay, so {to_listener(fact.text).rstrip('.')}."


def greeted(name: str, *, known: bool) -> str:
    return f"Hello {name}." if known else f"Hello {name}. Your name is {name}, I'll remember."


def only_know(text: str) -> str:
    """A fact as its teller put it, where more was asked than that."""
    return f"I only know that {to_listener(text).rstrip('.')}."


def unknown(turn: int) -> str:
    return _UNKNOWN[turn % len(_UNKNOWN)]


def nothing_about(topic: str) -> str:
    return f"Nobody has told me anything about {to_listener(topic)}."


def sure(count: int) -> str:
    things = "the one thing I know" if count == 1 else f"all {count} things I know"
    return f"Shall I really forget {things}? Say yes or no."


def forgot(count: int) -> str:
    return "I forgot it." if count == 1 else f"I forgot {count} things."


def told(sentences: Sequence[str]) -> str:
    """Sentences joined; those that begin alike become one list; what is too much is counted."""
    merged = _merged(sentences)
    said = [sentence(one) for one in merged[:MAX_SENTENCES]]
    more = len(merged) - MAX_SENTENCES
    return " ".join(said) + (f" And {more} more." if more > 0 else "")


def in_view(entry: Entry, listener: str, name: str) -> str:
    """The fact as the pet says it to `listener`; `name` of whoever told it."""
    fact = entry.fact
    if not entry.mine or fact.person == listener:
        return to_listener(fact.text)
    return to_others(fact.text, name or MY_OWNER)


def _merged(sentences: Sequence[str]) -> list[str]:
    """ "you like tea", "you like soup" -> "you like tea and soup"."""
    groups: dict[str, list[str]] = {}
    for text in sentences:
        first, second, *rest = [*text.split(" ", 2), "", ""]
        value = rest[0] if rest else ""
        plain = first == "you" and second in {"like", "love", "hate", "speak", "play", "collect"} and value
        groups.setdefault(f"{first} {second}" if plain else text, []).append(value if plain else "")
    return [head if values == [""] else f"{head} {_listed(values)}" for head, values in groups.items()]


def _listed(values: Sequence[str]) -> str:
    unique = [value for value in dict.fromkeys(values) if value]
    if len(unique) < 2:
        return "".join(unique)
    return f"{', '.join(unique[:-1])} and {unique[-1]}"
