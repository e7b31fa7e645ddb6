"""Steps from a pet's folder to its twin: a table of rows, run in order, each kept by what went into it.

The contract. `Step(name, what, inputs, run)` is one row of `training.clone.table.STEPS`:
- `name` is the folder `PET/.clone/NAME/` that holds what the step makes.
- `inputs` are patterns below the pet's folder (`photos/*`, `.clone/skills.json`) and `@NAME` for the whole of
  what an earlier step made. Files of the pet that match no input cannot change the step.
- `run(work)` reads `work.pet` and `work.made(NAME)`, writes below `work.out` alone, and calls
  `work.progress(share)` as it goes. It raises an EverpawError for what the owner can mend.
- `settings` is plain data that goes into the key; the step's code does too: all modules of the package in
  which `run` stands.
- `check(pet)` yields findings for `everpaw clone check`; `page(pet, made)` returns HTML for the report.
What stands under `work.out / "pack"` goes into the pack: a folder there takes the place of the starter's.

A step runs in a draft folder that takes its name when all is written, `step.json` (the key) last: what stands
in `.clone/NAME` is whole. Interrupted, the same line goes on with the first step that is not there. A step
that fails tells why, those that need it are left out, and the rest goes on.
"""

import hashlib
import inspect
import json
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from runtime.contracts.errors import EverpawError
from runtime.contracts.pack import file_sha256
from runtime.pace import Pace
from training.clone.folder import KEPT
from training.clone.profile import Profile

SEAL = "step.json"
Mark = Literal["good", "poor", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen of one file or of a whole kind, and what to do about it."""

    mark: Mark
    about: str
    words: str


@dataclass(frozen=True, slots=True)
class Pet:
    folder: Path
    profile: Profile

    def files(self, pattern: str, suffixes: Iterable[str] | None = None) -> list[Path]:
        """Files below the pet's folder, sorted, no hidden ones."""
        found = sorted(p for p in self.folder.glob(pattern) if p.is_file() and not p.name.startswith("."))
        return [p for p in found if suffixes is None or p.suffix.lower() in suffixes]

    def made(self, name: str) -> Path | None:
        """What a step made, whole, or None."""
        folder = self.folder / KEPT / name
        return folder if (folder / SEAL).is_file() else None


@dataclass(frozen=True, slots=True)
class Work:
    """What a step is given."""

    pet: Pet
    out: Path
    progress: Callable[[float], None]
    """Told the share that is done, 0..1"""

    def made(self, name: str) -> Path:
        """Folder of an earlier step that stands in `inputs`."""
        return self.pet.folder / KEPT / name


def _nothing(_pet: Pet) -> Iterable[Finding]:
    return ()


def _no_page(_pet: Pet, _made: Path) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    what: str
    inputs: Sequence[str]
    run: Callable[[Work], None]
    settings: Mapping[str, Any] = field(default_factory=dict)
    check: Callable[[Pet], Iterable[Finding]] = _nothing
    page: Callable[[Pet, Path], str] = _no_page


@dataclass(frozen=True, slots=True)
class Outcome:
    name: str
    how: Literal["made", "kept", "failed", "left out"]
    why: str = ""
    error: EverpawError | None = None


def build(pet: Pet, steps: Sequence[Step], say: Callable[[str], None] | None = None) -> list[Outcome]:
    """Run what is not there yet, in the order of the table."""
    say = say or _to_stderr
    outcomes: dict[str, Outcome] = {}
    for number, step in enumerate(steps, 1):
        lacking = [n for n in _needs(step) if outcomes[n].how in ("failed", "left out")]
        if lacking:
            outcome = Outcome(step.name, "left out", f"it needs {', '.join(lacking)}")
        else:
            outcome = _one(pet, step, f"[{number}/{len(steps)}] {step.what}", say)
        outcomes[step.name] = outcome
    return list(outcomes.values())


def _needs(step: Step) -> list[str]:
    return [name[1:] for name in step.inputs if name.startswith("@")]


def _one(pet: Pet, step: Step, title: str, say: Callable[[str], None]) -> Outcome:
    folder, key = pet.folder / KEPT / step.name, key_of(pet, step)
    if _sealed(folder) == key:
        say(f"{title}: kept")
        return Outcome(step.name, "kept")
    draft = folder.with_name(f".{step.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        step.run(Work(pet, draft, _Progress(title, say)))
    except EverpawError as error:
        shutil.rmtree(draft)
        shutil.rmtree(folder, ignore_errors=True)
        say(f"{title}: ✗ {error}")
        return Outcome(step.name, "failed", str(error), error)
    (draft / SEAL).write_text(json.dumps({"key": key}) + "\n")
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)
    say(f"{title}: ✓")
    return Outcome(step.name, "made")


def key_of(pet: Pet, step: Step) -> str:
    """sha256 over everything that decides what the step makes."""
    parts: list[Any] = [step.name, dict(step.settings), pet.profile.model_dump(mode="json"), _code(step)]
    for name in step.inputs:
        if name.startswith("@"):
            parts.append([name, _sealed(pet.folder / KEPT / name[1:])])
            continue
        files = pet.files(name) if not name.startswith(KEPT) else [pet.folder / name]
        parts.append(
            [name, [[p.relative_to(pet.folder).as_posix(), file_sha256(p)] for p in files if p.exists()]]
        )
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _code(step: Step) -> str:
    folder = Path(inspect.getfile(step.run)).parent
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix != ".pyc"):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _sealed(folder: Path) -> str:
    try:
        return str(json.loads((folder / SEAL).read_bytes())["key"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


class _Progress:
    """Tells of a step under way, once a tenth."""

    def __init__(self, title: str, say: Callable[[str], None]) -> None:
        self._title, self._say, self._pace, self._next = title, say, Pace(1.0), 0.1

    def __call__(self, share: float) -> None:
        if self._next <= share < 1.0:
            self._next = share + 0.1
            self._say(f"{self._title}: {100 * share:.0f} %, {self._pace.left(share)}")


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
