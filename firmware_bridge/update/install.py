"""One update from beginning to end: look, fetch, verify, wait for rest, switch, try, keep or take back.

    channel or stick -> incoming/ -> releases/ID -> trial -> kept | taken back
                                                      |  cut short: looked at again, three times at most
Everything before the switch changes nothing that serves. Nothing here asks a clock, a socket or a person:
they are given.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from firmware_bridge.update.channel import Channel
from firmware_bridge.update.disk import full
from firmware_bridge.update.health import Examine, Health
from firmware_bridge.update.rest import Rest
from firmware_bridge.update.slots import MAX_TRIES, Slots, Trial
from firmware_bridge.update.source import Source, fetch_blob
from runtime import starter
from runtime.contracts import messages as m
from runtime.contracts.archive import extract
from runtime.contracts.errors import PackError, UpdateError
from runtime.contracts.keys import Keyring, PublicKey
from runtime.contracts.pack import (
    MANIFEST_NAME,
    SIGNATURE_NAME,
    Manifest,
    Pack,
    parse_manifest,
    signer_of,
    trust_in,
)
from runtime.contracts.release import Release
from runtime.contracts.requirements import Here, unmet

TOLD_EVERY_S = 0.5
Tell = Callable[[m.JobState], None]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All that an update needs of the world around its folder."""

    tell: Tell
    """Says how far it is"""
    rest: Callable[[], Rest]
    """Asks whether the robot may be disturbed"""
    restart: Callable[[str], str]
    """Makes the services read `current`, whose identity is given; why it failed, empty where it did not"""
    examine: Examine
    here: Here
    keys: Path | None = None


class Update:
    """One job at a time; the caller holds the lock on the folder."""

    def __init__(self, slots: Slots, around: Surroundings) -> None:
        self._slots, self._around = slots, around
        self._name, self._sha256 = "", ""
        self._done = self._total = 0
        self._told_s = 0.0

    # From where.

    def from_channel(self, channel: Channel, clock_s: float, robot_key: str, *, insist: bool = False) -> str:
        """What the channel offers; `insist` takes it even if it failed here, or is for others first.

        The status it ended with: `done`, `up_to_date`, `not_yet`, `waiting` or `rolled_back`.
        """
        self._tell("checking", detail=f"{channel.source.name}, channel {channel.name}")
        release = channel.look(clock_s)
        self._name, self._sha256 = f"{release.name} {release.version}", release.manifest.sha256
        if early := self._not_now(release, robot_key, insist):
            return early
        self._fetch_release(channel.source, release)
        return self.switch(release.manifest.sha256, release.version)

    def from_pack(self, path: Path) -> str:
        """A pack in either form that the owner or a trusted maker signed; it never goes out of date."""
        self._tell("verifying", detail=str(path))
        if path.is_dir():
            return self._from_folder(path)
        scratch = self._slots.incoming / "pack"
        self._slots.disk.remove(scratch)
        try:
            return self._from_folder(extract(path, scratch))
        finally:
            self._slots.disk.remove(scratch)

    def _from_folder(self, folder: Path) -> str:
        pack = self._trusted(folder)
        self._name, self._sha256 = pack.manifest.name, pack.sha256
        if self._slots.serving == pack.sha256:
            self._tell("up_to_date")
            return "up_to_date"
        have = self._slots.blobs()
        parts = {
            name: have.get(entry.sha256) or self._copied(folder / name, entry.sha256)
            for name, entry in pack.manifest.files.items()
        }
        manifest, signature = ((folder / name).read_bytes() for name in (MANIFEST_NAME, SIGNATURE_NAME))
        self._verified(self._slots.assemble(pack.sha256, manifest, signature, parts))
        return self.switch(pack.sha256, None)

    def _not_now(self, release: Release, robot_key: str, insist: bool) -> str:
        record = self._slots.record()
        if self._slots.serving == release.manifest.sha256:
            self._tell("up_to_date")
            return "up_to_date"
        if record.version is not None and release.version < record.version:
            raise UpdateError(
                "rollback", f"{self._name} is older than version {record.version} that ran here"
            )
        if release.mcu_protocol != (self._around.here.mcu_protocol or release.mcu_protocol):
            raise UpdateError(
                "unfit", f"{self._name} is for board protocol {release.mcu_protocol}: update everpaw first"
            )
        if not insist and (why := record.refused.get(release.manifest.sha256)):
            raise UpdateError("refused", f"{self._name} failed here before ({why}); --again tries it again")
        if not insist and not release.takes(robot_key):
            self._tell("not_yet", detail=f"it is for {release.percent} % of the fleet so far; --now takes it")
            return "not_yet"
        return ""

    # Fetch and verify.

    def _fetch_release(self, source: Source, release: Release) -> None:
        if self._slots.holds(release.manifest.sha256):
            self._verified(self._slots.folder(release.manifest.sha256))
            return
        small = [
            fetch_blob(source, blob.sha256, blob.size, self._slots, lambda _: None).read_bytes()
            for blob in (release.manifest, release.signature)
        ]
        manifest = parse_manifest(small[0], Path(source.name) / MANIFEST_NAME)
        self._admit(manifest, signer_of(small[0], small[1], Path(source.name)), source.name)
        have = self._slots.blobs()
        lacking = {e.sha256: e.size for e in manifest.files.values() if e.sha256 not in have}
        self._done, self._total = 0, sum(lacking.values())
        for sha256, size in lacking.items():
            have[sha256] = fetch_blob(source, sha256, size, self._slots, self._progress)
        self._tell("verifying")
        parts = {name: have[entry.sha256] for name, entry in manifest.files.items()}
        self._verified(self._slots.assemble(release.manifest.sha256, small[0], small[1], parts))

    def _copied(self, source: Path, sha256: str) -> Path:
        """A durable copy in `incoming`."""
        target = self._slots.incoming / sha256
        if not target.is_file():
            draft = self._slots.incoming / f"{sha256}.part"
            self._slots.disk.write(draft, source.read_bytes())
            self._slots.disk.sync(draft)
            self._slots.disk.rename(draft, target)
            self._slots.disk.sync(self._slots.incoming)
        return target

    def _verified(self, folder: Path) -> Pack:
        """The release as it lies on the disk; what is spoilt goes away."""
        try:
            return self._trusted(folder)
        except PackError as error:
            self._slots.discard(folder)
            raise UpdateError("altered", str(error)) from error

    def _trusted(self, folder: Path) -> Pack:
        pack = starter.load_pack(folder, self._around.keys)
        self._admit(pack.manifest, pack.signer, str(folder))
        return pack

    def _admit(self, manifest: Manifest, signer: PublicKey | None, source: str) -> None:
        """UpdateError for a pack that may not run here, whoever brought it."""
        if trust_in(signer, Keyring.load(self._around.keys)) not in ("owner", "trusted"):
            who = f"signed by {signer.fingerprint}" if signer else "not signed"
            raise UpdateError(
                "untrusted",
                f"the pack of {source} is {who}; this robot runs only what its owner signed, or a maker named"
                " by `everpaw pack trust`",
            )
        if lacking := unmet(manifest.requires, self._around.here):
            raise UpdateError("unfit", f"the pack of {source} does not fit this robot: {lacking[0]}")

    # Switch and try.

    def switch(self, release: str, version: int | None) -> str:
        """Let a whole, verified release serve on trial, if the robot rests."""
        rest = self._around.rest()
        if rest.reason:
            self._tell("waiting", code="busy", detail=rest.reason)
            return "waiting"
        self._tell("switching", detail=rest.remark)
        self._slots.begin_trial(release, version)
        return self.resume() or "failed"

    def resume(self) -> str | None:
        """Go on with the trial under way, also one that a crash cut short; None where there is none."""
        trial = self._slots.recover()
        if trial is None:
            return None
        self._sha256 = trial.release
        if why := self._slots.record().refused.get(trial.release):
            return self._take_back(why)
        health = self._try(trial)
        if health.verdict == "well":
            self._slots.keep(health.figures)
            self._tell("done", detail=", ".join(f"{k} {v:.0f}" for k, v in health.figures.items()))
            return "done"
        return self._take_back(health.detail)

    def _try(self, trial: Trial) -> Health:
        """Restart, then look; again where the look was cut short, three times at most over all power cuts."""
        if trial.tries >= MAX_TRIES:
            return Health("ill", f"it was cut short {trial.tries} times")
        tries = self._slots.count_try()
        if failed := self._around.restart(trial.release):
            return Health("ill", failed)
        while True:
            self._tell("trial", detail=f"look {tries} of {MAX_TRIES}")
            health = self._around.examine(self._slots.folder(trial.release), self._slots.record().figures)
            if health.verdict != "cut_short" or tries >= MAX_TRIES:
                return health
            tries = self._slots.count_try()

    def _take_back(self, why: str) -> str:
        self._slots.take_back(why)
        serving = self._slots.serving
        failed = self._around.restart(serving) if serving else ""
        detail = f"{why}; {serving[:12] if serving else 'nothing'} serves again"
        self._tell("rolled_back", code="unhealthy", detail=f"{detail}; {failed}" if failed else detail)
        return "rolled_back"

    def rollback(self) -> str:
        """Back to the release before, by hand; what served is not taken again by itself."""
        record, serving = self._slots.record(), self._slots.serving
        if serving is None or not self._slots.holds(record.previous) or record.previous in (None, serving):
            raise UpdateError("no_previous", "there is no release before this one; install one")
        self._trusted(self._slots.folder(record.previous))
        self._sha256 = record.previous
        if reason := self._around.rest().reason:
            self._tell("waiting", code="busy", detail=reason)
            return "waiting"
        self._slots.go_back()
        failed = self._around.restart(record.previous)
        self._tell("rolled_back", detail=f"{serving[:12]} by hand{'; ' + failed if failed else ''}")
        return "rolled_back"

    # Saying so.

    def guarded(self, work: Callable[[], str]) -> str:
        """Run `work`; what stops it is told on the topic before it goes on to the caller."""
        try:
            return work()
        except UpdateError as error:
            self._tell("refused", code=error.code, detail=str(error))
            raise
        except PackError as error:
            self._tell("refused", code="malformed", detail=str(error))
            raise
        except OSError as error:
            told = full(error)
            self._tell("failed", code=told.code if told else "disk", detail=str(told or error))
            raise (told or error) from error

    def _progress(self, came: int) -> None:
        self._done += came
        if time.monotonic() - self._told_s > TOLD_EVERY_S or self._done >= self._total:
            self._tell("downloading")

    def _tell(self, status: m.JobStatus, *, code: str = "", detail: str = "") -> None:
        self._told_s = time.monotonic()
        self._around.tell(
            m.JobState(
                status=status,
                release=self._name[:200],
                pack_sha256=self._sha256,
                bytes_done=self._done,
                bytes_total=self._total,
                code=code,
                detail=detail[:1_000],
                mono_ms=int(self._told_s * 1e3),
            )
        )
