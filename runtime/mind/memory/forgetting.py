"""Turns that ask to forget. Guests may have forgotten what they told themselves; the owner everything."""

from collections.abc import Sequence

from runtime.mind.memory import replies
from runtime.mind.memory.entry import Entry
from runtime.mind.memory.facts import OWNER
from runtime.mind.memory.questions import question_of
from runtime.mind.memory.statements import statement_of
from runtime.mind.memory.talk import Answer, Heard, Talk, texts_of

_MYSELF = frozenset({"me", "us", "myself", "ourselves"})


def confirmed(talk: Talk, heard: Heard) -> Answer | None:
    """Yes or no to what was asked in the turn before."""
    wish = heard.wish
    if heard.awaited is None or wish is None or wish.kind not in ("yes", "no"):
        return None
    if wish.kind == "no":
        return Answer("forget", replies.KEPT, "kept")
    everything = talk.who == OWNER and heard.awaited == tuple(talk.knowledge.entries())
    answer = _forget(talk, heard.awaited)
    if everything:
        talk.knowledge.forget_everything()
        return Answer("forget", replies.FORGOT_ALL, "everything", answer.heard, answer.forgotten)
    return answer


def forgotten(talk: Talk, heard: Heard) -> Answer | None:
    """ "Forget that", "forget everything about Anna", "forget where my keys are", "forget everything"."""
    wish = heard.wish
    if wish is None or not wish.kind.startswith("forget"):
        return None
    if wish.kind == "forget all":
        return _ask_first(talk, talk.knowledge.entries())
    if wish.kind == "forget last":
        return _forget(talk, [talk.at_hand]) if talk.at_hand else None
    if wish.topic.lower() in _MYSELF:
        return _ask_first(talk, talk.knowledge.of(talk.who))
    found = _meant(talk, wish.topic, whole=wish.kind == "forget about")
    if not found and "forget" not in heard.text.lower():  # "clear the table"
        return None
    return _forget(talk, found)


def _meant(talk: Talk, topic: str, *, whole: bool) -> list[Entry]:
    """What says the same as `topic`, else what answers it as a question, else what is about it."""
    knowledge, who = talk.knowledge, talk.who
    statement = None if whole else statement_of(f"remember that {topic}")
    question = question_of(topic, who)
    said = knowledge.like(statement, who) if statement else []
    return said or (knowledge.answer(question) if question else []) or knowledge.about(topic, who)


def _ask_first(talk: Talk, entries: Sequence[Entry]) -> Answer:
    own = _own(talk, entries)
    if not own:
        return Answer("forget", replies.EMPTY, "nothing is known")
    talk.awaited = tuple(own)
    return Answer("forget", replies.sure(len(own)), "asked once more")


def _forget(talk: Talk, entries: Sequence[Entry]) -> Answer:
    own = _own(talk, entries)
    if not own:
        said = replies.NOT_YOURS if entries else replies.NOTHING_TO_FORGET
        return Answer("forget", said, "nothing of theirs", replies.HIDDEN)
    talk.knowledge.forget(own)
    talk.speak_of(None)
    return Answer("forget", replies.forgot(len(own)), "asked to", replies.HIDDEN, texts_of(own))


def _own(talk: Talk, entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if talk.who in (OWNER, entry.fact.person)]
