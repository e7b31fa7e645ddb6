"""The link over a real pty to the firmware's own device, clean and noisy."""

from dataclasses import replace

import pytest

from firmware_bridge import codec
from firmware_bridge.agreement import mismatch
from firmware_bridge.link import Link
from firmware_bridge.mcu import protocol as p
from firmware_bridge.orders import QUEUE_LIMIT
from runtime.contracts.body import load_body
from runtime.contracts.errors import LinkError
from tests.firmware_bridge.board import Bench, bench
from tests.firmware_bridge.conducted import Conducted

STAND = [joint.rest_deg for joint in load_body().joints]


def order(board: Bench, kind: int, ticks: int = 150) -> list[int | None]:
    answers: list[int | None] = []
    board.link.order(kind, answers.append)
    for _ in range(ticks):
        if answers:
            break
        board.run()
    return answers


def test_hello_first_then_state() -> None:
    with bench() as board:
        assert not board.link.ready
        board.run(10)
        assert board.link.ready
        assert board.link.hello is not None
        assert board.link.hello.boot_id == board.boot_id
        assert board.link.state is not None
        assert board.link.mcu_state == p.DISARMED


def test_nothing_streams_before_hello() -> None:
    with bench() as board:
        assert board.link.stream(STAND, 100) is None


def test_arm_stream_and_read_back() -> None:
    with bench() as board:
        board.run(10)
        assert order(board, p.ARM) == [p.OK]
        for _ in range(100):
            board.link.stream(STAND, 100)
            board.run(2)
        assert board.link.mcu_state == p.ARMED
        assert board.link.state is not None
        assert board.link.state.angles_deg == pytest.approx(STAND)


def test_the_board_stops_when_the_stream_does() -> None:
    with bench() as board:
        board.run(10)
        order(board, p.ARM)
        for _ in range(10):
            board.link.stream(STAND, 100)
            board.run(2)
        board.run(25)
        assert board.guard.state == p.STOPPING
        board.run(100)
        assert board.link.mcu_state == p.DISARMED


def test_a_repeated_setpoint_frame_feeds_no_deadline() -> None:
    with bench() as board:
        board.run(10)
        order(board, p.ARM)
        frame = codec.frame_bytes(
            p.SETPOINT, 9, board.boot_id, codec.setpoint(STAND, 100, board.device.ticks)
        )
        for _ in range(30):
            for byte in frame:
                board.device.receive(byte)
            board.run()
        assert board.guard.state == p.STOPPING


@pytest.mark.parametrize("boot_id", [0, 1])
def test_frames_for_another_life_of_the_board_are_refused(boot_id: int) -> None:
    with bench() as board:
        board.run(10)
        for byte in codec.frame_bytes(p.ARM, 77, boot_id):
            board.device.receive(byte)
        assert board.guard.state == p.DISARMED
        for byte in codec.frame_bytes(p.STOP, 78, boot_id):
            board.device.receive(byte)
        assert board.guard.state == p.FAULT


def test_a_resent_order_is_done_once_and_answered_again() -> None:
    with bench() as board:
        board.run(10)
        arm = codec.frame_bytes(p.ARM, 77, board.boot_id)
        for byte in arm:
            board.device.receive(byte)
        board.run_silent(120)
        assert board.guard.state == p.DISARMED
        for byte in arm:
            board.device.receive(byte)
        assert board.guard.state == p.DISARMED


@pytest.mark.parametrize("corrupt", [0.001, 0.01])
def test_reliable_orders_arrive_on_a_noisy_line(corrupt: float) -> None:
    with bench(corrupt) as board:
        board.run(100)
        for _ in range(20):
            assert order(board, p.ARM) == [p.OK]
            for _ in range(10):
                board.link.stream(STAND, 100)
                board.run(2)
            assert order(board, p.STOP) == [p.OK]
            board.run(5)
            assert order(board, p.CLEAR) == [p.OK]
        assert board.link.counters.bad + board.device.decoder.bad > 0


def test_a_board_that_never_answers_fails_the_order() -> None:
    with bench() as board:
        board.run(10)
        answers: list[int | None] = []
        board.link.order(p.ARM, answers.append)
        for _ in range(210):
            board.now_s += 0.01
            board.link.poll()
        assert answers == [None]


def test_stop_overtakes_waiting_orders() -> None:
    with bench() as board:
        board.run(10)
        answers: dict[str, int | None] = {}
        board.link.order(p.CLEAR, lambda code: answers.update(clear=code))
        board.link.order(p.ARM, lambda code: answers.update(arm=code))
        board.link.order(p.STOP, lambda code: answers.update(stop=code))
        board.run(5)
        assert board.guard.state == p.FAULT
        assert answers == {"clear": None, "arm": None, "stop": p.OK}


def test_waiting_orders_are_bounded() -> None:
    with bench() as board:
        answers: list[int | None] = []
        for _ in range(QUEUE_LIMIT + 5):
            board.link.order(p.HALT, answers.append)
        assert len(answers) == 6  # HELLO waits too


def test_a_restarted_board_is_greeted_anew_and_stays_disarmed() -> None:
    with bench() as board:
        board.run(10)
        order(board, p.ARM)
        board.restart()
        board.run(30)
        assert board.link.ready
        assert board.link.boot_id == board.boot_id
        assert board.link.mcu_state == p.DISARMED


def test_a_new_session_takes_the_arms_away() -> None:
    with bench() as board:
        board.run(10)
        order(board, p.ARM)
        board.link.close()
        board.link.open()
        board.run(3)
        assert board.guard.state in (p.STOPPING, p.DISARMED)
        assert board.guard.reason == p.NEW_SESSION


def test_other_limits_are_a_mismatch_that_names_the_side_to_flash() -> None:
    with bench(limits_hash=bytes(8)) as board:
        board.run(10)
        assert not board.link.ready
        assert "limits 0000000000000000" in board.link.mismatch
        assert "flash the board" in board.link.mismatch
        assert board.link.stream(STAND, 100) is None


def test_a_bridge_says_a_mismatch_once_and_moves_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with bench(limits_hash=bytes(8)) as board:
        rig = Conducted(board, state=None)
        rig.run(3_000)
        assert [record.message for record in caplog.records] == [board.link.mismatch]
        assert rig.state.fault == board.link.mismatch
        assert board.guard.state == p.DISARMED


def test_an_older_or_newer_protocol_says_which_side_to_renew() -> None:
    body = load_body()
    same = codec.Hello(
        1, 1, p.VERSION, p.FIRMWARE, bytes(8), p.DICTIONARY_HASH, bytes.fromhex(body.limits_hash), 11, 10, 0
    )
    assert mismatch(same, body) == ""
    assert "flash the board" in mismatch(replace(same, dictionary=bytes(8)), body)
    newer = replace(same, protocol=p.VERSION + 1, firmware=p.FIRMWARE + 1)
    assert "update everpaw" in mismatch(newer, body)
    assert "moves no body" in mismatch(replace(same, joints=0, limits=bytes(8)), body)


def test_a_missing_port_is_one_clear_line() -> None:
    with pytest.raises(LinkError, match=r"cannot open /dev/does-not-exist: .*plug the board in"):
        Link("/dev/does-not-exist", load_body(), lambda: 0.0).open()
