"""What the board feels becomes a fault or a reflex in time, with a pose of its own, and forbids arming."""

import pytest

from firmware_bridge.mcu import limits
from firmware_bridge.mcu import protocol as p
from firmware_bridge.mcu import vitals as v
from firmware_bridge.mcu.guard import Guard
from firmware_bridge.mcu.vitals import Vitals

ALL = p.SUPPLY | p.TEMPERATURE | p.TILT | p.LIFT | p.ESTOP_INPUT | p.POSITION
N = len(limits.JOINTS)
WELL = {"feel_temperature": 30, "feel_supply": 7_800, "feel_lift": False}


class Rig:
    """A guard with vitals, told every tick what it feels; `feel` changes it."""

    def __init__(self, have: int = ALL) -> None:
        self.guard = Guard(limits.JOINTS, limits.RULES)
        self.vitals = Vitals(self.guard, limits, have)
        self.supply_mv, self.celsius, self.tilt = 7_800, 30, (0, 0, 1_000)
        self.lifted = self.pressed = False
        self.silent = 0
        self.stuck: int | None = None
        self.run(5)

    def run(self, ticks: int = 1) -> "Rig":
        for _ in range(ticks):
            reports = (
                (p.SUPPLY, lambda: self.vitals.feel_supply(self.supply_mv)),
                (p.TEMPERATURE, lambda: self.vitals.feel_temperature(self.celsius)),
                (p.TILT, lambda: self.vitals.feel_tilt(*self.tilt)),
                (p.LIFT, lambda: self.vitals.feel_lift(self.lifted)),
                (p.ESTOP_INPUT, lambda: self.vitals.feel_estop(self.pressed)),
                (p.POSITION, self._feel_positions),
            )
            for bit, report in reports:
                if not self.silent & bit:
                    report()
            if self.guard.state == p.ARMED:
                self.guard.setpoint([round(100 * a) for a in (30, 60) * 4] + [0, 0, 0], 200)
            self.vitals.tick()
            self.guard.tick()
        return self

    def _feel_positions(self) -> None:
        for i, cdeg in enumerate(self.guard.position):
            self.vitals.feel_position(i, self.vitals.measured[i] if i == self.stuck else cdeg)

    def armed(self) -> "Rig":
        assert self.guard.arm() == p.OK
        return self.run(3)

    def feel(self, **changes: object) -> "Rig":
        self.__dict__.update(changes)
        return self


def test_a_healthy_body_arms_and_stays_armed() -> None:
    rig = Rig().armed().run(300)
    assert (rig.guard.state, rig.guard.unfit) == (p.ARMED, p.NONE)


@pytest.mark.parametrize(
    ("changes", "within_ticks", "reason"),
    [
        ({"supply_mv": limits.SUPPLY_CUT_MV - 1}, v.SUPPLY_CUT_TICKS, p.NO_SUPPLY),
        ({"celsius": limits.TEMPERATURE_CUT_C}, v.TEMPERATURE_TICKS, p.TOO_HOT),
        ({"pressed": True}, 1, p.ESTOP),
        ({"silent": p.TILT}, v.SENSE_TICKS, p.SENSE_LOST),
        ({"silent": p.SUPPLY}, v.SENSE_TICKS, p.SENSE_LOST),
        ({"silent": p.ESTOP_INPUT}, v.SENSE_TICKS, p.SENSE_LOST),
        ({"silent": p.TEMPERATURE}, v.SENSE_TICKS, p.SENSE_LOST),
        ({"silent": p.LIFT}, v.SENSE_TICKS, p.SENSE_LOST),
    ],
)
def test_faults_latch_in_time_and_arming_waits(
    changes: dict[str, object], within_ticks: int, reason: int
) -> None:
    rig = Rig().armed().feel(**changes)
    rig.run(within_ticks - 1)
    assert rig.guard.state == p.ARMED
    rig.run(2)
    assert (rig.guard.state, rig.guard.reason) == (p.FAULT, reason)
    assert rig.guard.clear() == p.UNFIT
    rig.run(100)
    assert not rig.guard.torque
    rig.feel(supply_mv=8_000, celsius=25, pressed=False, silent=0).run(3)
    assert rig.guard.state == p.FAULT, "nothing but a hand clears a fault"
    assert rig.guard.clear() == p.OK


def test_a_short_sag_is_no_empty_battery() -> None:
    rig = Rig().armed().feel(supply_mv=5_000).run(v.SUPPLY_CUT_TICKS - 1).feel(supply_mv=7_500).run(200)
    assert rig.guard.state == p.ARMED


def test_a_low_battery_lies_down_and_arms_only_when_charged() -> None:
    rig = Rig().armed().run(100).feel(supply_mv=limits.SUPPLY_LOW_MV - 1).run(v.SUPPLY_LOW_TICKS + 1)
    assert (rig.guard.state, rig.guard.reason) == (p.STOPPING, p.LOW_BATTERY)
    rig.run(300)
    assert (rig.guard.state, rig.guard.torque) == (p.DISARMED, False)
    assert rig.guard.position == list(limits.LOW_BATTERY_POSE)
    rig.feel(supply_mv=limits.SUPPLY_OK_MV - 1).run(10)
    assert rig.guard.arm() == p.UNFIT
    rig.feel(supply_mv=limits.SUPPLY_OK_MV).run(2)
    assert rig.guard.arm() == p.OK


@pytest.mark.parametrize("tilt", [(60, 0, 1_000), (0, -60, 1_000), (0, 0, 300)])
def test_falling_draws_the_legs_in_and_lets_go(tilt: tuple[int, int, int]) -> None:
    rig = Rig().armed().run(100).feel(tilt=tilt).run(v.TILT_TICKS)
    assert (rig.guard.state, rig.guard.reason) == (p.STOPPING, p.FALLING)
    rig.run(300)
    assert (rig.guard.state, rig.guard.torque) == (p.DISARMED, False)
    assert rig.guard.position == list(limits.FALLING_POSE)


def test_who_lies_may_arm_to_get_up_and_falls_again_only_after_standing() -> None:
    rig = Rig().feel(tilt=(80, 0, 1_000)).run(20).armed().run(200)
    assert rig.guard.state == p.ARMED
    rig.feel(tilt=(0, 0, 1_000)).run(20).feel(tilt=(0, 80, 1_000)).run(20)
    assert rig.guard.reason == p.FALLING


def test_lifted_it_goes_limp_where_it_is() -> None:
    rig = Rig().armed().run(100).feel(lifted=True).run(v.LIFT_TICKS + 10)
    assert (rig.guard.state, rig.guard.reason) == (p.STOPPING, p.LIFTED)
    held = list(rig.guard.position)
    rig.run(100)
    assert rig.guard.position == held
    assert (rig.guard.state, rig.guard.torque) == (p.DISARMED, False)
    assert rig.guard.arm() == p.UNFIT
    rig.feel(lifted=False).run(2)
    assert rig.guard.arm() == p.OK


def test_a_blocked_joint_loses_torque_at_once() -> None:
    rig = Rig().armed()
    rig.stuck = 3
    for _ in range(limits.STALL_TICKS + 60):
        if rig.run().guard.state == p.FAULT:
            break
    assert (rig.guard.state, rig.guard.reason) == (p.FAULT, p.STALLED)
    assert rig.vitals.stalled == 1 << 3
    assert not rig.run().guard.torque


def test_a_stall_during_a_stop_still_takes_the_torque() -> None:
    guard = Rig().armed().guard
    guard.stop()
    guard.tick()
    assert guard.torque
    guard.stop(p.STALLED, False)
    guard.tick()
    assert (guard.torque, guard.reason) == (False, p.STOP_ORDER)


def test_a_sense_that_never_reported_keeps_the_body_disarmed() -> None:
    guard = Guard(limits.JOINTS, limits.RULES)
    vitals = Vitals(guard, limits, p.SUPPLY)
    vitals.tick()
    guard.tick()
    assert (guard.arm(), guard.unfit) == (p.UNFIT, p.SENSE_LOST)


def test_a_board_without_senses_has_no_opinion() -> None:
    rig = Rig(have=0).armed().feel(supply_mv=0, celsius=120, tilt=(90, 90, 0)).run(200)
    assert rig.guard.state == p.ARMED
    assert Rig(have=0).feel(silent=ALL).armed().run(200).guard.state == p.ARMED


def test_a_disarm_during_a_reflex_does_not_change_its_pose() -> None:
    rig = Rig().armed().run(100).feel(tilt=(60, 0, 1_000)).run(v.TILT_TICKS + 1)
    rig.guard.disarm()
    rig.run(300)
    assert rig.guard.position == list(limits.FALLING_POSE)


def test_one_lost_servo_is_a_lost_sense_though_the_others_answer() -> None:
    rig = Rig().armed()
    lost = rig.vitals.feel_position
    rig.vitals.feel_position = lambda joint, cdeg: None if joint == 10 else lost(joint, cdeg)  # type: ignore[method-assign]
    rig.run(v.SENSE_TICKS - 10)
    assert rig.guard.state == p.ARMED
    rig.run(12)
    assert (rig.guard.state, rig.guard.reason, rig.vitals.silent) == (p.FAULT, p.SENSE_LOST, p.POSITION)


def test_the_senses_that_say_nothing_are_named() -> None:
    rig = Rig(ALL).feel(silent=p.TILT | p.SUPPLY).run(v.SENSE_TICKS + 2)
    assert rig.vitals.silent == p.TILT | p.SUPPLY
    rig.feel(silent=0).run(2)
    assert rig.vitals.silent == 0


@pytest.mark.parametrize("name", ["SENSE", "SUPPLY_CUT", "SUPPLY_LOW", "TEMPERATURE", "TILT", "LIFT"])
def test_the_times_are_the_dictionarys(name: str) -> None:
    assert getattr(v, f"{name}_TICKS") * p.TICK_MS == getattr(p, f"{name}_MS")


def test_a_board_that_was_just_switched_on_claims_nothing() -> None:
    guard = Guard(limits.JOINTS, limits.RULES)
    vitals = Vitals(guard, limits, ALL)
    felt = (vitals.supply_mv, vitals.temperature_c, vitals.roll_deg, vitals.pitch_deg, vitals.gravity_mg)
    assert felt == (0, 0, 0, 0, 1_000)
    assert (vitals.touch, vitals.flags, vitals.stalled, vitals.silent) == (0, 0, 0, 0)
    assert vitals.measured == [0] * N
    assert Vitals(guard, limits).have == 0
    for _ in range(50):
        vitals.tick()
        guard.tick()
    assert (vitals.silent, guard.unfit, guard.state, vitals.fallen) == (ALL, p.SENSE_LOST, p.DISARMED, False)
    assert guard.reason == p.NONE


@pytest.mark.parametrize(
    ("have", "feel", "ticks", "unfit"),
    [
        (p.TEMPERATURE, ("feel_temperature", limits.TEMPERATURE_CUT_C), v.TEMPERATURE_TICKS, p.TOO_HOT),
        (p.SUPPLY, ("feel_supply", limits.SUPPLY_LOW_MV - 1), v.SUPPLY_LOW_TICKS, p.LOW_BATTERY),
        (p.SUPPLY, ("feel_supply", limits.SUPPLY_CUT_MV - 1), v.SUPPLY_CUT_TICKS, p.NO_SUPPLY),
        (p.LIFT, ("feel_lift", True), v.LIFT_TICKS, p.LIFTED),
    ],
)
def test_what_is_wrong_counts_from_its_first_tick(
    have: int, feel: tuple[str, int], ticks: int, unfit: int
) -> None:
    for well in (0, 3):
        guard = Guard(limits.JOINTS, limits.RULES)
        vitals = Vitals(guard, limits, have)
        for tick in range(-well, ticks):
            getattr(vitals, feel[0])(WELL[feel[0]] if tick < 0 else feel[1])
            vitals.tick()
            guard.tick()
            if tick == ticks - 2:
                assert guard.unfit == p.NONE
        assert guard.unfit == unfit


@pytest.mark.parametrize(
    ("millivolt", "unfit"),
    [
        (limits.SUPPLY_LOW_MV, p.NONE),
        (limits.SUPPLY_LOW_MV - 1, p.LOW_BATTERY),
        (limits.SUPPLY_CUT_MV, p.LOW_BATTERY),
        (limits.SUPPLY_CUT_MV - 1, p.NO_SUPPLY),
    ],
)
def test_the_last_millivolt_decides(millivolt: int, unfit: int) -> None:
    assert Rig().feel(supply_mv=millivolt).run(v.SUPPLY_LOW_TICKS + 5).guard.unfit == unfit


def test_a_supply_that_was_cut_is_low_until_it_is_well_again() -> None:
    rig = Rig().feel(supply_mv=limits.SUPPLY_CUT_MV - 1).run(v.SUPPLY_CUT_TICKS)
    assert rig.feel(supply_mv=limits.SUPPLY_OK_MV - 1).run(5).guard.unfit == p.LOW_BATTERY
    assert rig.feel(supply_mv=limits.SUPPLY_OK_MV).run().guard.unfit == p.NONE


def test_hot_it_stays_unfit_until_it_is_cool_and_a_dead_sense_is_no_heat() -> None:
    rig = Rig().feel(celsius=limits.TEMPERATURE_CUT_C).run(v.TEMPERATURE_TICKS)
    assert rig.feel(celsius=limits.TEMPERATURE_OK_C + 1).run(5).guard.unfit == p.TOO_HOT
    assert rig.feel(silent=p.TEMPERATURE).run(v.SENSE_TICKS + 5).guard.unfit == p.SENSE_LOST
    assert rig.feel(silent=0, celsius=limits.TEMPERATURE_OK_C).run().guard.unfit == p.NONE


@pytest.mark.parametrize("joint", range(N))
def test_any_servo_that_falls_silent_is_missed(joint: int) -> None:
    vitals = Vitals(Guard(limits.JOINTS, limits.RULES), limits, p.POSITION)
    for tick in range(5 + v.SENSE_TICKS):
        assert not vitals.silent
        for other in range(N):
            if tick < 5 or other != joint:
                vitals.feel_position(other, 0)
        vitals.tick()
    vitals.tick()
    assert vitals.silent == p.POSITION


def test_a_servo_that_never_answered_is_missed_from_the_start() -> None:
    guard = Guard(limits.JOINTS, limits.RULES)
    vitals = Vitals(guard, limits, p.POSITION)
    for _ in range(5):
        for joint in range(1, N):
            vitals.feel_position(joint, guard.position[joint])
        vitals.tick()
        assert guard.unfit == p.SENSE_LOST


@pytest.mark.parametrize("joint", [0, 3])
def test_a_stall_is_told_until_the_joint_moves_freely_under_torque(joint: int) -> None:
    rig = Rig().armed()
    rig.stuck = joint
    rig.run(limits.STALL_TICKS + 60)
    assert rig.vitals.stalled == 1 << joint
    rig.stuck = None
    rig.run(5)
    assert rig.vitals.stalled == 1 << joint, "it is still told after the fault"
    rig.guard.clear()
    assert rig.armed().vitals.stalled == 0


def test_lying_from_the_first_tick_is_a_fall_in_time() -> None:
    vitals = Vitals(Guard(limits.JOINTS, limits.RULES), limits, p.TILT)
    for tick in range(v.TILT_TICKS):
        assert not vitals.fallen, tick
        vitals.feel_tilt(90, 0)
        vitals.tick()
    assert (vitals.fallen, vitals.gravity_mg) == (True, 1_000)


def test_flags_and_pads_are_told_by_their_bits() -> None:
    guard = Guard(limits.JOINTS, limits.RULES)
    vitals = Vitals(guard, limits, p.TOUCH | p.TILT | p.LIFT | p.ESTOP_INPUT)
    vitals.feel_touch(3)
    for _ in range(v.TILT_TICKS):
        vitals.feel_tilt(90, 0, 400)
        vitals.tick()
    assert (vitals.touch, vitals.flags) == (3, 4)
    vitals.feel_estop(True)
    assert vitals.flags == 4 | 2
    vitals.feel_lift(True)
    assert vitals.flags == 4 | 2 | 1
    vitals.tick()
    assert vitals.silent == 0, "all of them reported"
    vitals.feel_touch(0)
    for _ in range(v.SENSE_TICKS):
        vitals.tick()
        assert not vitals.silent & p.TOUCH
    vitals.tick()
    assert vitals.silent & p.TOUCH


@pytest.mark.parametrize(
    ("tilt", "fallen"),
    [
        ((0, 0, 400), False),
        ((0, 0, 399), True),
        ((limits.TILT_DEG, -limits.TILT_DEG, 1_000), False),
        ((limits.TILT_DEG + 1, 0, 1_000), True),
        ((0, -limits.TILT_DEG - 1, 1_000), True),
    ],
)
def test_the_first_degree_too_far_is_a_fall(tilt: tuple[int, int, int], fallen: bool) -> None:
    assert Rig().feel(tilt=tilt).run(v.TILT_TICKS).vitals.fallen is fallen
    assert not Rig().feel(tilt=tilt).run(v.TILT_TICKS - 1).vitals.fallen


@pytest.mark.parametrize(("away", "stalled"), [(limits.STALL_CDEG, 0), (limits.STALL_CDEG + 1, 1 << 2)])
def test_the_first_hundredth_too_far_is_a_stall(away: int, stalled: int) -> None:
    guard = Guard(limits.JOINTS, limits.RULES)
    vitals = Vitals(guard, limits, p.POSITION)
    for tick in range(4 + limits.STALL_TICKS):
        for joint, cdeg in enumerate(guard.position):
            vitals.feel_position(joint, cdeg + away * (joint == 2))
        vitals.tick()
        guard.tick()
        if tick == 3:
            guard.arm()
        if guard.state == p.ARMED:
            guard.setpoint(list(guard.position), 250)
        assert tick == 3 + limits.STALL_TICKS or not vitals.stalled
    assert vitals.stalled == stalled
