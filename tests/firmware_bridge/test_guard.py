"""The guard keeps every limit, whatever it is told; it stops by its own clock and latches a fault."""

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from firmware_bridge.mcu import limits
from firmware_bridge.mcu import protocol as p
from firmware_bridge.mcu.guard import HOLD_TICKS, MAX, MIN, SAFE, SAFE_TICKS, Guard
from runtime.contracts.body import load_body
from tests.firmware_bridge.guard_trace import beyond

N = len(limits.JOINTS)
STAND = [round(100 * j.rest_deg) for j in load_body().joints]
ANGLES = st.lists(st.integers(-32_768, 32_767), min_size=N, max_size=N)
NEAR = st.tuples(*(st.integers(row[MIN] - 2_000, row[MAX] + 2_000) for row in limits.JOINTS)).map(list)
ORDER = st.one_of(
    st.tuples(st.just("setpoint"), st.one_of(ANGLES, NEAR, NEAR, NEAR), st.integers(0, 500)),
    st.sampled_from([("arm",), ("arm",), ("disarm",), ("halt",), ("stop",), ("clear",)]),
    st.tuples(st.just("wait"), st.integers(1, 80)),
)


def armed() -> Guard:
    guard = Guard(limits.JOINTS, limits.RULES)
    guard.tick()
    assert guard.arm() == p.OK
    return guard


def tick(guard: Guard, n: int = 1) -> None:
    """Tick and check everything that must hold at any time."""
    for _ in range(n):
        was, speed = list(guard.position), list(guard.speed)
        guard.tick()
        for i, (low, high, _, fastest, accel) in enumerate(limits.JOINTS):
            step = guard.position[i] - was[i]
            assert low <= guard.position[i] <= high
            assert abs(step) <= fastest
            # Speeding up is always bounded; only a stop before a collision may brake harder.
            assert abs(step) <= abs(speed[i]) + accel
            if not guard.torque:
                assert step == 0
        assert not beyond(limits.RULES, guard.position)


@settings(max_examples=150, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(st.lists(ORDER, max_size=60))
def test_no_sequence_of_orders_breaks_a_limit(orders: list[tuple]) -> None:  # type: ignore[type-arg]
    guard = Guard(limits.JOINTS, limits.RULES)
    assert guard.state == p.BOOT
    silent = 0
    for name, *args in orders:
        state = guard.state
        if name == "wait":
            for _ in range(args[0]):
                tick(guard)
                silent += 1
                assert guard.state != p.ARMED or silent < HOLD_TICKS
        elif name == "setpoint":
            if guard.setpoint(*args):
                assert state == p.ARMED
                silent = 0
        else:
            code = getattr(guard, name)()
            if name == "arm" and code == p.OK:
                assert state == p.DISARMED
                silent = 0
        if guard.state == p.ARMED:
            assert state == p.ARMED or name == "arm", "only arm leads to ARMED"
        if state == p.FAULT:
            assert guard.state == p.FAULT or name == "clear", "only clear leaves FAULT"


def test_boot_is_disarmed_without_torque_and_hears_no_setpoint() -> None:
    guard = Guard(limits.JOINTS, limits.RULES)
    assert guard.arm() == p.WRONG_STATE
    tick(guard)
    assert (guard.state, guard.torque) == (p.DISARMED, False)
    assert not guard.setpoint(STAND, 100)


def test_deadline_is_250_ms_after_the_last_valid_setpoint() -> None:
    guard = armed()
    for _ in range(100):
        assert guard.setpoint(STAND, 100)
        tick(guard, 2)
    tick(guard, HOLD_TICKS - 3)
    assert guard.state == p.ARMED
    tick(guard)
    assert (guard.state, guard.reason) == (p.STOPPING, p.DEADLINE)


def test_arming_alone_buys_no_more_than_the_deadline() -> None:
    guard = armed()
    tick(guard, HOLD_TICKS)
    assert guard.state == p.STOPPING


def test_refused_setpoints_and_halts_do_not_feed_the_deadline() -> None:
    guard = armed()
    wild = [30_000] * N
    for _ in range(HOLD_TICKS):
        assert not guard.setpoint(wild, 100)
        assert not guard.setpoint(STAND, 0)
        assert not guard.setpoint(STAND[:-1], 100)
        guard.halt()
        tick(guard)
    assert guard.state == p.STOPPING
    assert guard.refused == HOLD_TICKS


def test_stopping_holds_then_goes_to_the_safe_pose_then_lets_go() -> None:
    guard = armed()
    for _ in range(60):
        guard.setpoint(STAND, 100)
        tick(guard)
    tick(guard, HOLD_TICKS + 10)
    held = list(guard.position)
    tick(guard, SAFE_TICKS - HOLD_TICKS - 12)
    assert guard.position == held
    tick(guard, 200)
    assert (guard.state, guard.torque) == (p.DISARMED, False)
    assert guard.position == [row[SAFE] for row in limits.JOINTS]


def test_nothing_rearms_itself() -> None:
    guard = armed()
    tick(guard, HOLD_TICKS)
    for _ in range(400):
        assert not guard.setpoint(STAND, 100)
        tick(guard)
    assert guard.state == p.DISARMED


def test_an_old_setpoint_is_held_not_pursued() -> None:
    guard = armed()
    guard.setpoint(STAND, 30)
    tick(guard, 12)
    held = list(guard.position)
    tick(guard, 5)
    assert guard.position == held != STAND


def test_halt_brakes_and_stays_armed() -> None:
    guard = armed()
    guard.setpoint(STAND, 250)
    tick(guard, 5)
    assert guard.halt() == p.OK
    tick(guard, 8)
    held = list(guard.position)
    assert not any(guard.speed)
    tick(guard, 5)
    assert guard.position == held
    assert guard.state == p.ARMED


def test_stop_latches_from_every_state_and_takes_the_torque_without_moving_on() -> None:
    for age in (0, HOLD_TICKS, SAFE_TICKS + 5, 400):
        guard = armed()
        guard.setpoint(STAND, 250)
        tick(guard, age)
        guard.stop()
        tick(guard, 10)
        held = list(guard.position)
        tick(guard, 100)
        assert guard.position == held
        assert (guard.state, guard.torque) == (p.FAULT, False)
        assert guard.arm() == p.WRONG_STATE
        assert guard.disarm() == p.WRONG_STATE
        tick(guard, 1000)
        assert guard.state == p.FAULT
        assert guard.clear() == p.OK
        assert guard.state == p.DISARMED


def test_goals_are_clamped_and_counted() -> None:
    guard = armed()
    beyond = [row[MAX] + 100 for row in limits.JOINTS]
    for _ in range(300):
        assert guard.setpoint(beyond, 100)
        tick(guard)
    assert guard.clamped
    assert guard.goal[10] == guard.position[10] == limits.JOINTS[10][MAX]


def test_colliding_goals_end_beside_each_other() -> None:
    guard = armed()
    together = list(STAND)
    together[0], together[4] = -8_000, 9_000
    for _ in range(300):
        assert guard.setpoint(together, 100)
        tick(guard)
    assert guard.position[4] - guard.position[0] <= 7_500


def test_joints_keep_apart_on_the_way_not_only_at_its_end() -> None:
    fast, slow = (-9_000, 9_000, 0, 360, 60), (-9_000, 9_000, 0, 36, 6)
    guard = Guard((fast, slow), ((7_500, 0, 1, 1, -1),))
    guard.tick()
    guard.arm()
    for _ in range(400):
        assert guard.setpoint([9_000, 9_000], 100)
        guard.tick()
        assert guard.position[0] - guard.position[1] <= 7_500
    assert guard.position == [9_000, 9_000]


def test_a_table_that_contradicts_itself_is_a_fault_for_ever() -> None:
    guard = Guard(((0, 100, 200, 10, 1),))
    guard.tick()
    assert (guard.state, guard.reason) == (p.FAULT, p.BAD_LIMITS)
    assert guard.clear() == p.WRONG_STATE


def test_counters_stay_in_their_fields() -> None:
    guard = armed()
    guard.clamped = guard.refused = 0xFFFF
    guard.setpoint([30_000] * N, 100)
    guard.setpoint([row[MAX] + 1 for row in limits.JOINTS], 100)
    assert (guard.clamped, guard.refused) == (0xFFFF, 0xFFFF)
