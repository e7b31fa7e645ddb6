"""The maker's side of updates: a static repository of signed metadata, releases and blobs.

The owner's key signs who may sign (root) and what is offered (targets). A second key without a passphrase,
`online.pem`, signs only that this is the newest (snapshot, timestamp), so that a timer may renew it. Files
are added before the metadata that names them, `timestamp.json` last: a robot that looks meanwhile sees the
old state or the new one, whole.
"""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError
from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Role, Root, Snapshot, TargetFile, Targets, Timestamp

from firmware_bridge.mcu import protocol
from runtime import __version__
from runtime.contracts.errors import UpdateError
from runtime.contracts.pack import MANIFEST_NAME, SIGNATURE_NAME, Pack, file_sha256
from runtime.contracts.release import METADATA, TARGETS, Blob, Release, blob_path, target_name

OWNER_ROLES, ONLINE_ROLES = ("root", "targets"), ("snapshot", "timestamp")
T = TypeVar("T", Root, Timestamp, Snapshot, Targets)
VALID_DAYS = {"root": 3 * 365, "targets": 365, "snapshot": 365, "timestamp": 30}


@dataclass(frozen=True, slots=True)
class Signers:
    owner: Ed25519PrivateKey
    online: Ed25519PrivateKey


def offer(name: str, channel: str, percent: int, notes: str) -> Release:
    """A release before it has a pack; UpdateError where a word of it cannot be."""
    nothing = Blob(sha256="0" * 64, size=0)
    try:
        return Release(
            version=1,
            channel=channel,
            name=name,
            percent=percent,
            manifest=nothing,
            signature=nothing,
            runtime=__version__,
            mcu_protocol=protocol.VERSION,
            mcu_firmware=protocol.FIRMWARE,
            published_s=0,
            notes=notes,
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise UpdateError("malformed", f"{first['loc'][0]} = {first['input']!r}: {first['msg']}") from error


class Repository:
    """One folder; `now` is given for tests."""

    def __init__(self, folder: Path, now: datetime | None = None) -> None:
        self.folder = folder
        self._metadata = folder / METADATA
        self._now = (now or datetime.now(UTC)).replace(microsecond=0)

    @property
    def exists(self) -> bool:
        return (self._metadata / "timestamp.json").is_file()

    def create(self, signers: Signers) -> None:
        """An empty repository of these keys."""
        root = Root(consistent_snapshot=True, expires=self._until("root"), roles=_roles())
        _name_keys(root, signers)
        self._write_root(root, [signers.owner])
        self._commit(Targets(expires=self._until("targets")), signers)

    def publish(self, pack: Pack, signers: Signers, offer: Release) -> Release:
        """Offer `pack` on the channel of `offer`, whose version and blobs are filled in here."""
        if pack.trust not in ("owner", "trusted"):
            raise UpdateError(
                "unsigned", f"{pack.folder} is not signed by a trusted key; type: everpaw pack sign"
            )
        if not self.exists:
            self.create(signers)
        targets = self._load(Targets)
        before = self.offered(offer.channel)
        for name, entry in pack.manifest.files.items():
            self._add_blob(pack.folder / name, entry.sha256)
        release = offer.model_copy(
            update={
                "version": before.version + 1 if before else 1,
                "manifest": self._keep(pack.folder / MANIFEST_NAME),
                "signature": self._keep(pack.folder / SIGNATURE_NAME),
                "published_s": int(self._now.timestamp()),
            }
        )
        self._offer(targets, release)
        self._commit(targets, signers)
        return release

    def offered(self, channel: str) -> Release | None:
        """What the channel offers; None where nothing."""
        entry = self._load(Targets).targets.get(target_name(channel))
        if entry is None:
            return None
        path = self.folder / TARGETS / f"{entry.hashes['sha256']}.{target_name(channel)}"
        return Release.model_validate_json(path.read_bytes())

    def widen(self, channel: str, percent: int, signers: Signers) -> Release:
        """The same release for another share of the fleet; its version stays, and so does who was drawn."""
        release = self.offered(channel)
        if release is None:
            raise UpdateError("missing", f"{self.folder} offers nothing on {channel!r}; publish a pack first")
        release = release.model_copy(update={"percent": percent})
        targets = self._load(Targets)
        self._offer(targets, release)
        self._commit(targets, signers)
        return release

    def refresh(self, online: Ed25519PrivateKey) -> datetime:
        """Sign again that this is the newest, without the owner's key; until when it is believed."""
        snapshot = self._load(Snapshot)
        snapshot.version += 1
        self._finish(snapshot, online)
        return self._until("timestamp")

    def rotate(self, old: Ed25519PrivateKey, new: Signers) -> None:
        """New keys from here on; robots follow because the old owner's key signs the change."""
        root = self._load(Root)
        root.version += 1
        root.expires = self._until("root")
        for name in root.roles:
            for keyid in list(root.roles[name].keyids):
                root.revoke_key(keyid, name)
        _name_keys(root, new)
        self._write_root(root, [old, new.owner])
        self._commit(self._load(Targets), new)

    # Below: files.

    def _offer(self, targets: Targets, release: Release) -> None:
        data = release.model_dump_json(by_alias=True, indent=1).encode()
        entry = TargetFile.from_data(target_name(release.channel), data, ["sha256"])
        _write(self.folder / TARGETS / f"{entry.hashes['sha256']}.{entry.path}", data)
        targets.targets[entry.path] = entry

    def _keep(self, path: Path) -> Blob:
        blob = Blob(sha256=file_sha256(path), size=path.stat().st_size)
        self._add_blob(path, blob.sha256)
        return blob

    def _add_blob(self, source: Path, sha256: str) -> None:
        target = self.folder / blob_path(sha256)
        if target.is_file():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_suffix(".new")
        shutil.copyfile(source, draft)
        draft.replace(target)

    def _commit(self, targets: Targets, signers: Signers) -> None:
        targets.version, targets.expires = self._latest("targets") + 1, self._until("targets")
        data = _signed(targets, [signers.owner])
        _write(self._metadata / f"{targets.version}.targets.json", data)
        snapshot = self._load(Snapshot) if self.exists else Snapshot()
        snapshot.version = self._latest("snapshot") + 1
        snapshot.meta["targets.json"] = _described(data, targets.version)
        self._finish(snapshot, signers.online)

    def _finish(self, snapshot: Snapshot, online: Ed25519PrivateKey) -> None:
        snapshot.expires = self._until("snapshot")
        data = _signed(snapshot, [online])
        _write(self._metadata / f"{snapshot.version}.snapshot.json", data)
        version = self._load(Timestamp).version + 1 if self.exists else 1
        timestamp = Timestamp(
            version=version,
            expires=self._until("timestamp"),
            snapshot_meta=_described(data, snapshot.version),
        )
        _write(self._metadata / "timestamp.json", _signed(timestamp, [online]))

    def _write_root(self, root: Root, keys: Iterable[Ed25519PrivateKey]) -> None:
        _write(self._metadata / f"{root.version}.root.json", _signed(root, keys))

    def _until(self, role: str) -> datetime:
        return self._now + timedelta(days=VALID_DAYS[role])

    def _latest(self, role: str) -> int:
        """Version of the newest file of this role; 0 where there is none."""
        names = self._metadata.glob(f"*.{role}.json")
        return max((int(path.name.split(".")[0]) for path in names), default=0)

    def _load(self, kind: type[T]) -> T:
        name = "timestamp.json" if kind is Timestamp else f"{self._latest(kind.type)}.{kind.type}.json"
        try:
            return Metadata[T].from_file(str(self._metadata / name)).signed
        except (RepositoryError, OSError) as error:
            raise UpdateError(
                "missing",
                f"{self.folder} is no update repository ({error}); publish a pack into a new folder",
            ) from error


def _roles() -> dict[str, Role]:
    return {name: Role([], 1) for name in (*OWNER_ROLES, *ONLINE_ROLES)}


def _name_keys(root: Root, signers: Signers) -> None:
    for key, roles in ((signers.owner, OWNER_ROLES), (signers.online, ONLINE_ROLES)):
        for role in roles:
            root.add_key(CryptoSigner(key).public_key, role)


def _signed(payload: T, keys: Iterable[Ed25519PrivateKey]) -> bytes:
    metadata = Metadata(payload)
    for key in keys:
        metadata.sign(CryptoSigner(key), append=True)
    return metadata.to_bytes()


def _described(data: bytes, version: int) -> MetaFile:
    """With length and hash: files of two states never pass for one."""
    return MetaFile.from_data(version, data, ["sha256"])


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.write_bytes(data)
    draft.replace(path)
