"""What people say when they are not calling the pet: everyday talk, its orders, words that sound alike.

With EVERPAW_DATA set the everyday sentences are tens of thousands of real ones; without it, a few dozen that
stand beside this file and the pet's own wordings.
"""

import os
import re
from functools import cache
from pathlib import Path

import numpy as np
import yaml

from runtime.mind.grammar import Grammar
from training.data import corpora, espeak

_HERE = Path(__file__).parent
_STARTER = _HERE.parents[1] / "runtime" / "starter"
_MAX_CHARS = 80
EVERYDAY = tuple((_HERE / "everyday.txt").read_text().splitlines())
WORDS = tuple((_HERE / "words.txt").read_text().split())


def speakable(text: str) -> str | None:
    """Plain lower-case words, or None where there is something a synthesiser reads oddly."""
    plain = re.sub(r"\s+", " ", text.replace("’", "'")).strip().lower()
    fits = 3 < len(plain) <= _MAX_CHARS and re.fullmatch(r"[a-z' ,.!?;-]+", plain)
    return plain if fits else None


@cache
def everyday() -> list[str]:
    """Sentences of daily life, sorted."""
    root = os.environ.get("EVERPAW_DATA")
    found = list(EVERYDAY)
    if root:
        remarks, requests = Path(root) / corpora.GOEMOTIONS / "train.tsv", Path(root) / corpora.CLINC
        found += [text for text, _ in corpora.goemotions(remarks)] if remarks.is_file() else []
        found += (
            [text for rows in corpora.clinc(requests).values() for text, _ in rows]
            if requests.is_file()
            else []
        )
    return sorted({plain for text in found if (plain := speakable(text))})


@cache
def orders() -> list[str]:
    """What an owner says to the pet: the starter's grammar and free wordings, sorted."""
    grammar = Grammar.load(_STARTER / "grammar.yaml")
    found = [text for text, _, _ in grammar.sentences(np.random.default_rng(0), 1500)]
    wordings = yaml.safe_load((_HERE / "paraphrases.yaml").read_text())
    found += [text for kinds in wordings.values() for texts in kinds.values() for text in texts]
    return sorted({plain for text in found if (plain := speakable(str(text)))})


def neighbours(word: str, n: int) -> list[str]:
    """The `n` everyday words that sound most like `word`, nearest first; homophones are left out."""
    target = sound_of(word)
    others = sorted({w for w in WORDS if sound_of(w) != target})
    return sorted(others, key=lambda w: (distance(sound_of(w), target) / max(len(target), 1), w))[:n]


@cache
def sound_of(text: str) -> str:
    """IPA signs by espeak-ng; the letters themselves where it is not installed."""
    speaker = espeak.espeak()
    return speaker.phonemes(text) if speaker else text


def distance(a: str, b: str) -> int:
    """Levenshtein distance."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]
