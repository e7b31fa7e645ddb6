"""The guard: what stands between any command and a servo. Nothing the host does gets around it.

Integers only; hundredths of a degree and ticks of 10 ms. `tick` allocates nothing. Runs unchanged on CPython
and MicroPython.

States: BOOT -> DISARMED -> ARMED -> STOPPING -> DISARMED, and FAULT, which only `clear` leaves.
- 250 ms after the last valid setpoint ARMED becomes STOPPING: the joints brake and hold. 500 ms after it
  they move to the safe pose, then torque goes off. While STOPPING no setpoint is heard; nothing re-arms
  itself.
- A reflex leaves ARMED at once for a pose of its own (falling, low battery), or for none (lifted).
- FAULT brakes, holds, and takes the torque away without any further movement (stop category 1); a stalled
  joint loses it at once. While `unfit` is set nothing is armed or cleared.
- A joint never leaves its range, its speed, its acceleration (a stop before a collision may be harder).
"""

from . import protocol as p

MIN, MAX, SAFE, SPEED, ACCEL = 0, 1, 2, 3, 4
"""Columns of a joint's row: hundredths of a degree, then those a tick, then those a tick a tick"""
HOLD_TICKS = p.HOLD_MS // p.TICK_MS
SAFE_TICKS = p.SAFE_MS // p.TICK_MS
REST_TICKS = p.REST_MS // p.TICK_MS
FAULT_HOLD_TICKS = p.FAULT_HOLD_MS // p.TICK_MS
COUNTER_MAX = 0xFFFF
GROSS_CDEG = p.GROSS_CDEG


class Guard:
    """`joints`: rows (min, max, safe, speed, accel). `rules`: rows (most, i, weight, j, weight, ...).

    A rule holds where the weighted sum of its joints' angles is at most `most`.
    """

    def __init__(self, joints: tuple, rules: tuple = ()) -> None:
        self.joints = list(joints)
        """What holds now: the firmware's limits, or narrower ones until the next session"""
        self._firmware_joints = joints
        self.rules = rules
        self.n = len(joints)
        self.state = p.BOOT
        self.reason = p.NONE
        self.torque = False
        self.unfit = p.NONE
        """The sensors' reason against arming"""
        self.safe = [row[SAFE] for row in joints]
        self._retreat = self.safe
        """Pose to go to before the torque goes, or None: hold"""
        self.position = [row[SAFE] for row in joints]
        """Where the servos are told to be; what the host reads back"""
        self.speed = [0] * self.n
        self.goal = [row[SAFE] for row in joints]
        self._step = [0] * self.n
        self.age = 0
        """Ticks since the last valid setpoint, since arming, or since the fault"""
        self.ttl = 0
        """Ticks the last setpoint is good for; older, it is held, not pursued"""
        self.holding = False
        self.clamped = 0
        self.refused = 0

    # Orders: each returns a code of protocol's results.

    def arm(self) -> int:
        if self.state != p.DISARMED:
            return p.WRONG_STATE
        if self.unfit != p.NONE:
            return p.UNFIT
        self.state = p.ARMED
        self.reason = p.NONE
        self.torque = True
        self.age = 0
        self.ttl = HOLD_TICKS
        self.holding = True
        return p.OK

    def disarm(self, reason: int = p.DISARM_ORDER) -> int:
        """To the safe pose at once, then torque off."""
        if self.state == p.ARMED or (self.state == p.STOPPING and self._retreat is self.safe):
            self.state = p.STOPPING
            self.reason = reason
            self._retreat = self.safe
            self.age = max(self.age, SAFE_TICKS)
        return p.OK if self.state != p.FAULT else p.WRONG_STATE

    def reflex(self, reason: int, pose: object) -> None:
        """Leave ARMED for `pose` at once, or where it is None: brake, hold, let go. Then torque off."""
        if self.state == p.ARMED or (self.state == p.STOPPING and self.reason != reason):
            self.state = p.STOPPING
            self.reason = reason
            self._retreat = pose
            self.age = max(self.age, HOLD_TICKS if pose is None else SAFE_TICKS)

    def halt(self) -> int:
        """Brake and hold until the next setpoint; buys no time against the deadline."""
        self.holding = True
        return p.OK if self.state == p.ARMED else p.WRONG_STATE

    def stop(self, reason: int = p.STOP_ORDER, hold: bool = True) -> int:
        """Latch FAULT, from any state; without `hold` the torque goes at the next tick."""
        if self.state != p.FAULT:
            self.state = p.FAULT
            self.reason = reason
            self.age = 0
        if not hold:
            self.age = max(self.age, FAULT_HOLD_TICKS)
        return p.OK

    def clear(self) -> int:
        if self.state != p.FAULT or not self._limits_sound():
            return p.WRONG_STATE
        if self.unfit != p.NONE:
            return p.UNFIT
        self.state = p.DISARMED
        self.reason = p.NONE
        self.torque = False
        self._stand_still()
        return p.OK

    def tighten(self, i: int, low: int, high: int, speed: int, accel: int) -> int:
        """Narrower limits for a joint at rest, never wider than what holds, safe pose and position inside."""
        if self.torque or self.state == p.BOOT or not 0 <= i < self.n:
            return p.WRONG_STATE
        row = self.joints[i]
        narrower = row[MIN] <= low <= row[SAFE] <= high <= row[MAX]
        if not narrower or not low <= self.position[i] <= high:
            return p.REFUSED
        if not 0 < speed <= row[SPEED] or not 0 < accel <= row[ACCEL]:
            return p.REFUSED
        self.joints[i] = (low, high, row[SAFE], speed, accel)
        return p.OK

    def loosen(self) -> None:
        """Back to the firmware's own limits."""
        for i in range(self.n):
            self.joints[i] = self._firmware_joints[i]

    def setpoint(self, angles: list, ttl_ms: int) -> bool:
        """New goals; False (and no deadline fed) unless ARMED, fresh and not grossly outside the limits."""
        if self.state != p.ARMED or len(angles) != self.n or ttl_ms < p.TICK_MS:
            return False
        for i in range(self.n):
            row, angle = self.joints[i], angles[i]
            if angle < row[MIN] - GROSS_CDEG or angle > row[MAX] + GROSS_CDEG:
                self.refused = min(self.refused + 1, COUNTER_MAX)
                return False
        for i in range(self.n):
            row, angle = self.joints[i], angles[i]
            self.goal[i] = angle if row[MIN] <= angle <= row[MAX] else self._clamped(i, angle)
        for rule in self.rules:
            self._part(rule)
        self.age = 0
        self.ttl = ttl_ms // p.TICK_MS
        self.holding = False
        return True

    def _clamped(self, i: int, angle: int) -> int:
        row = self.joints[i]
        self.clamped = min(self.clamped + 1, COUNTER_MAX)
        return min(max(angle, row[MIN]), row[MAX])

    def _part(self, rule: tuple) -> None:
        """Take the goals of a rule's joints out of each other's way, the first one first."""
        excess = self._excess(rule, self.goal)
        if excess <= 0:
            return
        self.clamped = min(self.clamped + 1, COUNTER_MAX)
        for at in range(1, len(rule), 2):
            i, weight = rule[at], rule[at + 1]
            size = weight if weight > 0 else -weight
            way = (excess + size - 1) // size
            wanted = self.goal[i] - way if weight > 0 else self.goal[i] + way
            self.goal[i] = min(max(wanted, self.joints[i][MIN]), self.joints[i][MAX])
            excess = self._excess(rule, self.goal)
            if excess <= 0:
                return

    def _excess(self, rule: tuple, angles: list) -> int:
        """How far beyond a rule these angles are."""
        total = -rule[0]
        for at in range(1, len(rule), 2):
            total += rule[at + 1] * angles[rule[at]]
        return total

    # Time: once every 10 ms.

    def tick(self) -> None:
        """One step of states and joints; allocates nothing."""
        if self.age < COUNTER_MAX:
            self.age += 1
        if self.state == p.BOOT:
            self._leave_boot()
        elif self.state == p.ARMED:
            if self.age >= HOLD_TICKS:
                self.state = p.STOPPING
                self.reason = p.DEADLINE
                self._retreat = self.safe
            elif self.age > self.ttl:
                self.holding = True
            self._move(self.state == p.STOPPING or self.holding)
        elif self.state == p.STOPPING:
            self._wind_down()
        elif self.state == p.FAULT and self.torque:
            self._move(True)
            if self.age >= FAULT_HOLD_TICKS:
                self.torque = False
                self._stand_still()

    def _leave_boot(self) -> None:
        if self._limits_sound():
            self.state = p.DISARMED
        else:
            self.stop(p.BAD_LIMITS)

    def _wind_down(self) -> None:
        if self.age < SAFE_TICKS:
            self._move(True)
            return
        if self._retreat is None:
            self._move(True)
            for i in range(self.n):
                self.goal[i] = self.position[i]
        else:
            for i in range(self.n):
                self.goal[i] = min(max(self._retreat[i], self.joints[i][MIN]), self.joints[i][MAX])
            for rule in self.rules:
                self._part(rule)
            self._move(False)
        if self._arrived() or self.age >= REST_TICKS:
            self.state = p.DISARMED
            self.torque = False
            self._stand_still()

    def _arrived(self) -> bool:
        for i in range(self.n):  # noqa: SIM110  # a generator would allocate
            if self.position[i] != self.goal[i] or self.speed[i]:
                return False
        return True

    def _stand_still(self) -> None:
        for i in range(self.n):
            self.speed[i] = 0
            self.goal[i] = self.position[i]

    def _move(self, hold: bool) -> None:
        moves = False
        for i in range(self.n):
            if not self.speed[i] and (hold or self.position[i] == self.goal[i]):
                self._step[i] = 0  # most joints, most of the time
            else:
                self._step[i] = self._inside(i, self._braked(i) if hold else self._pursued(i))
                moves = True
        if moves:
            self._keep_apart()
            for i in range(self.n):
                self.speed[i] = self._step[i]
                self.position[i] += self._step[i]

    def _inside(self, i: int, step: int) -> int:
        """As much of a step as its range allows: a joint at the end of it makes no room for another."""
        row, was = self.joints[i], self.position[i]
        return min(max(was + step, row[MIN]), row[MAX]) - was

    def _braked(self, i: int) -> int:
        speed, accel = self.speed[i], self.joints[i][ACCEL]
        if speed > 0:
            return max(speed - accel, 0)
        return min(speed + accel, 0)

    def _pursued(self, i: int) -> int:
        """The fastest step towards the goal from which the joint can still stop at it."""
        row = self.joints[i]
        way = self.goal[i] - self.position[i]
        sign = 1 if way >= 0 else -1
        way *= sign
        speed = self.speed[i] * sign
        accel = row[ACCEL]
        slowest = speed - accel
        step = min(speed + accel, row[SPEED], way)
        while step > accel and step > slowest and not self._stops_within(step, accel, way):
            step -= 1 + (step - max(slowest, 0)) // 8
        return max(step, slowest) * sign

    def _stops_within(self, step: int, accel: int, way: int) -> bool:
        """Whether a joint that now steps `step` and then brakes covers no more than `way`."""
        full = step // accel
        return step + full * step - accel * full * (full + 1) // 2 <= way

    def _keep_apart(self) -> None:
        """Cancel steps that would bring joints into each other; a step that parts them stays."""
        again = True
        while again:
            again = False
            for rule in self.rules:
                if self._meet_after_step(rule):
                    for at in range(1, len(rule), 2):
                        if rule[at + 1] * self._step[rule[at]] > 0:
                            self._step[rule[at]] = 0
                            again = True

    def _meet_after_step(self, rule: tuple) -> bool:
        total = -rule[0]
        for at in range(1, len(rule), 2):
            i = rule[at]
            total += rule[at + 1] * (self.position[i] + self._step[i])
        return total > 0

    def _limits_sound(self) -> bool:
        for row in self.joints:
            if not row[MIN] <= row[SAFE] <= row[MAX] or row[SPEED] <= 0 or row[ACCEL] <= 0:
                return False
        for rule in self.rules:
            if not self._rule_sound(rule) or self._excess(rule, self.safe) > 0:
                return False
        return self.n > 0

    def _rule_sound(self, rule: tuple) -> bool:
        for at in range(1, len(rule), 2):  # noqa: SIM110  # a generator would allocate
            if not 0 <= rule[at] < self.n or not rule[at + 1]:
                return False
        return True
