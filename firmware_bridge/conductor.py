"""What the bridge does, without threads or sleeps: judges commands, gives the board's orders, watches it.

`Conductor.command` takes one message, `Conductor.step` one moment; movements are mover.py's, the process
around it is bridge.py.
"""

import logging
import time
import uuid
from contextlib import suppress

from firmware_bridge import codec
from firmware_bridge.answers import Answers
from firmware_bridge.gatekeeper import Gatekeeper, Verdict
from firmware_bridge.insistence import ArmingAtStart, Stopping
from firmware_bridge.link import Link
from firmware_bridge.mcu import protocol as p
from firmware_bridge.mover import Mover
from firmware_bridge.skills import GaitSkill, Library
from firmware_bridge.telemetry import Publisher, Telemetry, reason_name
from runtime.contracts import messages as m
from runtime.contracts.body import Body
from runtime.contracts.errors import MessageError
from runtime.contracts.topics import decode

log = logging.getLogger(__name__)


def monotonic_ms() -> int:
    """The robot's monotonic clock, shared by every process of this machine."""
    return time.monotonic_ns() // 1_000_000


class Conductor:
    """One robot's commands, movement and board; `link.poll` is its only source of bytes."""

    def __init__(
        self, bus: Publisher, link: Link, body: Body, library: Library, robot_id: str, *, arm: bool
    ) -> None:
        self.boot_id = uuid.uuid4().hex[:12]
        self._link = link
        self._answers = Answers(bus)
        gaits = [name for name, skill in library.items() if isinstance(skill, GaitSkill)]
        self._gatekeeper = Gatekeeper(robot_id, self.boot_id, body, library, gaits)
        self._telemetry = Telemetry(bus, link, body, self.boot_id)
        self._arming = ArmingAtStart(
            link, arm, lambda: self._answers.event("armed", "at start", monotonic_ms())
        )
        self._stopping = Stopping(link)
        self._mover = Mover(link, body, library, self._stopping, self._answers)
        self._was: int | None = None
        self._mismatch = ""
        """Said already"""

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
                self._mover.lease.renew(now_ms)
            case m.SkillCommand() | m.GaitCommand() | m.PoseCommand():
                self._mover.move(verdict, command, now_ms)
            case m.IdleCommand():
                self._mover.idle(verdict, command, now_ms)
            case m.HaltCommand():
                self._halt(verdict, command.reason, now_ms)
            case m.ArmCommand():
                self._arm(verdict, now_ms)
            case m.DisarmCommand():
                self._arming.pending = False
                self._mover.end_errand("preempted", now_ms, "disarmed")
                self._order(verdict, p.DISARM, now_ms, "disarmed")
            case m.ClearCommand():
                self._clear(verdict, now_ms)

    def _halt(self, verdict: Verdict, reason: str, now_ms: int) -> None:
        """Hold, forget what was under way, stay ARMED."""
        self._mover.hold(now_ms, f"halt: {reason}" if reason else "halt")
        if self._link.mcu_state != p.ARMED or not self._link.ready:
            self._answers.ack(verdict, "done", now_ms, "nothing was moving: not armed")
            return
        self._order(verdict, p.HALT, now_ms, "halt", reason)
        self._mover.stream(now_ms)

    def _stop(self, verdict: Verdict, now_ms: int) -> None:
        """Fall silent and latch FAULT; asked again until the board confirms it."""
        self._arming.pending = False
        command = verdict.command
        reason = (command.reason if isinstance(command, m.StopCommand) else "") or "stop"
        self._stopping.want(reason, now_ms)
        self._mover.hold(now_ms, "stop")
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
            if isinstance(message, codec.State):
                self._mover.heard(message, now_ms)
        self._watch_board(now_ms)

    def step(self, now_ms: int) -> None:
        """Read the board, stream what is due, tell the world. Call at least every 20 ms."""
        self.hear(now_ms)
        self._mover.watch_lease(now_ms)
        self._stopping.step(now_ms)
        self._arming.step()
        self._mover.step(now_ms)
        self._telemetry.step(now_ms, self._mover.errand, self._gatekeeper.dropped)

    @property
    def next_stream_s(self) -> float:
        """Monotonic seconds at which `step` wants to be called at the latest."""
        return min(self._mover.next_stream_s, self._telemetry.joints_due_s)

    def _watch_board(self, now_ms: int) -> None:
        """What changed on the board, and what follows from it."""
        if self._link.mismatch not in ("", self._mismatch):
            self._mismatch = self._link.mismatch
            log.error("%s", self._mismatch)
        state = self._link.mcu_state if self._link.ready else None
        if state == self._was:
            return
        was, self._was = self._was, state
        if state == p.ARMED:
            self._mover.begin_armed(now_ms, anew=was == p.DISARMED)
        elif was == p.ARMED:
            link = self._link
            reason = "link lost" if state is None or link.state is None else reason_name(link.state.reason)
            self._mover.fail(now_ms, f"the board left ARMED: {reason}")
            kind = "link_lost" if state is None else "fault" if state == p.FAULT else "disarmed"
            self._answers.event(kind, reason, now_ms)

    # The end

    def farewell(self) -> bool:
        """Ask for rest; True once the board has no torque, or there is no board to ask."""
        if not self._link.ready or self._link.mcu_state in (p.DISARMED, p.FAULT):
            return True
        if self._mover.errand is not None or self._link.mcu_state == p.ARMED:
            self._mover.end_errand("failed", monotonic_ms(), "the bridge ends")
            self._link.order(p.DISARM)
            self._link.mcu_state = p.STOPPING
        self._link.poll()
        self._telemetry.tell_body(None, self._gatekeeper.dropped)
        return False
