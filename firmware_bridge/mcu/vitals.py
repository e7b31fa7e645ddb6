"""What the board feels, judged: faults and reflexes. A sensor report is a call, the judgement is `tick`.

Integers only; `tick` allocates nothing. A board tells in `have` which senses it has; one that falls silent is
a fault while armed, and arming waits for it. Runs unchanged on CPython and MicroPython.
"""

from . import protocol as p

SENSES = 7
SENSE_TICKS = p.SENSE_MS // p.TICK_MS
SUPPLY_CUT_TICKS = p.SUPPLY_CUT_MS // p.TICK_MS
SUPPLY_LOW_TICKS = p.SUPPLY_LOW_MS // p.TICK_MS
TEMPERATURE_TICKS = p.TEMPERATURE_MS // p.TICK_MS
TILT_TICKS = p.TILT_MS // p.TICK_MS
LIFT_TICKS = p.LIFT_MS // p.TICK_MS
WEIGHTLESS_MG = 400
"""Acceleration below this, in thousandths of a g, is a fall"""
LIFTED, PRESSED, FALLEN = 1, 2, 4
"""Flags of SENSES"""


class Vitals:
    """`limits` is the module that the dictionary writes from the body."""

    def __init__(self, guard: object, limits: object, have: int = 0) -> None:
        self.guard = guard
        self.limits = limits
        self.have = have
        self.supply_mv = 0
        self.temperature_c = 0
        self.roll_deg = 0
        self.pitch_deg = 0
        self.gravity_mg = 1000
        self.touch = 0
        self.lifted = False
        self.pressed = False
        self.fallen = False
        self.stalled = 0
        """Joints, one bit each"""
        self.measured = [0] * guard.n
        self._low = False
        self._hot = False
        self._cut_for = 0
        self._low_for = 0
        self._hot_for = 0
        self._tilted_for = 0
        self._lifted_for = 0
        self._stalled_for = [0] * guard.n
        self.silent = 0
        """Senses, one bit each, that the board has and that say nothing"""
        self._silent = [SENSE_TICKS] * SENSES
        """Ticks since each sense reported: none has yet"""
        self._heard = 0
        """Joints, one bit each, that told their position since all of them had"""
        self._unfit = p.NONE

    # Reports of the board's drivers

    def feel_supply(self, millivolt: int) -> None:
        self.supply_mv = millivolt
        self._silent[0] = 0

    def feel_temperature(self, celsius: int) -> None:
        self.temperature_c = celsius
        self._silent[1] = 0

    def feel_tilt(self, roll_deg: int, pitch_deg: int, gravity_mg: int = 1000) -> None:
        self.roll_deg = roll_deg
        self.pitch_deg = pitch_deg
        self.gravity_mg = gravity_mg
        self._silent[2] = 0

    def feel_lift(self, lifted: bool) -> None:
        self.lifted = lifted
        self._silent[3] = 0

    def feel_estop(self, pressed: bool) -> None:
        self.pressed = pressed
        self._silent[4] = 0

    def feel_position(self, joint: int, cdeg: int) -> None:
        """Where a servo says it is; hundredths of a degree."""
        self.measured[joint] = cdeg
        self._heard |= 1 << joint
        if self._heard == (1 << self.guard.n) - 1:  # one lost servo makes the whole sense silent
            self._heard = 0
            self._silent[5] = 0

    def feel_touch(self, pads: int) -> None:
        self.touch = pads
        self._silent[6] = 0

    @property
    def flags(self) -> int:
        return self.lifted * LIFTED | self.pressed * PRESSED | self.fallen * FALLEN

    # Judgement

    def tick(self) -> None:
        """10 ms have passed; call before the guard's own tick."""
        self._unfit = p.NONE
        self._judge_silence()
        self._judge_lift()
        self._judge_tilt()
        self._judge_heat()
        self._judge_supply()
        self._judge_stall()
        if self.pressed:
            self._unfit = p.ESTOP
            self.guard.stop(p.ESTOP)
        self.guard.unfit = self._unfit

    def _judge_silence(self) -> None:
        self.silent = 0
        for i in range(SENSES):
            if self.have & 1 << i:
                if self._silent[i] < SENSE_TICKS:
                    self._silent[i] += 1
                else:
                    self.silent |= 1 << i
                    self._unfit = p.SENSE_LOST
        if self._unfit and self.guard.torque:
            self.guard.stop(p.SENSE_LOST)

    def _judge_supply(self) -> None:
        if not self.have & p.SUPPLY or self._silent[0] >= SENSE_TICKS:
            return
        limits = self.limits
        self._cut_for = self._cut_for + 1 if self.supply_mv < limits.SUPPLY_CUT_MV else 0
        self._low_for = self._low_for + 1 if self.supply_mv < limits.SUPPLY_LOW_MV else 0
        if self._low_for >= SUPPLY_LOW_TICKS and not self._low:
            self._low = True
            self.guard.reflex(p.LOW_BATTERY, limits.LOW_BATTERY_POSE)
        elif self._low and self.supply_mv >= limits.SUPPLY_OK_MV:
            self._low = False
        if self._low:
            self._unfit = p.LOW_BATTERY
        if self._cut_for >= SUPPLY_CUT_TICKS:
            self._low = True
            self._unfit = p.NO_SUPPLY
            if self.guard.torque:
                self.guard.stop(p.NO_SUPPLY)

    def _judge_heat(self) -> None:
        if not self.have & p.TEMPERATURE or self._silent[1] >= SENSE_TICKS:
            return
        limits = self.limits
        self._hot_for = self._hot_for + 1 if self.temperature_c >= limits.TEMPERATURE_CUT_C else 0
        if self._hot_for >= TEMPERATURE_TICKS:
            self._hot = True
        elif self._hot and self.temperature_c <= limits.TEMPERATURE_OK_C:
            self._hot = False
        if self._hot:
            self._unfit = p.TOO_HOT
            if self.guard.torque:
                self.guard.stop(p.TOO_HOT)

    def _judge_tilt(self) -> None:
        """A reflex at the moment of falling; who lies already may arm, to get up again."""
        if not self.have & p.TILT:
            return
        most = self.limits.TILT_DEG
        tilted = max(abs(self.roll_deg), abs(self.pitch_deg)) > most or self.gravity_mg < WEIGHTLESS_MG
        self._tilted_for = min(self._tilted_for + 1, TILT_TICKS) if tilted else 0
        was, self.fallen = self.fallen, self._tilted_for >= TILT_TICKS
        if self.fallen and not was:
            self.guard.reflex(p.FALLING, self.limits.FALLING_POSE)

    def _judge_lift(self) -> None:
        self._lifted_for = min(self._lifted_for + 1, LIFT_TICKS) if self.lifted else 0
        if self._lifted_for >= LIFT_TICKS:
            self._unfit = p.LIFTED
            self.guard.reflex(p.LIFTED, None)

    def _judge_stall(self) -> None:
        if not self.have & p.POSITION:
            return
        guard = self.guard
        for i in range(guard.n):
            away = abs(self.measured[i] - guard.position[i]) > self.limits.STALL_CDEG
            self._stalled_for[i] = self._stalled_for[i] + 1 if away and guard.torque else 0
            if self._stalled_for[i] >= self.limits.STALL_TICKS:
                self.stalled |= 1 << i
                guard.stop(p.STALLED, False)
            elif guard.state == p.ARMED:
                self.stalled &= ~(1 << i)
