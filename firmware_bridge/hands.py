"""The body by hand, without broker or mind: one link, one player, always disarmed at the end.

No threads: `step` reads the board and sends the setpoint that is due. The board's own deadline stands behind
it: a program that hangs here stops the body as any other does.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from firmware_bridge.link import Link
from firmware_bridge.mcu import protocol as p
from firmware_bridge.motion import Movement
from firmware_bridge.player import PERIOD_S, Player
from firmware_bridge.telemetry import mcu_state_name, reason_name
from runtime.contracts.body import Body, Pose
from runtime.contracts.errors import LinkError

READY_S = 5.0
GOODBYE_S = 4.0
TTL_MS = 120
SETTLED_DEG = 3.0


class Hands:
    """`sleep` is given for tests; times are seconds of `clock`, monotonic."""

    def __init__(
        self,
        link: Link,
        body: Body,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.link, self.body = link, body
        self.player = Player(body)
        self._clock, self._sleep = clock, sleep
        self._due_s = 0.0

    @property
    def pose(self) -> Pose | None:
        """Where the board says the joints are; None before it has said so."""
        state = self.link.state
        return dict(zip(self.body.names, state.angles_deg, strict=True)) if state else None

    def step(self) -> None:
        """One turn of the loop: a fiftieth of a second at most."""
        self.link.poll()
        now_s = self._clock()
        if self.link.mcu_state == p.ARMED and not 0 < self._due_s - now_s <= PERIOD_S:
            self._due_s = now_s + PERIOD_S
            pose = self.player.step(now_s)
            self.link.stream([pose[name] for name in self.body.names], TTL_MS)
        self._sleep(PERIOD_S / 4)

    def wait(self, true: Callable[[], bool], timeout_s: float) -> bool:
        """Keep the body going until `true`; False where that took too long."""
        give_up_s = self._clock() + timeout_s
        while not true():
            if self._clock() > give_up_s:
                return False
            self.step()
        return True

    def greet(self) -> None:
        """Until the board is heard and agrees; LinkError says why it does not."""
        heard = self.wait(
            lambda: bool(self.link.mismatch) or (self.link.ready and self.pose is not None), READY_S
        )
        if self.link.mismatch:
            raise LinkError(self.link.mismatch)
        if not heard:
            raise LinkError(
                f"no board answers at {self.link.path}; is its firmware on it? everpaw flash board auto"
            )

    def arm(self) -> None:
        """Allow movement and hold the pose; a latched fault is not cleared from here."""
        codes: list[int | None] = []
        self.link.order(p.ARM, codes.append)
        self.wait(lambda: bool(codes), READY_S)
        if codes != [p.OK]:
            state = mcu_state_name(self.link.mcu_state)
            unfit = self.link.senses.unfit if self.link.senses else p.NONE
            why = f": {reason_name(unfit)}" if unfit else ""
            raise LinkError(f"the board does not arm: it is {state}{why}; `everpaw body live` shows more")
        self.player.resume(self.pose or self.body.safe)

    def play(self, movement: Movement) -> None:
        """Play to the end and until the joints are there; LinkError where the board stops meanwhile."""
        self.player.begin(movement, self._clock())
        arrived = self.wait(lambda: not self.player.moving or self._stopped, movement.duration_s + 1.0)
        arrived = arrived and self.wait(lambda: self._there or self._stopped, 1.0)
        if self._stopped:
            reason = reason_name(self.link.state.reason) if self.link.state else "link lost"
            raise LinkError(f"the board stopped: {reason}")
        if not arrived:
            raise LinkError("the joints did not arrive in time; look for what blocks them")

    @property
    def _stopped(self) -> bool:
        return self.link.mcu_state != p.ARMED

    @property
    def _there(self) -> bool:
        pose = self.pose
        target = self.player.target
        return pose is not None and all(abs(pose[name] - target[name]) <= SETTLED_DEG for name in target)

    def disarm(self) -> bool:
        """To the safe pose, torque off; False where the board did not say so in time."""
        if self.link.mcu_state is None:
            return True
        # Whatever state was heard last: an order to arm may still be on its way.
        codes: list[int | None] = []
        self.link.order(p.DISARM, codes.append)
        self.wait(lambda: bool(codes), GOODBYE_S)
        rested = self.wait(lambda: self.link.mcu_state in (p.DISARMED, p.FAULT), GOODBYE_S)
        return rested and None not in codes


@contextmanager
def hands_on(port: str, body: Body) -> Iterator[Hands]:
    """A body that answers; disarmed on every way out."""
    link = Link(port, body, time.monotonic)
    link.open()
    hands = Hands(link, body)
    try:
        hands.greet()
        yield hands
    finally:
        try:
            hands.disarm()
        finally:
            link.close()
