"""What the joints are told at each moment: one movement at a time, or a held pose that breathes. No I/O.

Times are seconds of the caller's monotonic clock; poses are degrees. `hold` freezes at once and also ends the
breathing, until the next movement.
"""

from firmware_bridge.motion import Idle, Movement
from runtime.contracts.body import Body, Pose

PERIOD_S = 0.02
"""50 setpoints a second"""


class Player:
    """Starts from the body's safe pose; `resume` tells it where the joints really are."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._idle = Idle()
        self._idle_since_s: float | None = None
        self._movement: Movement | None = None
        self._started_s = 0.0
        self._base = body.safe
        self.pose = body.safe
        """Last setpoint given out"""
        self.idle_enabled = True

    @property
    def moving(self) -> bool:
        return self._movement is not None

    @property
    def target(self) -> Pose:
        """Where the last movement ends or the pose that is held, without the breathing."""
        return self._base

    def resume(self, pose: Pose) -> None:
        """Hold `pose`, where the joints were found."""
        self._movement = None
        self._idle_since_s = None
        self._base = self.pose = self._body.clamp(pose)

    def begin(self, movement: Movement, now_s: float) -> None:
        """Play `movement`; the one before ends here. Its first setpoint is already one period in."""
        self._movement = movement
        self._started_s = now_s - PERIOD_S
        self._idle_since_s = None
        self._base = movement.evaluate(movement.duration_s)

    def hold(self) -> None:
        """Stay exactly where the last setpoint was."""
        self._movement = None
        self._idle_since_s = None
        self._base = self.pose

    def breathe(self, now_s: float) -> None:
        """Let the small movements begin, from nothing."""
        self._idle_since_s = now_s

    def step(self, now_s: float) -> Pose:
        """The setpoint for this moment, inside every joint's range."""
        if self._movement is not None:
            played_s = now_s - self._started_s
            pose = self._movement.evaluate(played_s)
            if played_s >= self._movement.duration_s:
                self._movement = None
        else:
            pose = self._base
            if self._idle_since_s is not None and self.idle_enabled:
                offsets = self._idle.evaluate(now_s - self._idle_since_s)
                pose = pose | {name: pose[name] + offset for name, offset in offsets.items() if name in pose}
        self.pose = self._body.clamp(pose)
        return self.pose
