"""One update from beginning to end: look, fetch, verify, wait for rest, switch, try, keep or take back.

    channel or stick -> incoming/ -> releases/ID -> trial -> kept | taken back
                                                      |  cut short: looked at again, three times at most
Everything before the switch changes nothing that serves. Nothing here asks a clock, a socket or a person:
they are given.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from firmware_bridge.update.channel import Channel
from firmware_bridge.update.gather import Gatherer
from firmware_bridge.update.health import Examine
from firmware_bridge.update.job import Job, Tell
from firmware_bridge.update.rest import Rest
from firmware_bridge.update.slots import Offered, Slots
from firmware_bridge.update.trial import Court
from runtime.contracts.archive import extract
from runtime.contracts.errors import UpdateError
from runtime.contracts.release import Release
from runtime.contracts.requirements import Here


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All that an update needs of the world around its folder; see `Court` for what each is for."""

    tell: Tell
    rest: Callable[[], Rest]
    restart: Callable[[str], str]
    examine: Examine
    here: Here
    keys: Path | None = None


class Update:
    """One job at a time; the caller holds the lock on the folder.

    Each way of installing returns the status it ended with: `done`, `up_to_date`, `not_yet`, `waiting` or
    `rolled_back`; a look may end with `offered`.
    """

    def __init__(self, slots: Slots, around: Surroundings) -> None:
        self._slots, self._here = slots, around.here
        self._job = job = Job(around.tell)
        self._gatherer = gatherer = Gatherer(slots, job, around.keys, around.here)
        self._court = court = Court(slots, job, around.rest, around.restart, around.examine, gatherer.trusted)
        self.resume, self.rollback, self.guarded = court.resume, court.rollback, job.guarded

    def from_channel(self, channel: Channel, clock_s: float, robot_key: str, *, insist: bool = False) -> str:
        """What the channel offers; `insist` takes it even if it failed here, or is for others first."""
        release, early = self._offer(channel, clock_s, robot_key, insist)
        if early:
            return early
        self._gatherer.fetch(channel.source, release)
        return self._court.switch(release.manifest.sha256, release.version)

    def look(self, channel: Channel, clock_s: float, robot_key: str) -> str:
        """Only look what the channel offers; it is noted, and nothing is fetched."""
        _, early = self._offer(channel, clock_s, robot_key, insist=False)
        return early or self._job.tell("offered")

    def _offer(self, channel: Channel, clock_s: float, robot_key: str, insist: bool) -> tuple[Release, str]:
        """What is offered, and the status to end with where it is not to be taken now."""
        self._job.tell("checking", detail=f"{channel.source.name}, channel {channel.name}")
        release = channel.look(clock_s)
        self._job.name, self._job.sha256 = f"{release.name} {release.version}", release.manifest.sha256
        early = self._not_now(release, robot_key, insist)
        told = {"name": release.name, "version": release.version, "notes": release.notes}
        told |= {"release": release.manifest.sha256, "mcu_firmware": release.mcu_firmware}
        offered = Offered.model_validate(told)
        if offered != self._slots.record().offered:
            self._slots.note(offered=offered.model_dump())
        return release, early

    def from_pack(self, path: Path) -> str:
        """A pack in either form that the owner or a trusted maker signed; it never goes out of date."""
        self._job.tell("verifying", detail=str(path))
        if path.is_dir():
            return self._from_folder(path)
        scratch = self._slots.incoming / "pack"
        self._slots.disk.remove(scratch)
        try:
            return self._from_folder(extract(path, scratch))
        finally:
            self._slots.disk.remove(scratch)

    def _from_folder(self, folder: Path) -> str:
        pack = self._gatherer.trusted(folder)
        self._job.name, self._job.sha256 = pack.manifest.name, pack.sha256
        if self._slots.serving == pack.sha256:
            return self._job.tell("up_to_date")
        self._gatherer.copy(pack)
        return self._court.switch(pack.sha256, None)

    def _not_now(self, release: Release, robot_key: str, insist: bool) -> str:
        """Status to end with before anything is fetched; empty to go on. UpdateError where it may not be."""
        record, name = self._slots.record(), self._job.name
        if self._slots.serving == release.manifest.sha256:
            return self._job.tell("up_to_date")
        if record.version is not None and release.version < record.version:
            raise UpdateError("rollback", f"{name} is older than version {record.version} that ran here")
        if self._here.mcu_protocol not in (None, release.mcu_protocol):
            raise UpdateError(
                "unfit", f"{name} is for board protocol {release.mcu_protocol}: update everpaw first"
            )
        if insist:
            return ""
        if why := record.refused.get(release.manifest.sha256):
            raise UpdateError("refused", f"{name} failed here before ({why}); --again tries it again")
        if release.version == record.version:
            return self._job.tell(
                "up_to_date", detail="a pack put on by hand serves; --again takes the channel's"
            )
        if not release.takes(robot_key):
            share = f"it is for {release.percent} % of the fleet so far"
            return self._job.tell("not_yet", detail=f"{share}; --now takes it")
        return ""
