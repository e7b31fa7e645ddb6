"""Releases on the robot's disk: two are kept, one serves, and switching is one rename.

    ROOT/current        link to the release that serves; who runs reads ROOT/current
    ROOT/releases/ID    whole, verified packs, ID being the manifest's sha256
    ROOT/incoming/      blobs of a release that is still being fetched
    ROOT/state.json     what is known of them
    ROOT/trust.json     the newest metadata of the channel that was believed

`state.json` is written before a switch (a trial begins) and after it (kept, or taken back), so that whatever
a power cut leaves, `current` points to a whole release and `recover` knows what to do next.
"""

from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from firmware_bridge.update.disk import Disk
from runtime.contracts.errors import UpdateError
from runtime.contracts.pack import MANIFEST_NAME, SIGNATURE_NAME, Manifest, Sha256, file_sha256

MAX_REFUSED = 16
MAX_TRIES = 3
"""A trial that was cut short so often is taken back"""


class Offered(BaseModel):
    """A release of the channel, as it was believed last."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    version: int
    release: Sha256
    notes: str = ""
    mcu_firmware: int | None = None
    """What belongs on the board beside it"""


class Trial(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    release: Sha256
    before: Sha256 | None
    """What served until then"""
    version: int | None = None
    """Of the channel's release; None for a pack from a stick"""
    tries: int = 0


class Record(BaseModel):
    """`state.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    robot_key: str = ""
    """Drawn at random, so that a fleet can be told apart"""
    previous: Sha256 | None = None
    """The release that `rollback` goes back to"""
    version: int | None = None
    """Newest release of a channel that was kept; a pack by hand leaves it"""
    refused: dict[Sha256, str] = {}
    """Releases that failed their trial, and why; not tried again by themselves"""
    trial: Trial | None = None
    offered: Offered | None = None
    floor_s: float = 0.0
    """Unix time that is certainly over, for a clock that was lost"""
    figures: dict[str, float] = Field(default={})
    """What the last healthy release took: `latency_ms`, `memory_mb`"""


class Slots:
    """The disk under ROOT; `disk` is given for tests."""

    def __init__(self, root: Path, disk: Disk | None = None) -> None:
        self.root = root
        self.disk = disk or Disk()
        self.releases, self.incoming = root / "releases", root / "incoming"
        self.current, self.state, self.trust = root / "current", root / "state.json", root / "trust.json"
        root.mkdir(parents=True, exist_ok=True)
        for folder in (self.releases, self.incoming):
            if not folder.is_dir():
                self.disk.make_folder(folder)

    @property
    def serving(self) -> str | None:
        """Identity of the release that serves; None before the first."""
        return self.current.readlink().name if self.current.is_symlink() else None

    def folder(self, release: str) -> Path:
        return self.releases / release

    def holds(self, release: str | None) -> bool:
        return release is not None and self.folder(release).is_dir()

    # What is known.

    def record(self) -> Record:
        """UpdateError where `state.json` is damaged, which no power cut does."""
        if not self.state.is_file():
            return Record()
        try:
            return Record.model_validate_json(self.state.read_bytes())
        except ValidationError as error:
            raise UpdateError(
                "damaged", f"{self.state} is damaged; move it away: only what was refused is forgotten"
            ) from error

    def note(self, **changes: object) -> Record:
        """Change what is known, durably."""
        record = Record.model_validate(self.record().model_dump() | changes)
        self.disk.replace(self.state, record.model_dump_json(indent=1).encode())
        return record

    # A new release.

    def blobs(self) -> dict[str, Path]:
        """sha256 -> file of the releases that are there; what was spoilt since is left out."""
        found: dict[str, Path] = {}
        for folder in self.releases.iterdir():
            if folder.name.startswith("."):
                continue
            manifest = Manifest.model_validate_json((folder / MANIFEST_NAME).read_bytes())
            found |= {entry.sha256: folder / name for name, entry in manifest.files.items()}
        return {
            sha256: path for sha256, path in found.items() if path.is_file() and file_sha256(path) == sha256
        }

    def assemble(self, release: str, manifest: bytes, signature: bytes, parts: dict[str, Path]) -> Path:
        """A release of parts (name -> durable file on this disk), itself durable; its bytes are not compared.

        Parts are linked, not copied: a file that two releases share lies on the disk once.
        """
        if self.holds(release):
            return self.folder(release)
        draft = self.releases / f".{release}"
        self.disk.remove(draft)
        self.disk.make_folder(draft)
        for name, source in parts.items():
            self.disk.folders((draft / name).parent, draft)
            self.disk.link(source, draft / name)
        for name, data in ((SIGNATURE_NAME, signature), (MANIFEST_NAME, manifest)):
            self.disk.write(draft / name, data)
            self.disk.sync(draft / name)
        for folder in _with_parents(draft, parts):
            self.disk.sync(folder)
        self.disk.rename(draft, self.folder(release))
        self.disk.sync(self.releases)
        return self.folder(release)

    # Switching.

    def begin_trial(self, release: str, version: int | None) -> None:
        """Let `release` serve, on probation; what was held against it before is forgotten."""
        refused = {name: why for name, why in self.record().refused.items() if name != release}
        trial = Trial(release=release, before=self.serving, version=version)
        self.note(trial=trial.model_dump(), refused=refused)
        self.disk.point(self.current, f"{self.releases.name}/{release}")

    def count_try(self) -> int:
        """One more look at the trial under way; how many there were, this one included."""
        trial = self._trial()
        self.note(trial=trial.model_copy(update={"tries": trial.tries + 1}).model_dump())
        return trial.tries + 1

    def keep(self, figures: dict[str, float]) -> None:
        """The trial is passed."""
        trial, record = self._trial(), self.record()
        previous = trial.before if trial.before != trial.release else record.previous
        version = record.version if trial.version is None else trial.version
        self.note(trial=None, previous=previous, version=version, figures=figures)
        self.prune()

    def take_back(self, why: str) -> None:
        """The trial failed: what served before serves again."""
        trial = self._trial()
        self._refuse(trial.release, why)
        if trial.before is None:
            self.disk.remove(self.current)
            self.disk.sync(self.root)
        else:
            self.disk.point(self.current, f"{self.releases.name}/{trial.before}")
        self.note(trial=None)

    def recover(self) -> Trial | None:
        """After a crash: drop what is half done; the trial that must be looked at again, if there is one."""
        for folder in self.releases.iterdir():
            if folder.name.startswith("."):
                self.disk.remove(folder)
        trial = self.record().trial
        if trial is not None and self.serving != trial.release:
            self.note(trial=None)  # cut off before the switch, or after it was taken back
            return None
        return trial

    def prune(self) -> None:
        """Keep what serves and what served before; the rest goes, and with it what was fetched for it."""
        keep = {self.serving, self.record().previous}
        for folder in self.releases.iterdir():
            if folder.name not in keep:
                self.discard(folder)
        for path in self.incoming.iterdir():
            self.disk.remove(path)

    def discard(self, folder: Path) -> None:
        """Remove a release; never is half of one there under its own name."""
        gone = folder.with_name(f".gone-{folder.name}")
        self.disk.remove(gone)
        self.disk.rename(folder, gone)
        self.disk.sync(self.releases)
        self.disk.remove(gone)

    def go_back(self) -> None:
        """The release before serves again, without a trial; this one is refused from now on."""
        record, serving = self.record(), self.serving
        if serving is not None:
            self._refuse(serving, "taken back by hand")
        self.disk.point(self.current, f"{self.releases.name}/{record.previous}")
        self.note(previous=serving, figures={})

    def _refuse(self, release: str, why: str) -> None:
        """Not to be tried again by itself; the oldest of many are forgotten."""
        kept = [item for item in self.record().refused.items() if item[0] != release][1 - MAX_REFUSED :]
        self.note(refused=dict(kept) | {release: why[:300]})

    def _trial(self) -> Trial:
        trial = self.record().trial
        if trial is None:
            raise UpdateError("no_trial", "no release is on trial; look at `everpaw update status`")
        return trial


def _with_parents(draft: Path, names: Iterable[str]) -> list[Path]:
    """All folders of a release, the deepest first, `draft` last."""
    folders = {draft / parent for name in names for parent in Path(name).parents}
    return sorted(folders, key=lambda folder: len(folder.parts), reverse=True)
