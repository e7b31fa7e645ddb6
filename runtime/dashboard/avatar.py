"""The pack's own figure for the twin: `avatar.glb` (or avatar/avatar.glb), if it is the pack that serves."""

from pathlib import Path

from runtime import starter
from runtime.contracts import messages as m
from runtime.eyes.pet import Pet

PLACES = ("avatar.glb", "avatar/avatar.glb")


class Avatars:
    """`of` gives the avatar's address for a robot that runs this pack, else ""."""

    ADDRESS = "/avatar.glb"

    def __init__(self, folder: Path | None) -> None:
        self.file: Path | None = None
        self._sha256 = ""
        if folder is not None:
            pack = starter.load_pack(folder)
            self._sha256 = pack.sha256
            self.file = next((pack.folder / p for p in PLACES if (pack.folder / p).is_file()), None)

    def of(self, pet: Pet) -> str:
        meta = pet.of("meta/robot", m.RobotMeta)
        same = meta is None or meta.pack_sha256 in ("", self._sha256)
        return self.ADDRESS if self.file is not None and same else ""
