"""What the joints are told at each moment: a movement or a held pose, and the small movements under both.

Times are seconds of the caller's monotonic clock; poses are degrees. A movement starts from `base`, the pose
without the small movements, so that they are never counted twice. `hold` freezes everything at once, until
the next movement or `breathe`; `pause` ends a movement where it is and lets the breath go on.
"""

from firmware_bridge.idle import TICK_S, Idle, IdleSettings
from firmware_bridge.motion import LEGS, Movement
from runtime.contracts.body import Body, Pose

PERIOD_S = TICK_S
"""50 setpoints a second"""
MOST_TICKS = 5
"""A caller that comes late gets no more of the small movements than this at once"""
STANCE_SLACK_DEG = 8.0


class Player:
    """Starts from the body's safe pose; `resume` tells it where the joints really are."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._idle = Idle()
        self._ticked_s: float | None = None
        self._alive = False
        self._frozen = True
        self._movement: Movement | None = None
        self._started_s = 0.0
        self._standing = False
        self.base = body.safe
        """Where the movement under way is, or the pose that is held; start the next one from here"""
        self.pose = body.safe
        """Last setpoint given out"""

    @property
    def moving(self) -> bool:
        return self._movement is not None

    @property
    def frozen(self) -> bool:
        """Not even the small movements go on."""
        return self._frozen

    @property
    def target(self) -> Pose:
        """Where the last movement ends, or what is held at this moment."""
        return self.pose if self._movement is None else self._movement.evaluate(self._movement.duration_s)

    def shape(self, settings: IdleSettings) -> None:
        """How the small movements look from here on."""
        self._idle.change(settings)

    def resume(self, pose: Pose) -> None:
        """Hold `pose`, where the joints were found."""
        self._idle = Idle(self._idle.settings)
        self._movement, self._alive, self._frozen = None, False, True
        self.base = self.pose = self._body.clamp(pose)

    def begin(self, movement: Movement, now_s: float) -> None:
        """Play `movement`; the one before ends here. Its first setpoint is already one period in."""
        self._movement = movement
        self._started_s = now_s - PERIOD_S
        self._alive = self._frozen = False

    def hold(self) -> None:
        """Stay exactly where the last setpoint was."""
        self._movement, self._alive, self._frozen = None, False, True

    def pause(self) -> None:
        """End the movement where it is; the small ones go on."""
        self._movement = None
        self.breathe()

    def breathe(self) -> None:
        """Let the small movements begin, from nothing."""
        self._standing = _stands(self.base)
        self._alive, self._frozen = True, False

    def step(self, now_s: float) -> Pose:
        """The setpoint for this moment, inside every joint's range."""
        if self._movement is not None:
            played_s = now_s - self._started_s
            self.base = self._movement.evaluate(played_s)
            if played_s >= self._movement.duration_s:
                self._movement = None
        for _ in range(self._due(now_s)):
            self._idle.tick(at_rest=self._alive and not self.moving, standing=self._standing and self._alive)
        self.pose = self._layered()
        return self.pose

    def _due(self, now_s: float) -> int:
        """Ticks of the small movements since the last step; they stand still while frozen."""
        if self._ticked_s is None or not 0 <= now_s - self._ticked_s <= MOST_TICKS * TICK_S:
            self._ticked_s = now_s - TICK_S
        ticks = round((now_s - self._ticked_s) / TICK_S)
        self._ticked_s += ticks * TICK_S
        return 0 if self._frozen else ticks

    def _layered(self) -> Pose:
        """Base and small movements together; where parts would meet, only as far as they may go.

        The rules leave a convex room, so what lies between two poses in it is in it too.
        """
        offsets, base = self._idle.offsets, self.base
        pose = self._body.clamp({name: angle + offsets.get(name, 0.0) for name, angle in base.items()})
        share = 1.0
        for rule in self._body.collisions:
            excess = rule.excess_deg(pose)
            if excess > 0:
                before = min(rule.excess_deg(base), 0.0)
                share = min(share, before / (before - excess))
        if share < 1.0:
            pose = {name: angle + share * (pose[name] - angle) for name, angle in base.items()}
        return pose


def _stands(pose: Pose) -> bool:
    """Whether every leg has its foot under its hip, as in the plain stance."""
    hips = [(pose.get(f"{leg}_hip", 0.0), pose.get(f"{leg}_knee", 0.0)) for leg in LEGS]
    return all(15 <= hip <= 50 and abs(knee - 2 * hip) <= STANCE_SLACK_DEG for hip, knee in hips)
