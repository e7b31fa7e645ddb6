"""What the body does and whether it may: the movement under way, its lane, the mind's lease, the setpoints.

No threads, no sleeps; times are milliseconds of the robot's monotonic clock.
"""

from firmware_bridge.answers import Answers
from firmware_bridge.asked_movement import MoveCommand, movement_of
from firmware_bridge.codec import State
from firmware_bridge.errand import Errand
from firmware_bridge.gatekeeper import Verdict
from firmware_bridge.idle import IdleSettings
from firmware_bridge.insistence import Stopping
from firmware_bridge.lanes import Lanes
from firmware_bridge.lease import FIRST_LEASE_MS, LEASE_MS, Lease
from firmware_bridge.link import Link
from firmware_bridge.mcu import protocol as p
from firmware_bridge.mcu.vitals import FALLEN
from firmware_bridge.player import PERIOD_S, Player
from firmware_bridge.skills import Library
from runtime.contracts import messages as m
from runtime.contracts.body import Body
from runtime.contracts.errors import PackError

SETPOINT_TTL_MS = 120


class Mover:
    """At most one movement at a time; while a stop is wanted nothing moves and no setpoint leaves."""

    def __init__(
        self, link: Link, body: Body, library: Library, stopping: Stopping, answers: Answers
    ) -> None:
        self.errand: Errand | None = None
        """The movement under way"""
        self.lease = Lease()
        self.next_stream_s = 0.0
        """Monotonic seconds at which the next setpoint is due"""
        self._link, self._body, self._library = link, body, library
        self._stopping, self._answers = stopping, answers
        self._player = Player(body)
        self._lanes = Lanes()

    # Commands

    def move(self, verdict: Verdict, command: MoveCommand, now_ms: int) -> None:
        under_way = self.errand.source if self.errand else None
        refusal = self._refusal(now_ms) or self._lanes.refusal(command.source, under_way, now_ms)
        if refusal:
            self._answers.ack(verdict, "rejected", now_ms, refusal)
            return
        try:
            name, movement, met = movement_of(command, self._body, self._player.base, self._library)
        except PackError as error:
            self._answers.ack(verdict, "rejected", now_ms, str(error))
            return
        self.end_errand("preempted", now_ms, f"{name} came after it")
        self.errand = Errand(verdict.command_id, verdict.act, name, command.source, self._answers.tell)
        self.errand.say("accepted", now_ms, f"limited: {', '.join(met)}" if met else "")
        if not self.errand.own_will:
            self._lanes.owner_moved()
        self._player.begin(movement, now_ms / 1000)
        self.stream(now_ms)

    def idle(self, verdict: Verdict, command: m.IdleCommand, now_ms: int) -> None:
        """New small movements; a movement of the pet's own will ends where it is if somebody speaks."""
        stamp = {*m.Command.model_fields}
        self._player.shape(IdleSettings(**command.model_dump(exclude=stamp)))
        self._lanes.listen(command.listening, now_ms)
        if command.listening and self.errand is not None and self.errand.own_will:
            self.end_errand("preempted", now_ms, "somebody speaks to the pet")
            self._player.pause()
        reason = ""
        if self._lanes.is_still(now_ms):
            reason = "kept for later: the body was halted"
        elif self._player.frozen and self._may_stream(now_ms) and self.lease.held(now_ms):
            self._player.breathe()
        self._answers.ack(verdict, "done", now_ms, reason)

    def hold(self, now_ms: int, reason: str) -> None:
        """Somebody wants stillness: hold, and forget what was under way."""
        self._player.hold()
        self._lanes.halted(now_ms)
        self.end_errand("preempted", now_ms, reason)

    def _refusal(self, now_ms: int) -> str:
        """Why nothing may move; empty where it may."""
        if self._link.mismatch:
            return self._link.mismatch
        if self._stopping.wanted or self._link.mcu_state == p.FAULT:
            return "stopped: clear and arm from the page, a button or the command line"
        if not self._link.ready or self._link.state is None:
            return "the microcontroller does not answer"
        if self._link.mcu_state != p.ARMED:
            return f"not armed: the microcontroller is {p.STATES[self._link.mcu_state or 0]}"
        if not self.lease.held(now_ms):
            return "no lease: the mind is not renewing cmnd/lease"
        if self._link.senses is not None and self._link.senses.flags & FALLEN:
            return "fallen: it lies on its side, back or nose and no joint can roll it; lift it onto its feet"
        return ""

    # Time

    def heard(self, state: State, now_ms: int) -> None:
        """The board's report."""
        if self.errand is not None:
            self.errand.heard(state, now_ms)

    def step(self, now_ms: int) -> None:
        """Send the setpoint that is due; see whether the movement has arrived."""
        if not 0 < self.next_stream_s - now_ms / 1000 <= PERIOD_S:
            self.stream(now_ms)
        self._watch_errand(now_ms)

    def stream(self, now_ms: int) -> None:
        """A setpoint now, where any may leave."""
        self.next_stream_s = now_ms / 1000 + PERIOD_S
        if not self._may_stream(now_ms):
            return
        pose = self._player.step(now_ms / 1000)
        seq = self._link.stream([pose[name] for name in self._body.names], SETPOINT_TTL_MS)
        if self.errand is not None:
            self.errand.streamed(seq)

    def _may_stream(self, now_ms: int) -> bool:
        leased = self.lease.may_hold_still(now_ms)
        return leased and not self._stopping.wanted and self._link.ready and self._link.mcu_state == p.ARMED

    def begin_armed(self, now_ms: int, *, anew: bool) -> None:
        """Hold where the joints are. Armed anew, a lease of before does not count, and a first one is
        waited for; a board that was only unheard for a while is held by the lease that it had.
        """
        if self._link.state is not None:
            self._player.resume(dict(zip(self._body.names, self._link.state.angles_deg, strict=True)))
        if anew:
            self.lease.begin_armed(now_ms)
        self._lanes.armed(now_ms)
        self.next_stream_s = 0.0

    def fail(self, now_ms: int, reason: str) -> None:
        """Nothing can move on: hold, so that it does not go on by itself later."""
        self.end_errand("failed", now_ms, reason)
        self._player.hold()

    def watch_lease(self, now_ms: int) -> None:
        changed = self.lease.change(now_ms)
        if changed is False and self._link.mcu_state == p.ARMED:
            self.fail(now_ms, "the mind's lease lapsed")
            self._answers.event("lease_lapsed", f"not renewed for {LEASE_MS} ms", now_ms)
        elif self.lease.missed(now_ms) and self._link.mcu_state == p.ARMED:
            self._answers.event(
                "lease_lapsed", f"no mind renewed it within {FIRST_LEASE_MS} ms of arming", now_ms
            )
        elif changed and not self._player.moving and not self._lanes.is_still(now_ms):
            self._player.breathe()

    def _watch_errand(self, now_ms: int) -> None:
        errand = self.errand
        if errand is None or self._player.moving or self._link.state is None:
            return
        target = self._player.target
        away = {
            name: abs(angle - target[name])
            for name, angle in zip(self._body.names, self._link.state.angles_deg, strict=True)
        }
        where = max(away, key=lambda name: away[name])
        errand.settle(away[where], where, now_ms)
        if errand.finished:
            self.errand = None
            self._player.breathe()

    def end_errand(self, status: m.AckStatus, now_ms: int, reason: str) -> None:
        if self.errand is not None:
            self.errand.end(status, now_ms, reason)
            self.errand = None
