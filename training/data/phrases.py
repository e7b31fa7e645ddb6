"""Sentences with $slots and the words that fill them, split once and for all into taught and held out.

The split is by content: a CRC-32 of the word or sentence decides, so a name, a thing or a wording that is
measured on was never in any training text, and files may grow without moving what stood there before.
"""

import random
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from runtime.contracts.errors import TrainingError

FOLDER = Path(__file__).parent / "talk"
Part = Literal["train", "held_out"]
HELD_OUT_WORDS, HELD_OUT_SENTENCES = 9, 7
"""One of so many is held out"""
OPEN = (
    "name", "pet", "animal", "food", "drink", "city", "thing", "things", "spot", "job", "sport", "instrument",
    "hobby", "event", "toy", "vehicle", "fear", "plant", "noun", "topic", "clothes", "workplace",
)  # fmt: skip
"""Kinds of words that no list can ever hold"""
STRANGE = 0.3
"""How often a word of these is one that nobody would expect there, while learning"""
_SLOT = re.compile(r"\$([a-z]+)(\d?)")
_RUDE = re.compile(r"fuk|shit|tit|nig|ass|cum|kok|nazi|jew")
_OPENINGS, _VOWELS, _CLOSINGS = (
    tuple(sounds.split("-"))
    for sounds in (
        "b-br-c-ch-d-dr-f-fl-g-gr-h-j-k-kr-l-m-n-p-pr-qu-r-s-sh-sk-sl-st-t-th-tr-v-w-y-z",
        "a-e-i-o-u-a-e-i-o-ai-ee-ia-oo",
        "--b-d-k-l-ll-m-n-n-nd-r-r-rt-s-sh-ss-t-th-x-z",
    )
)


def lines(text: str) -> list[str]:
    """One sentence a line."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def is_held_out(text: str, one_in: int) -> bool:
    return zlib.crc32(text.lower().encode()) % one_in == 0


def share(sentences: Sequence[str], part: Part) -> list[str]:
    """The sentences of one part; a list too short to be split is taught whole and never measured on."""
    held = [s for s in sentences if is_held_out(s, HELD_OUT_SENTENCES)]
    if len(sentences) < 5 or len(held) * 2 > len(sentences):
        held = []
    return held if part == "held_out" else [s for s in sentences if s not in held]


@cache
def slots_of(sentence: str) -> frozenset[str]:
    return frozenset(name + number for name, number in _SLOT.findall(sentence))


def fill(sentence: str, values: Mapping[str, str]) -> str:
    return _SLOT.sub(lambda found: values[found[1] + found[2]], sentence)


@dataclass
class Words:
    """Draws words for slots; the same slot of one scene keeps its word until `fresh`."""

    part: Part
    chance: random.Random
    values: dict[str, str] = field(default_factory=dict)

    def fresh(self) -> "Words":
        return Words(self.part, self.chance)

    def fill(self, sentence: str) -> str:
        """The sentence with its slots filled, new ones drawn."""
        for slot in sorted(slots_of(sentence)):
            self.value(slot)
        return fill(sentence, self.values)

    def value(self, slot: str) -> str:
        if slot not in self.values:
            self.values[slot] = self._draw(slot)
        return self.values[slot]

    def _draw(self, slot: str) -> str:
        kind = slot.rstrip("0123456789")
        if kind == "town" or (kind in ("name", "pet") and self.chance.random() < 0.4):
            return self._invented()
        if self.part == "train" and kind in OPEN and self.chance.random() < STRANGE:
            return self._strange()
        if kind == "animals":
            return self._draw("animal") + "s"
        if slot == "noun" and self.chance.random() < 0.3:
            kind = "thing"
        words = lists(self.part).get(kind)
        if words is None:
            raise TrainingError(f"no list of words named {kind!r} in {FOLDER / 'lists.yaml'}; add one")
        taken = set(self.values.values())
        return self.chance.choice([w for w in words if w not in taken] or words)

    def _strange(self) -> str:
        """A word from somewhere else, or one that there is not: it can only be copied, never guessed."""
        if self.chance.random() < 0.5:
            return self._invented()
        return self.chance.choice(lists(self.part)[self.chance.choice(OPEN)])

    def _invented(self) -> str:
        """A name nobody bears, so that names are read from the prompt and not known by heart."""
        while True:
            syllables = self.chance.choice((1, 2, 2, 2, 3))
            word = "".join(
                self.chance.choice(_OPENINGS) + self.chance.choice(_VOWELS) for _ in range(syllables)
            )
            word += self.chance.choice(_CLOSINGS)
            if (
                len(word) > 2
                and not _RUDE.search(word)
                and is_held_out(word, HELD_OUT_WORDS) == (self.part == "held_out")
            ):
                return word


@cache
def lists(part: Part) -> dict[str, list[str]]:
    """Kind -> words. A kind with fewer than 20 words (months, colours) is taught whole."""
    found = {}
    for kind, text in read("lists").items():
        words = [w.strip() for w in text.split("|")] if "|" in text else text.split()
        held = [w for w in words if is_held_out(w, HELD_OUT_WORDS)]
        small = len(words) < 20 or not held
        found[kind] = words if small else held if part == "held_out" else [w for w in words if w not in held]
    return found


@cache
def read(name: str) -> dict[str, Any]:
    """One of the files of sentences."""
    path = FOLDER / f"{name}.yaml"
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise TrainingError(f"{path} cannot be read ({error}); mend it") from error
    return {str(key): value for key, value in data.items()}


def any_of(words: Iterable[str]) -> tuple[str, ...]:
    """Words of a check, `needs` as the files write them."""
    return tuple(sorted({w.lower() for w in words}))
