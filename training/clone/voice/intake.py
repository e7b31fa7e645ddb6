"""One recording looked at: its calls, and in words for an owner what is good, what is not, and what to do."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from runtime.audio.vad import CHUNK_SAMPLES, Vad
from runtime.contracts.audio import SAMPLE_RATE_HZ
from runtime.contracts.errors import AudioError
from training.clone.voice.denoise import denoised
from training.clone.voice.kinds import species_of
from training.clone.voice.measure import Call, measured
from training.clone.voice.segments import Segment, segments
from training.clone.voice.soundtrack import CLIPPED_SHARE, SILENT_DB, Signal, Soundtrack, read

PERSON = 0.5
"""Mean belief in speech from which a stretch is a person's and is left out"""
FAINT_DB = 25.0
"""A call that is so much softer than the loudest of its recording is only heard from afar"""
LEAST_QUALITY = 0.25
OTHER_SPECIES = 0.8
"""Belief from which the other species is named"""
NOISY_DB = 8.0
MARGIN = int(0.02 * SAMPLE_RATE_HZ)


@dataclass(frozen=True, slots=True)
class Taken:
    """One call of a recording, as it is to be played."""

    segment: Segment
    samples: Signal
    call: Call
    denoised: bool


@dataclass(frozen=True, slots=True)
class Recording:
    """What came of one file."""

    file: str
    """Relative to the folder of recordings"""
    sha256: str
    seconds: float
    taken: tuple[Taken, ...]
    people_s: float
    """Speech that was left out"""
    species: str
    sure: float
    """Belief in the species"""
    says: tuple[str, ...]
    """What the owner should know, worst first; empty where all is well"""

    @property
    def good(self) -> bool:
        return bool(self.taken)


def look(path: Path, name: str, species: str) -> Recording:
    """`path` as a recording of an animal of `species`; never an error, whatever is in the file."""
    try:
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        track = read(path)
    except (AudioError, OSError) as error:
        return Recording(name, "", 0.0, (), 0.0, "", 0.0, (str(error),))
    if track.peak_db < SILENT_DB:
        says = (f"{name} is silent (nothing above {SILENT_DB:.0f} dB); was the microphone covered or muted?",)
        return Recording(name, sha256, track.seconds, (), 0.0, "", 0.0, says)
    found = segments(track.samples)
    people = _spoken(track.samples, found)
    calls = [s for s, person in zip(found, people, strict=True) if not person]
    taken = _taken(track, found, calls)
    kind, sure = species_of(t.call for t in taken)
    people_s = sum(s.seconds for s, person in zip(found, people, strict=True) if person)
    found_out = _findings(name, track, taken, people_s, (kind, sure), species)
    return Recording(name, sha256, track.seconds, tuple(taken), people_s, kind, sure, tuple(found_out))


def _spoken(samples: Signal, found: list[Segment]) -> list[bool]:
    """Which stretches are a person's: silero hears speech in next to no bark or meow."""
    vad = Vad()
    heard = vad.step(np.round(np.clip(samples, -1, 1) * 32_767).astype(np.int16))
    beliefs = np.array([belief for _, belief in heard] or [0.0])
    return [_mean(beliefs, s.start // CHUNK_SAMPLES, s.end // CHUNK_SAMPLES) > PERSON for s in found]


def _mean(values: npt.NDArray[np.float64], first: int, last: int) -> float:
    part = values[first : last + 1]
    return float(part.mean()) if len(part) else 0.0


def _taken(track: Soundtrack, found: list[Segment], calls: list[Segment]) -> list[Taken]:
    """The calls that are near and clear, less noisy where that is sure to help."""
    clean = denoised(track.samples, [(s.start, s.end) for s in found])
    taken = []
    for segment in calls:
        start, end = max(segment.start - MARGIN, 0), min(segment.end + MARGIN, len(track.samples))
        samples = _soft_ends(clean.samples[start:end])
        raw = measured(track.samples[start:end], segment.above_db)
        if raw.quality >= LEAST_QUALITY:
            taken.append(Taken(segment, samples, measured(samples, segment.above_db), clean.changed))
    loudest = max((t.call.loudness_db for t in taken), default=0.0)
    return [t for t in taken if t.call.loudness_db > loudest - FAINT_DB]


def _soft_ends(samples: Signal) -> Signal:
    """No click where it was cut."""
    out = samples.copy()
    fade = min(MARGIN // 2, len(out) // 4)
    ramp = (0.5 - 0.5 * np.cos(np.pi * np.arange(fade) / max(fade, 1))).astype(np.float32)
    out[:fade] *= ramp
    out[len(out) - fade :] *= ramp[::-1]
    return out


def _findings(
    name: str, track: Soundtrack, taken: list[Taken], people_s: float, heard: tuple[str, float], species: str
) -> list[str]:
    says = []
    kind, sure = heard
    if taken and species in ("dog", "cat") and kind != species and sure >= OTHER_SPECIES:
        says.append(f"{name} sounds like a {kind}, not like a {species}; is it the right recording?")
    if track.clipped > CLIPPED_SHARE:
        says.append(
            f"{name} is cut off at full scale in {track.clipped:.1%} of it; record from further away, or "
            "turn the microphone down"
        )
    if not taken and people_s:
        says.append(f"{name} holds people's voices only, which are left out; record the animal alone")
    elif not taken:
        says.append(f"no call stands out in {name} ({track.seconds:.1f} s); record nearer, where it is quiet")
    elif people_s > 1:
        says.append(f"{people_s:.0f} s of people's voices in {name} are left out")
    if taken and np.median([t.segment.above_db for t in taken]) < NOISY_DB:
        says.append(f"{name} is noisy; a quieter room would give better calls")
    return says
