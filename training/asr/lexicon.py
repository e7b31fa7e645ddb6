"""The pronouncing dictionary: CMU's, as Debian's package pocketsphinx-en-us brings it (BSD-2)."""

import lzma
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from runtime.contracts.errors import TrainingError
from runtime.speech import units
from runtime.speech.pronounce import ADDITIONS, Pronouncer, Way
from training.data import espeak

SOURCE = Path("/usr/share/pocketsphinx/model/en-us/cmudict-en-us.dict")
_ARPABET = {
    "aɪ": "AY", "aʊ": "AW", "eɪ": "EY", "oʊ": "OW", "ɔɪ": "OY", "tʃ": "CH", "dʒ": "JH", "n̩": "AH N",
    "l̩": "AH L", "i": "IY", "ɪ": "IH", "ᵻ": "IH", "ɛ": "EH", "e": "EH", "æ": "AE", "a": "AE", "ɑ": "AA",
    "ɒ": "AA", "ɔ": "AO", "o": "OW", "ʊ": "UH", "u": "UW", "ʌ": "AH", "ə": "AH", "ɐ": "AH", "ɚ": "ER",
    "ɜ": "ER", "b": "B", "d": "D", "ð": "DH", "f": "F", "ɡ": "G", "g": "G", "h": "HH", "j": "Y", "k": "K",
    "x": "K", "l": "L", "m": "M", "n": "N", "ŋ": "NG", "p": "P", "ɹ": "R", "r": "R", "s": "S", "ʃ": "SH",
    "t": "T", "ɾ": "T", "ʔ": "T", "θ": "TH", "v": "V", "w": "W", "z": "Z", "ʒ": "ZH",
}  # fmt: skip
"""espeak-ng's signs for American English, without marks of stress and length"""
_ENTRY = re.compile(r"([a-z][a-z']*)(?:\(\d+\))? (.+)")


def lines() -> list[str]:
    """One line a word, its ways behind tabs; words of letters and apostrophes only."""
    if not SOURCE.is_file():
        raise TrainingError(f"no dictionary at {SOURCE}; type: apt install pocketsphinx-en-us")
    ways: dict[str, list[str]] = {}
    for line in SOURCE.read_text(encoding="utf-8").splitlines():
        found = _ENTRY.fullmatch(line.strip())
        if found and all(units.is_phone(phone) for phone in found[2].split()):
            ways.setdefault(found[1], []).append(found[2])
    return sorted("\t".join([word, *said]) for word, said in ways.items())


class Speller(Pronouncer):
    """The dictionary; for a word that is not in it, what espeak-ng would say."""

    def ways(self, word: str) -> tuple[Way, ...]:
        return super().ways(word) or guess(word)


@cache
def pronouncer() -> Speller:
    return Speller(lines())


@cache
def guess(word: str) -> tuple[Way, ...]:
    """espeak-ng's American reading in ARPAbet; () without espeak-ng, or where a sound has no name there."""
    speaker = espeak.espeak()
    ipa = speaker.phonemes(word) if speaker else ""
    found: list[str] = []
    while ipa:
        sign = next((ipa[:n] for n in (2, 1) if ipa[:n] in _ARPABET), None)
        if sign is None:
            return ()
        found += _ARPABET[sign].split()
        ipa = ipa[len(sign) :]
    return (tuple(found),) if found else ()


def write(path: Path) -> None:
    """The dictionary as the robot reads it; the same bytes every time."""
    path.write_bytes(lzma.compress("\n".join(lines()).encode(), preset=9 | lzma.PRESET_EXTREME))


def write_additions(asr_dir: Path, words: Iterable[str]) -> list[str]:
    """Tell the recogniser in `asr_dir` how those of `words` are said that its dictionary lacks, by espeak-ng.

    Returns the words added. Raises GrammarError where espeak-ng does not know either or is not installed.
    """
    known = Pronouncer.load(asr_dir)
    missing = sorted({word for word in words if not known.ways(word)})
    own = asr_dir / ADDITIONS
    kept = own.read_text(encoding="utf-8").splitlines() if own.is_file() else []
    for word in missing:
        if not guess(word):
            known.must(word)
        kept.append("\t".join([word, *(" ".join(way) for way in guess(word))]))
    if missing:
        own.write_text("\n".join(sorted(kept)) + "\n", encoding="utf-8")
    return missing
