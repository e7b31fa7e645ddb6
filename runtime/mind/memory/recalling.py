"""Turns that ask: a question, or all that is known about somebody."""

from collections.abc import Sequence

from runtime.mind.memory import replies
from runtime.mind.memory.entry import Entry
from runtime.mind.memory.questions import question_of
from runtime.mind.memory.secrets import is_secret
from runtime.mind.memory.talk import Answer, Heard, Talk
from runtime.mind.memory.viewpoint import to_others

NOBODY_TOLD = "nobody told"
"""Why an answer is "I don't know" """


def listed(talk: Talk, heard: Heard) -> Answer | None:
    """ "What do you know about ..."."""
    wish = heard.wish
    if wish is None or wish.kind not in ("tell all", "tell about"):
        return None
    if wish.kind == "tell all":
        return _answer(talk, talk.knowledge.of(talk.who), "all that somebody told")
    found = talk.knowledge.about(wish.topic, talk.who)
    if not found and wish.topic:
        return Answer("recall", replies.nothing_about(wish.topic), NOBODY_TOLD)
    return _answer(talk, found, "all about a topic")


def asked(talk: Talk, heard: Heard) -> Answer | None:
    """A question, where somebody told the answer, or where only the people of the house could know it."""
    question, knowledge = question_of(heard.text, talk.who), talk.knowledge
    if question is None or not question.wanted:
        return None
    found = [] if is_secret(heard.text) else knowledge.answer(question)
    if found:
        return _answer(talk, found, "a question")
    known = {*knowledge.people(), *(t for name in knowledge.names() for t in name.head | name.named)}
    if question.for_memory or (question.wanted & known and question.short):
        return _answer(talk, [], "a question")
    return None


def as_told(talk: Talk, entry: Entry) -> str:
    """In the first person where it is the speaker's own, by name where it is somebody else's."""
    if not entry.mine or entry.fact.person == talk.who:
        return entry.fact.text
    return to_others(entry.fact.text, talk.knowledge.name_of(entry.fact.person) or replies.MY_OWNER)


def _answer(talk: Talk, found: Sequence[Entry], why: str) -> Answer:
    if not found:
        return Answer("recall", replies.unknown(talk.turns), NOBODY_TOLD)
    talk.speak_of(found[-1])
    name = talk.knowledge.name_of
    said = [replies.in_view(entry, talk.who, name(entry.fact.person)) for entry in found]
    return Answer("recall", replies.told(said), why)
