"""A disk that records what is done to it, and what a power cut may leave of that.

The model is the strict one: data is safe after its file was synced, a name after its folder was. Anything
else may be lost, in any of the ways below; the last write may be torn.
"""

import errno
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from firmware_bridge.update.disk import Disk

Op = tuple[str, str, bytes | str]
"""Name, path below the root, data or second path"""
Loss = Literal["nothing", "all that was not synced", "data that was not synced", "half the last write"]
LOSSES: tuple[Loss, ...] = (
    "nothing",
    "all that was not synced",
    "data that was not synced",
    "half the last write",
)


class RecordingDisk(Disk):
    """The real disk; `ops` is what was done under `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.ops: list[Op] = []

    def _note(self, name: str, path: Path, more: bytes | str = b"") -> None:
        self.ops.append((name, path.relative_to(self._root).as_posix(), more))

    def write(self, path: Path, data: bytes) -> None:
        self._note("write", path, data)
        super().write(path, data)

    def append(self, path: Path, data: bytes) -> None:
        self._note("append", path, data)
        super().append(path, data)

    def sync(self, path: Path) -> None:
        self._note("sync", path)
        super().sync(path)

    def rename(self, source: Path, target: Path) -> None:
        self._note("rename", source, target.relative_to(self._root).as_posix())
        super().rename(source, target)

    def link(self, source: Path, target: Path) -> None:
        self._note("link", source, target.relative_to(self._root).as_posix())
        super().link(source, target)

    def symlink(self, points_to: str, path: Path) -> None:
        self._note("symlink", path, points_to)
        super().symlink(points_to, path)

    def make_folder(self, path: Path) -> None:
        self._note("make_folder", path)
        super().make_folder(path)

    def remove(self, path: Path) -> None:
        self._note("remove", path)
        super().remove(path)


class FullDisk(RecordingDisk):
    """Takes `steps` steps that need room; the next is done half and fails."""

    NEEDS_ROOM: ClassVar = frozenset({"write", "append", "rename", "link", "symlink", "make_folder"})

    def __init__(self, root: Path, steps: int) -> None:
        super().__init__(root)
        self._left = steps

    def _note(self, name: str, path: Path, more: bytes | str = b"") -> None:
        super()._note(name, path, more)
        if name not in self.NEEDS_ROOM:
            return
        self._left -= 1
        if self._left < 0:
            if isinstance(more, bytes) and more:
                with path.open("wb" if name == "write" else "ab") as file:
                    file.write(more[: len(more) // 2])
            raise OSError(errno.ENOSPC, "No space left on device", str(path))


@dataclass
class File:
    data: bytes = b""
    safe: bytes = b""


@dataclass
class Folder:
    names: "dict[str, Node]" = field(default_factory=dict)
    safe: "dict[str, Node]" = field(default_factory=dict)


@dataclass
class Link:
    target: str


Node = File | Folder | Link


class Model:
    """A tree that begins as what lies under a real folder, all of it safe."""

    def __init__(self, folder: Path) -> None:
        self._inodes: dict[int, File] = {}
        self._root = self._read(folder)
        self._last: tuple[File, bytes] | None = None

    def _read(self, folder: Path) -> Folder:
        names: dict[str, Node] = {}
        for path in folder.iterdir():
            if path.is_symlink():
                names[path.name] = Link(str(path.readlink()))
            elif path.is_dir():
                names[path.name] = self._read(path)
            else:
                data = path.read_bytes()
                names[path.name] = self._inodes.setdefault(path.stat().st_ino, File(data, data))
        return Folder(names, dict(names))

    def _find(self, path: str) -> Node:
        node: Node = self._root
        for name in [part for part in path.split("/") if part not in ("", ".")]:
            assert isinstance(node, Folder)
            node = node.names[name]
        return node

    def _parent(self, path: str) -> tuple[Folder, str]:
        parent, _, name = path.rpartition("/")
        folder = self._find(parent)
        assert isinstance(folder, Folder)
        return folder, name

    def apply(self, op: Op) -> None:
        name, path, more = op
        folder, last = self._parent(path)
        if name in ("write", "append"):
            assert isinstance(more, bytes)
            file = folder.names.get(last)
            if not isinstance(file, File):
                file = folder.names[last] = File()
            before = b"" if name == "write" else file.data
            file.data = before + more
            self._last = (file, before + more[: len(more) // 2])
            return
        self._last = None
        if name == "sync":
            node = self._find(path)
            if isinstance(node, File):
                node.safe = node.data
            elif isinstance(node, Folder):
                node.safe = dict(node.names)
        elif name in ("rename", "link"):
            assert isinstance(more, str)
            to, new = self._parent(more)
            to.names[new] = folder.names.pop(last) if name == "rename" else folder.names[last]
        elif name == "symlink":
            assert isinstance(more, str)
            folder.names[last] = Link(more)
        elif name == "make_folder":
            folder.names[last] = Folder()
        else:
            assert name == "remove"
            folder.names.pop(last, None)

    def leave(self, target: Path, loss: Loss) -> Path:
        """Write what a power cut leaves into the new folder `target`."""
        self._write(self._root, target, loss)
        return target

    def _write(self, folder: Folder, target: Path, loss: Loss) -> None:
        target.mkdir()
        names = folder.safe if loss == "all that was not synced" else folder.names
        for name, node in names.items():
            if isinstance(node, Folder):
                self._write(node, target / name, loss)
            elif isinstance(node, Link):
                (target / name).symlink_to(node.target)
            else:
                (target / name).write_bytes(self._data(node, loss))

    def _data(self, file: File, loss: Loss) -> bytes:
        if loss == "half the last write" and self._last is not None and self._last[0] is file:
            return self._last[1]
        return file.safe if loss.endswith("not synced") else file.data


def prefixes(start: Path, ops: list[Op]) -> Iterator[tuple[int, Model]]:
    """(number of steps done, the tree then), from none to all."""
    model = Model(start)
    yield 0, model
    for number, op in enumerate(ops, 1):
        model.apply(op)
        yield number, model
