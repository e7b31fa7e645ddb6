"""What the bridge does, without threads or sleeps: judges commands, streams setpoints, watches the board.

`Conductor.command` takes one message, `Conductor.step` one moment; the process around it is bridge.py.
"""

import time
import uuid
from contextlib import suppress

from firmware_bridge import codec
from firmware_bridge.answers import Answers
from firmware_bridge.asked_movement import MoveCommand, movement_of
from firmware_bridge.errand import Errand
from firmware_bridge.gatekeeper import Gatekeeper, Verdict
from firmware_bridge.idle import IdleSettings
from firmware_bridge.insistence import ArmingAtStart, Stopping
from firmware_bridge.lanes import Lanes
from firmware_bridge.lease import FIRST_LEASE_MS, LEASE_MS, Lease
from firmware_bridge.link import Link
from firmware_bridge.mcu import protocol as p
from firmware_bridge.mcu.vitals import FALLEN
from firmware_bridge.player import PERIOD_S, Player
from firmware_bridge.skills import GaitSkill, Library
from firmware_bridge.telemetry import Publisher, Telemetry, reason_name
from runtime.contracts import messages as m
from runtime.contracts.body import Body
from runtime.contracts.errors import MessageError, PackError
from runtime.contracts.topics import decode

SETPOINT_TTL_MS = 120


def monotonic_ms() -> int:
    """The robot's monotonic clock, shared by every process of this machine."""
    return time.monotonic_ns() // 1_000_000


class Conductor:
    """One robot's commands, movement and board; `link.poll` is its only source of bytes."""

    def __init__(
        self, bus: Publisher, link: Link, body: Body, library: Library, robot_id: str, *, arm: bool
    ) -> None:
        self.boot_id = uuid.uuid4().hex[:12]
        self._link, self._body, self._library = link, body, library
        self._answers = Answers(bus)
        gaits = [name for name, skill in library.items() if isinstance(skill, GaitSkill)]
        self._gatekeeper = Gatekeeper(robot_id, self.boot_id, body, library, gaits)
        self._player = Player(body)
        self._telemetry = Telemetry(bus, link, body, self.boot_id)
        self._errand: Errand | None = None
        self._arming = ArmingAtStart(
            link, arm, lambda: self._answers.event("armed", "at start", monotonic_ms())
        )
        self._stopping = Stopping(link)
        self._lease = Lease()
        self._lanes = Lanes()
        self._was: int | None = None
        self._next_stream_s = 0.0

    # Commands

    def command(self, topic: str, payload: bytes, retained: bool, now_ms: int) -> None:
        """Judge and obey one message of `cmnd/`."""
        verdict = self._gatekeeper.judge(topic, payload, retained, now_ms)
        if verdict.act == "stop" and verdict.status == "accepted":
            self._stop(verdict, now_ms)
        elif verdict.status != "accepted" or verdict.command is None:
            if verdict.told:
                self._answers.ack(verdict, verdict.status, now_ms, verdict.reason)
        else:
            self._obey(verdict, verdict.command, now_ms)

    def view(self, payload: bytes, now_ms: int) -> None:
        """Somebody renews `request/view`."""
        with suppress(MessageError):
            self._telemetry.view(decode(m.ViewRequest, payload).for_ms, now_ms)

    def _obey(self, verdict: Verdict, command: m.Command, now_ms: int) -> None:
        match command:
            case m.LeaseCommand():
                self._lease.renew(now_ms)
            case m.SkillCommand() | m.GaitCommand() | m.PoseCommand():
                self._move(verdict, command, now_ms)
            case m.IdleCommand():
                self._idle(verdict, command, now_ms)
            case m.HaltCommand():
                self._halt(verdict, command.reason, now_ms)
            case m.ArmCommand():
                self._arm(verdict, now_ms)
            case m.DisarmCommand():
                self._arming.pending = False
                self._end_errand("preempted", now_ms, "disarmed")
                self._order(verdict, p.DISARM, now_ms, "disarmed")
            case m.ClearCommand():
                self._clear(verdict, now_ms)

    def _move(self, verdict: Verdict, command: MoveCommand, now_ms: int) -> None:
        under_way = self._errand.source if self._errand else None
        refusal = self._refusal(now_ms) or self._lanes.refusal(command.source, under_way, now_ms)
        if refusal:
            self._answers.ack(verdict, "rejected", now_ms, refusal)
            return
        try:
            name, movement, met = movement_of(command, self._body, self._player.base, self._library)
        except PackError as error:
            self._answers.ack(verdict, "rejected", now_ms, str(error))
            return
        self._end_errand("preempted", now_ms, f"{name} came after it")
        self._errand = Errand(verdict.command_id, verdict.act, name, command.source, self._answers.tell)
        self._errand.say("accepted", now_ms, f"limited: {', '.join(met)}" if met else "")
        if not self._errand.own_will:
            self._lanes.owner_moved()
        self._player.begin(movement, now_ms / 1000)
        self._stream(now_ms)

    def _idle(self, verdict: Verdict, command: m.IdleCommand, now_ms: int) -> None:
        """New small movements; a movement of the pet's own will ends where it is if somebody speaks."""
        stamp = {*m.Command.model_fields}
        self._player.shape(IdleSettings(**command.model_dump(exclude=stamp)))
        self._lanes.listen(command.listening, now_ms)
        if command.listening and self._errand is not None and self._errand.own_will:
            self._end_errand("preempted", now_ms, "somebody speaks to the pet")
            self._player.pause()
        reason = ""
        if self._lanes.is_still(now_ms):
            reason = "kept for later: the body was halted"
        elif self._player.frozen and self.may_stream(now_ms) and self._lease.held(now_ms):
            self._player.breathe()
        self._answers.ack(verdict, "done", now_ms, reason)

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
        if not self._lease.held(now_ms):
            return "no lease: the mind is not renewing cmnd/lease"
        if self._link.senses is not None and self._link.senses.flags & FALLEN:
            return "fallen: it lies on its side, back or nose and no joint can roll it; lift it onto its feet"
        return ""

    def _halt(self, verdict: Verdict, reason: str, now_ms: int) -> None:
        """Hold, forget what was under way, stay ARMED."""
        self._player.hold()
        self._lanes.halted(now_ms)
        self._end_errand("preempted", now_ms, f"halt: {reason}" if reason else "halt")
        if self._link.mcu_state != p.ARMED or not self._link.ready:
            self._answers.ack(verdict, "done", now_ms, "nothing was moving: not armed")
            return
        self._order(verdict, p.HALT, now_ms, "halt", reason)
        self._stream(now_ms)

    def _stop(self, verdict: Verdict, now_ms: int) -> None:
        """Fall silent and latch FAULT; asked again until the board confirms it."""
        self._arming.pending = False
        command = verdict.command
        reason = (command.reason if isinstance(command, m.StopCommand) else "") or "stop"
        self._stopping.want(reason, now_ms)
        self._player.hold()
        self._lanes.halted(now_ms)
        self._end_errand("preempted", now_ms, "stop")
        self._order(verdict, p.STOP, now_ms, "stop", reason)

    def _arm(self, verdict: Verdict, now_ms: int) -> None:
        if self._link.mismatch or self._stopping.wanted or not self._link.ready:
            reason = self._link.mismatch or (
                "stopped: clear first" if self._stopping.wanted else "no board answers"
            )
            self._answers.ack(verdict, "rejected", now_ms, reason)
            return
        self._order(verdict, p.ARM, now_ms, "armed")

    def _clear(self, verdict: Verdict, now_ms: int) -> None:
        if self._stopping.wanted and not self._stopping.reached:
            self._answers.ack(
                verdict, "rejected", now_ms, "the stop has not reached the board yet; look at the cable"
            )
            return
        self._stopping.wanted = ""
        self._order(verdict, p.CLEAR, now_ms, "cleared")

    def _order(self, verdict: Verdict, kind: int, now_ms: int, event: str, detail: str = "") -> None:
        """A reliable order to the board; acknowledged when the board answered."""
        self._answers.ack(verdict, "accepted", now_ms)

        def answered(code: int | None) -> None:
            at_ms = monotonic_ms()
            if code == p.OK:
                self._answers.ack(verdict, "done", at_ms)
                self._answers.event(event, detail, at_ms)
            else:
                self._answers.ack(verdict, "failed", at_ms, self._telemetry.why_not(code))

        self._link.order(kind, answered)

    # Time

    def hear(self, now_ms: int) -> None:
        """Read the board: a bridge that slept judges no command by what it had not read yet."""
        for message in self._link.poll():
            if isinstance(message, codec.State) and self._errand is not None:
                self._errand.heard(message, now_ms)
        self._watch_board(now_ms)

    def step(self, now_ms: int) -> None:
        """Read the board, stream what is due, tell the world. Call at least every 20 ms."""
        self.hear(now_ms)
        self._watch_lease(now_ms)
        self._stopping.step(now_ms)
        self._arming.step()
        if not 0 < self._next_stream_s - now_ms / 1000 <= PERIOD_S:
            self._stream(now_ms)
        self._watch_errand(now_ms)
        self._telemetry.step(now_ms, self._errand, self._gatekeeper.dropped)

    @property
    def next_stream_s(self) -> float:
        """Monotonic seconds at which `step` wants to be called at the latest."""
        return self._next_stream_s

    def may_stream(self, now_ms: int) -> bool:
        leased = self._lease.may_hold_still(now_ms)
        return leased and not self._stopping.wanted and self._link.ready and self._link.mcu_state == p.ARMED

    def _stream(self, now_ms: int) -> None:
        self._next_stream_s = now_ms / 1000 + PERIOD_S
        if not self.may_stream(now_ms):
            return
        pose = self._player.step(now_ms / 1000)
        seq = self._link.stream([pose[name] for name in self._body.names], SETPOINT_TTL_MS)
        if self._errand is not None:
            self._errand.streamed(seq)

    def _watch_board(self, now_ms: int) -> None:
        """What changed on the board, and what follows from it."""
        state = self._link.mcu_state if self._link.ready else None
        if state == self._was:
            return
        was, self._was = self._was, state
        if state == p.ARMED:
            self._begin_armed(now_ms, anew=was == p.DISARMED)
        elif was == p.ARMED:
            link = self._link
            reason = "link lost" if state is None or link.state is None else reason_name(link.state.reason)
            self._end_errand("failed", now_ms, f"the board left ARMED: {reason}")
            self._player.hold()
            kind = "link_lost" if state is None else "fault" if state == p.FAULT else "disarmed"
            self._answers.event(kind, reason, now_ms)

    def _begin_armed(self, now_ms: int, *, anew: bool) -> None:
        """Hold where the joints are. Armed anew, a lease of before does not count, and a first one is
        waited for; a board that was only unheard for a while is held by the lease that it had.
        """
        if self._link.state is not None:
            self._player.resume(dict(zip(self._body.names, self._link.state.angles_deg, strict=True)))
        if anew:
            self._lease.begin_armed(now_ms)
        self._lanes.armed(now_ms)
        self._next_stream_s = 0.0

    def _watch_lease(self, now_ms: int) -> None:
        changed = self._lease.change(now_ms)
        if changed is False and self._link.mcu_state == p.ARMED:
            self._end_errand("failed", now_ms, "the mind's lease lapsed")
            self._player.hold()
            self._answers.event("lease_lapsed", f"not renewed for {LEASE_MS} ms", now_ms)
        elif self._lease.missed(now_ms) and self._link.mcu_state == p.ARMED:
            self._answers.event(
                "lease_lapsed", f"no mind renewed it within {FIRST_LEASE_MS} ms of arming", now_ms
            )
        elif changed and not self._player.moving and not self._lanes.is_still(now_ms):
            self._player.breathe()

    def _watch_errand(self, now_ms: int) -> None:
        errand = self._errand
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
            self._errand = None
            self._player.breathe()

    # The end

    def farewell(self) -> bool:
        """Ask for rest; True once the board has no torque, or there is no board to ask."""
        if not self._link.ready or self._link.mcu_state in (p.DISARMED, p.FAULT):
            return True
        if self._errand is not None or self._link.mcu_state == p.ARMED:
            self._end_errand("failed", monotonic_ms(), "the bridge ends")
            self._link.order(p.DISARM)
            self._link.mcu_state = p.STOPPING
        self._link.poll()
        self._telemetry.tell_body(None, self._gatekeeper.dropped)
        return False

    def _end_errand(self, status: m.AckStatus, now_ms: int, reason: str) -> None:
        if self._errand is not None:
            self._errand.end(status, now_ms, reason)
            self._errand = None
