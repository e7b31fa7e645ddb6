"""What this process holds, as Linux tells it: memory, open files, children."""

import os
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
"""The unit of the times in /proc"""


def resident_mb(pid: int | str = "self") -> float:
    """Memory in use, MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu_s(pid: int) -> float:
    """Seconds of one core that it has had, its children's not among them."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) * TICK_S


def children() -> list[int]:
    """Process ids, of all threads' children."""
    tasks = Path("/proc/self/task").iterdir()
    return [int(pid) for task in tasks for pid in (task / "children").read_text().split()]


def open_files() -> int:
    """File handles, sockets and pipes."""
    return len(os.listdir("/proc/self/fd"))
