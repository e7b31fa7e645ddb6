"""Every board file runs under MicroPython with a `machine` that remembers; its loop alone feeds the dog."""

import json
from pathlib import Path

import pytest

from firmware_bridge.flash import plan
from firmware_bridge.mcu import limits
from firmware_bridge.mcu import protocol as p
from tests.firmware_bridge import fake_machine, micropython

SCRIPT = """
import json, machine, os, sys
sys.modules.pop("micropython", None)
job = json.load(open("/job.json"))
import boot
import board
machine.ADC.values = {26: 52000, 1: 52000, 4: 14000}
told = {}
def reply(frame):
    if frame[4] == 0x83 and frame[5] == 0x2A:
        for at in range(7, len(frame) - 1, 3):
            told[frame[at]] = (frame[at + 1], frame[at + 2])
    if frame[4] != 2:
        return b""
    answer = [0xFF, 0xFF, frame[2], 10, 0] + list(told.get(frame[2], (0, 8))) + [0, 0, 0, 0, 78, 30]
    return bytes(answer + [~sum(answer[2:]) & 0xFF])
machine.UART.reply = staticmethod(reply)
from mcu.loop import Loop
made = board.Board()
now, inbox, outbox = [0], bytearray(), bytearray()
made.ticks_ms = lambda: now[0]
made.ticks_diff = lambda a, b: a - b
made.ticks_add = lambda a, b: a + b
def read():
    n = min(len(inbox), 64)
    made.received[:n] = inbox[:n]
    inbox[:n] = b""
    return n
made.read = read
real_write = made.write
made.write = lambda out, n: outbox.extend(bytes(out[:n]))
made.boot_id = lambda: 515
loop = Loop(made)
loop.start()
from mcu import protocol as p
def run(ticks, step_ms=10):
    for _ in range(ticks):
        now[0] += step_ms
        loop.step()
def torque():
    if job["servos"] == "feetech":
        limp = b"\\xff\\xff\\xfe\\x04\\x03\\x28\\x00\\xd2"
        said = [f for f in machine.UART.sent if f == limp or (f[4] == 0x83 and f[5] == 0x28)]
        return said[-1] != limp
    if job["servos"] == "pca9685":
        return machine.I2C.written.get((0x40, 0xFD)) != b"\\x10" or (0x40, 6) in machine.I2C.written
    return machine.PWM.made[0].ns > 0
seen = {}
run(30)
seen["booted"] = [loop.guard.state, loop.guard.unfit, torque(), machine.WDT.timeout]
seen["have"] = made.HAVE
seen["armed"] = loop.guard.arm()
machine.UART.sent.clear()
loop.vitals._heard = 0
run(5)
seen["driven"] = torque()
seen["positions"] = bin(loop.vitals._heard).count("1") if job["servos"] == "feetech" else 5
seen["fed"] = machine.WDT.fed
loop.guard.stop()
run(80)
seen["stopped"] = [loop.guard.state, torque()]
late = loop.device.late
now[0] += 100
loop.step()
seen["late"] = loop.device.late - late
fed = machine.WDT.fed
now[0] += 5
loop.step()
seen["fed_without_a_tick"] = machine.WDT.fed - fed
machine.Pin.levels[13] = 1
run(30)
loop.guard.clear()
seen["estop"] = [loop.guard.unfit, loop.vitals.flags & 2]
machine.Pin.levels[13] = 0
run(30)
loop.guard.clear()
loop.guard.arm()
run(5)
if job["servos"] == "pca9685":
    machine.I2C.gone = 0x40
    machine.I2C.written.pop((0x40, 0xFD))
    run(3)
    seen["cut"] = [loop.guard.state, loop.guard.reason, machine.Pin.levels[board.PINS["enable"]]]
    machine.I2C.gone = None
    run(3)
    seen["back"] = [machine.I2C.written.get((0x40, 0xFD)) == b"\\x10", loop.guard.torque]
    machine.I2C.written[(0x40, 0)] = b"\\x11"
    loop.guard.clear()
    loop.guard.arm()
    run(3)
    seen["reset"] = [loop.guard.reason, machine.I2C.written[(0x40, 0)] == b"\\x20"]
else:
    machine.I2C.gone = 0x68
    for _ in range(150):
        loop.guard.setpoint(loop.guard.safe, 100)
        run(1)
    seen["cut"] = [loop.guard.state, loop.guard.reason, loop.vitals.silent]
import select, sys
select.room[0] = 3
out = []
class Line:
    buffer = None
    def write(self, data):
        out.append(bytes(data))
Line.buffer = Line()
sys.modules["boards.chassis"].sys = type("S", (), {"stdout": Line, "stdin": sys.stdin})
for _ in range(3):
    real_write(b"frame", 5)
select.room[0] = 100
real_write(b"whole", 5)
seen["wrote"] = b"".join(out).decode()
made.leave()
seen["left"] = [machine.resets, "maintenance" in os.listdir()]
print(json.dumps(seen))
"""
BOARDS = [("rp2", "native"), ("rp2", "pca9685"), ("esp32s3", "feetech"), ("esp32s3", "pca9685")]


@pytest.mark.parametrize(("name", "servos"), BOARDS)
def test_a_board_boots_disarmed_arms_stops_and_feeds_its_watchdog_only_after_a_tick(
    name: str, servos: str, tmp_path: Path
) -> None:
    kind = next(kind for kind in plan.KINDS if kind.name == name)
    files = {f"/{file.path}": file.data.decode() for file in plan.files_for(kind)}
    files |= {"/machine.py": fake_machine.MACHINE, "/esp32.py": fake_machine.ESP32}
    files |= {"/select.py": fake_machine.SELECT}
    files["/wiring.py"] = f"SERVOS = {servos!r}\n"
    files["/micropython.py"] = "def kbd_intr(n):\n    pass\n"
    job = {"servos": servos, "joints": len(limits.JOINTS)}
    seen = micropython.run(tmp_path, SCRIPT, job, files=files)
    disarmed, armed_ok, fault, estop = 1, 0, 4, 12
    watchdog_ms = 500 if name == "rp2" else 1_000
    assert seen["booted"] == [disarmed, 0, False, watchdog_ms], json.dumps(seen)
    assert seen["armed"] == armed_ok
    assert seen["driven"] is True
    assert seen["fed"] == 35
    assert seen["positions"] == 5, "bus servos are heard while they are driven"
    assert seen["stopped"] == [fault, False] or servos == "pca9685"
    assert seen["late"] == 10 or seen["late"] == 9
    assert seen["fed_without_a_tick"] == 0
    assert seen["estop"] == [estop, 2]
    if servos == "pca9685":
        assert seen["cut"] == [fault, p.SERVO_LOST, 1], "the pin cuts the outputs that the bus cannot"
        assert seen["back"] == [True, False], "release is asked again until the chip answers"
        assert seen["reset"] == [p.SERVO_LOST, True], "a chip that was reset is set up anew, unarmed"
    else:
        assert seen["cut"] == [fault, p.SENSE_LOST, p.TILT]
    assert seen["wrote"] == "fra\0whole", "a full line loses bytes, and never waits"
    assert seen["left"] == [1, True]


SERVO = """
import json
from boards.servo import Mounting
m = Mounting(((0, 1, 0), (1, -1, 6000)), (100, 0))
asked = ((0, 0), (0, 9000), (0, -30000), (1, 6000), (1, 15000))
out = [m.pulse_us(joint, angle) for joint, angle in asked]
back = [m.angle(j, m.turned(j, a)) - a for j in (0, 1) for a in (-500, 0, 1234)]
try:
    Mounting(((0, 1, 0),), (2001,))
    refused = False
except ValueError:
    refused = True
print(json.dumps({"out": out, "back": back, "refused": refused}))
"""


def test_a_pulse_stays_within_what_a_servo_takes_and_trims_are_bounded(tmp_path: Path) -> None:
    files = {f"/boards/{n}": (plan.MCU / "boards" / n).read_text() for n in ("__init__.py", "servo.py")}
    seen = micropython.run(tmp_path, SERVO, files=files)
    assert seen == {"out": [1511, 2500, 500, 1500, 500], "back": [0] * 6, "refused": True}
