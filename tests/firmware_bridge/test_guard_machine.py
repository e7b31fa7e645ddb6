"""Any sequence of orders, senses and narrower limits, as hypothesis finds them: no rule is ever broken."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from firmware_bridge.mcu import limits
from firmware_bridge.mcu import protocol as p
from firmware_bridge.mcu.guard import ACCEL, HOLD_TICKS, MAX, MIN, SAFE, SPEED, Guard
from firmware_bridge.mcu.vitals import Vitals
from tests.firmware_bridge.guard_trace import beyond

N = len(limits.JOINTS)
JOINT = st.integers(0, N - 1)
NEAR = st.tuples(*(st.integers(row[MIN] - 3_500, row[MAX] + 3_500) for row in limits.JOINTS)).map(list)


class GuardMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.guard = Guard(limits.JOINTS, limits.RULES)
        self.vitals = Vitals(self.guard, limits, p.SUPPLY | p.TILT | p.LIFT | p.ESTOP_INPUT)
        self.felt = {"mv": 7_800, "roll": 0, "lifted": False, "pressed": False}
        self.silent = 0
        self.was_state = p.BOOT
        self.by_hand = False

    @rule(angles=NEAR, ttl_ms=st.integers(0, 400))
    def setpoint(self, angles: list[int], ttl_ms: int) -> None:
        if self.guard.setpoint(angles, ttl_ms):
            assert self.guard.state == p.ARMED
            assert ttl_ms >= p.TICK_MS
            self.silent = 0

    @rule()
    def arm(self) -> None:
        before = self.guard.state
        if self.guard.arm() == p.OK:
            assert (before, self.guard.unfit) == (p.DISARMED, p.NONE)
            self.by_hand = True
            self.silent = 0

    @rule(name=st.sampled_from(["disarm", "halt", "stop"]))
    def order(self, name: str) -> None:
        getattr(self.guard, name)()

    @rule()
    def clear(self) -> None:
        if self.guard.clear() == p.OK:
            assert self.guard.unfit == p.NONE
            self.by_hand = True

    @rule(i=JOINT, shares=st.tuples(*(st.floats(-0.2, 1.2) for _ in range(4))))
    def tighten(self, i: int, shares: tuple[float, float, float, float]) -> None:
        row = self.guard.joints[i]
        low = round(row[MIN] + shares[0] * (row[SAFE] - row[MIN]))
        high = round(row[MAX] - shares[1] * (row[MAX] - row[SAFE]))
        speed, accel = round(row[SPEED] * (1 - shares[2])), round(row[ACCEL] * (1 - shares[3]))
        self.guard.tighten(i, low, high, speed, accel)

    @rule(
        mv=st.sampled_from([7_800, 7_800, 6_500, 5_900]),
        roll=st.sampled_from([0, 0, 70]),
        lifted=st.booleans(),
        pressed=st.sampled_from([False, False, False, True]),
    )
    def feel(self, **felt: object) -> None:
        self.felt = felt  # type: ignore[assignment]

    @rule(ticks=st.integers(1, 120))
    def wait(self, ticks: int) -> None:
        for _ in range(ticks):
            self.tick()

    def tick(self) -> None:
        guard = self.guard
        was, speed, torque = list(guard.position), list(guard.speed), guard.torque
        self.vitals.feel_supply(int(self.felt["mv"]))
        self.vitals.feel_tilt(int(self.felt["roll"]), 0)
        self.vitals.feel_lift(bool(self.felt["lifted"]))
        self.vitals.feel_estop(bool(self.felt["pressed"]))
        self.vitals.tick()
        guard.tick()
        self.silent += 1
        assert guard.state != p.ARMED or self.silent < HOLD_TICKS
        assert not guard.torque or torque or guard.state == p.ARMED
        for i, (_, _, _, fastest, accel) in enumerate(limits.JOINTS):
            step = abs(guard.position[i] - was[i])
            assert step <= fastest
            assert step <= abs(speed[i]) + accel
            assert not step or guard.torque or torque

    @invariant()
    def within_limits(self) -> None:
        for row, firmware, angle in zip(self.guard.joints, limits.JOINTS, self.guard.position, strict=True):
            assert firmware[MIN] <= row[MIN] <= angle <= row[MAX] <= firmware[MAX]
            assert row[SPEED] <= firmware[SPEED]
            assert row[ACCEL] <= firmware[ACCEL]
        assert not beyond(limits.RULES, self.guard.position)

    @invariant()
    def only_hands_arm_and_clear(self) -> None:
        if not self.by_hand:
            assert self.guard.state != p.ARMED or self.was_state == p.ARMED
            assert self.was_state != p.FAULT or self.guard.state == p.FAULT
        self.was_state, self.by_hand = self.guard.state, False


TestGuardMachine = GuardMachine.TestCase
TestGuardMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
