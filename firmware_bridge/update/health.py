"""Is the release on trial well? `everpaw doctor --json`, as a process that may fail, hang or crash."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

SLOWER = 1.5
"""A release may take so many times what the one before took"""
SLACK = {"latency_ms": 30.0, "memory_mb": 50.0}
"""Differences that mean nothing on a busy machine"""
_FIGURES = {"latency": "latency_ms", "memory": "memory_mb"}
_MOST_OUTPUT = 1_000_000


@dataclass(frozen=True, slots=True)
class Health:
    """`well`; `ill` for a clear finding; `cut_short` where it hung or crashed, which may be chance."""

    verdict: Literal["well", "ill", "cut_short"]
    detail: str = ""
    figures: dict[str, float] = field(default_factory=dict)


Examine = Callable[[Path, Mapping[str, float]], Health]
"""(folder of the release, what the one before took) -> its health"""


def doctor(arguments: Sequence[str] = ()) -> list[str]:
    """The command line of the doctor, without the pack."""
    return [sys.executable, "-m", "runtime.cli", "doctor", "--json", *arguments]


def examine(command: Sequence[str], limit_s: float, pack: Path, before: Mapping[str, float]) -> Health:
    """Run `command --pack PACK`; the whole family of the process is ended after `limit_s`."""
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(
            [*command, "--pack", str(pack)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            status = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            return Health("cut_short", f"the health check hung: no end after {limit_s:g} s")
        finally:
            _end(process)
        out.seek(0)
        text = out.read(_MOST_OUTPUT).decode(errors="replace")
    if status < 0:
        return Health("cut_short", f"the health check crashed: {signal.Signals(-status).name}")
    return judge(text, status, before)


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def judge(text: str, status: int, before: Mapping[str, float]) -> Health:
    """What the doctor's rows and its exit status mean."""
    rows = _rows(text)
    if not rows:
        return Health("cut_short", f"the health check said nothing (exit {status})")
    figures = {_FIGURES[row["name"]]: row["figure"] for row in rows if row.get("name") in _FIGURES}
    ill = [f"{r['name']}: {r['seen']}" for r in rows if not r["well"] and r["weight"] == "needed"]
    ill += [
        f"{name}: {figures[name]:.0f}, more than {SLOWER} times the {was:.0f} of the release before"
        for name, was in before.items()
        if name in figures and figures[name] > was * SLOWER + SLACK[name]
    ]
    if status != 0 and not ill:
        ill = [f"the health check ended with {status}"]
    missing = _FIGURES.keys() - {row["name"] for row in rows}
    if missing and not ill:
        ill = [f"the health check did not measure {', '.join(sorted(missing))}"]
    return Health("ill", "; ".join(ill), figures) if ill else Health("well", "", figures)


def _rows(text: str) -> list[dict[str, Any]]:
    rows = []
    for line in text.splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and {"name", "well", "seen", "weight"} <= row.keys():
            rows.append(row)
    return rows
