"""An update is interrupted at every step, and killed at any moment: one whole release serves, old or new.

Every prefix of the updater's writes with each way of losing what was not synced; a disk that is full at every
step; SIGKILL at random moments. After each the robot goes on and ends with the new release.
"""

import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from runtime.contracts.errors import EverpawError, UpdateError
from runtime.contracts.keys import OWNER_PUBLIC
from tests.firmware_bridge.update.stage import Maker, Remote, Robot
from tests.torture.crashing_disk import LOSSES, FullDisk, RecordingDisk, prefixes
from tests.torture.ledger import Piece, Proof, Row, Verdict

HEAD = random.Random(3).randbytes(300_000)
KILL_WITHIN_S = 0.35
QUICK = Path("/dev/shm")
"""Where a sync costs nothing; what it promises is the recording disk's matter"""


@contextmanager
def scene() -> Iterator[tuple[Path, Maker, Path]]:
    """(scratch, a maker who offers two, a robot's folder that serves one)."""
    with tempfile.TemporaryDirectory(prefix="everpaw-", dir=QUICK if QUICK.is_dir() else None) as name:
        scratch = Path(name)
        maker = Maker(scratch / "maker")
        keys = scratch / "robot-keys"
        keys.mkdir()
        shutil.copy(maker.owner.folder / OWNER_PUBLIC, keys)
        for release in ("zero", "one"):
            maker.publish(release, grammar_yaml=release.encode())
            assert Robot(scratch / "one", keys).look(Remote(maker.repo)) == "done"
        maker.publish("two", grammar_yaml=b"two", wake_rex_onnx=HEAD)
        yield scratch, maker, keys


def serves_one_or_two(robot: Robot) -> str:
    """The release that serves, whole; AssertionError where there is none."""
    serving = robot.serving
    if serving not in ("one", "two"):
        raise AssertionError(serving)
    return serving


def goes_on(robot: Robot, maker: Maker) -> None:
    """What the next start does, then the next look: it must end with the new release."""
    robot.update().resume()
    serves_one_or_two(robot)
    assert robot.look(Remote(maker.repo)) in ("done", "up_to_date")
    assert robot.serving == "two"
    assert robot.slots.record().trial is None


def power_cuts(every: int = 1) -> Row:
    """After each prefix and each loss; every so many of them the robot also goes on to the end."""
    counts: dict[str, int] = {"old": 0, "new": 0}
    cases = 0
    with scene() as (scratch, maker, keys):
        shutil.copytree(scratch / "one", scratch / "run", symlinks=True)
        disk = RecordingDisk(scratch / "run")
        assert Robot(scratch / "run", keys, disk).look(Remote(maker.repo)) == "done"
        for number, model in prefixes(scratch / "one", disk.ops):
            for loss in LOSSES:
                left = model.leave(scratch / "left", loss)
                robot = Robot(left, keys)
                counts["new" if serves_one_or_two(robot) == "two" else "old"] += 1
                if cases % every == 0 or number == len(disk.ops):
                    goes_on(robot, maker)
                else:
                    robot.update().resume()
                    serves_one_or_two(robot)
                cases += 1
                shutil.rmtree(left)
    return {"steps": len(disk.ops), "cases": cases, **counts}


def full_disks() -> Row:
    """Room for 0, 1, 2, ... steps, until there is enough."""
    with scene() as (scratch, maker, keys):
        steps, root = 0, scratch / "left"
        while True:
            shutil.copytree(scratch / "one", root, symlinks=True)
            if _ends(Robot(root, keys, FullDisk(root, steps)), maker):
                return {"full": steps}
            serves_one_or_two(Robot(root, keys))
            goes_on(Robot(root, keys), maker)
            shutil.rmtree(root)
            steps += 1


def _ends(robot: Robot, maker: Maker) -> bool:
    """False where the disk was full; nothing else may go wrong."""
    try:
        return robot.look(Remote(maker.repo)) == "done"
    except UpdateError as error:
        if error.code != "disk_full":
            raise
        return False


def kills(number: int, seed: int = 7) -> Row:
    """SIGKILL of a real process at random moments."""
    rng, counts = random.Random(seed), {"old": 0, "new": 0, "ended before": 0}
    with scene() as (scratch, maker, keys):
        for _ in range(number):
            root = scratch / "left"
            shutil.copytree(scratch / "one", root, symlinks=True)
            command = [
                sys.executable,
                "-m",
                "tests.torture.updates",
                str(root),
                str(maker.repo),
                str(keys),
            ]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
                assert child.stdout is not None
                child.stdout.readline()
                time.sleep(rng.uniform(0, KILL_WITHIN_S))
                counts["ended before"] += child.poll() is not None
                child.kill()
            robot = Robot(root, keys)
            counts["new" if serves_one_or_two(robot) == "two" else "old"] += 1
            goes_on(robot, maker)
            shutil.rmtree(root)
    return {"kills": number, **counts}


def _child(root: Path, repo: Path, keys: Path) -> None:
    robot = Robot(root, keys)
    print("ready", flush=True)
    robot.look(Remote(repo))


def pieces(short: bool) -> list[Piece]:
    bunches, each = (1, 5) if short else (20, 10)
    return [
        Piece("power cuts", partial(_told, power_cuts, 9 if short else 1)),
        Piece("full disks", partial(_told, full_disks)),
        *(Piece(f"kills/{n}", partial(_told, kills, each, n)) for n in range(bunches)),
    ]


def _told(work: Callable[..., Row], *given: int) -> Row:
    """Its figures, or why it failed."""
    try:
        return work(*given)
    except (AssertionError, EverpawError) as error:
        return {"failed": str(error) or type(error).__name__}


def judge(rows: list[Row]) -> Verdict:
    failed = [row["failed"] for row in rows if "failed" in row]
    cases, steps, killed = (sum(row.get(name, 0) for row in rows) for name in ("cases", "full", "kills"))
    words = f"{cases} power cuts, {steps} full disks, {killed} kills: an old release or a new one served"
    return Verdict(len(failed), "; ".join(failed) or words)


PROOF = Proof(
    "updates",
    "whatever interrupts an update, one whole release serves",
    (
        "firmware_bridge/update/*.py",
        "runtime/contracts/pack.py",
        "tests/torture/updates.py",
        "tests/torture/crashing_disk.py",
        "tests/firmware_bridge/update/stage.py",
    ),
    pieces,
    judge,
)


if __name__ == "__main__":  # the process that is killed
    _child(*(Path(word) for word in sys.argv[1:]))
