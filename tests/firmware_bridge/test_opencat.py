"""OpenCat's format there and back, byte for byte; a Petoi robot behind our guard, without guarantee."""

import os
import pty
import random
import struct
import tty
from contextlib import suppress

import pytest
import serial

from firmware_bridge import bittle, opencat, petoi
from firmware_bridge.mcu import protocol as p
from runtime.contracts.errors import PackError

VECTORS = """
// a posture, a gait of three frames and a behaviour, written for this test in the documented layout
const int8_t proud[] PROGMEM = {
1, 0, -10, 1,
0, 12, 0, 0, 0, 0, 0, 0, 40, 40, 55, 55, -10, -10, 3, 3, };
const int8_t amble[] PROGMEM = { 3, 0, 0, 1,
 20, 30, 31, -32, 5, 6, 7, 8, /* a comment, 9, 9 */
 21, 30, 31, -33, 5, 6, 7, 8,
 22, 30, 31, -34, 5, 6, 7, -128, };
const char hello[] PROGMEM = { -2, 0, 5, 2, 0, 1, 3,
 0, 0, 0, 0, 0, 0, 0, 0, 10, 20, 30, 40, 50, 60, 63, -63, 8, 2, 0, 0,
 -30, 0, 0, 0, 0, 0, 0, 0, 10, 20, 30, 40, 50, 60, 63, -63, 4, 0, 1, -15 };
int other[] = { 1, 2 };
"""


def test_each_kind_is_read() -> None:
    proud, amble, hello = opencat.parse(VECTORS)
    assert (proud.name, proud.kind, proud.pitch, len(proud.frames)) == ("proud", "posture", -10, 1)
    assert (amble.kind, len(amble.frames), amble.angles_deg(2)[15]) == ("gait", 3, -128)
    assert (hello.kind, hello.loop, hello.angles_deg(1)[0]) == ("behaviour", (0, 1, 3), -60)


def test_bytes_come_back_exactly() -> None:
    skills = opencat.parse(VECTORS)
    assert opencat.parse(opencat.header(skills)) == skills
    for skill in skills:
        assert opencat.to_bytes(opencat.from_bytes(skill.name, opencat.to_bytes(skill))) == opencat.to_bytes(
            skill
        )


def test_any_bytes_of_the_right_length_come_back_exactly() -> None:
    rng = random.Random(1)
    for number in range(600):
        count = rng.choice([1, rng.randint(2, 90), -rng.randint(1, 40)])
        kind, head = ("behaviour", 7) if count < 0 else ("posture" if count == 1 else "gait", 4)
        body = rng.randbytes(head - 1 + abs(count) * {"behaviour": 20, "posture": 16, "gait": 8}[kind])
        data = struct.pack("b", count) + body
        skill = opencat.from_bytes(f"s{number}", data)
        assert skill.kind == kind
        assert opencat.to_bytes(skill) == data
        assert opencat.to_bytes(opencat.parse(opencat.header([skill]))[0]) == data


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("const int8_t a[] = { 1, 0, 0, 1, 2 };", "a posture of 1 frames has 20 bytes, not 5"),
        ("const int8_t a[] = { 0, 0, 0, 1 };", "no OpenCat skill"),
        ("const int8_t a[] = { };", "no OpenCat skill"),
        ("const int8_t a[] = { 200, 0, 0, 1 };", "signed bytes"),
        ("const int8_t a[] = { x };", "signed bytes"),
    ],
)
def test_what_is_no_skill_is_refused_by_name(text: str, reason: str) -> None:
    with pytest.raises(PackError, match=f"a: .*{reason}|{reason}"):
        opencat.parse(text)


def test_a_petoi_robot_is_driven_behind_our_guard_and_rests_without_torque() -> None:
    board_master, board_slave = pty.openpty()
    robot_master, robot_slave = pty.openpty()
    for end in (board_slave, robot_slave):
        tty.setraw(end)
    os.set_blocking(robot_master, False)
    wire = serial.Serial(os.ttyname(robot_slave), petoi.BAUD, timeout=0)
    board = petoi.PetoiBoard(board_master, wire)
    said = b""
    try:
        for tick in range(120):
            board.feel()
            board.device.tick()
            board.moved()
            if tick == 3:
                assert board.guard.arm() == p.OK
            if 3 < tick < 40:
                board.guard.setpoint([3_000, 6_000] * 4 + [0, 0, 0], 100)
            with suppress(BlockingIOError):
                said += os.read(robot_master, 65_536)
        tokens = said.split(b"\n")[:-1]
        assert tokens[0].startswith(b"i")
        assert all(abs(int(word)) <= bittle.MOST_DEG for word in tokens[-2][1:].split())
        assert len(tokens) <= 120 // petoi.EVERY_TICKS + 2
        assert board.guard.state == p.DISARMED
        assert tokens[-1] + b"\n" == petoi.REST_TOKEN, "the deadline of our guard puts the robot to rest"
    finally:
        wire.close()
        for end in (board_master, board_slave, robot_master, robot_slave):
            os.close(end)


def test_the_missing_guarantee_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        petoi.main(["--help"])
    assert "WITHOUT the safety guarantee" in " ".join(capsys.readouterr().out.split())


PETOIS_WAY = """#define BITTLE
//number of skills: 4

const int8_t trF[] PROGMEM = { 
2, 0, -15, 1,
  41, -44,   5,  30,   9, -13,  11,   3,
  46,  35,-125,   9,  11,   2, -16,   0,
};
const int8_t zero[] PROGMEM = { 
1, 0, 0, 1,
    0,   0,   0,   0,   0,   0,   0,   0,  11,  11,  11,  11,  22,  22,  22,  22,};

const int8_t roll[] PROGMEM = { 
-2, 0, 0, 2,
 0, 1, -1, 
  -15, -40,  22,   0,   0,   0,   0,   0, -84,-125,  60,  90,  42,  19,  61,  42,\t48, 0, 0, 0,
    0,   0,   0,   0,   0,   0,   0,   0,  16,  16,  16,  16,  15,  15,  15,  15,\t 8,20,-1,-30,
};
  static const signed char PROGMEM nap [27] = {-1,0,0,1,\r
 0,0,0,\r
 0,0,0,0,0,0,0,0,1,2,3,4,5,6,7,8, 4,0,0,0};\r
  const char* skillNameWithType[]={"trFI","zeroN","rollI","napI",};
#if !defined(MAIN_SKETCH) || !defined(I2C_EEPROM)
\t\t//if it is not the main sketch, const int8_t old[] PROGMEM = { 7, 7 };
  const int8_t* progmemPointer[] = {trF, zero, roll, nap, };
#else\t//only the new ones
  const int8_t* progmemPointer[] = {zero, };
#endif
//the total byte of instincts is 115
"""


def test_petois_own_way_of_writing_is_read() -> None:
    found = {skill.name: skill for skill in opencat.parse(PETOIS_WAY)}
    assert list(found) == ["trF", "zero", "roll", "nap"]
    assert (found["trF"].pitch, found["trF"].frames[1][2]) == (-15, -125)
    assert (found["roll"].ratio, found["roll"].loop) == (2, (0, 1, -1))
    assert found["roll"].frames[1][16:] == (8, 20, -1, -30)
    assert found["nap"].frames == ((0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 4, 0, 0, 0),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("#define NYBBLE\n" + VECTORS, "of a Nybble"),
        ("const int8_t a[] PROGMEM = { 1, 0, 0, 1,", "a: its array is not closed"),
        ("const int8_t a[] PROGMEM = MACRO;", "a: its array is not closed"),
        (VECTORS + VECTORS.replace("-10, 1,", "-11, 1,"), "proud stands there twice"),
    ],
)
def test_what_would_be_read_wrongly_or_left_out_is_told(text: str, reason: str) -> None:
    with pytest.raises(PackError, match=reason):
        opencat.parse(text)


def test_the_same_skill_twice_is_one() -> None:
    assert opencat.parse(VECTORS + VECTORS) == opencat.parse(VECTORS)
