"""The sound bank of one animal: every call with its measures, labels, consent and where it comes from.

`bank.json` holds all; `sounds/` holds those that the robot plays, the best of each kind, as `sounds.toml` and
FLAC files that say in their own tags whose they are. The recordings themselves stay as they are.
"""

import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath

import numpy as np
import soundfile
from pydantic import BaseModel, ConfigDict

from runtime.contracts.audio import SAMPLE_RATE_HZ
from training.clone.voice.intake import Recording, Taken
from training.clone.voice.kinds import beliefs
from training.clone.voice.labels import kind_in, mood_in, mood_of

MOST_OF_A_KIND, MOST_SECONDS = 8, 60.0
"""What the robot carries"""
LEVEL_DB, PEAK = -20.0, 0.85
"""Calls are brought to one loudness, as far as their peaks allow"""
SUGGESTIONS = 3
STAND_INS: Mapping[str, tuple[str, ...]] = {
    "bark": ("woof", "yip", "meow", "mew"), "woof": ("bark", "growl", "meow"), "yip": ("bark", "mew", "meow"),
    "whine": ("howl", "mew", "meow"), "howl": ("whine", "yowl", "bark", "meow"),
    "happy_whimper": ("whine", "trill", "yip", "mew", "meow", "bark"), "growl_play": ("growl", "trill"),
}  # fmt: skip
"""Kind that is asked for -> what this very animal gives in its place; another animal's voice never is"""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Row):
    """Where a call comes from."""

    file: str
    sha256: str
    start_s: float
    end_s: float
    consent: str
    """Who allowed its use, in the owner's words"""


class Unit(_Row):
    """One call."""

    file: str
    kind: str
    """The owner's word, or else the likeliest"""
    label: str
    """The owner's word; empty where there is none"""
    suggested: dict[str, float]
    """Likely kinds and the belief in them"""
    valence: float
    arousal: float
    seconds: float
    f0_hz: float
    tonality: float
    loudness_db: float
    quality: float
    denoised: bool
    pitch_hz: list[int]
    source: Source
    played: bool = False
    """The robot carries it"""


class Bank(_Row):
    """All calls of one animal."""

    name: str
    species: str
    units: list[Unit]
    says: list[str]
    """What the owner should know of the recordings"""

    @property
    def kinds(self) -> dict[str, int]:
        """Kind -> how many the robot carries."""
        counted: dict[str, int] = defaultdict(int)
        for unit in self.units:
            counted[unit.kind] += unit.played
        return {kind: count for kind, count in sorted(counted.items()) if count}


def write(out: Path, name: str, species: str, recordings: Iterable[Recording], consent: str) -> Bank:
    """The bank in the folder `out`, whole or not at all."""
    found = [(r, t) for r in recordings for t in r.taken]
    units = _chosen([_unit(i, r, t, species, consent) for i, (r, t) in enumerate(found)])
    says = [line for r in recordings for line in r.says]
    bank = Bank(name=name, species=species, units=units, says=says)
    draft = out.with_name(f".{out.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    (draft / "sounds").mkdir(parents=True)
    for unit, (_, taken) in zip(units, found, strict=True):
        if unit.played:
            _write_sound(draft / "sounds" / unit.file, taken, unit, name)
    (draft / "sounds/sounds.toml").write_text(listed(bank), encoding="utf-8")
    (draft / "bank.json").write_text(bank.model_dump_json(indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(out, ignore_errors=True)
    draft.rename(out)
    return bank


def _unit(number: int, recording: Recording, taken: Taken, species: str, consent: str) -> Unit:
    path = PurePath(recording.file)
    believed = beliefs(taken.call, species if species in ("dog", "cat") else "")
    likely = sorted(believed, key=lambda kind: -believed[kind])[:SUGGESTIONS]
    label = kind_in(path)
    kind = label or likely[0]
    valence, arousal = mood_in(path) or mood_of(kind)
    segment, call = taken.segment, taken.call
    return Unit(
        file=f"{kind}_{number + 1:03d}.flac",
        kind=kind,
        label=label,
        suggested={kind: round(believed[kind], 3) for kind in likely},
        valence=valence,
        arousal=arousal,
        seconds=round(call.seconds, 3),
        f0_hz=round(call.f0_hz, 1),
        tonality=round(call.tonality, 3),
        loudness_db=round(call.loudness_db, 1),
        quality=call.quality,
        denoised=taken.denoised,
        pitch_hz=[round(float(hz)) for hz in call.pitch.hz],
        source=Source(
            file=recording.file,
            sha256=recording.sha256,
            start_s=round(segment.start / SAMPLE_RATE_HZ, 3),
            end_s=round(segment.end / SAMPLE_RATE_HZ, 3),
            consent=consent,
        ),
    )


def _chosen(units: list[Unit]) -> list[Unit]:
    """The best of each kind, as many as the robot carries."""
    best = sorted(range(len(units)), key=lambda i: (-bool(units[i].label), -units[i].quality, units[i].file))
    counted: dict[str, int] = defaultdict(int)
    seconds, played = 0.0, set()
    for i in best:
        unit = units[i]
        if counted[unit.kind] < MOST_OF_A_KIND and seconds + unit.seconds <= MOST_SECONDS:
            counted[unit.kind] += 1
            seconds += unit.seconds
            played.add(i)
    return [unit.model_copy(update={"played": i in played}) for i, unit in enumerate(units)]


def _write_sound(path: Path, taken: Taken, unit: Unit, name: str) -> None:
    """At one loudness, with its provenance in its own tags."""
    gain = 10 ** ((LEVEL_DB - unit.loudness_db) / 20)
    peak = float(np.abs(taken.samples).max())
    samples = np.round(taken.samples * min(gain, PEAK / max(peak, 1e-6)) * 32_767).astype(np.int16)
    with soundfile.SoundFile(str(path), "w", SAMPLE_RATE_HZ, 1, "PCM_16", format="FLAC") as file:
        file.title = f"{unit.kind} of {name}"
        file.software = "everpaw: cut from its owner's recording"
        file.copyright = unit.source.consent or "consent not stated"
        file.comment = (
            f"{unit.source.file} {unit.source.start_s}-{unit.source.end_s} s, {unit.source.sha256[:16]}"
        )
        file.write(samples)


def listed(bank: Bank) -> str:
    """`sounds.toml`, as the robot reads it."""
    lines = [f"# The voice of {bank.name}, cut from its owner's recordings; bank.json says more of each.", ""]
    has = bank.kinds
    stand_ins = {kind: next((k for k in others if k in has), "") for kind, others in STAND_INS.items()}
    rows = [f'{kind} = "{other}"' for kind, other in stand_ins.items() if other and kind not in has]
    if rows:
        lines += ["[stand_ins]", *rows, ""]
    for unit in bank.units:
        if unit.played:
            pitch = ", ".join(map(str, unit.pitch_hz))
            lines += ["[[sound]]", f'file = "{unit.file}"', f'kind = "{unit.kind}"']
            lines += [f"valence = {unit.valence:.2f}", f"arousal = {unit.arousal:.2f}", "single = true"]
            lines += [f"pitch_hz = [{pitch}]", ""]
    return "\n".join(lines)
