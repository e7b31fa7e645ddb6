"""What a channel offers, believed only as far as TUF metadata proves it (theupdateframework.io, python-tuf).

Signatures, versions that only grow, files that belong together and expiry are TUF's. Added here: metadata is
looked at on a copy, so that what is refused changes nothing; it is believed first where the root is signed by
the owner or a trusted maker; expiry counts for remote repositories only, in time that never runs backwards.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError
from tuf.api import exceptions as tuf
from tuf.api.metadata import Key, Metadata, Root
from tuf.ngclient import Updater, UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface

from firmware_bridge.update.slots import Slots
from firmware_bridge.update.source import Source
from runtime.contracts.errors import UpdateError
from runtime.contracts.keys import Keyring, PublicKey
from runtime.contracts.release import MAX_RELEASE_BYTES, METADATA, TARGETS, Release, target_name

ROLES = ("timestamp", "snapshot", "targets")
MAX_ROOTS = 64
MAX_ROOT_BYTES = 100_000
FLOOR_STEP_S = 3_600.0


class _Fetcher(FetcherInterface):
    """TUF's view of a source."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def _fetch(self, url: str) -> Iterator[bytes]:
        try:
            return self._source.open(url).pieces
        except UpdateError as error:
            if error.code == "missing":
                raise tuf.DownloadHTTPError(str(error), 404) from error
            raise tuf.DownloadError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of one source, seen from this robot."""

    source: Source
    name: str
    slots: Slots
    keyring: Keyring

    def look(self, clock_s: float) -> Release:
        """The release that is offered, verified; UpdateError says why it is not believed.

        `clock_s`: Unix time of the robot's clock, which may have been lost.
        """
        now_s = max(clock_s, self.slots.record().floor_s)
        with tempfile.TemporaryDirectory(prefix="everpaw-") as scratch, _told(self.source):
            folder = Path(scratch)
            updater = Updater(
                str(folder),
                f"{METADATA}/",
                str(folder),
                f"{TARGETS}/",
                fetcher=_Fetcher(self.source),
                config=UpdaterConfig(max_root_rotations=MAX_ROOTS),
                bootstrap=self._lay_out(folder),
            )
            # There is no public way to say what time it is; a test watches that this one works.
            updater._trusted_set.reference_time = datetime.fromtimestamp(
                now_s if self.source.is_remote else 0, UTC
            )
            updater.refresh()
            release = self._download(updater, folder)
            self._believe(folder)
        if self.source.is_remote and now_s > self.slots.record().floor_s + FLOOR_STEP_S:
            self.slots.note(floor_s=now_s)  # less than the metadata's expiry, so no wrong clock can spoil it
        return release

    def _download(self, updater: Updater, folder: Path) -> Release:
        entry = updater.get_targetinfo(target_name(self.name))
        if entry is None:
            raise UpdateError(
                "missing", f"{self.source.name} offers nothing on channel {self.name!r}; look at its name"
            )
        if entry.length > MAX_RELEASE_BYTES:
            raise UpdateError("oversize", f"{self.source.name}: a release of {entry.length} bytes is refused")
        path = Path(updater.download_target(entry, str(folder / "release")))
        try:
            release = Release.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise UpdateError(
                "malformed", f"{self.source.name}: the release is of another version; update everpaw"
            ) from error
        if release.channel != self.name or not release.is_bounded():
            raise UpdateError("malformed", f"{self.source.name}: the release of {self.name!r} is not one")
        return release

    # What was believed before.

    def _lay_out(self, folder: Path) -> bytes:
        """Put the metadata believed last into `folder`; the root to begin with."""
        if not self.slots.trust.is_file():
            return self._first_root()
        trust = json.loads(self.slots.trust.read_bytes())
        for role in ROLES:
            (folder / f"{role}.json").write_text(trust[role])
        return str(trust["root"]).encode()

    def _believe(self, folder: Path) -> None:
        texts = {role: (folder / f"{role}.json").read_text() for role in ("root", *ROLES)}
        data = json.dumps(texts).encode()
        if not self.slots.trust.is_file() or self.slots.trust.read_bytes() != data:
            self.slots.disk.replace(self.slots.trust, data)

    def _first_root(self) -> bytes:
        """The first root in the repository's chain whose every signer is trusted here."""
        seen: list[str] = []
        for version in range(1, MAX_ROOTS):
            try:
                data = _bounded(self.source, f"{METADATA}/{version}.root.json", MAX_ROOT_BYTES)
            except UpdateError as error:
                if error.code != "missing" or version == 1:
                    raise
                break
            root = Metadata[Root].from_bytes(data).signed
            keys = [_public(root.keys[keyid]) for keyid in root.roles["root"].keyids]
            if keys and all(key is not None and self.keyring.known(key) for key in keys):
                return data
            seen += [key.fingerprint for key in keys if key]
        raise UpdateError(
            "wrong_key",
            f"{self.source.name} belongs to {', '.join(dict.fromkeys(seen)) or 'nobody'}, whom this robot"
            " does not trust; type: everpaw pack trust KEY.pub",
        )


def _public(key: Key) -> PublicKey | None:
    """TUF's form of an ed25519 key -> ours."""
    return PublicKey.from_raw(bytes.fromhex(key.keyval["public"])) if key.keytype == "ed25519" else None


def _bounded(source: Source, path: str, at_most: int) -> bytes:
    data = b""
    for piece in source.open(path).pieces:
        data += piece
        if len(data) > at_most:
            raise UpdateError("endless", f"{source.name}: {path} goes on after {at_most:,} bytes")
    return data


_ANSWERS: tuple[tuple[type[Exception], str, str], ...] = (
    (tuf.ExpiredMetadataError, "expired", "its metadata is out of date; its maker must publish again"),
    (tuf.UnsignedMetadataError, "wrong_key", "it is not signed by the keys this robot believes"),
    (tuf.BadVersionNumberError, "rollback", "it offers an older state than this robot has seen"),
    (tuf.LengthOrHashMismatchError, "mix_and_match", "its files are not of one state"),
    (tuf.DownloadLengthMismatchError, "endless", "a file goes on after its end"),
    (tuf.DownloadHTTPError, "missing", "a file is missing; copy the repository again"),
    (tuf.DownloadError, "unreachable", "it does not answer"),
    (Exception, "malformed", "its metadata cannot be read"),
)
_FREEZE = "it has shown nothing new for long: news is held back, or its maker forgot `everpaw pack refresh`"


@contextmanager
def _told(source: Source) -> Iterator[None]:
    """TUF's exceptions as one line of ours, each with a code of its own."""
    try:
        yield
    except (tuf.RepositoryError, tuf.DownloadError) as error:
        code, words = next((code, words) for kind, code, words in _ANSWERS if isinstance(error, kind))
        if code == "expired" and "timestamp" in str(error):
            code, words = "freeze", _FREEZE
        raise UpdateError(
            code, f"{source.name} is refused: {words} ({error}); the release here goes on"
        ) from error
