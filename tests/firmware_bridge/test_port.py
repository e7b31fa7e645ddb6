"""The port: found by its lasting name, opened without a reset, by one program only; heartbeats and bauds."""

import errno
import os
import pty
import termios
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from firmware_bridge import codec
from firmware_bridge.heartbeat import PERIOD_S, PROVEN_S, SAMPLES, WAITING_LIMIT, Heartbeat
from firmware_bridge.lease import FIRST_LEASE_MS, LEASE_MS, Lease
from firmware_bridge.link import BAUDS, PROBE_S
from firmware_bridge.mcu import protocol as p
from firmware_bridge.mcu.device import ECHO_TICKS
from firmware_bridge.mcu.frames import proof
from firmware_bridge.port import Port, cannot_open
from firmware_bridge.ports import Found, find_ports, resolve
from runtime.contracts.errors import LinkError
from tests.firmware_bridge.board import bench
from tests.firmware_bridge.test_link import STAND, order


@pytest.fixture
def line() -> Iterator[tuple[int, str]]:
    master, slave = pty.openpty()
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    os.close(master)
    os.close(slave)


def test_closing_does_not_drop_the_lines_that_reset_a_board(line: tuple[int, str]) -> None:
    port = Port(line[1], BAUDS[0])
    port.baud = BAUDS[1]
    assert not termios.tcgetattr(port.fileno())[2] & termios.HUPCL
    assert (port._serial.dtr, port._serial.rts) == (True, True), "both, and never toggled"
    port.close()


def test_a_second_program_is_refused(line: tuple[int, str]) -> None:
    port = Port(line[1], BAUDS[0])
    with pytest.raises(LinkError, match="end the program that uses the port"):
        Port(line[1], BAUDS[0])
    port.close()
    Port(line[1], BAUDS[0]).close()


@pytest.mark.parametrize(
    ("path", "reason"), [("/dev/none", "it is not there: plug the board in"), ("/dev/null", "no serial port")]
)
def test_what_cannot_be_opened_is_said_with_its_cure(path: str, reason: str) -> None:
    with pytest.raises(LinkError, match=f"cannot open {path}: .*{reason}"):
        Port(path, BAUDS[0])


def test_whoever_may_not_open_a_port_is_told_the_group() -> None:
    assert "-aG dialout" in str(cannot_open("/dev/ttyACM0", PermissionError(errno.EACCES, "denied")))


def test_a_frame_cut_short_by_a_full_line_does_not_spoil_the_next(line: tuple[int, str]) -> None:
    port = Port(line[1], BAUDS[0])
    frame = codec.frame_bytes(p.STATE, 1, 7, bytes(90))
    while port.write(frame):
        pass
    reader = codec.FrameReader()
    os.set_blocking(line[0], False)
    good = 0
    for _ in range(3):
        try:
            while data := os.read(line[0], 65_536):
                good += len(reader.feed(data))
        except BlockingIOError:
            port.write(frame)
    assert good > 2
    assert reader.bad <= 1
    port.close()


@dataclass
class Info:
    device: str
    vid: int | None
    pid: int | None
    serial_number: str | None


def test_ports_are_named_by_their_lasting_link(tmp_path: Path) -> None:
    device = tmp_path / "ttyACM0"
    device.touch()
    by_id = tmp_path / "by-id"
    by_id.mkdir()
    (by_id / "usb-MicroPython_Board-if00").symlink_to(device)
    infos = [
        Info(str(device), 0x2E8A, 0x0005, "e66"),
        Info("/dev/ttyS0", None, None, None),
        Info("/dev/ttyUSB9", 1, 2, None),
    ]
    found = find_ports(lambda: infos, by_id)
    assert [port.kind for port in found] == ["", "RP2040 or RP2350, MicroPython"]
    assert found[1].path == str(by_id / "usb-MicroPython_Board-if00")
    assert resolve("auto", lambda: found) == found[1].path
    assert resolve("id:e66", lambda: found) == found[1].path
    assert resolve("port:/dev/ttyS0", lambda: found) == "/dev/ttyS0"


@pytest.mark.parametrize(
    ("word", "count", "reason"),
    [
        ("auto", 0, "no board is plugged in"),
        ("auto", 2, "2 boards are plugged in; name one of id:a, id:b"),
        ("id:zz", 2, "no board has serial number 'zz'"),
        ("frob", 2, "'frob' names no board: give auto, id:SERIAL or port:PATH"),
    ],
)
def test_a_word_that_means_no_board_is_one_clear_line(word: str, count: int, reason: str) -> None:
    boards = [Found(f"/dev/{name}", f"/dev/{name}", name, "micro:bit") for name in "ab"[:count]]
    with pytest.raises(LinkError, match=reason):
        resolve(word, lambda: boards)


def test_a_board_at_another_speed_is_found() -> None:
    with bench() as board:
        board.link.close()
        board.link.open()
        for _ in range(int(PROBE_S * 100) + 5):
            board.now_s += 0.01
            board.link.poll()
        assert board.link.baud == BAUDS[1]
        board.run(10)
        assert board.link.ready
        assert board.link.baud == BAUDS[1]


def test_only_the_right_proof_counts() -> None:
    beat = Heartbeat()
    beat.begin(0.0)
    for number, spoil in enumerate(("", "proof", "boot", "seq")):
        now_s = 10.0 * (number + 1)
        due = beat.challenge(now_s)
        assert due is not None
        seq, challenge = due
        answer = proof(challenge, 5, 6) ^ (spoil == "proof")
        pong = codec.Pong(6 + (spoil == "boot"), seq + (spoil == "seq"), answer, 100)
        assert beat.answer(pong, 5, 6, now_s + 0.004) == (spoil == "")
        assert beat.alive(now_s + 0.01) == (spoil == "")
    assert (beat.proven, beat.wrong) == (1, 3)


def test_an_answer_counts_once_and_not_for_ever() -> None:
    beat = Heartbeat()
    seq, challenge = beat.challenge(1.0) or (0, 0)
    pong = codec.Pong(6, seq, proof(challenge, 5, 6), 100)
    assert beat.answer(pong, 5, 6, 1.1)
    assert not beat.answer(pong, 5, 6, 1.2)
    assert beat.alive(1.1 + PROVEN_S - 0.01)
    assert not beat.alive(1.1 + PROVEN_S)
    assert not beat.alive(1.0), "a clock that went back proves nothing"


def test_the_offset_comes_from_the_quickest_exchange_and_memory_is_bounded() -> None:
    beat = Heartbeat()
    for number in range(100):
        sent_s = number * 1.01 * PERIOD_S
        due = beat.challenge(sent_s)
        assert due is not None
        if number % 2:
            trip_s = 0.002 if number == 91 else 0.05
            tick = round((sent_s + trip_s / 2) * 100) + 500
            beat.answer(codec.Pong(6, due[0], proof(due[1], 5, 6), tick), 5, 6, sent_s + trip_s)
    assert beat.clock_offset_ms == pytest.approx(-5_000, abs=11)
    assert beat.round_trip_ms == pytest.approx(50)
    assert len(beat._waiting) <= WAITING_LIMIT
    assert len(beat._samples) == SAMPLES


def test_a_line_that_plays_back_old_frames_is_not_alive() -> None:
    with bench() as board:
        board.run(10)
        states = [codec.frame_bytes(p.STATE, 0, board.boot_id, bytes(p.STATE_SIZE + 22)) for _ in range(3)]
        for number in range(150):
            board.now_s += 0.01
            os.write(board.master, states[number % 3])
            board.link.poll()
        assert board.link.alive
        assert not board.link.ready
        assert board.link.stream(STAND, 100) is None


def test_setpoints_that_lay_in_a_buffer_are_stale_by_the_boards_own_clock() -> None:
    with bench() as board:
        board.run(10)
        assert order(board, p.ARM) == [p.OK]
        for late, applied in ((ECHO_TICKS + 1, False), (-1, False), (0x8000, False), (ECHO_TICKS, True)):
            stale, age = board.device.stale, board.guard.age
            payload = codec.setpoint(STAND, 100, board.device.ticks - late)
            for byte in codec.frame_bytes(p.SETPOINT, 9, board.boot_id, payload):
                board.device.receive(byte)
            assert (board.device.stale == stale, board.guard.age < age) == (applied, applied)


def test_the_lease_of_a_clock_that_jumps_is_gone() -> None:
    for jump_ms in (-3_600_000, 3_600_000, LEASE_MS + 1, -1):
        lease = Lease()
        lease.renew(10_000_000)
        assert lease.held(10_000_000)
        assert lease.change(10_000_000) is True
        assert not lease.may_hold_still(10_000_000 + jump_ms)
        assert lease.change(10_000_000 + jump_ms) is False


def test_the_first_lease_is_waited_for_so_long_and_no_longer() -> None:
    lease = Lease()
    assert not lease.may_hold_still(0), "nothing was armed"
    lease.begin_armed(1_000)
    assert lease.may_hold_still(1_000 + FIRST_LEASE_MS)
    assert not lease.missed(1_000 + FIRST_LEASE_MS)
    assert not lease.may_hold_still(999), "a clock that went back"
    assert not lease.may_hold_still(1_001 + FIRST_LEASE_MS)
    assert [lease.missed(1_001 + FIRST_LEASE_MS) for _ in range(2)] == [True, False]
    assert not lease.may_hold_still(1_000), "a wait that ended does not begin again by itself"
    lease.begin_armed(20_000)
    lease.renew(20_500)
    assert not lease.may_hold_still(20_501 + LEASE_MS), "after the first one there is nothing to wait for"
