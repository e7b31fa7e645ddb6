"""A pack may only tighten the limits: in its file, on the host, and again on the board."""

from pathlib import Path

import pytest

from firmware_bridge.mcu import limits
from firmware_bridge.mcu import protocol as p
from firmware_bridge.mcu.guard import ACCEL, MAX, MIN, SPEED, Guard
from runtime.contracts.body import load_body
from runtime.contracts.body.tightening import (
    JointTightening,
    Tightening,
    load_tightened,
    tightened,
    tightened_by,
)
from runtime.contracts.errors import PackError
from runtime.contracts.pack import verify
from tests.firmware_bridge.board import bench
from tests.firmware_bridge.test_link import STAND, order
from tests.packs import make_pack

NARROW = tightened(load_body(), Tightening(joints={"tail": JointTightening(max_deg=20, max_speed_deg_s=100)}))
TAIL = load_body().names.index("tail")


def resting() -> Guard:
    guard = Guard(limits.JOINTS, limits.RULES)
    guard.tick()
    return guard


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("joints.tail.max_deg = 71", "tail.max_deg = 71 is wider than the body's 70"),
        ("joints.tail.min_deg = -71", "may only tighten"),
        ("joints.rear_knee.max_speed_deg_s = 400", "rear_left_knee.max_speed_deg_s = 400 is wider"),
        ("joints.tail.max_accel_deg_s2 = 1e6", "wider"),
        ("joints.wing.max_deg = 1", "unknown joint 'wing'"),
        ("joints.tail.max_deg = -5", "outside"),
        ("joints.front_knee.max_deg = 100", "outside"),
        ("joints.tail.min_speed = 1", "min_speed"),
        ("joints = 3", "joints"),
        ("joints =", "cannot be read"),
    ],
)
def test_a_wider_or_broken_file_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "limits.toml"
    path.write_text(text)
    with pytest.raises(PackError, match=reason):
        load_tightened(load_body(), path)


def test_a_narrower_file_is_taken_and_none_changes_nothing(tmp_path: Path) -> None:
    body = load_body()
    pack = make_pack(tmp_path / "pack", {"a": b""})
    (pack / "limits.toml").write_text("joints.tail.max_deg = 5")
    assert tightened_by(body, verify(pack)) == body, "only what the manifest names is read"
    pack = make_pack(pack, {"limits.toml": b"joints.rear_knee.max_speed_deg_s = 100"})
    narrow = tightened_by(body, verify(pack))
    assert narrow.by_name["rear_left_knee"].max_speed_deg_s == 100
    assert narrow.by_name["front_left_knee"].max_speed_deg_s == 360


@pytest.mark.parametrize("field", [MIN, MAX, SPEED, ACCEL])
def test_the_board_takes_narrower_limits_and_no_wider_ones(field: int) -> None:
    guard = resting()
    row = list(limits.JOINTS[TAIL])
    row[field] += 1 if field == MIN else -1
    assert guard.tighten(TAIL, row[MIN], row[MAX], row[SPEED], row[ACCEL]) == p.OK
    row[field] += -1 if field == MIN else 1
    assert guard.tighten(TAIL, row[MIN], row[MAX], row[SPEED], row[ACCEL]) == p.REFUSED
    guard.loosen()
    assert tuple(guard.joints) == limits.JOINTS


def test_the_board_refuses_limits_that_shut_out_its_pose_or_stop_it_for_ever() -> None:
    guard = resting()
    for row in ((1, 50, 5, 5), (-50, -1, 5, 5), (-50, 50, 0, 5), (-50, 50, 5, 0)):
        assert guard.tighten(TAIL, *row) == p.REFUSED
    for joint in (-1, guard.n):
        assert guard.tighten(joint, 0, 0, 1, 1) == p.WRONG_STATE
    guard.position[TAIL] = 60
    assert guard.tighten(TAIL, -50, 50, 5, 5) == p.REFUSED
    guard.position[TAIL] = 0
    guard.arm()
    assert guard.tighten(TAIL, -50, 50, 5, 5) == p.WRONG_STATE


def test_the_link_is_ready_only_when_the_board_took_every_narrower_limit() -> None:
    with bench(narrowed=NARROW) as board:
        board.run(1)
        assert not board.link.ready
        board.run(20)
        assert board.link.ready
        assert order(board, p.ARM) == [p.OK]
        for _ in range(100):
            assert board.link.stream([*STAND[:-1], 45.0], 100)
            board.run(2)
        assert board.guard.position[TAIL] == 2_000


def test_a_new_session_without_a_pack_is_back_at_the_firmwares_limits() -> None:
    with bench(narrowed=NARROW) as board:
        board.run(20)
        assert board.guard.joints[TAIL][MAX] == 2_000
        board.link._agreement._orders.clear()
        board.link.close()
        board.link.open()
        board.run(20)
        assert tuple(board.guard.joints) == limits.JOINTS


def test_limits_the_board_refuses_are_a_mismatch() -> None:
    with bench(narrowed=NARROW) as board:
        board.guard.position[TAIL] = 3_000
        board.run(20)
        assert not board.link.ready
        assert "refuses the pack's narrower limits" in board.link.mismatch


def test_a_faulted_board_still_agrees_so_that_it_can_be_cleared() -> None:
    with bench(narrowed=NARROW) as board:
        board.guard.stop()
        board.run(20)
        assert board.link.ready
        assert order(board, p.CLEAR) == [p.OK]
