"""The owner's own words for a recording: the names of its folder and file, "play growl/at_the_door.wav"."""

import re
from collections.abc import Mapping
from pathlib import PurePath

from training.clone.voice.kinds import BY_NAME

WORDS: Mapping[str, str] = {
    "barking": "bark", "barks": "bark", "woofs": "woof", "yips": "yip", "yap": "yip", "whining": "whine",
    "whines": "whine", "whimper": "whine", "whimpering": "whine", "howling": "howl", "howls": "howl",
    "growling": "growl", "growls": "growl", "panting": "pant", "meows": "meow", "meowing": "meow",
    "miaow": "meow", "purring": "purr", "purrs": "purr", "trills": "trill", "chirp": "trill",
    "chirrup": "trill", "hissing": "hiss", "yowling": "yowl", "yawning": "yawn", "sniffing": "sniff",
}  # fmt: skip
"""How an owner may write a kind"""
OWN_KINDS: Mapping[str, tuple[float, float]] = {
    "yawn": (0.1, -0.7), "sniff": (0.2, 0.0), "growl_play": (0.4, 0.6), "happy_whimper": (0.7, 0.3),
}  # fmt: skip
"""Kinds that only an owner can name -> (valence, arousal)"""
CONTEXTS: Mapping[str, tuple[float, float]] = {
    "play": (0.6, 0.7), "playing": (0.6, 0.7), "ball": (0.6, 0.7), "fetch": (0.6, 0.7), "walk": (0.6, 0.6),
    "happy": (0.7, 0.4), "greeting": (0.7, 0.6), "hello": (0.7, 0.5), "home": (0.6, 0.5), "door": (0.0, 0.7),
    "doorbell": (0.0, 0.8), "stranger": (-0.4, 0.7), "angry": (-0.7, 0.7), "scared": (-0.7, 0.6),
    "thunder": (-0.7, 0.6), "vet": (-0.6, 0.5), "alone": (-0.5, 0.2), "sad": (-0.6, -0.1), "food": (0.5, 0.6),
    "hungry": (0.2, 0.6), "dinner": (0.5, 0.6), "sleepy": (0.2, -0.6), "sleeping": (0.2, -0.8),
    "cuddle": (0.7, -0.2), "petting": (0.7, -0.2), "excited": (0.6, 0.8),
}  # fmt: skip
"""What it was about -> (valence, arousal)"""


def kind_in(path: PurePath) -> str:
    """The kind that the owner names, "" where none is named."""
    words = _words(path)
    named = [WORDS.get(word, word) for word in words]
    if "growl" in named and "play" in named:
        return "growl_play"
    return next((word for word in reversed(named) if word in BY_NAME or word in OWN_KINDS), "")


def mood_in(path: PurePath) -> tuple[float, float] | None:
    """(valence, arousal) of what the owner says it was about, None where nothing is said."""
    found = [CONTEXTS[word] for word in _words(path) if word in CONTEXTS]
    return found[-1] if found else None


def mood_of(kind: str) -> tuple[float, float]:
    """What a kind mostly tells of."""
    return BY_NAME[kind].mood if kind in BY_NAME else OWN_KINDS[kind]


def _words(path: PurePath) -> list[str]:
    """Small words of all folders and of the file's name, in order."""
    return re.findall(r"[a-z]+", " ".join([*path.parts[:-1], path.stem]).lower())
