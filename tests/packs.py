"""Tiny packs and keys for tests."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from export import owner
from runtime.contracts.keys import Keyring
from runtime.contracts.pack import MANIFEST_NAME, Manifest, PackFile, file_sha256, verify

FILES = {"grammar.yaml": b"context: {}\n", "sounds/bark.flac": b"fLaC" * 10, "wake/rex.onnx": b"head" * 700}


def make_pack(folder: Path, files: dict[str, bytes] = FILES, name: str = "Rex") -> Path:
    """A folder with a manifest of exactly these files."""
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    entries = {
        path: PackFile(sha256=file_sha256(folder / path), size=len(data)) for path, data in files.items()
    }
    manifest = Manifest(name=name, files=dict(sorted(entries.items())))
    (folder / MANIFEST_NAME).write_text(manifest.model_dump_json(by_alias=True))
    return folder


class Owner:
    """A key pair without a passphrase, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.public = owner.create(folder)

    @property
    def key(self) -> Ed25519PrivateKey:
        return owner.load(self.folder, lambda: "")

    @property
    def keyring(self) -> Keyring:
        return Keyring.load(self.folder)

    def sign(self, pack: Path) -> Path:
        owner.sign(verify(pack), self.key)
        return pack
