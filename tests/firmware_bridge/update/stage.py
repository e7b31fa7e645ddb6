"""A maker with a repository and a robot that takes updates from it; only the health is made up."""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from tuf.api.metadata import TargetFile, Targets

from export import owner as owners
from export.repository import Repository, Signers, offer
from firmware_bridge.update.channel import Channel
from firmware_bridge.update.disk import Disk
from firmware_bridge.update.health import Health
from firmware_bridge.update.install import Surroundings, Update
from firmware_bridge.update.rest import Rest
from firmware_bridge.update.slots import Slots
from firmware_bridge.update.source import Folder, Source
from runtime import starter
from runtime.contracts import messages as m
from runtime.contracts.keys import Keyring
from runtime.contracts.pack import MANIFEST_NAME, verify
from runtime.contracts.release import TARGETS, Release
from runtime.contracts.requirements import Here
from tests.packs import FILES, Owner, make_pack

NOW = datetime(2026, 6, 1, tzinfo=UTC)
WELL = Health("well", "", {"latency_ms": 100.0, "memory_mb": 100.0})


class Maker:
    """Signs and publishes packs; `day` moves their clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.owner = Owner(folder / "keys")
        self.repo = folder / "repo"

    @property
    def signers(self) -> Signers:
        return Signers(self.owner.key, owners.online(self.owner.folder))

    def at(self, day: float = 0) -> Repository:
        return Repository(self.repo, NOW + timedelta(days=day))

    def pack(self, name: str, **files: bytes) -> Path:
        """A signed pack like the others, with some files changed: `wake_rex_onnx` is wake/rex.onnx."""
        paths = {key: key.replace("_", "/", 1)[::-1].replace("_", ".", 1)[::-1] for key in files}
        changed = {paths[key]: data for key, data in files.items()}
        return self.owner.sign(make_pack(self.folder / "packs" / name, FILES | changed, name))

    def publish(self, name: str, day: float = 0, percent: int = 100, **files: bytes) -> Release:
        pack = starter.load_pack(self.pack(name, **files), self.owner.folder)
        return self.at(day).publish(pack, self.signers, offer(name, "stable", percent, ""))


def forge(maker: Maker, release: Release, **changes: object) -> None:
    """The release as the owner's key would sign it by mistake, or in other hands."""
    repository = maker.at(1)
    targets = repository._load(Targets)
    data = release.model_copy(update=changes).model_dump_json(by_alias=True).encode()
    entry = TargetFile.from_data("stable.json", data, ["sha256"])
    (maker.repo / TARGETS / f"{entry.hashes['sha256']}.stable.json").write_bytes(data)
    targets.targets["stable.json"] = entry
    repository._commit(targets, maker.signers)


class Robot:
    """An updater on a folder of its own; its health and rest are what the test says."""

    def __init__(self, root: Path, keys: Path, disk: Disk | None = None) -> None:
        self.slots = Slots(root, disk)
        self.keys = keys
        self.told: list[m.JobState] = []
        self.restarted: list[str] = []
        self.examined: list[str] = []
        self.rest = Rest()
        self.healths: list[Health] = []
        """What the next looks find; well where empty"""

    def update(self) -> Update:
        around = Surroundings(
            tell=self.told.append,
            rest=lambda: self.rest,
            restart=self._restart,
            examine=self._examine,
            here=Here.of(mcu_protocol=1),
            keys=self.keys,
        )
        return Update(self.slots, around)

    def _restart(self, release: str) -> str:
        self.restarted.append(release)
        return ""

    def _examine(self, folder: Path, _before: Mapping[str, float]) -> Health:
        self.examined.append(folder.name)
        return self.healths.pop(0) if self.healths else WELL

    def look(self, source: Source, day: float = 0, insist: bool = False, key: str = "robot") -> str:
        """`everpaw update install` from this source, on this day."""
        channel = Channel(source, "stable", self.slots, Keyring.load(self.keys))
        clock_s = (NOW + timedelta(days=day)).timestamp()
        update = self.update()
        return update.guarded(partial(update.from_channel, channel, clock_s, key, insist=insist))

    @property
    def serving(self) -> str:
        """Name of the pack that serves, every byte of it compared; empty where none does."""
        return verify(self.slots.current).manifest.name if self.slots.serving else ""

    def state(self) -> dict[str, bytes | str]:
        """All that lies in the robot's folder, but for what is being fetched."""
        found: dict[str, bytes | str] = {}
        for path in sorted(self.slots.root.rglob("*")):
            name = path.relative_to(self.slots.root).as_posix()
            if path.is_symlink():
                found[name] = str(path.readlink())
            elif path.is_file() and not name.startswith("incoming/"):
                found[name] = path.read_bytes()
        return found


class Remote:
    """A folder that passes for a remote repository; `spoil` changes what it hands out."""

    is_remote = True

    def __init__(self, folder: Path) -> None:
        self.name = "https://example.org/pets"
        self._folder = Folder(folder)
        self.spoil: dict[str, Callable[[Iterator[bytes]], Iterator[bytes]]] = {}
        self.moved = 0

    def open(self, path: str, offset: int = 0):  # type: ignore[no-untyped-def]
        stream = self._folder.open(path, offset)
        spoil = next((s for end, s in self.spoil.items() if path.endswith(end)), None)
        pieces = self._counted(spoil(stream.pieces) if spoil else stream.pieces)
        return type(stream)(stream.start, pieces)

    def _counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.moved += len(piece)
            yield piece


def copy_of(repo: Path, to: Path) -> Path:
    """The repository as it is now, kept for later."""
    shutil.copytree(repo, to, dirs_exist_ok=True)
    return to


@contextmanager
def web_server(folder: Path, *, ranges: bool = True, cut_after: int | None = None) -> Iterator[str]:
    """A plain web server; `cut_after`: every blob's connection breaks after so many bytes."""
    requests: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = folder / self.path.lstrip("/")
            asked = self.headers.get("Range", "")
            requests.append((self.path, asked))
            if not path.is_file():
                self.send_error(404)
                return
            data = path.read_bytes()
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and ranges else 0
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            most = cut_after if cut_after is not None and "/blobs/" in self.path else len(data)
            self.wfile.write(data[start : start + most])
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def took_s(work: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s


__all__ = [
    "MANIFEST_NAME",
    "NOW",
    "WELL",
    "Maker",
    "Remote",
    "Robot",
    "copy_of",
    "took_s",
    "web_server",
]
