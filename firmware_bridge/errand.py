"""One accepted movement on its way: accepted -> started -> done, each said once, as the board reports it."""

from collections.abc import Callable
from dataclasses import dataclass

from firmware_bridge.codec import State
from firmware_bridge.mcu import protocol as p
from runtime.contracts import messages as m

ARRIVED_DEG = 3.0
"""Joints this near to a movement's end have arrived"""
SETTLE_MS = 1_000
"""A movement whose joints are still further away after this long has failed"""

Tell = Callable[[m.Ack], None]


@dataclass(slots=True)
class Errand:
    """`activity` is the movement's name, `source` who asked; acknowledgements go to `tell`."""

    command_id: str
    act: str
    activity: str
    source: m.Source
    tell: Tell
    first_seq: int | None = None
    """Sequence number of its first setpoint"""
    started: bool = False
    over_at_ms: int | None = None
    finished: bool = False

    @property
    def own_will(self) -> bool:
        """The pet's own idea, and no order."""
        return self.source == "autonomy"

    def say(self, status: m.AckStatus, now_ms: int, reason: str = "") -> None:
        self.tell(m.Ack(id=self.command_id, act=self.act, status=status, reason=reason, mono_ms=now_ms))

    def streamed(self, seq: int | None) -> None:
        """A setpoint of this errand left."""
        if self.first_seq is None:
            self.first_seq = seq

    def heard(self, state: State, now_ms: int) -> None:
        """The board's report: did it apply our first setpoint, and when?"""
        if self.started or self.first_seq is None:
            return
        ahead = (state.setpoint_seq - self.first_seq) & 0xFF
        if ahead < 128:
            self.started = True
            waited_ms = max(state.setpoint_age_ticks - 1, 0) * p.TICK_MS if ahead == 0 else 0
            self.say("started", now_ms - waited_ms)

    def settle(self, farthest_deg: float, where: str, now_ms: int) -> None:
        """The movement's time is over: done where the joints arrived, failed where they never do."""
        if self.over_at_ms is None:
            self.over_at_ms = now_ms
        if not self.started:
            if now_ms - self.over_at_ms > SETTLE_MS:
                self.end("failed", now_ms, "the board applied no setpoint")
        elif farthest_deg <= ARRIVED_DEG:
            self.end("done", now_ms)
        elif now_ms - self.over_at_ms > SETTLE_MS:
            self.end("failed", now_ms, f"{where} is still {farthest_deg:.0f} deg away")

    def end(self, status: m.AckStatus, now_ms: int, reason: str = "") -> None:
        """The last word; later ones are not said."""
        if not self.finished:
            self.finished = True
            self.say(status, now_ms, reason)
