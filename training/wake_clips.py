"""Labelled clips for a wake or stop head: speech placed in a stretch of time, and where the name ends in it.

Everything here runs in worker processes and hands back embeddings, never sound. A clip's `end_s` is the
moment the name ends, NaN where it is not said. Clips of real recordings are cut to pieces of four seconds.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import soundfile

from runtime.contracts.audio import SAMPLE_RATE_HZ
from training.data import animals, augment, noise, speech, voices
from training.data.embeddings import embed
from training.data.sentences import distance, everyday, neighbours, orders, sound_of

Floats = npt.NDArray[np.float32]
Rng = np.random.Generator
Kind = Literal["name", "near", "talk", "order", "noise", "animal", "real"]
Part = Literal["train", "choose", "report"]
_PIECE = 4 * SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip as the head will see it."""

    embeddings: Floats
    """(steps, 96), one each 80 ms"""
    end_s: float
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Words:
    """What counts as the name, what it may stand among, and what only sounds like it."""

    name: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    near: tuple[str, ...]
    banned: tuple[str, ...]
    """A sentence that sounds like it holds one of these is no negative"""


def words_for(name: str) -> Words:
    """Phrases for `name`; the stop word has its own."""
    said = name.lower()
    if said == "stop":
        before = ("please ", "buddy ", "hey buddy ", "no ", "okay ", "now ", "stop ", "hey ", "oh no ")
        after = (" it", " now", " stop", " that", " right there", " moving", " please", " buddy", " walking")
        near = tuple(neighbours("stop", 45)) + _STOP_NEAR
        return Words(said, before, after, near, ("stop", "top"))
    before = ("okay ", "oh ", "well ", "good morning, ", "so ", "yes, ", "and ")
    after = tuple(f"{pause}{order}" for order in orders()[::3] for pause in (", ", " "))
    return Words(said, before, after, _near_names(said), (said,))


_STOP_NEAR = tuple((Path(__file__).parent / "data" / "near_stop.txt").read_text().splitlines())


def _near_names(name: str) -> tuple[str, ...]:
    """The name with one word changed for a neighbour, in pieces, turned round, cut short."""
    words = name.split()
    found = [*words, " ".join(reversed(words))] if len(words) > 1 else []
    for i, word in enumerate(words):
        for other in neighbours(word, 40 if len(word) > 3 else 25):
            if len(sound_of(word)) <= 3 and distance(sound_of(word), sound_of(other)) <= 1:
                continue  # a short word and its twin ("hey", "hi", "say"): no one tells them apart in a hurry
            found.append(" ".join([*words[:i], other, *words[i + 1 :]]))
        found.append(" ".join([*words[:i], word[: max(2, len(word) - 2)], *words[i + 1 :]]))
        found += [f"{start} {word}" for start in ("some", "every", "any", "the", "my", "hello", "good")]
        found += [f"{word} {end}" for end in ("come here", "boy", "what", "sit down", "there", "look")]
    return tuple(sorted({text for text in found if text and text != name}))


@dataclass(frozen=True, slots=True)
class Order:
    """`count` clips of one kind, to be made by one worker."""

    kind: Kind
    count: int
    seed: int
    held_out: bool = False
    snr_db: float | None = None
    """Report clips: clean (inf) or kitchen noise at this level, with nothing else done to them"""
    files: tuple[str, ...] = ()


def make(words: Words, order: Order) -> list[Clip]:
    """Fill the order; always the same texts, voices and rooms for the same seed."""
    rng = np.random.default_rng([order.seed, order.held_out])
    if order.kind == "real":
        return [clip for path in order.files for clip in _real(path, order.count, rng)]
    return [_one(words, order, rng) for _ in range(order.count)]


def _one(words: Words, order: Order, rng: Rng) -> Clip:
    if order.kind == "noise":
        sound = noise.stretch(_PIECE, rng) * rng.uniform(0.05, 3.0)
        return _clip(augment.room(sound.astype(np.float32), rng), np.nan, "noise", "")
    if order.kind == "animal":
        return _clip(_placed(animals.animal(rng), rng, order, trail_s=0.3)[0], np.nan, "animal", "")
    voice = voices.choose(voices.voices(order.held_out), rng)
    if order.kind == "name":
        return _name(words, voice, order, rng)
    text = _text(words, order.kind, rng)
    sound = _warped(speech.spoken(voices.plan(text, voice, rng)), order, rng)[:_PIECE]
    return _clip(_placed(sound, rng, order, trail_s=0.3)[0], np.nan, order.kind, text)


def _name(words: Words, voice: voices.Voice, order: Order, rng: Rng) -> Clip:
    """The name alone or within a sentence; its end inside a sentence is estimated from the part alone."""
    before = words.before[int(rng.integers(len(words.before)))] if rng.random() < 0.2 else ""
    after = words.after[int(rng.integers(len(words.after)))] if rng.random() < 0.4 else ""
    after = after or ("", "", "!", "?", ".")[int(rng.integers(5))]
    plan = voices.plan(before + words.name + after, voice, rng)
    sound = speech.spoken(plan)
    end = len(sound)
    if any(c.isalpha() for c in after):
        part = voices.Utterance(before + words.name, voice, plan.rate, plan.pitch, plan.liveliness, plan.gap)
        end = min(end, int(0.88 * len(speech.spoken(part))))
    warped = _warped(sound, order, rng)
    end = end * len(warped) // len(sound)
    placed, start = _placed(warped, rng, order, trail_s=0.7)
    return _clip(placed, (start + end) / SAMPLE_RATE_HZ, "name", plan.text)


def _text(words: Words, kind: Kind, rng: Rng) -> str:
    """A text without the name in it."""
    if kind == "near":
        return words.near[int(rng.integers(len(words.near)))]
    among = everyday() if kind == "talk" else orders()
    while True:
        text = among[int(rng.integers(len(among)))]
        if not any(word in text for word in words.banned):
            return text


def _warped(sound: Floats, order: Order, rng: Rng) -> Floats:
    return sound if order.snr_db is not None else augment.warp(sound, rng, float(rng.uniform(0.3, 1.6)))


def _placed(sound: Floats, rng: Rng, order: Order, trail_s: float) -> tuple[Floats, int]:
    """The sound somewhere in a stretch of time with a room around it, and its first sample."""
    lead = int(rng.uniform(0.1, 1.2) * SAMPLE_RATE_HZ)
    trail = int((trail_s + rng.uniform(0.0, 0.3)) * SAMPLE_RATE_HZ)
    whole = np.concatenate([np.zeros(lead, np.float32), sound, np.zeros(trail, np.float32)])
    if order.snr_db is None:
        return augment.room(whole, rng, float(rng.uniform(0.2, 1.5))), lead
    if np.isfinite(order.snr_db):
        whole = augment.mix(whole, noise.stretch(len(whole), rng, "kitchen"), order.snr_db)
    return (whole * 0.6 / np.abs(whole).max()).astype(np.float32), lead


def _clip(sound: Floats, end_s: float, kind: Kind, text: str) -> Clip:
    return Clip(embed(speech.to_int16(sound)), end_s, kind, text)


def _real(path: str, copies: int, rng: Rng) -> list[Clip]:
    """A recording as it is, then `copies - 1` times in other rooms."""
    samples, _ = soundfile.read(path, dtype="float32")
    pieces = [samples[i : i + _PIECE] for i in range(0, max(1, len(samples) - SAMPLE_RATE_HZ // 2), _PIECE)]
    made = [_clip(piece, np.nan, "real", Path(path).name) for piece in pieces]
    for _ in range(copies - 1):
        for piece in pieces:
            rough = augment.room(augment.warp(piece, rng, 0.7), rng, 0.7)
            made.append(_clip(rough, np.nan, "real", Path(path).name))
    return made


def real_negatives(part: Part, name: str) -> list[str]:
    """Recordings that may be trained on, split by speaker: half report, a third choose and the rest train.

    Empty without EVERPAW_DATA. Recordings of `name` itself are left out.
    """
    root = os.environ.get("EVERPAW_DATA")
    if not root:
        return []
    paths = sorted((Path(root) / "negatives").rglob("*.flac")) + sorted(
        (Path(root) / "keywords").rglob("*.flac")
    )
    return [str(p) for p in paths if _part(p) == part and p.parent.name != name]


def _part(path: Path) -> Part:
    speaker = path.name.split("_")[0] if path.parents[1].name == "keywords" else path.name.split("-")[0]
    if speaker == "notwakeword":  # this collection does not say who speaks; one phrase a person
        speaker = path.stem
    draw = hashlib.sha256(speaker.encode()).digest()[0]
    return "report" if draw < 128 else ("choose" if draw < 176 else "train")


def split_orders(
    kind: Kind, count: int, seed: int, held_out: bool = False, snr_db: float | None = None
) -> list[Order]:
    """`count` clips as orders of 32, each with a seed of its own."""
    sizes = [min(32, count - start) for start in range(0, count, 32)]
    salt = int.from_bytes(hashlib.sha256(f"{kind}{snr_db}".encode()).digest()[:3], "big")
    return [Order(kind, n, seed * 1_000_003 + salt + i, held_out, snr_db) for i, n in enumerate(sizes)]


def real_orders(files: Sequence[str], copies: int, seed: int) -> list[Order]:
    """Recordings as orders of eight files."""
    groups = [tuple(files[i : i + 8]) for i in range(0, len(files), 8)]
    return [Order("real", copies, seed * 1_000_003 + i, files=group) for i, group in enumerate(groups)]
