"""A robot under strace: every byte that it and its children hand to the kernel."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

STRACE = shutil.which("strace")
_CALLS = "write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg,sendmmsg,vmsplice,process_vm_writev"
_KINDS = {"TCP": "topic", "pipe:": "pipe", "UNIX": "socket", "socket": "socket"}
_STRING = re.compile(rb'"((?:\\x[0-9a-f]{2})*)"')
_TARGET = re.compile(rb"^(?:\[pid +\d+\] |\d+ +)?(\w+)\(\d+<((?:\\x[0-9a-f]{2})+|[^>]*)")


def refused() -> str:
    """Why nothing can be traced here; empty where it can."""
    if STRACE is None:
        return "strace is not installed"
    tried = subprocess.run([STRACE, "-e", "trace=write", "true"], capture_output=True, text=True)
    return "" if tried.returncode == 0 else f"ptrace is refused here: {tried.stderr.strip()[:100]}"


@dataclass(frozen=True, slots=True)
class Traced:
    """A robot under way; `written` once it has ended."""

    process: subprocess.Popen[bytes]
    log: Path

    def written(self, timeout_s: float) -> list[tuple[str, bytes]]:
        """(what kind of thing it went to, the bytes) of every call."""
        assert self.process.wait(timeout_s) == 0
        return [
            (kind, data) for line in self.log.read_bytes().splitlines() for kind, data in _read(line) if data
        ]


def run(folder: Path, settings: Sequence[str]) -> Traced:
    """`everpaw run` at home in `folder`."""
    assert STRACE is not None
    log = folder / "strace.log"
    words = [word for setting in settings for word in ("--set", setting)]
    command = [STRACE, "-f", "-qq", "-yy", "-xx", "-s", "1000000", "-e", f"trace={_CALLS}", "-o", str(log)]
    command += [sys.executable, "-m", "runtime.cli", "-v", "run", *words]
    home = {"XDG_DATA_HOME": str(folder / "data"), "TMPDIR": str(folder / "tmp"), "HOME": str(folder)}
    (folder / "tmp").mkdir()
    out = (folder / "out.txt").open("wb")
    return Traced(subprocess.Popen(command, env=os.environ | home, stdout=out, stderr=out), log)


def _read(line: bytes) -> list[tuple[str, bytes]]:
    target = _TARGET.match(line)
    where = _plain(target[2].decode("ascii", "replace")) if target else ""
    kind = next((name for mark, name in _KINDS.items() if where.startswith(mark)), "file")
    return [(kind, bytes.fromhex(text.decode().replace("\\x", ""))) for text in _STRING.findall(line)]


def _plain(text: str) -> str:
    return re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m[1], 16)), text)
