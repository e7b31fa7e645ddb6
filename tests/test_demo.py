"""The main job, end to end: `everpaw demo` with every real part, and what it leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from runtime.demo.script import Line, load_script
from tests.family import family

DEMO = [sys.executable, "-m", "runtime.cli", "demo", "--quiet", "--json"]


MOVING = {"sit", "walk", "turn", "wag_tail", "shake_paw"}
PLAYS = 5


def played() -> list[dict[str, Any]]:
    """A turn for each line of the script; empty where a line was not answered."""
    done = subprocess.run(DEMO, capture_output=True, text=True, timeout=300)
    assert done.returncode in {0, 1}, done.stderr
    turns = [json.loads(line) for line in done.stdout.splitlines()]
    return turns if done.returncode == 0 else []


def comes_out(line: Line, turn: dict[str, Any]) -> bool:
    """Understood, answered in words and, where it asks for a movement, moved."""
    if not (line.understood(turn["intent"]) and turn["said"]):
        return False
    if line.meant not in MOVING:
        return True
    return not turn["body"] and max(turn["moved_deg"].values()) > 5 and turn["timings_ms"]["motion"] > 0


def test_the_whole_conversation() -> None:
    script = load_script()
    assert len(script) >= 8
    assert len([line for line in script if line.meant in MOVING]) == 5
    missing = list(enumerate(script))
    for _ in range(PLAYS):  # a starved machine hears late, and lets the body go, as it must
        if turns := played():
            missing = [(number, line) for number, line in missing if not comes_out(line, turns[number])]
        if not missing:
            return
    raise AssertionError(f"in none of {PLAYS} plays: {[line.text for _, line in missing]}")


def test_a_recording_of_ones_own(tmp_path: Path) -> None:
    clip = load_script()[0].path
    saved = tmp_path / "said.wav"
    own = [*DEMO, "--audio", str(clip), "--save", str(saved)]
    done = subprocess.run(own, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    [turn] = [json.loads(line) for line in done.stdout.splitlines()]
    assert turn["intent"] == "sit"
    assert saved.stat().st_size > 1_000


@pytest.mark.parametrize("after_s", [0.5, 4.0])
def test_ctrl_c_leaves_nothing(after_s: float, tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(
        DEMO,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a job in the background ignores it
    )
    time.sleep(after_s)
    _, *children = family(process.pid)
    process.send_signal(signal.SIGINT)
    interrupted = {130, -signal.SIGINT}
    failed_import = {1} if after_s < 1 else set()  # what an interrupted import may turn the signal into
    assert process.wait(timeout=20) in interrupted | failed_import
    deadline = time.monotonic() + 5
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [child for child in children if Path(f"/proc/{child}").exists()]
    assert list(tmp_path.iterdir()) == []
