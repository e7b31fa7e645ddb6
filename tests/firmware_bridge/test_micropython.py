"""The board's files under real MicroPython: the same wire, guard and device; no tick allocates."""

import binascii
import random
from pathlib import Path

from firmware_bridge import codec
from firmware_bridge.mcu import limits
from firmware_bridge.mcu import protocol as p
from firmware_bridge.mcu.device import Device
from firmware_bridge.mcu.guard import Guard
from firmware_bridge.mcu.vitals import Vitals
from firmware_bridge.sim import NoisyLine
from tests.firmware_bridge import golden, micropython

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
from mcu.vitals import Vitals
guard = Guard(limits.JOINTS, limits.RULES)
vitals = Vitals(guard, limits, 1 | 2 | 4 | 32)
def feel():
    vitals.feel_supply(7800); vitals.feel_temperature(30); vitals.feel_tilt(1, -1)
    for i in range(guard.n):
        vitals.feel_position(i, guard.position[i])
feel(); vitals.tick(); guard.tick(); guard.arm()
wild = [-8000, 0, 0, 0, 9000, 0, 0, 0, 8000, -4500, 0]
guard.setpoint(wild, 100); guard.tick()
def measure():
    before = gc.mem_alloc()
    for _ in range(200):
        guard.setpoint(wild, 100)
        feel()
        vitals.tick()
        guard.tick()
    for _ in range(400):
        feel()
        vitals.tick()
        guard.tick()
    return gc.mem_alloc() - before
gc.collect(); gc.disable()
print(json.dumps({"allocated": measure(), "state": guard.state}))
"""


DEVICE = """
import binascii, json
from mcu import limits
from mcu.device import Device
from mcu.guard import Guard
from mcu.vitals import Vitals
sent = []
guard = Guard(limits.JOINTS, limits.RULES)
vitals = Vitals(guard, limits, 1 | 4)
def write(out, n):
    sent.append(bytes(out[:n]))
device = Device(guard, vitals, 515, limits.LIMITS_HASH, b"12345678", write)
for line in json.load(open("/job.json")):
    vitals.feel_supply(line["mv"])
    vitals.feel_tilt(line["roll"], 0)
    for byte in binascii.unhexlify(line["wire"]):
        device.receive(byte)
    device.tick()
wire = b"".join(sent)
print(json.dumps({"sent": binascii.crc32(wire), "bytes": len(wire), "state": guard.state}))
"""


def test_golden_frames(tmp_path: Path) -> None:
    vectors = golden.load()
    assert micropython.run(tmp_path, FRAMES, vectors) == {"bad": 0, "good": len(vectors)}


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


def test_guard_does_the_same_to_the_hundredth_of_a_degree(tmp_path: Path) -> None:
    orders = some_orders()
    guard, trace = Guard(limits.JOINTS, limits.RULES), []
    for name, *args in orders:
        for _ in range(args[0] if name == "tick" else 1):  # type: ignore[call-overload]
            getattr(guard, str(name))(*([] if name == "tick" else args))
        trace.append([guard.state, guard.reason, guard.age, guard.clamped, guard.refused, *guard.position])
    assert {row[0] for row in trace} >= {p.DISARMED, p.ARMED, p.STOPPING, p.FAULT}
    assert micropython.run(tmp_path, GUARD, orders) == {"implementation": "micropython", "trace": trace}


def test_guard_allocates_nothing_in_the_tick(tmp_path: Path) -> None:
    answer = micropython.run(tmp_path, ALLOCATION, None)
    assert answer == {"allocated": 0, "state": p.DISARMED}


def some_lines() -> list[dict[str, object]]:
    """What a host might send, some of it garbled, with a battery that sags and a fall."""
    rng, noise = random.Random(7), NoisyLine(0.01, 7)
    lines: list[dict[str, object]] = []
    for number in range(1_500):
        kinds = [p.ARM, p.DISARM, p.HALT, p.CLEAR, p.STOP, p.LEAVE] if rng.random() < 0.02 else []
        wire = b"".join(codec.frame_bytes(kind, number & 0xFF, 515) for kind in kinds[: rng.randint(0, 6)])
        if number % 300 == 5:
            wire += codec.frame_bytes(p.HELLO_ASK, 1, 0, codec.hello_ask(number, bytes(8)))
        if number % 50 == 20:
            wire += codec.frame_bytes(p.CLEAR, number & 0xFF, 515)
            wire += codec.frame_bytes(p.ARM, number + 1 & 0xFF, 515)
        if number % 20 == 7:
            wire += codec.frame_bytes(p.PING, number & 0xFF, 515, codec.ping(rng.getrandbits(32)))
            wire += codec.frame_bytes(p.TIGHTEN, 9, 515, codec.tighten(10, (-6_000, 6_000, 400, 80)))
        angles = [rng.uniform(row[0] - 500, row[1] + 500) / 100 for row in limits.JOINTS]
        echo = number - rng.choice([0, 0, 5, 30])
        wire += codec.frame_bytes(p.SETPOINT, number & 0xFF, 515, codec.setpoint(angles, 100, echo))
        sagging = 900 < number < 1_100
        lines.append(
            {
                "wire": noise.spoil(wire).hex(),
                "mv": 6_000 if sagging else 7_800,
                "roll": 80 * (number % 400 > 390),
            }
        )
    return lines


def test_device_answers_the_same_bytes(tmp_path: Path) -> None:
    sent: list[bytes] = []
    guard = Guard(limits.JOINTS, limits.RULES)
    vitals = Vitals(guard, limits, p.SUPPLY | p.TILT)
    device = Device(
        guard, vitals, 515, limits.LIMITS_HASH, b"12345678", lambda out, n: sent.append(bytes(out[:n]))
    )
    states = set()
    lines = some_lines()
    for line in lines:
        vitals.feel_supply(line["mv"])  # type: ignore[arg-type]
        vitals.feel_tilt(line["roll"], 0)  # type: ignore[arg-type]
        for byte in bytes.fromhex(str(line["wire"])):
            device.receive(byte)
        device.tick()
        states.add(guard.state)
    assert states == {p.DISARMED, p.ARMED, p.STOPPING, p.FAULT}
    wire = b"".join(sent)
    expected = {"sent": binascii.crc32(wire), "bytes": len(wire), "state": guard.state}
    assert micropython.run(tmp_path, DEVICE, lines) == expected
