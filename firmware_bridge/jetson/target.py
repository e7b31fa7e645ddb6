"""Where the first install goes: a running computer over SSH, or its disk mounted here.

Both take whole files below `/` and, if they run, one command line at a time.
"""

import io
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from runtime.contracts.errors import LinkError

CONNECT_S = 10
Files = Mapping[str, "Payload"]
"""Path below `/`, without its first slash -> what belongs there"""


@dataclass(frozen=True, slots=True)
class Payload:
    """A file's bytes, or a file here to be copied; or the target of a symbolic link."""

    data: bytes | Path = b""
    mode: int = 0o644
    link: str = ""

    @property
    def size(self) -> int:
        return self.data.stat().st_size if isinstance(self.data, Path) else len(self.data)


class Target(Protocol):
    name: str
    runs: bool
    """True where a command can be run on it"""

    def ask(self, script: str) -> str:
        """What a read-only shell script prints there; LinkError where it cannot be reached."""

    def send(self, files: Files) -> None:
        """Write the files, as root."""

    def run(self, command: str) -> None:
        """Run a command as root, its output going to the terminal; LinkError where it fails."""


class Ssh:
    """The user's own ssh and its configuration; sudo on the other side."""

    runs = True

    def __init__(self, host: str, program: str = "ssh") -> None:
        if host.startswith("-"):
            raise LinkError(f"{host!r} is no host; give USER@HOST")
        self.name = host
        self._command = [program, "-o", f"ConnectTimeout={CONNECT_S}", "--", host]

    def ask(self, script: str) -> str:
        done = self._ssh("sh -s", script.encode(), capture=True)
        if done.returncode != 0:
            raise LinkError(
                f"{self.name} cannot be asked (ssh ended with {done.returncode});"
                f" does `ssh {self.name}` work?"
            )
        return str(done.stdout.decode(errors="replace"))

    def send(self, files: Files) -> None:
        done = self._ssh("sudo tar -x -p -f - -C /", packed(files))
        if done.returncode != 0:
            raise LinkError(f"{self.name} did not take the files; may this user use sudo there?")

    def run(self, command: str) -> None:
        done = self._ssh(f"sudo {command}", b"")
        if done.returncode != 0:
            raise LinkError(
                f"{self.name}: {command!r} ended with {done.returncode}; its words stand above; mend it and"
                " type the same line again"
            )

    def _ssh(self, command: str, given: bytes, capture: bool = False) -> subprocess.CompletedProcess[bytes]:
        out = subprocess.PIPE if capture else None
        try:
            return subprocess.run([*self._command, command], input=given, stdout=out, check=False)
        except FileNotFoundError as error:
            raise LinkError("ssh is not installed; sudo apt install openssh-client") from error


def packed(files: Files) -> bytes:
    """A tar archive, owned by root."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path, payload in files.items():
            info = tarfile.TarInfo(path)
            info.mode, info.uname, info.gname = payload.mode, "root", "root"
            if payload.link:
                info.type, info.linkname = tarfile.SYMTYPE, payload.link
                archive.addfile(info)
                continue
            data = payload.data.read_bytes() if isinstance(payload.data, Path) else payload.data
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


class Mounted:
    """The robot's root file system, mounted at a folder here. Nothing of it is run."""

    runs = False

    def __init__(self, folder: Path) -> None:
        if not (folder / "etc").is_dir():
            raise LinkError(f"{folder} is no root file system (it has no etc/); mount the robot's disk there")
        self.name = str(folder)
        self._folder = folder.resolve()

    def ask(self, script: str) -> str:
        done = subprocess.run(
            ["sh", "-s"],
            input=script.encode(),
            env={
                "EVERPAW_ROOT": str(self._folder),
                "EVERPAW_DISK": "yes",
                "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        return done.stdout.decode(errors="replace")

    def send(self, files: Files) -> None:
        for path, payload in files.items():
            target = self._folder / path
            self._inside(target.parent)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            if payload.link:
                target.symlink_to(payload.link)
                continue
            if isinstance(payload.data, Path):
                shutil.copyfile(payload.data, target)
            else:
                target.write_bytes(payload.data)
            target.chmod(payload.mode)

    def _inside(self, folder: Path) -> None:
        """A link on that disk (/var -> /data) must not lead to this computer's own files."""
        if not folder.resolve().is_relative_to(self._folder):
            raise LinkError(
                f"{folder} leads out of {self._folder}: a link on the disk; install over SSH instead"
            )

    def run(self, command: str) -> None:
        raise LinkError(
            f"{self.name} is a disk, not a running computer; {command!r} waits for its first start"
        )
