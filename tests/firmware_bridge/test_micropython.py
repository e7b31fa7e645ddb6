"""The board's files under real MicroPython (its WebAssembly build, run by node): same wire, same guard.

The build is fetched by npm once into a cache; without node, npm or network the tests skip and say so.
"""

import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from firmware_bridge import dictionary
from firmware_bridge.mcu import limits
from firmware_bridge.mcu import protocol as p
from firmware_bridge.mcu.guard import Guard
from tests.firmware_bridge import golden

PACKAGE = "@micropython/micropython-webassembly-pyscript"
VERSION = "1.27.0"
FILES = ("__init__.py", *dictionary.FIRMWARE_FILES, "version.py")

RUNNER = """
import { readFileSync } from "fs";
const [module, input] = process.argv.slice(2);
const { loadMicroPython } = await import(module);
const job = JSON.parse(readFileSync(input, "utf8"));
const mp = await loadMicroPython({ heapsize: 1000000, stdout: (line) => console.log(line) });
mp.FS.mkdir("/mcu");
for (const [name, text] of Object.entries(job.files)) mp.FS.writeFile("/mcu/" + name, text);
mp.FS.writeFile("/job.json", JSON.stringify(job.data));
mp.runPython("import sys; sys.path.append('/')\\n" + job.script);
"""

FRAMES = """
import json, binascii
from mcu.frames import Decoder, WIRE_MAX, encode
out, decoder, bad = bytearray(WIRE_MAX), Decoder(), 0
for v in json.load(open("/job.json")):
    payload, wire = binascii.unhexlify(v["payload"]), binascii.unhexlify(v["wire"])
    n = encode(out, v["kind"], v["seq"], v["boot_id"], v["ack"], payload)
    bad += bytes(out[:n]) != wire
    hits = [decoder.feed(byte) for byte in wire]
    bad += hits[-1] is not True or any(hits[:-1])
    for name in ("kind", "seq", "boot_id", "ack"):
        bad += getattr(decoder, name) != v[name]
    bad += bytes(decoder.payload[:decoder.size]) != payload
print(json.dumps({"bad": bad, "good": decoder.good}))
"""

GUARD = """
import json, sys
from mcu import limits
from mcu.guard import Guard
guard, trace = Guard(limits.JOINTS, limits.RULES), []
for order in json.load(open("/job.json")):
    if order[0] == "tick":
        for _ in range(order[1]):
            guard.tick()
    else:
        getattr(guard, order[0])(*order[1:])
    trace.append([guard.state, guard.reason, guard.age, guard.clamped, guard.refused] + guard.position)
print(json.dumps({"implementation": sys.implementation.name, "trace": trace}))
"""

ALLOCATION = """
import gc, json
from mcu import limits
from mcu.guard import Guard
guard = Guard(limits.JOINTS, limits.RULES)
guard.tick(); guard.arm()
wild = [-8000, 0, 0, 0, 9000, 0, 0, 0, 8000, -4500, 0]
guard.setpoint(wild, 100); guard.tick()
def measure():
    before = gc.mem_alloc()
    for _ in range(200):
        guard.setpoint(wild, 100)
        guard.tick()
    for _ in range(400):
        guard.tick()
    return gc.mem_alloc() - before
gc.collect(); gc.disable()
print(json.dumps({"allocated": measure(), "state": guard.state}))
"""


@pytest.fixture(scope="module")
def module() -> Path:
    """micropython.mjs, from the cache or fetched."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    cache = (
        Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "everpaw" / f"micropython-{VERSION}"
    )
    found = cache / "node_modules" / PACKAGE / "micropython.mjs"
    if not found.is_file():
        if shutil.which("npm") is None:
            pytest.skip("npm is not installed")
        cache.mkdir(parents=True, exist_ok=True)
        command = [
            "npm",
            "install",
            "--prefix",
            str(cache),
            "--no-audit",
            "--no-fund",
            f"{PACKAGE}@{VERSION}",
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm could not fetch {PACKAGE} in 60 s")
        if done.returncode or not found.is_file():
            pytest.skip(f"npm could not fetch {PACKAGE}: {done.stderr.strip().splitlines()[-1:]}")
    return found


def run(module: Path, folder: Path, script: str, data: object) -> dict[str, object]:
    """Run `script` beside the board's files; the JSON object it prints last."""
    files = {name: (dictionary.MCU / name).read_text() for name in FILES}
    (folder / "runner.mjs").write_text(RUNNER)
    (folder / "job.json").write_text(json.dumps({"files": files, "script": script, "data": data}))
    done = subprocess.run(
        ["node", str(folder / "runner.mjs"), str(module), str(folder / "job.json")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-600:]
    answer: dict[str, object] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def test_golden_frames(module: Path, tmp_path: Path) -> None:
    vectors = golden.load()
    assert run(module, tmp_path, FRAMES, vectors) == {"bad": 0, "good": len(vectors)}


def some_orders() -> list[list[object]]:
    rng = random.Random(11)
    orders: list[list[object]] = [["tick", 1]]
    for _ in range(300):
        if rng.random() < 0.2:
            orders.append([rng.choice(["arm", "arm", "disarm", "halt", "stop", "clear"])])
        angles = [rng.randint(row[0] - 1_500, row[1] + 1_500) for row in limits.JOINTS]
        orders.append(["setpoint", angles, rng.choice([0, 30, 100, 250])])
        orders.append(["tick", rng.choice([1, 2, 2, 2, 5, 26, 60])])
    return orders


def test_guard_does_the_same_to_the_hundredth_of_a_degree(module: Path, tmp_path: Path) -> None:
    orders = some_orders()
    guard, trace = Guard(limits.JOINTS, limits.RULES), []
    for name, *args in orders:
        for _ in range(args[0] if name == "tick" else 1):  # type: ignore[call-overload]
            getattr(guard, str(name))(*([] if name == "tick" else args))
        trace.append([guard.state, guard.reason, guard.age, guard.clamped, guard.refused, *guard.position])
    assert {row[0] for row in trace} >= {p.DISARMED, p.ARMED, p.STOPPING, p.FAULT}
    assert run(module, tmp_path, GUARD, orders) == {"implementation": "micropython", "trace": trace}


def test_guard_allocates_nothing_in_the_tick(module: Path, tmp_path: Path) -> None:
    answer = run(module, tmp_path, ALLOCATION, None)
    assert answer == {"allocated": 0, "state": p.DISARMED}
