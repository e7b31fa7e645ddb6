"""Every change the updater makes to the robot's disk goes through here, one durable step at a time.

A power cut may drop whatever was not synced, and tear the last write. So each caller says what must be
durable before what, and a test replays every prefix of these steps.
"""

import errno
import os
import shutil
from pathlib import Path

from runtime.contracts.errors import UpdateError


class Disk:
    """The real disk. A test puts a recorder, or one that is full, in its place."""

    def write(self, path: Path, data: bytes) -> None:
        """A new file, or a new content of an old one; not durable yet."""
        path.write_bytes(data)

    def append(self, path: Path, data: bytes) -> None:
        with path.open("ab") as file:
            file.write(data)

    def sync(self, path: Path) -> None:
        """Make the content of a file durable, or the names in a folder."""
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def rename(self, source: Path, target: Path) -> None:
        os.replace(source, target)

    def link(self, source: Path, target: Path) -> None:
        """A second name for the same content."""
        os.link(source, target)

    def symlink(self, points_to: str, path: Path) -> None:
        os.symlink(points_to, path)

    def make_folder(self, path: Path) -> None:
        path.mkdir()

    def remove(self, path: Path) -> None:
        """A file, a link, or a folder with all that is in it; nothing where it is not there."""
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    # Made of the steps above.

    def replace(self, path: Path, data: bytes) -> None:
        """The whole new content or the whole old one, durable on return."""
        draft = path.with_name(f".{path.name}.new")
        self.write(draft, data)
        self.sync(draft)
        self.rename(draft, path)
        self.sync(path.parent)

    def point(self, link: Path, target: str) -> None:
        """Turn a symbolic link over to `target`: at no moment is there none. Durable on return."""
        draft = link.with_name(f".{link.name}.new")
        self.remove(draft)
        self.symlink(target, draft)
        self.rename(draft, link)
        self.sync(link.parent)

    def folders(self, path: Path, below: Path) -> None:
        """Make `path` and what leads to it from `below`, which exists."""
        for folder in (*reversed(path.relative_to(below).parents), path.relative_to(below)):
            if not (below / folder).exists():
                self.make_folder(below / folder)


def full(error: OSError) -> UpdateError | None:
    """What to tell of a full disk; None where the error is another one."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return None
    return UpdateError("disk_full", "the disk is full; free some space and type the same line again")
