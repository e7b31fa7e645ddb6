"""Whom a sentence is about, and the same sentence in the animal's own mouth."""

import re
from dataclasses import dataclass

from runtime.mind.memory.viewpoint import to_others
from training.clone.persona.language import compiled, first_person, passed_over

MOST_WORDS = 12
_EMOJI = re.compile(r"[\U0001F000-\U0001FAFF☀-➿\u200d\ufe0f]+|[:;]-?[)D(P]|<3")
_SELF, _MY, _ME, _I = "\ue000", "\ue001", "\ue002", "\ue003"
_OWN_WORDS = {_SELF: "myself", _MY: "my", _ME: "me", _I: "I"}


@dataclass(frozen=True, slots=True)
class Animal:
    """Whom the notes are about. `owner`: who "I" is in a diary; `living`: told of in the present tense."""

    name: str
    sex: str = ""
    owner: str = ""
    living: bool = True
    species: str = "dog"

    @property
    def pronouns(self) -> str:
        return {"male": "he|it", "female": "she|it"}.get(self.sex, "he|she|it")

    @property
    def called(self) -> str:
        nouns = {"dog": "dog|puppy|pup", "cat": "cat|kitten|kitty"}.get(self.species, re.escape(self.species))
        return rf"(?:{re.escape(self.name)}|(?:our|my) (?:little |old |sweet |good )?(?:{nouns}))"


def sentences(text: str) -> list[str]:
    """Of a line; marks that end them stay, little pictures go."""
    plain = _EMOJI.sub(" ", text.replace("’", "'").replace("‘", "'"))
    return [" ".join(part.split()) for part in re.split(r"(?<=[.!?…])[\"”)]?\s+", plain) if part.strip()]


@dataclass(frozen=True, slots=True)
class About:
    """What a sentence says of the animal; `rest` is empty where it says nothing."""

    rest: str
    own: bool
    """It begins with what is the animal's: "his favourite ..." """
    goes_on: bool
    """ "He" in the next sentence is the animal"""


def about(sentence: str, animal: Animal, meant: bool) -> About:
    """`meant`: "he" in this sentence is the animal."""
    text = passed_over("filler").sub("", sentence)
    named = re.match(rf"^(?P<s>{animal.called})(?P<own>'s)? (?P<rest>.+)$", text, re.IGNORECASE)
    pronoun = re.match(rf"^(?P<s>{animal.pronouns}|his|her|its) (?P<rest>.+)$", text, re.IGNORECASE)
    somebody = others(sentence, animal)
    found = named or (pronoun if meant else None)
    if found is None:
        mentioned = re.search(rf"\b{re.escape(animal.name)}\b", sentence, re.IGNORECASE)
        return About("", False, not somebody and (meant or mentioned is not None))
    own = bool(found["own"]) if named else found["s"].lower() in ("his", "her", "its")
    return About(found["rest"].strip(" .!"), own, not somebody)


def others(text: str, animal: Animal) -> bool:
    """Somebody else is named whom "he" or "she" could mean."""
    names = re.findall(r"(?<=[\w,] )[A-Z][a-z]+\b", text)
    strangers = [name for name in names if name.lower() != animal.name.lower()]
    return bool(strangers) or bool(passed_over("person").search(text))


def value(text: str, speaker: str, animal: Animal) -> str | None:
    """What is told, as the animal says it; None where it is unclear, too long or half of what was said."""
    more = passed_over("cut_off").search(f"{text} ")
    if more and passed_over("taken_back").match(f"{text} "[more.start() :]):
        return None
    cut = passed_over("tail").sub("", (text[: more.start()] if more else text).strip(" .!,"))
    if not cut or len(cut.split()) > MOST_WORDS or passed_over("vague").search(cut):
        return None
    return _turned(cut, speaker or animal.owner, animal)


def _turned(text: str, owner: str, animal: Animal) -> str | None:
    """ "when he sees my shoes" -> "when I see Ann's shoes"; None where "his" may be another's."""
    if re.search(r"\b(?:his|her|him|he|she|its?)\b", text, re.I) and others(f"x {text}", animal):
        return None
    pattern = rf"\b(?:{animal.pronouns}) (?P<adverb><ADVERB>)(?P<verb>\w+)"
    verb = compiled(pattern, "", "")
    text = verb.sub(lambda found: f"{_I} {found['adverb']}{first_person(found['verb'])}", text)
    # the animal's own words are hidden from the owner's: both would become "I" and "my"
    for words, put in (("himself|herself|itself", _SELF), ("his|her|its", _MY), ("him", _ME)):
        text = re.sub(rf"\b(?:{words})\b", put, text, flags=re.IGNORECASE)
    text = re.sub(rf"\b{re.escape(animal.name)}'s\b", _MY, text, flags=re.IGNORECASE)
    if re.search(rf"\b(?:{re.escape(animal.name)}|he|she|it)\b", text, re.IGNORECASE):
        return None
    text = to_others(text, owner or "my person")
    for put, word in _OWN_WORDS.items():
        text = text.replace(put, word)
    return text
