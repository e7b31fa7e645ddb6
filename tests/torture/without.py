"""Tests of the tests: take one safety rule away at a time; the tests must turn red.

`python -m tests.torture without` copies the tree, removes the rule there and runs its tests.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from tests.torture.ledger import Piece, Proof, Row, Verdict

ROOT = Path(__file__).parents[2]
PASSED, FAILED = 0, 1
"""What pytest says; anything else proves nothing about a rule"""
LONG = "long "
PARTS = ("runtime", "firmware_bridge", "tests", "pyproject.toml")


@dataclass(frozen=True, slots=True)
class Rule:
    file: str
    there: str
    instead: str
    tests: str
    """A file of tests/firmware_bridge, or `long NAME`: the short form of a long proof"""


RULES = {
    "ttl of a setpoint": Rule(
        "firmware_bridge/mcu/guard.py", "elif self.age > self.ttl:", "elif False:", "test_guard.py"
    ),
    "ttl of a command": Rule(
        "firmware_bridge/gatekeeper.py", "if late_ms > 0:", "if False:", "test_gatekeeper.py"
    ),
    "clamp": Rule(
        "firmware_bridge/mcu/guard.py",
        "return min(max(angle, row[MIN]), row[MAX])",
        "return angle",
        "test_guard.py",
    ),
    "two lanes": Rule(
        "firmware_bridge/lanes.py",
        'if under_way is not None and under_way != "autonomy":',
        "if False:",
        "test_lanes.py",
    ),
    "calm after a halt": Rule(
        "firmware_bridge/lanes.py", "if self.is_still(now_ms):", "if False:", "test_lanes.py"
    ),
    "retained drop": Rule("firmware_bridge/gatekeeper.py", "if retained:", "if False:", "test_gatekeeper.py"),
    "checksum": Rule(
        "firmware_bridge/mcu/frames.py",
        "if raw[end + i] != (crc >> (8 * i)) & 0xFF:",
        "if False:",
        "test_frames.py",
    ),
    "latch": Rule(
        "firmware_bridge/mcu/guard.py",
        "if self.state != p.DISARMED:\n            return p.WRONG_STATE\n        if self.unfit",
        "if self.state == p.ARMED:\n            return p.WRONG_STATE\n        if self.unfit",
        "test_guard.py",
    ),
    "deadline": Rule(
        "firmware_bridge/mcu/guard.py", "if self.age >= HOLD_TICKS:", "if False:", "test_guard.py"
    ),
    "collision pairs": Rule(
        "firmware_bridge/mcu/guard.py", "            self._keep_apart()\n", "", "test_guard.py"
    ),
    "slew": Rule(
        "firmware_bridge/mcu/guard.py",
        "step = min(speed + accel, row[SPEED], way)",
        "step = way",
        "test_guard.py",
    ),
    "echo of a setpoint": Rule(
        "firmware_bridge/mcu/device.py", "& 0xFFFF > ECHO_TICKS:", "& 0xFFFF > 0xFFFF:", "test_port.py"
    ),
    "proof of a heartbeat": Rule(
        "firmware_bridge/heartbeat.py",
        "or pong.proof != proof(challenge, session, boot_id)",
        "",
        "test_port.py",
    ),
    "limits' hash": Rule(
        "firmware_bridge/agreement.py", "hello.limits.hex() != body.limits_hash", "False", "test_link.py"
    ),
    "tighten only": Rule(
        "firmware_bridge/mcu/guard.py",
        "if not narrower or not low <= self.position[i] <= high:",
        "if False:",
        "test_tightening.py",
    ),
    "stall": Rule("firmware_bridge/mcu/vitals.py", "guard.stop(p.STALLED, False)", "pass", "test_vitals.py"),
    "end of a range": Rule(
        "firmware_bridge/mcu/guard.py",
        "return min(max(was + step, row[MIN]), row[MAX]) - was",
        "return step",
        "test_guard_orders.py",
    ),
    "torque off again": Rule(
        "firmware_bridge/mcu/boards/pca9685.py",
        "            self._put(ALL_OFF_HIGH, FULL_OFF)\n            self._driven = False\n",
        "            self._driven = False\n            self._put(ALL_OFF_HIGH, FULL_OFF)\n",
        "test_boards.py",
    ),
    "servos' driver": Rule(
        "firmware_bridge/mcu/loop.py", "self.guard.stop(p.SERVO_LOST, False)", "pass", "test_boards.py"
    ),
    "lost servo": Rule(
        "firmware_bridge/mcu/vitals.py",
        "if self._heard == (1 << self.guard.n) - 1:",
        "if True:",
        "test_vitals.py",
    ),
    "lease after a gap": Rule(
        "firmware_bridge/mover.py", "        if anew:\n", "        if True:\n", "test_clock.py"
    ),
    "wait for a first lease": Rule(
        "firmware_bridge/lease.py", "0 <= now_ms - self._armed_ms <= FIRST_LEASE_MS", "True", "test_lanes.py"
    ),
    "lease": Rule(
        "firmware_bridge/lease.py", "0 <= now_ms - self._renewed_ms <= LEASE_MS", "True", "test_bridge.py"
    ),
    "watchdog's condition": Rule(
        "firmware_bridge/mcu/loop.py",
        "        if behind_ms < 0:\n            return\n",
        "        if behind_ms < 0:\n            board.feed()\n            return\n",
        "test_boards.py",
    ),
}
RULES |= {
    "the pack's signature": Rule(
        "firmware_bridge/bridge.py",
        "starter.trusted_pack(config.pack, Here.of(body, p.VERSION))",
        "starter.load_pack(config.pack.path)",
        "test_bridge_pack.py",
    ),
    # One for each long proof: its short form can fail.
    "checksum on a spoilt line": replace(RULES["checksum"], tests="long frames"),
    "checksum on a noisy line": replace(RULES["checksum"], tests="long noise"),
    "lease, as the clock jumps": replace(RULES["lease"], tests="long clock"),
    "lease of a mind that is killed": replace(RULES["lease"], tests="long campaign"),
    "slew in a life": replace(RULES["slew"], tests="long idle_life"),
    "slew in a life of its own will": replace(RULES["slew"], tests="long living"),
    "tests that notice mutants": Rule(
        "tests/torture/mutants.py",
        "paths = [str(FOLDER / test) for test in TESTS[name]]",
        'paths = [str(FOLDER / "test_header.py")]',
        "long mutants",
    ),
    "sync of a release before it serves": Rule(
        "firmware_bridge/update/slots.py", "            self.disk.sync(draft / name)\n", "", "long updates"
    ),
}
SHORT = ("ttl of a setpoint", "ttl of a command", "clamp", "retained drop", "checksum", "latch")


def turns_red(tests: str, rule: Rule | None = None) -> bool:
    """Whether `tests` fail in a copy of the tree, whole or without a rule."""
    with tempfile.TemporaryDirectory(prefix="everpaw-") as name:
        folder = Path(name)
        for part in PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, folder / part)
        if rule is not None:
            _take_away(folder / rule.file, rule)
        # The copy comes first on the path, before the package that is installed.
        done = subprocess.run(
            _command(tests),
            cwd=folder,
            env={"PYTHONPATH": name, "PATH": "/usr/sbin:/usr/bin:/bin", "HOME": str(Path.home())},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode not in (PASSED, FAILED):
        raise SystemExit(
            f"{tests} does not run in a copy of the tree:\n{done.stdout[-2000:]}{done.stderr[-500:]}"
        )
    return done.returncode == FAILED


def _take_away(path: Path, rule: Rule) -> None:
    text = path.read_text()
    if text.count(rule.there) != 1:
        raise SystemExit(f"{rule.file} has {rule.there!r} {text.count(rule.there)} times; mend this table")
    without = text.replace(rule.there, rule.instead)
    compile(without, rule.file, "exec")
    path.write_text(without)


def _command(tests: str) -> list[str]:
    if tests.startswith(LONG):
        return [sys.executable, "-m", "tests.torture", tests.removeprefix(LONG), "--short"]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    return [*command, f"tests/firmware_bridge/{tests}"]


def pieces(short: bool) -> list[Piece]:
    """Each rule taken away, and each of their tests with nothing taken away: red there proves nothing."""
    names = SHORT if short else tuple(RULES)
    whole = sorted({RULES[name].tests for name in names})
    return [
        *(Piece(f"whole: {tests}", partial(_whole, tests)) for tests in whole),
        *(Piece(name, partial(_row, name)) for name in names),
    ]


def _whole(tests: str) -> Row:
    return {"rule": "", "tests": tests, "noticed": not turns_red(tests)}


def _row(name: str) -> Row:
    return {"rule": name, "noticed": turns_red(RULES[name].tests, RULES[name])}


def judge(rows: list[Row]) -> Verdict:
    broken = [row["tests"] for row in rows if not row["rule"] and not row["noticed"]]
    removed = [row for row in rows if row["rule"]]
    unnoticed = [row["rule"] for row in removed if not row["noticed"]]
    names = f": {', '.join(unnoticed)}" if unnoticed else ""
    words = f"{len(removed) - len(unnoticed)} of {len(removed)} rules removed turn tests red{names}"
    if broken:
        words += f"; red with nothing removed: {', '.join(broken)}"
    return Verdict(len(unnoticed) + len(broken), words)


PROOF = Proof(
    "without",
    "each safety rule, taken away, turns the tests red",
    (
        "firmware_bridge/**/*.py",
        "runtime/starter/__init__.py",
        "tests/firmware_bridge/*.py",
        "tests/torture/*.py",
    ),
    pieces,
    judge,
)
