"""Each order of the guard does what it says, to the tick; and the recorded steps are repeated exactly."""

import pytest

from firmware_bridge.mcu import limits
from firmware_bridge.mcu import protocol as p
from firmware_bridge.mcu.guard import HOLD_TICKS, REST_TICKS, SAFE, SAFE_TICKS, Guard
from tests.firmware_bridge import guard_trace
from tests.firmware_bridge.test_guard import STAND, armed, tick

ROW = (-9_000, 9_000, 0, 360, 60)


def test_the_recorded_steps_are_repeated_exactly() -> None:
    assert guard_trace.make() == guard_trace.load(), "meant? python -m tests.firmware_bridge.guard_trace"


def test_a_new_guard_holds_the_safe_pose_without_torque() -> None:
    guard = Guard(limits.JOINTS, limits.RULES)
    assert (guard.state, guard.reason, guard.torque, guard.unfit) == (p.BOOT, p.NONE, False, p.NONE)
    assert guard.position == guard.goal == guard.safe == [row[SAFE] for row in limits.JOINTS]
    assert (guard.age, guard.ttl, guard.holding, guard.clamped, guard.refused) == (0, 0, False, 0, 0)
    assert guard.speed == [0] * len(limits.JOINTS)


def test_a_disarm_goes_to_the_safe_pose_at_once() -> None:
    guard = armed()
    for _ in range(100):
        guard.setpoint(STAND, 100)
        tick(guard)
    assert guard.disarm() == p.OK
    assert (guard.state, guard.reason, guard.torque) == (p.STOPPING, p.DISARM_ORDER, True)
    away = abs(guard.position[1] - guard.safe[1])
    tick(guard, 5)
    assert abs(guard.position[1] - guard.safe[1]) < away
    tick(guard, 200)
    assert (guard.state, guard.torque, guard.position) == (p.DISARMED, False, guard.safe)
    assert guard.disarm() == p.OK
    assert (guard.state, guard.reason) == (p.DISARMED, p.DISARM_ORDER)


def test_a_disarm_shortens_a_stop_that_is_under_way_and_never_lengthens_it() -> None:
    guard = armed()
    guard.setpoint(STAND, 250)
    tick(guard, HOLD_TICKS)
    assert (guard.state, guard.reason) == (p.STOPPING, p.DEADLINE)
    guard.disarm(p.NEW_SESSION)
    assert (guard.reason, guard.age) == (p.NEW_SESSION, SAFE_TICKS)
    guard.age = SAFE_TICKS + 9
    guard.disarm()
    assert guard.age == SAFE_TICKS + 9


def test_arming_holds_forgets_the_past_and_starts_the_deadline() -> None:
    guard = armed()
    tick(guard, 400)
    guard.goal = list(STAND)
    guard.age, guard.ttl, guard.holding = 999, 0, False
    assert guard.arm() == p.OK
    assert (guard.reason, guard.torque, guard.age, guard.ttl, guard.holding) == (
        p.NONE,
        True,
        0,
        HOLD_TICKS,
        True,
    )
    before = list(guard.position)
    tick(guard, HOLD_TICKS - 1)
    assert (guard.state, guard.position) == (p.ARMED, before)


def test_clearing_takes_torque_and_speed_away() -> None:
    guard = armed()
    guard.setpoint(STAND, 250)
    tick(guard, 6)
    guard.stop()
    tick(guard)
    assert any(guard.speed)
    assert guard.clear() == p.OK
    assert (guard.state, guard.reason, guard.torque) == (p.DISARMED, p.NONE, False)
    assert guard.speed == [0] * guard.n
    assert guard.goal == guard.position


@pytest.mark.parametrize(
    ("wanted", "goals"),
    [([5_000, 0], [1_000, 0]), ([5_000, 3_000], [4_000, 3_000]), ([9_000, -9_000], [-8_000, -9_000])],
)
def test_the_first_of_two_joints_gives_way(wanted: list[int], goals: list[int]) -> None:
    guard = Guard((ROW, ROW), ((1_000, 0, 1, 1, -1),))
    guard.tick()
    guard.arm()
    guard.setpoint(wanted, 100)
    assert (guard.goal, guard.clamped) == (goals, 1)


def test_the_second_gives_way_where_the_first_cannot() -> None:
    guard = Guard(((-1_000, 9_000, 0, 360, 60), ROW), ((1_000, 0, 1, 1, -1),))
    guard.tick()
    guard.arm()
    guard.setpoint([9_000, -9_000], 100)
    assert guard.goal == [-1_000, -2_000]
    guard = Guard(((-9_000, 1_000, 0, 360, 60), ROW), ((1_000, 0, -1, 1, 1),))
    guard.tick()
    guard.arm()
    guard.setpoint([-9_000, 9_000], 100)
    assert guard.goal == [1_000, 2_000]


def test_a_stop_that_cannot_arrive_ends_all_the_same() -> None:
    blocked = (((-9_000, 9_000, 0, 1, 1)), ROW)
    guard = Guard(blocked)
    guard.tick()
    guard.arm()
    guard.position[0] = 8_000
    guard.disarm()
    for _ in range(REST_TICKS - SAFE_TICKS - 1):
        guard.tick()
    assert (guard.state, guard.torque) == (p.STOPPING, True)
    guard.tick()
    assert (guard.state, guard.torque) == (p.DISARMED, False)
    assert guard.goal == guard.position
    assert guard.speed == [0, 0]


@pytest.mark.parametrize(
    "row", [(0, 100, 50, 0, 1), (0, 100, 50, 1, 0), (60, 100, 50, 1, 1), (0, 40, 50, 1, 1)]
)
def test_a_joint_that_contradicts_itself_is_never_armed(row: tuple[int, ...]) -> None:
    guard = Guard((row,))
    guard.tick()
    assert (guard.state, guard.reason) == (p.FAULT, p.BAD_LIMITS)


def test_joints_that_cannot_both_be_safe_are_never_armed() -> None:
    sound = Guard((ROW, ROW), ((0, 0, 1, 1, -1),))
    sound.tick()
    assert sound.state == p.DISARMED
    for rule in ((-1, 0, 1, 1, -1), (-1, 0, -1, 1, 1)):
        guard = Guard((ROW, ROW), (rule,))
        guard.tick()
        assert guard.state == p.FAULT
    empty = Guard(())
    empty.tick()
    assert empty.state == p.FAULT


def test_a_halt_counts_only_while_armed() -> None:
    guard = Guard(limits.JOINTS, limits.RULES)
    guard.tick()
    assert guard.halt() == p.WRONG_STATE
    guard.arm()
    guard.holding = False
    assert guard.halt() == p.OK
    assert guard.holding


def test_a_setpoint_of_one_tick_is_the_shortest() -> None:
    guard = armed()
    assert not guard.setpoint(STAND, p.TICK_MS - 1)
    assert guard.setpoint(STAND, p.TICK_MS)
    assert guard.ttl == 1
    edge = [row[1] + p.GROSS_CDEG for row in limits.JOINTS]
    assert guard.setpoint(edge, 100)
    edge[0] += 1
    assert not guard.setpoint(edge, 100)
    low = [row[0] - p.GROSS_CDEG for row in limits.JOINTS]
    assert guard.setpoint(low, 100)
    low[-1] -= 1
    assert not guard.setpoint(low, 100)
    assert guard.refused == 2


def test_the_narrowest_limits_are_still_limits() -> None:
    guard = Guard((ROW,))
    guard.tick()
    assert guard.tighten(0, 0, 0, 1, 1) == p.OK
    assert guard.joints == [(0, 0, 0, 1, 1)]
    assert guard.arm() == p.OK


@pytest.mark.parametrize(("first", "goal", "clamped"), [(999, 999, 0), (1_000, 1_000, 0), (1_001, 1_000, 1)])
def test_two_joints_part_from_the_first_hundredth_too_far(first: int, goal: int, clamped: int) -> None:
    guard = Guard((ROW, ROW), ((1_000, 0, 1, 1, -1),))
    guard.tick()
    guard.arm()
    guard.setpoint([first, 0], 100)
    assert (guard.goal, guard.clamped) == ([goal, 0], clamped)


def test_the_second_gives_way_by_a_single_hundredth() -> None:
    guard = Guard(((-1_000, 9_000, 0, 360, 60), ROW), ((1_000, 0, 1, 1, -1),))
    guard.tick()
    guard.arm()
    guard.setpoint([9_000, -2_001], 100)
    assert guard.goal == [-1_000, -2_000]


def test_the_age_stays_in_its_field() -> None:
    guard = Guard(limits.JOINTS, limits.RULES)
    guard.tick()
    for age, after in ((0xFFFE, 0xFFFF), (0xFFFF, 0xFFFF)):
        guard.age = age
        guard.tick()
        assert guard.age == after


def test_a_rule_of_three_joints_holds_by_weight_and_parts_in_its_order() -> None:
    guard = Guard((ROW, ROW, ROW), ((1_000, 0, 2, 1, -1, 2, 3),))
    guard.tick()
    guard.arm()
    assert guard.setpoint([1_001, 500, 200], 100)
    assert guard.goal == [450, 500, 200], "half of the excess of 1,102, rounded up, is the first one's way"
    assert guard.setpoint([-9_000, -9_000, 9_000], 100)
    assert guard.goal == [-9_000, 8_000, 9_000], "the first one has no way left, the second has"
    for _ in range(400):
        guard.setpoint([9_000, -9_000, 9_000], 100)
        guard.tick()
        assert 2 * guard.position[0] - guard.position[1] + 3 * guard.position[2] <= 1_000


def test_a_joint_that_the_end_of_its_range_stops_does_not_make_room() -> None:
    # The second joint parts from the first by 360 a tick until its range ends; the first follows as closely.
    guard = Guard((ROW, (-9_000, 100, 0, 360, 60)), ((0, 0, 1, 1, -1),))
    guard.tick()
    guard.arm()
    guard.speed[:] = [300, 300]
    guard.position[:] = [0, 0]
    guard.goal[:] = [9_000, 100]
    guard.holding = True
    guard.age = 1
    guard.tick()
    assert guard.position[0] <= guard.position[1] <= 100


@pytest.mark.parametrize("rule", [(0, 2, 1), (0, -1, 1), (0, 0, 0)])
def test_a_rule_of_no_joint_or_no_weight_is_never_armed(rule: tuple[int, ...]) -> None:
    guard = Guard((ROW, ROW), (rule,))
    guard.tick()
    assert (guard.state, guard.reason) == (p.FAULT, p.BAD_LIMITS)


def test_torque_goes_at_rest_and_leaves_neither_speed_nor_goal() -> None:
    guard = armed()
    guard.setpoint(STAND, 250)
    tick(guard, 12)
    guard.reflex(p.LIFTED, None)
    tick(guard, 60)
    assert (guard.state, guard.torque) == (p.DISARMED, False)
    assert guard.goal == guard.position
    assert guard.speed == [0] * guard.n


@pytest.mark.parametrize(
    ("steps", "positions", "left"),
    [
        ([5, 0], [95, 0], [5, 0]),
        ([6, 0], [95, 0], [0, 0]),
        ([1, 0], [100, 0], [0, 0]),
        ([0, -1], [100, 0], [0, 0]),
        ([5, -5], [95, 0], [0, 0]),
        ([-5, -6], [100, 0], [-5, 0]),
        ([-5, -5], [100, 0], [-5, -5]),
        ([1, 1], [100, 0], [1, 1]),
    ],
)
def test_steps_that_would_meet_are_cancelled_and_no_others(
    steps: list[int], positions: list[int], left: list[int]
) -> None:
    guard = Guard((ROW, ROW), ((100, 0, 1, 1, -1),))
    guard.position[:], guard._step[:] = positions, steps
    guard._keep_apart()
    assert guard._step == left


def test_cancelling_one_step_may_cancel_another_joints() -> None:
    guard = Guard((ROW, ROW, ROW), ((100, 0, 1, 1, -1), (100, 1, 1, 2, -1)))
    guard.position[:], guard._step[:] = [100, 0, -100], [3, 2, 2]
    guard._keep_apart()
    assert guard._step == [0, 2, 2]
    guard.position[:], guard._step[:] = [100, 0, -100], [2, 2, 1]
    guard._keep_apart()
    assert guard._step == [0, 0, 1], "the second pair holds the middle joint, and so the first one too"


@pytest.mark.parametrize("row", [(0, 100, 0, 1, 1), (0, 100, 100, 1, 1), (50, 50, 50, 1, 1)])
def test_a_safe_pose_at_the_end_of_its_range_is_sound(row: tuple[int, ...]) -> None:
    guard = Guard((row,))
    guard.tick()
    assert guard.state == p.DISARMED


@pytest.mark.parametrize(
    ("way", "accel", "fastest"), [(1, 60, 1), (2, 60, 2), (59, 60, 59), (61, 1, 1), (7, 3, 3)]
)
def test_a_joint_arrives_exactly_and_never_beyond(way: int, accel: int, fastest: int) -> None:
    guard = Guard(((-9_000, 9_000, 0, 360, accel),))
    guard.tick()
    guard.arm()
    for sign in (1, -1):
        seen = []
        for _ in range(80):
            guard.setpoint([sign * way], 250)
            guard.tick()
            seen.append(sign * guard.position[0])
        assert max(seen) == seen[-1] == way
        assert seen[0] <= fastest or sign == -1


def test_a_joint_at_rest_stays_where_an_end_in_mid_step_left_it() -> None:
    guard = Guard((ROW, ROW))
    guard.tick()
    guard.arm()
    guard.setpoint([9_000, 0], 250)
    for _ in range(6):
        guard.tick()
    guard.stop()
    guard.tick()
    assert guard.speed[0] > 0
    guard.clear()
    guard.arm()
    left = guard.position[0]
    guard.setpoint([left, 5_000], 250)
    for _ in range(3):
        guard.tick()
    assert (guard.position[0], guard.speed[0]) == (left, 0)
    assert guard.position[1] > 0


def test_a_retreat_keeps_apart_what_narrower_limits_bring_together() -> None:
    guard = Guard((ROW, ROW), ((1_000, 0, 1, 1, -1),))
    guard.tick()
    assert guard.tighten(1, -9_000, 3_000, 360, 60) == p.OK
    guard.arm()
    guard.reflex(p.FALLING, [5_000, 4_500])
    guard.tick()
    assert guard.goal == [4_000, 3_000]
    for _ in range(40):
        guard.tick()
    assert (guard.state, guard.position) == (p.DISARMED, [4_000, 3_000])


@pytest.mark.parametrize(("way", "step"), [(100, 76), (104, 78), (112, 84)])
def test_a_joint_that_nears_its_goal_takes_the_step_from_which_it_can_stop(way: int, step: int) -> None:
    guard = Guard((ROW,))
    guard.tick()
    guard.arm()
    guard.setpoint([way], 250)
    guard.speed[0] = 60
    guard.tick()
    assert guard.position == [step]
