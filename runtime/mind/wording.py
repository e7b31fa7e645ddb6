"""Wordings as vectors: hashed words, word pairs, letter groups and consonant skeletons.

Shared by the recipe that trains the behaviour classifier and by the robot that runs it, so that both see the
same numbers. The hash is CRC-32, equal on every machine. A skeleton keeps what recognisers rarely confuse
("sid town" and "sit down" share theirs).
"""

import zlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from runtime.mind.grammar import normalise

MAX_WORDS = 40
"""Longer texts are cut: no order to a pet is longer, and a hostile one costs nothing"""
_LETTER_GROUPS = (3, 4)
_SOUNDS = str.maketrans("bpdtgkcqfvszxmnlrj", "ppttkkkkffsssnnlrj", "aeiouyhw'")


def words_of(text: str) -> list[str]:
    """Normalised words, at most MAX_WORDS."""
    return normalise(text[:1_000]).split()[:MAX_WORDS]


def skeleton(word: str) -> str:
    """The consonants of a word, those that sound alike merged: "down" -> "tn"."""
    return word.translate(_SOUNDS)


def grams(words: Sequence[str]) -> list[str]:
    """Names of the features of a wording."""
    found = [f"w:{word}" for word in words]
    padded = ["<", *words, ">"]
    found += [f"b:{one} {two}" for one, two in pairwise(padded)]
    for word in words:
        framed = f"#{word}#"
        for n in _LETTER_GROUPS:
            found += [f"c:{framed[i : i + n]}" for i in range(len(framed) - n + 1)]
        found.append(f"s:{skeleton(word)}")
    return found


def vector(words: Sequence[str], size: int) -> npt.NDArray[np.float32]:
    """Shape (size,), length 1 (0 for no words)."""
    counts = np.zeros(size, np.float32)
    for gram in grams(words):
        counts[zlib.crc32(gram.encode()) % size] += 1.0
    weights = np.asarray(np.log1p(counts), np.float32)
    norm = float(np.linalg.norm(weights))
    return np.asarray(weights / (norm or 1.0), np.float32)


def vectors(texts: Sequence[Sequence[str]], size: int) -> npt.NDArray[np.float32]:
    """Shape (len(texts), size)."""
    return np.stack([vector(words, size) for words in texts]) if texts else np.zeros((0, size), np.float32)
