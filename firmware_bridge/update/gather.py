"""A release, whole and verified, from a channel or a folder into `releases/`; what serves is not touched."""

from dataclasses import dataclass
from pathlib import Path

from firmware_bridge.update.job import Job
from firmware_bridge.update.slots import Slots
from firmware_bridge.update.source import Source, fetch_blob
from runtime import starter
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


@dataclass(frozen=True, slots=True)
class Gatherer:
    """`keys` and `here` decide what may run on this robot."""

    slots: Slots
    job: Job
    keys: Path | None
    here: Here

    def fetch(self, source: Source, release: Release) -> None:
        """What the robot lacks of it, then all of it under its own name."""
        if self.slots.holds(release.manifest.sha256):
            self._verify(self.slots.folder(release.manifest.sha256))
            return
        raw, signature = (
            fetch_blob(source, blob.sha256, blob.size, self.slots, lambda _: None).read_bytes()
            for blob in (release.manifest, release.signature)
        )
        manifest = parse_manifest(raw, Path(source.name) / MANIFEST_NAME)
        self._admit(manifest, signer_of(raw, signature, Path(source.name)), source.name)
        have = self.slots.blobs()
        lacking = {e.sha256: e.size for e in manifest.files.values() if e.sha256 not in have}
        self.job.expect(sum(lacking.values()))
        for sha256, size in lacking.items():
            have[sha256] = fetch_blob(source, sha256, size, self.slots, self.job.came)
        self.job.tell("verifying")
        parts = {name: have[entry.sha256] for name, entry in manifest.files.items()}
        self._verify(self.slots.assemble(release.manifest.sha256, raw, signature, parts))

    def copy(self, pack: Pack) -> None:
        """A trusted pack from a folder that may go away, a stick."""
        have = self.slots.blobs()
        parts = {
            name: have.get(entry.sha256) or self._copied(pack.folder / name, entry.sha256)
            for name, entry in pack.manifest.files.items()
        }
        raw, signature = ((pack.folder / name).read_bytes() for name in (MANIFEST_NAME, SIGNATURE_NAME))
        self._verify(self.slots.assemble(pack.sha256, raw, signature, parts))

    def trusted(self, folder: Path) -> Pack:
        """The pack there, every byte compared; UpdateError where it may not run here."""
        pack = starter.load_pack(folder, self.keys)
        self._admit(pack.manifest, pack.signer, str(folder))
        return pack

    def _admit(self, manifest: Manifest, signer: PublicKey | None, source: str) -> None:
        if trust_in(signer, Keyring.load(self.keys)) not in ("owner", "trusted"):
            who = f"signed by {signer.fingerprint}" if signer else "not signed"
            raise UpdateError(
                "untrusted",
                f"the pack of {source} is {who}; this robot runs only what its owner signed, or a maker named"
                " by `everpaw pack trust`",
            )
        if lacking := unmet(manifest.requires, self.here):
            raise UpdateError("unfit", f"the pack of {source} does not fit this robot: {lacking[0]}")

    def _copied(self, source: Path, sha256: str) -> Path:
        """A durable copy in `incoming`."""
        target = self.slots.incoming / sha256
        if not target.is_file():
            draft = self.slots.incoming / f"{sha256}.part"
            self.slots.disk.write(draft, source.read_bytes())
            self.slots.disk.sync(draft)
            self.slots.disk.rename(draft, target)
            self.slots.disk.sync(self.slots.incoming)
        return target

    def _verify(self, folder: Path) -> None:
        """The release as it lies on the disk; what is spoilt goes away."""
        try:
            self.trusted(folder)
        except PackError as error:
            self.slots.discard(folder)
            raise UpdateError("altered", str(error)) from error
