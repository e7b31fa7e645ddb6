"""Labelled clips for a wake or stop head: speech placed in a stretch of time, and where the name ends in it.

Everything here runs in worker processes and hands back embeddings, never sound. A clip's `end_s` is the
moment the name ends, NaN where it is not said. Clips of real recordings are cut to pieces of four seconds.
What was made is kept in the cache; most negatives do not depend on the name, so a second name costs half.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import soundfile

from runtime.contracts.audio import SAMPLE_RATE_HZ
from runtime.contracts.errors import TrainingError
from training.data import animals, augment, noise, speech, voices
from training.data.embeddings import embed
from training.data.sentences import everyday, orders
from training.data.voices import Utterance, Voice
from training.wake import cache as wake_cache
from training.wake.ends import end_of
from training.wake.real import owners_recordings, real_negatives
from training.wake.texts import Words

Floats = npt.NDArray[np.float32]
Rng = np.random.Generator
Kind = Literal["name", "near", "talk", "order", "noise", "animal", "real", "owner"]
_NAMELESS = frozenset({"talk", "order", "noise", "animal", "real"})
"""Kinds that are the same for every name"""
_PIECE = 4 * SAMPLE_RATE_HZ
_NAME_ALONE_SHARE = 0.88
"""A name inside a sentence is this much of its length alone, where alignment has no answer"""
_AMONG_TALK_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip as the head will see it."""

    embeddings: Floats
    """(steps, 96), one each 80 ms"""
    end_s: float
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Order:
    """`count` clips of one kind, to be made by one worker; of recordings, `count` copies of each."""

    kind: Kind
    count: int
    seed: int
    held_out: bool = False
    snr_db: float | None = None
    """Report clips: clean (inf) or kitchen noise at this level, with nothing else done to them"""
    files: tuple[str, ...] = ()


def make(words: Words, order: Order) -> list[Clip]:
    """Fill the order, or take what was made before; the same texts, voices and rooms for the same seed."""
    path = wake_cache.place(order, None if order.kind in _NAMELESS else words)
    if (kept := wake_cache.load(path)) is not None:
        return [Clip(*fields) for fields in kept]
    rng = np.random.default_rng([order.seed, order.held_out])
    if order.kind in {"real", "owner"}:
        of_file = _real if order.kind == "real" else _owner
        made = [clip for file in order.files for clip in of_file(file, order, rng)]
    else:
        made = [_one(words, order, rng) for _ in range(order.count)]
    wake_cache.save(path, [(c.embeddings, c.end_s, c.kind, c.text) for c in made])
    return made


def _one(words: Words, order: Order, rng: Rng) -> Clip:
    if order.kind == "noise":
        sound = noise.stretch(_PIECE, rng) * rng.uniform(0.05, 3.0)
        return _clip(augment.room(sound.astype(np.float32), rng), np.nan, "noise", "")
    if order.kind == "animal":
        return _clip(_placed(animals.animal(rng), rng, order, trail_s=0.3)[0], np.nan, "animal", "")
    if order.kind == "name":
        return _name(words, order, rng)
    text = _text(words, order.kind, rng)
    sound = speech.spoken(voices.plan(text, _voice(words, order, rng), rng))
    placed, _ = _placed(_warped(sound, order, rng)[:_PIECE], rng, order, trail_s=0.3)
    return _clip(placed, np.nan, order.kind, text)


def _text(words: Words, kind: Kind, rng: Rng) -> str:
    among = {"near": words.near, "talk": everyday(), "order": orders()}[kind]
    return among[int(rng.integers(len(among)))]


def _voice(words: Words, order: Order, rng: Rng) -> Voice:
    if not words.mandarin or order.kind in _NAMELESS:
        return voices.choose(voices.voices(order.held_out), rng)
    return voices.choose(mandarin_voices(order.held_out), rng)


@cache
def mandarin_voices(held_out: bool) -> tuple[Voice, ...]:
    """espeak-ng's variants speaking Mandarin; it is the only synthesiser here that does."""
    english = [v for v in voices.voices(held_out) if v.name.startswith("en-us+")]
    if not english:
        raise TrainingError("a Chinese name needs espeak-ng; type: pip install 'everpaw[voice]'")
    return tuple(
        replace(v, id=v.id.replace("en-us", "cmn"), name=v.name.replace("en-us", "cmn")) for v in english
    )


def _name(words: Words, order: Order, rng: Rng) -> Clip:
    """The name alone or within a sentence."""
    voice = _voice(words, order, rng)
    name = words.spellings[int(rng.integers(len(words.spellings)))]
    before = words.before[int(rng.integers(len(words.before)))] if words.before and rng.random() < 0.2 else ""
    after = words.after[int(rng.integers(len(words.after)))] if rng.random() < 0.4 else ""
    after = after or ("", "", "!", "?", ".")[int(rng.integers(5))]
    plan = voices.plan(before + name + after, voice, rng)
    sound = speech.spoken(plan)
    end = _end(sound, plan, before + name, after) if any(c.isalpha() for c in after) else len(sound)
    warped = _warped(sound, order, rng)
    end = end * len(warped) // len(sound)
    placed, start = _placed(warped, rng, order, trail_s=0.7)
    return _clip(placed, (start + end) / SAMPLE_RATE_HZ, "name", plan.text)


def _end(sound: Floats, plan: Utterance, said: str, after: str) -> int:
    found = end_of(speech.to_int16(sound), said, after)
    if found is None:
        found = int(_NAME_ALONE_SHARE * len(speech.spoken(replace(plan, text=said))))
    return min(found, len(sound))


def _warped(sound: Floats, order: Order, rng: Rng) -> Floats:
    return sound if order.snr_db is not None else augment.warp(sound, rng, float(rng.uniform(0.3, 1.6)))


def _placed(sound: Floats, rng: Rng, order: Order, trail_s: float) -> tuple[Floats, int]:
    """The sound somewhere in a stretch of time with a room around it, and its first sample."""
    lead = int(rng.uniform(0.1, 1.2) * SAMPLE_RATE_HZ)
    trail = int((trail_s + rng.uniform(0.0, 0.3)) * SAMPLE_RATE_HZ)
    whole = np.concatenate([np.zeros(lead, np.float32), sound, np.zeros(trail, np.float32)])
    if order.snr_db is None:
        if rng.random() < _AMONG_TALK_SHARE:
            _among_talk(whole, lead, trail, rng)
        return augment.room(whole, rng, float(rng.uniform(0.2, 1.5))), lead
    if np.isfinite(order.snr_db):
        whole = augment.mix(whole, noise.stretch(len(whole), rng, "kitchen"), order.snr_db)
    return (whole * 0.6 / np.abs(whole).max()).astype(np.float32), lead


def _among_talk(whole: Floats, lead: int, trail: int, rng: Rng) -> None:
    """Real people talk before and after: so that real voices alone do not mean that it is no name."""
    if not (files := _talk_files()):
        return
    pause = int(rng.uniform(0.02, 0.3) * SAMPLE_RATE_HZ)
    for begin, end in ((0, lead - pause), (len(whole) - trail + pause, len(whole))):
        talk = _read(files[int(rng.integers(len(files)))])
        if end - begin > SAMPLE_RATE_HZ // 20 and len(talk) > end - begin:
            start = int(rng.integers(len(talk) - (end - begin)))
            piece = talk[start : start + end - begin]
            gain = rng.uniform(0.15, 0.7) / (np.abs(piece).max() + 1e-3)
            whole[begin:end] = gain * piece


@cache
def _talk_files() -> tuple[str, ...]:
    return tuple(f for f in real_negatives("train", "") if "keywords" not in Path(f).parts)


@cache
def _read(path: str) -> Floats:
    samples, _ = soundfile.read(path, dtype="float32")
    return np.asarray(samples, np.float32)


@cache
def embed_silence() -> Floats:
    """(1, 96): the past before any clip."""
    return embed(np.zeros(1280, np.int16))


def _clip(sound: Floats, end_s: float, kind: Kind, text: str) -> Clip:
    return Clip(embed(speech.to_int16(sound)), end_s, kind, text)


def _real(path: str, order: Order, rng: Rng) -> list[Clip]:
    """A recording as it is, then `count - 1` times in other rooms."""
    samples, text = _read(path), Path(path).parent.name
    pieces = [samples[i : i + _PIECE] for i in range(0, max(1, len(samples) - SAMPLE_RATE_HZ // 2), _PIECE)]
    made = [_clip(piece, np.nan, "real", text) for piece in pieces]
    for _ in range(order.count - 1):
        for piece in pieces:
            rough = augment.room(augment.warp(piece, rng, 0.7), rng, 0.7)
            made.append(_clip(rough, np.nan, "real", text))
    return made


def _owner(folder: str, order: Order, rng: Rng) -> list[Clip]:
    """`count` copies of each recording: held out, as they are in a second of silence; else in other rooms."""
    made = []
    for number, sound in enumerate(owners_recordings(Path(folder))):
        if (number % 4 == 3) != order.held_out:
            continue
        for _ in range(order.count):
            warped = sound if order.held_out else augment.warp(sound, rng, float(rng.uniform(0.1, 0.8)))
            placed, start = _placed(warped, rng, order, trail_s=0.7)
            made.append(_clip(placed, (start + len(warped)) / SAMPLE_RATE_HZ, "owner", ""))
    return made


def split_orders(
    kind: Kind, count: int, seed: int, held_out: bool = False, snr_db: float | None = None
) -> list[Order]:
    """`count` clips as orders of 32, each with a seed of its own."""
    sizes = [min(32, count - start) for start in range(0, count, 32)]
    salt = sum(ord(c) * 131**i for i, c in enumerate(f"{kind}{snr_db}")) % 2**24
    return [Order(kind, n, seed * 1_000_003 + salt + i, held_out, snr_db) for i, n in enumerate(sizes)]


def real_orders(files: Sequence[str], copies: int, seed: int) -> list[Order]:
    """Recordings as orders of eight files."""
    groups = [tuple(files[i : i + 8]) for i in range(0, len(files), 8)]
    return [Order("real", copies, seed * 1_000_003 + i, files=group) for i, group in enumerate(groups)]
