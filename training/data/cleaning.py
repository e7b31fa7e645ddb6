"""Texts made alike before they are learned: Unicode, spaces, repetition, language."""

import re
import unicodedata
from functools import cache
from typing import Any

_CONTROL = re.compile(
    r"[\u0000-\u0008\u000b-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufffd]"
)
_SPACE = re.compile(r"\s+")
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_MARKUP = re.compile(r"</?[a-z][^<>]{0,80}>", re.IGNORECASE)
_LONG = re.compile(r"(.)\1{3,}", re.DOTALL)
_QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "..."})
_LETTERS = {
    "zh": re.compile(r"[\u3400-\u9fff]"),
    "ja": re.compile(r"[\u3040-\u30ff]"),
    "ko": re.compile(r"[\uac00-\ud7af]"),
    "ru": re.compile(r"[\u0400-\u04ff]"),
    "ar": re.compile(r"[\u0600-\u06ff]"),
}
_FEW_LETTERS = 12
"""Shorter texts of Latin letters are not told apart"""
_SURE = 0.9
"""Below this probability a language is not told"""


def normalise(text: str) -> str:
    """NFKC, plain quotes, no control signs, links or markup, no letter four times, single spaces."""
    plain = unicodedata.normalize("NFKC", text).translate(_QUOTES)
    plain = _MARKUP.sub(" ", _LINK.sub(" ", _CONTROL.sub(" ", plain)))
    return _SPACE.sub(" ", _LONG.sub(r"\1\1\1", plain)).strip()


def same(text: str) -> str:
    """What is alike for two texts that differ in case, spaces and punctuation only."""
    kept = "".join(c if c.isalnum() else " " for c in normalise(text).lower())
    return " ".join(kept.split()) or text.strip()


def language_of(text: str) -> str:
    """Two letters, by the script where it tells, else by py3langid; empty where it cannot be told."""
    for name in ("ja", "ko", "zh", "ru", "ar"):
        if _LETTERS[name].search(text):
            return name
    if sum(c.isalpha() for c in text) < _FEW_LETTERS:
        return ""
    name, sure = _identifier().classify(text)
    return str(name) if sure > _SURE else ""


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def segmented(text: str) -> list[str]:
    """Words; Chinese by jieba, everything else by spaces."""
    if not _LETTERS["zh"].search(text):
        return text.split()
    import jieba

    jieba.setLogLevel(60)
    return [word for word in jieba.cut(text) if word.strip()]
