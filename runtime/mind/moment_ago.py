"""What was said a moment ago, told from the history word for word: "what did I just say", "say that again".

A question counts only where it is nothing else: "what did I say about Anna" is the memory's, "what was that
noise" anybody's. Words are English, normalised as by `runtime.mind.grammar`.
"""

import re
from collections.abc import Sequence

from runtime.mind.memory.questions import question_of
from runtime.mind.memory.statements import statement_of
from runtime.mind.memory.tokens import tokens
from runtime.mind.memory.viewpoint import to_listener

NOTHING_HEARD, NOTHING_SAID = "You have not said anything yet.", "I have not said anything yet."
_I_SAID = "I said: "
_AROUND = r"(?:(?:please|so|oh|um|and|now|well|hey|okay|ok|sorry|excuse me|wait|but|hm)\b ?)*"
_ASKED = (
    r"(?:(?:can|could|would|will) you |do you (?:still )?(?:know|remember) |"
    r"did you (?:hear|understand|catch|get) |tell me |say |repeat |repeat after me |please )*"
)
_ONCE = r"(?: (?:again|once more|once again|one more time|another time))?"
_JUST = r"(?:just |only )?"
_AGO = r"(?: (?:just now|before|last|a moment ago|a second ago|to you|right now))*"
OWNER = (
    rf"{_ASKED}what (?:was it )?(?:that )?i(?:'ve| have)? {_JUST}(?:said|told you|asked(?: you)?)"
    rf"{_AGO}{_ONCE}",
    rf"what (?:did|have) i {_JUST}(?:say|said|tell you|told you|ask|asked)(?: you)?{_AGO}{_ONCE}",
    rf"{_ASKED}what was (?:it (?:that )?i said|my (?:last )?question)",
    rf"{_ASKED}what was the last thing (?:that )?i (?:said|told you|asked)",
    rf"{_ASKED}(?:what (?:were|are) )?my (?:last |own |very )*(?:words|sentence|question){_ONCE}",
    rf"{_ASKED}what (?:did )?you {_JUST}(?:heard?|understood|understand|caught|catch){_AGO}",
)
"""What asks for the words of whoever speaks"""
PET = (
    rf"{_ASKED}what (?:did|have|had) you {_JUST}(?:say|said|tell me|told me|answer|answered){_AGO}{_ONCE}",
    rf"{_ASKED}what (?:were you (?:just )?saying|you {_JUST}(?:said|told me)){_AGO}{_ONCE}",
    rf"{_ASKED}(?:what (?:were|was|are) )?your (?:last |own )*(?:words|answer|reply|sentence){_AGO}{_ONCE}",
    r"(?:(?:can|could|would|will) you )?(?:please )?(?:say|tell me|repeat) (?:that|it|this|yourself)"
    r"(?: (?:again|once more|once again|one more time|to me|for me))*",
    r"(?:(?:can|could|would|will) you )?(?:please )?(?:tell me again|repeat(?: please)?)",
    r"(?:say (?:that|it) )?(?:once more|once again|one more time|one more time for me)",
    r"(?:what|what was that|come again|pardon|pardon me|i beg your pardon|beg your pardon|huh)",
    r"i (?:did not|didn't|could not|couldn't|have not|haven't) (?:quite )?"
    r"(?:hear|catch|get|got|caught|heard|understand|understood) (?:that|you|it|what you (?:said|say))",
    r"i missed (?:that|it|what you said)",
)
"""What asks for the pet's last words"""


def _whole(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile(rf"{_AROUND}(?:{'|'.join(patterns)})(?: (?:please|again please|now|then))*")


_OWNER, _PET = _whole(OWNER), _whole(PET)


def said_again(heard: str, turns: Sequence[tuple[str | None, str]], name: str = "") -> str | None:
    """The answer where `heard` asks for the last words of either; None where it asks for nothing of the kind.

    `turns`: (heard, said), oldest first, without this one. `name`: the pet's, before or after the words.
    """
    asked = _without(heard, name)
    if _OWNER.fullmatch(asked):
        words = next((before for before, _ in reversed(turns) if before), None)
        return f"You said: {words.strip(' .!?')}." if words else NOTHING_HEARD
    if _PET.fullmatch(asked):
        words = next((said for _, said in reversed(turns) if said), None)
        return _I_SAID + words.removeprefix(_I_SAID) if words else NOTHING_SAID
    return None


def just_told(text: str, turns: Sequence[tuple[str, str]]) -> str | None:
    """The answer to a question, each telling word of which the newest such one of `turns` told.

    What the memory takes up counts for nothing here: it knows whose that is, and a guest is not told it.
    """
    question = question_of(text)
    if question is None or question.yes_no or not question.wanted:
        return None
    told = (heard for heard, _ in reversed(turns) if not is_for_memory(heard))
    found = next((heard for heard in told if question.wanted <= {*tokens(heard)}), None)
    return f"You just told me that {to_listener(found).strip(' .!?')}." if found else None


def told_of(text: str, turns: Sequence[tuple[str, str]]) -> bool:
    """As `just_told`, of one telling word: who reads the turns may find the answer."""
    told = {word for heard, _ in turns if not is_for_memory(heard) for word in tokens(heard)}
    return bool(told.intersection(tokens(text)))


def is_for_memory(heard: str) -> bool:
    """The memory takes it up or answers it."""
    return question_of(heard) is not None or statement_of(heard) is not None


def _without(heard: str, name: str) -> str:
    own = re.escape(name.lower())
    return re.sub(rf"^(?:hey )?{own} | {own}$", "", heard).strip() if name else heard
