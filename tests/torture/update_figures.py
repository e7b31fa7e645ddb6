"""What a small update costs: `python -m tests.torture.update_figures` prints bytes moved, and seconds.

A pack of 25 MB, the starter and ballast, with one head changed in every weight; over HTTP on this machine.
"""

import json
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import urllib3

from export.repository import offer
from firmware_bridge.update.source import Web
from runtime import starter
from runtime.contracts import messages as m
from runtime.contracts.keys import OWNER_PUBLIC
from tests.firmware_bridge.update.stage import Maker, Robot, web_server
from tests.packs import make_pack

PACK_BYTES = 25_000_000
HEADS = {
    "wake head, ONNX": ("wake/", ".onnx"),
    "wake head with its TFLite twin": ("wake/", ""),
    "stop head": ("stop/", ""),
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
    for changed, row in measure().items():
        print(json.dumps({"changed": changed, **row}))
