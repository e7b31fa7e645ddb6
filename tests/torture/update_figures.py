"""What a small update costs and how fast a bad one is gone: `python -m tests.torture.update_figures`.

A pack of 25 MB, the starter and ballast, with one head changed in every weight, over HTTP on this machine;
then releases whose health check fails, crashes and hangs, with the time limit of the settings.
"""

import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import urllib3

from export.repository import offer
from firmware_bridge.update import health
from firmware_bridge.update.source import Folder, Web
from runtime import starter
from runtime.contracts import messages as m
from runtime.contracts.config import RobotConfig
from runtime.contracts.keys import OWNER_PUBLIC
from tests.firmware_bridge.update.stage import Maker, Robot, web_server
from tests.packs import make_pack

PACK_BYTES = 25_000_000
HEADS = {
    "wake head, ONNX": ("wake/", ".onnx"),
    "wake head with its TFLite twin": ("wake/", ""),
    "stop head": ("stop/", ""),
}


ILL = {"name": "models", "well": False, "seen": "broken", "weight": "needed"}
CHECKS = {
    "fails": f"import sys; print({json.dumps(json.dumps(ILL))}); sys.exit(1)",
    "crashes": "import os; os.abort()",
    "hangs": "import time; time.sleep(600)",
}


class Counted(Web):
    """A web source that counts what comes, metadata and all."""

    moved = 0

    def _pieces(self, response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
        for piece in super()._pieces(response):
            self.moved += len(piece)
            yield piece


def measure() -> dict[str, Any]:
    """Head -> bytes moved, metadata and all; seconds to fetch, to verify and assemble, to switch."""
    rng, found = random.Random(7), {}
    base = starter.load_pack()
    files = {name: (base.folder / name).read_bytes() for name in base.manifest.files}
    files["ballast/data.bin"] = rng.randbytes(PACK_BYTES - base.manifest.size)
    with tempfile.TemporaryDirectory(prefix="everpaw-") as name:
        scratch = Path(name)
        maker, keys = Maker(scratch / "maker"), scratch / "keys"
        keys.mkdir()
        shutil.copy(maker.owner.folder / OWNER_PUBLIC, keys)
        for number, (what, (part, end)) in enumerate(HEADS.items()):
            _publish(maker, files, f"before {number}")
            robot = Robot(scratch / f"robot{number}", keys)
            with web_server(maker.repo) as url:
                robot.look(Web(url))
                changed = {
                    n: rng.randbytes(len(d))
                    for n, d in files.items()
                    if n.startswith(part) and n.endswith(end)
                }
                _publish(maker, files | changed, f"after {number}")
                robot.told.clear()
                times, source = _timed(robot), Counted(url)
                assert robot.look(source) == "done"
            found[what] = {"bytes_moved": source.moved, **times}
    return found


def bad_releases() -> dict[str, dict[str, float]]:
    """What the health check does -> seconds from the switch until the old release serves again."""
    found = {}
    for what, program in CHECKS.items():
        with tempfile.TemporaryDirectory(prefix="everpaw-") as name:
            maker = Maker(Path(name) / "maker")
            robot = Robot(Path(name) / "robot", maker.owner.folder)
            for release in ("one", "two"):
                maker.publish(release, grammar_yaml=release.encode())
                began_s = time.perf_counter()
                status = robot.look(Folder(maker.repo))
                limit_s = RobotConfig().update.health_limit_s
                robot._examine = partial(health.examine, [sys.executable, "-c", program], limit_s)  # type: ignore[method-assign]
            assert (status, robot.serving) == ("rolled_back", "one")
            found[f"its health check {what}"] = {"serves_again_s": round(time.perf_counter() - began_s, 2)}
    return found


def _publish(maker: Maker, files: dict[str, bytes], name: str) -> None:
    pack = make_pack(maker.folder / "packs" / name, files, name)
    signed = starter.load_pack(maker.owner.sign(pack), maker.owner.folder)
    maker.at().publish(signed, maker.signers, offer(name, "stable", 100, ""))


def _timed(robot: Robot) -> dict[str, float]:
    """Filled when the job's trial begins: how long each stage took, seconds."""
    began: dict[str, float] = {}
    times: dict[str, float] = {}

    class Told(list[m.JobState]):
        def append(self, state: m.JobState) -> None:
            began.setdefault(state.status, time.perf_counter())
            if state.status == "trial":
                times["fetch_s"] = round(began["verifying"] - began["checking"], 3)
                times["verify_and_assemble_s"] = round(began["switching"] - began["verifying"], 3)
                times["switch_s"] = round(began["trial"] - began["switching"], 3)
            super().append(state)

    robot.told = Told()
    return times


if __name__ == "__main__":
    for what, row in (measure() | bad_releases()).items():
        print(json.dumps({"release": what, **row}), flush=True)
