"""What a language model reads before it answers: one frozen `Prompt`, and the text made of it.

Training and robot share this file, so both see the same text:

    <pet>Buddy<card>I am a robot that copies a small dog. I love my red ball.
    <fact>my sister is called Anna<heard>hello buddy<said>Hi there!
    <heard>who is anna<said><mood:happy><act:curious>Your sister is called Anna.<end>

(one line in truth). The last two tags before the reply are forced, so words fit mood and motion. What people
typed or said never makes a tag: angle brackets are taken out of every free text.
"""

import re
from dataclasses import dataclass, replace

from runtime.mind.emotion import MOODS

PET, CARD, FACT, HEARD, SAID, END = "<pet>", "<card>", "<fact>", "<heard>", "<said>", "<end>"
TAGS = (PET, CARD, FACT, HEARD, SAID, END)
NO_ACT = "none"
"""The act where the body does nothing"""
MAX_FACTS, MAX_TURNS, MAX_LETTERS = 8, 4, 240
"""Facts, turns of history, and letters of any one text that are read at most"""
_NAMES = re.compile(r"[a-z0-9_-]{1,48}")
_NOISE = re.compile(r"[<>\x00-\x1f\x7f]+")
_MARKS = re.compile(r"[^\w\s']+")


@dataclass(frozen=True, slots=True)
class Prompt:
    """One turn as the language model meets it. Texts are English, in their usual spelling."""

    name: str
    """The pet's"""
    heard: str
    card: tuple[str, ...] = ()
    """Persona in short sentences, as the pet says them of itself: "I love my red ball." """
    facts: tuple[str, ...] = ()
    """What was remembered and fits what was heard, the fittest first, as its owner said it: "my sister is
    called Anna"; "I" is the owner, "you" the pet"""
    history: tuple[tuple[str, str], ...] = ()
    """(heard, said), oldest first"""
    mood: str = MOODS[0]
    act: str = NO_ACT
    """Name of the skill or gait that goes with the reply, "halt", or NO_ACT"""


def render(prompt: Prompt) -> str:
    """All that the model reads; it goes on with the reply and ends it with END."""
    return persona_text(prompt) + turn_text(prompt)


def persona_text(prompt: Prompt) -> str:
    """The part that stays the same from turn to turn."""
    card = " ".join(_plain(line) for line in prompt.card)
    return f"{PET}{_plain(prompt.name)}{CARD}{card}"


def turn_text(prompt: Prompt) -> str:
    """The part that changes: facts, history, what was heard, and the forced beginning of the reply."""
    facts = "".join(FACT + _plain(fact).rstrip(".") for fact in prompt.facts[:MAX_FACTS])
    turns = "".join(turn_of(heard, said) for heard, said in prompt.history[-MAX_TURNS:])
    return f"{facts}{turns}{HEARD}{spoken(prompt.heard)}{SAID}{mood_tag(prompt.mood)}{act_tag(prompt.act)}"


def turn_of(heard: str, said: str) -> str:
    """One turn of the history."""
    return f"{HEARD}{spoken(heard)}{SAID}{_plain(said)}"


def mood_tag(mood: str) -> str:
    return f"<mood:{_named(mood)}>"


def act_tag(act: str) -> str:
    return f"<act:{_named(act)}>"


def shorter(prompt: Prompt) -> Prompt | None:
    """The same without its oldest turn, then without its least fitting fact; None where nothing can go."""
    if prompt.history:
        return replace(prompt, history=prompt.history[-MAX_TURNS:][1:])
    if prompt.facts:
        return replace(prompt, facts=prompt.facts[:MAX_FACTS][:-1])
    return None


def spoken(text: str) -> str:
    """Typed words as a recogniser would have heard them: lower case, no marks but apostrophes."""
    return " ".join(_MARKS.sub(" ", _plain(text).lower()).split())


def _plain(text: str) -> str:
    return " ".join(_NOISE.sub(" ", text[:MAX_LETTERS]).split())


def _named(name: str) -> str:
    if not _NAMES.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a mood or an act; letters a-z, digits, - and _ only")
    return name
