"""The step of the voice: recordings become a bank, and the bank the sounds of the pack."""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from training.clone.steps import Finding, Pet, Step, Work
from training.clone.voice import bank, page
from training.clone.voice.intake import Recording, look
from training.clone.voice.soundtrack import SUFFIXES

RECORDINGS = "recordings/**/*"
FEW = 6
"""Fewer calls than these sound alike after a day"""
CARD = """# The voice of {name}

{played} calls of {kinds}, cut from {files} recordings of its owner; no other animal's voice is in it.

**Consent** {consent}

**Made** found in the raw signal, denoised where that was sure to help, brought to one loudness; every file
carries its source in its own tags. `bank.json` in the pet's folder holds measures, labels and sources of all.
"""


def run(work: Work) -> None:
    """`bank/` with everything, `pack/sounds/` with what the robot plays; no pack where nothing calls."""
    pet = work.pet
    made = bank.write(
        work.out / "bank", pet.profile.name, pet.profile.species, _looked(pet, work), pet.profile.consent
    )
    if made.kinds:
        shutil.copytree(work.out / "bank/sounds", work.out / "pack/sounds")
        (work.out / "pack/cards").mkdir()
        (work.out / "pack/cards/sounds.md").write_text(_card(made), encoding="utf-8")


def _looked(pet: Pet, work: Work) -> list[Recording]:
    files = recordings(pet)
    found = []
    for number, path in enumerate(files, 1):
        found.append(_look(pet, path))
        work.progress(number / (len(files) + 1))
    return found


def recordings(pet: Pet) -> list[Path]:
    """Sound files and films, whatever their case."""
    return pet.files(RECORDINGS, SUFFIXES)


def _look(pet: Pet, path: Path) -> Recording:
    return look(path, path.relative_to(pet.folder / "recordings").as_posix(), pet.profile.species)


def check(pet: Pet) -> Iterator[Finding]:
    """What is good, what is missing, what to record again."""
    files = recordings(pet)
    odd = [p for p in pet.files(RECORDINGS) if p not in files and p.name != "README.txt"]
    for path in odd:
        yield Finding("poor", path.name, "is no sound and no film; it is left out")
    if not files:
        yield Finding(
            "poor", "recordings", "there is none, so it has the starter's made-up voice; record its calls"
        )
        return
    seen = [_look(pet, path) for path in files]
    for recording in seen:
        yield from _told(recording)
    calls = sum(len(r.taken) for r in seen)
    if calls and not pet.profile.consent:
        yield Finding("poor", "consent", 'profile.toml does not say who made the recordings: consent = "..."')
    if 0 < calls < FEW:
        yield Finding("poor", "recordings", f"{calls} calls will soon sound alike; {FEW} or more are better")


def _told(recording: Recording) -> Iterable[Finding]:
    for line in recording.says:
        words = line.removeprefix(f"{Path(recording.file).name} ")
        yield Finding("poor" if recording.good else "bad", recording.file, words)
    if not recording.says:
        yield Finding("good", recording.file, f"{len(recording.taken)} calls")


def _card(made: bank.Bank) -> str:
    played = [unit for unit in made.units if unit.played]
    return CARD.format(
        name=made.name,
        played=len(played),
        kinds=", ".join(f"{kind} ({count})" for kind, count in made.kinds.items()),
        files=len({unit.source.sha256 for unit in played}),
        consent=played[0].source.consent or "not stated by the owner",
    )


STEP = Step("voice", "The voice: calls out of the recordings", (RECORDINGS,), run, check=check, page=page.of)
