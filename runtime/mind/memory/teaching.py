"""Turns that teach: something told, somebody introduced, something put right."""

from runtime.mind.memory import replies
from runtime.mind.memory.entry import Entry
from runtime.mind.memory.facts import OWNER, Fact
from runtime.mind.memory.secrets import is_secret
from runtime.mind.memory.statements import (
    Statement,
    asks_to_remember,
    fact_of,
    name_shaped,
    shown_name,
    statement_of,
)
from runtime.mind.memory.talk import Answer, Heard, Talk
from runtime.mind.memory.tokens import tokens, word_list
from runtime.mind.memory.wishes import correction_of

_MAX_CORRECTED_WORDS = 5


def told(talk: Talk, heard: Heard) -> Answer | None:
    """Something told; of uncertain speech only what asks to be remembered."""
    asked = asks_to_remember(heard.text)
    if not asked and not heard.certain:
        return None
    statement = statement_of(heard.text, talk.at_hand.fact.subject if talk.at_hand else None)
    if statement is None and not asked:
        return None
    if is_secret(heard.text):
        return Answer("remember", replies.SECRET, "a secret", heard=replies.HIDDEN)
    if statement is None:
        return Answer("remember", replies.WHAT, "nothing to remember was said")
    if (statement.subject, statement.relation) == ("I", "name"):
        return _introduce(talk, heard, statement.value)
    return _keep(talk, heard, statement)


def introduced(talk: Talk, heard: Heard) -> Answer | None:
    """ "I am Tom"."""
    wish = heard.wish
    if wish is None or wish.kind != "is" or not name_shaped(wish.topic):
        return None
    return _introduce(talk, heard, shown_name(wish.topic))


def corrected(talk: Talk, heard: Heard) -> Answer | None:
    """ "No, her name is Hanna", about what was spoken of last."""
    right, last = correction_of(heard.text), talk.at_hand
    if last is None or not (right.begins or right.plain):
        return None
    value = right.value or (right.rest if right.begins and name_shaped(right.rest) else "")
    if value and _replaces(value, right.old, last.fact) and not is_secret(value):
        return _put_right(talk, heard, last, shown_name(value))
    statement = statement_of(right.rest, last.fact.subject) if right.begins else None
    return None if statement is None or is_secret(heard.text) else _keep(talk, heard, statement)


def _keep(talk: Talk, heard: Heard, statement: Statement) -> Answer:
    knowledge = talk.knowledge
    new = knowledge.tell(_fact(talk, heard, statement), one=statement.one)
    talk.speak_of(new.entry)
    if new.outcome == "replaced":
        gone = () if knowledge.history else tuple(fact.value for fact in new.old)
        return Answer("remember", replies.replaced(new.entry.fact), "a new value", forgotten=gone)
    said = replies.known if new.outcome == "known" else replies.kept
    return Answer("remember", said(new.entry.fact, talk.turns), "a statement")


def _introduce(talk: Talk, heard: Heard, name: str) -> Answer:
    """The owner's name where it is not known, another person where it is another."""
    owner = talk.knowledge.name_of(OWNER)
    person = OWNER if not owner or owner.lower() == name.lower() else name.lower()
    talk.speaker.become(person, name)
    if talk.knowledge.name_of(person).lower() != name.lower():
        said = Statement("I", "name", name, f"my name is {name}", one=True, asked=True)
        talk.speak_of(talk.knowledge.tell(_fact(talk, heard, said), one=True).entry)
    return Answer("remember", replies.greeted(name, known=owner != ""), "somebody introduced themselves")


def _put_right(talk: Talk, heard: Heard, last: Entry, value: str) -> Answer:
    fact = last.fact.corrected(value, **_circumstances(talk, heard))
    talk.speak_of(talk.knowledge.replace(last, fact))
    gone = () if talk.knowledge.history else (last.fact.value,)
    return Answer("remember", replies.replaced(fact), "put right", forgotten=gone)


def _fact(talk: Talk, heard: Heard, statement: Statement) -> Fact:
    return fact_of(statement, person=talk.who, **_circumstances(talk, heard))


def _circumstances(talk: Talk, heard: Heard) -> dict[str, object]:
    return {
        "source": heard.source,
        "confidence": heard.belief,
        "told_mono_ms": talk.clock() * 1e3,
        "told_at": talk.wall(),
    }


def _replaces(value: str, old: str, fact: Fact) -> bool:
    """`value` can stand in the place of the fact's: a name for a name, or the old value was named."""
    if (
        fact.value not in fact.text
        or not fact.takes(value)
        or word_list("passing").intersection(value.lower().split())
    ):
        return False
    if old:
        return tokens(old) == tokens(fact.value)
    return name_shaped(value) if name_shaped(fact.value) else len(value.split()) <= _MAX_CORRECTED_WORDS
