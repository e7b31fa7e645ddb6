"""The bridge between MQTT and the microcontroller: `everpaw bridge`.

    bus thread --Inbox--> main loop: gatekeeper -> player -> link ==serial==> guard
                                     errand <---- STATE, RESULT <----------'

Threads: the bus calls back on its own thread and only fills the inbox; everything else happens in the main
loop, which sleeps on the serial port, the inbox and the next of 50 setpoints a second.

Safety: setpoints flow only while the board is ARMED, the link agrees on every hash and the mind renews its
lease. From arming until the first lease the pose is held and nothing moves. When the lease lapses the bridge
falls silent and the board stops by its own clock. A stop is repeated until the board confirms FAULT.
"""

import argparse
import logging
import os
import select
import subprocess
import sys
import tempfile
import time
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from firmware_bridge import codec
from firmware_bridge.errand import Errand
from firmware_bridge.gatekeeper import Gatekeeper, Verdict
from firmware_bridge.link import Link
from firmware_bridge.mcu import protocol as p
from firmware_bridge.motion import KeyFrame, KeyFrames, Movement
from firmware_bridge.player import PERIOD_S, Player
from firmware_bridge.sim import Ended
from firmware_bridge.skills import GaitSkill, Library, load_skills
from firmware_bridge.telemetry import Publisher, Telemetry
from firmware_bridge.urgency import be_urgent
from runtime.bus import Bus, Delivery
from runtime.contracts import messages as m
from runtime.contracts.body import Body, load_body
from runtime.contracts.errors import EverpawError, LinkError, MessageError, PackError
from runtime.contracts.topics import check_robot_id, decode, full_topic

log = logging.getLogger(__name__)

LEASE_MS = 250
SETPOINT_TTL_MS = 120
GOODBYE_S = 2.5
"""Longest wait for the board to reach its safe pose at the end"""
INBOX_LIMIT = 256
RETRY_STOP_MS = 100


class Bridge:
    """One robot's bridge, without threads or sleeps; `link.poll` is its only source of bytes."""

    def __init__(
        self, bus: Publisher, link: Link, body: Body, library: Library, robot_id: str, *, arm: bool
    ) -> None:
        self.boot_id = uuid.uuid4().hex[:12]
        self._bus, self._link, self._body, self._library = bus, link, body, library
        gaits = [name for name, skill in library.items() if isinstance(skill, GaitSkill)]
        self._gatekeeper = Gatekeeper(robot_id, self.boot_id, body, library, gaits)
        self._player = Player(body)
        self._telemetry = Telemetry(bus, link, body, self.boot_id)
        self._errand: Errand | None = None
        self._arm_pending = arm
        self._arm_asked = False
        self._stop_wanted = ""
        self._stop_asked_ms = -RETRY_STOP_MS
        self._lease_until_ms: int | None = None
        """None from arming until the first lease"""
        self._was_leased = False
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
                self._ack(verdict, verdict.status, now_ms, verdict.reason)
        else:
            self._obey(verdict, verdict.command, now_ms)

    def view(self, payload: bytes, now_ms: int) -> None:
        """Somebody renews `request/view`."""
        with suppress(MessageError):
            self._telemetry.view(decode(m.ViewRequest, payload).for_ms, now_ms)

    def _obey(self, verdict: Verdict, command: m.Command, now_ms: int) -> None:
        match command:
            case m.LeaseCommand():
                self._lease_until_ms = now_ms + LEASE_MS
            case m.SkillCommand() | m.GaitCommand() | m.PoseCommand():
                self._move(verdict, command, now_ms)
            case m.IdleCommand():
                self._player.idle_enabled = command.enabled
                self._ack(verdict, "done", now_ms)
            case m.HaltCommand():
                self._halt(verdict, command.reason, now_ms)
            case m.ArmCommand():
                self._arm(verdict, now_ms)
            case m.DisarmCommand():
                self._arm_pending = False
                self._end_errand("preempted", now_ms, "disarmed")
                self._order(verdict, p.DISARM, now_ms, "disarmed")
            case m.ClearCommand():
                self._clear(verdict, now_ms)

    def _move(
        self, verdict: Verdict, command: m.SkillCommand | m.GaitCommand | m.PoseCommand, now_ms: int
    ) -> None:
        if refusal := self._refusal(now_ms):
            self._ack(verdict, "rejected", now_ms, refusal)
            return
        try:
            name, movement = self._movement(command)
        except PackError as error:
            self._ack(verdict, "rejected", now_ms, str(error))
            return
        self._end_errand("preempted", now_ms, f"{name} came after it")
        self._errand = Errand(verdict.command_id, verdict.act, name, self._tell)
        self._errand.say("accepted", now_ms)
        self._player.begin(movement, now_ms / 1000)
        self._stream(now_ms)

    def _movement(self, command: m.SkillCommand | m.GaitCommand | m.PoseCommand) -> tuple[str, Movement]:
        start = self._player.pose
        if isinstance(command, m.PoseCommand):
            frame = KeyFrame(command.duration_ms / 1000, command.joints_deg)
            return "pose", KeyFrames(self._body, start, [frame])
        if isinstance(command, m.SkillCommand):
            return command.skill, self._library[command.skill].movement(self._body, start, command.speed)
        gait = self._library[command.gait]
        assert isinstance(gait, GaitSkill)  # the gatekeeper knows which names are gaits
        walk_s = command.duration_ms / 1000
        return command.gait, gait.movement(self._body, start, command.speed, command.turn, walk_s)

    def _refusal(self, now_ms: int) -> str:
        """Why nothing may move; empty where it may."""
        if self._link.mismatch:
            return self._link.mismatch
        if self._stop_wanted or self._link.mcu_state == p.FAULT:
            return "stopped: clear and arm from the page, a button or the command line"
        if not self._link.ready or self._link.state is None:
            return "the microcontroller does not answer"
        if self._link.mcu_state != p.ARMED:
            return f"not armed: the microcontroller is {p.STATES[self._link.mcu_state or 0]}"
        if self._lease_until_ms is None or now_ms > self._lease_until_ms:
            return "no lease: the mind is not renewing cmnd/lease"
        return ""

    def _halt(self, verdict: Verdict, reason: str, now_ms: int) -> None:
        """Hold, forget what was under way, stay ARMED."""
        self._player.hold()
        self._end_errand("preempted", now_ms, f"halt: {reason}" if reason else "halt")
        if self._link.mcu_state != p.ARMED or not self._link.ready:
            self._ack(verdict, "done", now_ms, "nothing was moving: not armed")
            return
        self._order(verdict, p.HALT, now_ms, "halt", reason)
        self._stream(now_ms)

    def _stop(self, verdict: Verdict, now_ms: int) -> None:
        """Fall silent and latch FAULT; asked again until the board confirms it."""
        self._arm_pending = False
        command = verdict.command
        self._stop_wanted = (command.reason if isinstance(command, m.StopCommand) else "") or "stop"
        self._player.hold()
        self._end_errand("preempted", now_ms, "stop")
        self._stop_asked_ms = now_ms
        self._order(verdict, p.STOP, now_ms, "stop", self._stop_wanted)

    def _arm(self, verdict: Verdict, now_ms: int) -> None:
        if self._link.mismatch or self._stop_wanted or not self._link.ready:
            reason = self._link.mismatch or (
                "stopped: clear first" if self._stop_wanted else "no board answers"
            )
            self._ack(verdict, "rejected", now_ms, reason)
            return
        self._order(verdict, p.ARM, now_ms, "armed")

    def _clear(self, verdict: Verdict, now_ms: int) -> None:
        if self._stop_wanted and self._link.mcu_state != p.FAULT:
            self._ack(
                verdict, "rejected", now_ms, "the stop has not reached the board yet; look at the cable"
            )
            return
        self._stop_wanted = ""
        self._order(verdict, p.CLEAR, now_ms, "cleared")

    def _order(self, verdict: Verdict, kind: int, now_ms: int, event: str, detail: str = "") -> None:
        """A reliable order to the board; acknowledged when the board answered."""
        self._ack(verdict, "accepted", now_ms)

        def answered(code: int | None) -> None:
            at_ms = _now_ms()
            if code == p.OK:
                self._ack(verdict, "done", at_ms)
                self._event(event, detail, at_ms)
            else:
                why = (
                    "the board did not answer" if code is None else p.RESULTS[code].lower().replace("_", " ")
                )
                self._ack(verdict, "failed", at_ms, why)

        self._link.order(kind, answered)

    # Time

    def step(self, now_ms: int) -> None:
        """Read the board, stream what is due, tell the world. Call at least every 20 ms."""
        for message in self._link.poll():
            if isinstance(message, codec.State) and self._errand is not None:
                self._errand.heard(message, now_ms)
        self._watch_board(now_ms)
        self._watch_lease(now_ms)
        self._keep_stopping(now_ms)
        self._arm_at_start()
        if now_ms / 1000 >= self._next_stream_s:
            self._stream(now_ms)
        self._watch_errand(now_ms)
        activity = self._errand.activity if self._errand else ""
        self._telemetry.step(now_ms, activity, self._gatekeeper.dropped)

    @property
    def next_stream_s(self) -> float:
        """Monotonic seconds at which `step` wants to be called at the latest."""
        return self._next_stream_s

    def may_stream(self, now_ms: int) -> bool:
        leased = self._lease_until_ms is None or now_ms <= self._lease_until_ms
        return leased and not self._stop_wanted and self._link.ready and self._link.mcu_state == p.ARMED

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
            self._begin_armed(now_ms)
        elif was == p.ARMED:
            reported = self._link.state
            reason = p.REASONS[reported.reason].lower().replace("_", " ") if reported else "link lost"
            self._end_errand("failed", now_ms, f"the board left ARMED: {reason}")
            self._player.hold()
            kind = "link_lost" if state is None else "fault" if state == p.FAULT else "disarmed"
            self._event(kind, reason, now_ms)

    def _begin_armed(self, now_ms: int) -> None:
        """Hold where the joints are; a lease of before does not count."""
        if self._link.state is not None:
            self._player.resume(dict(zip(self._body.names, self._link.state.angles_deg, strict=True)))
        if self._lease_until_ms is not None and now_ms > self._lease_until_ms:
            self._lease_until_ms = None
        self._next_stream_s = 0.0

    def _watch_lease(self, now_ms: int) -> None:
        leased = self._lease_until_ms is not None and now_ms <= self._lease_until_ms
        if self._was_leased and not leased and self._link.mcu_state == p.ARMED:
            self._end_errand("failed", now_ms, "the mind's lease lapsed")
            self._player.hold()
            self._event("lease_lapsed", f"not renewed for {LEASE_MS} ms", now_ms)
        elif leased and not self._was_leased and not self._player.moving:
            self._player.breathe(now_ms / 1000)
        self._was_leased = leased

    def _keep_stopping(self, now_ms: int) -> None:
        unconfirmed = self._stop_wanted and self._link.mcu_state != p.FAULT
        if unconfirmed and self._link.alive and now_ms - self._stop_asked_ms >= RETRY_STOP_MS:
            self._stop_asked_ms = now_ms
            self._link.order(p.STOP)

    def _arm_at_start(self) -> None:
        """`--arm`: once, as soon as the board said HELLO and rests."""
        if not self._arm_pending or self._arm_asked or not self._link.ready:
            return
        if self._link.mcu_state == p.ARMED:
            self._arm_pending = False
            return
        kinds = {p.FAULT: p.CLEAR, p.DISARMED: p.ARM}
        if self._link.mcu_state in kinds:
            self._arm_asked = True
            self._link.order(kinds[self._link.mcu_state], self._armed_at_start)

    def _armed_at_start(self, code: int | None) -> None:
        self._arm_asked = False
        if code == p.OK and self._link.mcu_state == p.ARMED:
            self._arm_pending = False
            self._event("armed", "at start", _now_ms())

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
            self._player.breathe(now_ms / 1000)

    # The end

    def farewell(self) -> bool:
        """Ask for rest; True once the board has no torque, or there is no board to ask."""
        if not self._link.ready or self._link.mcu_state in (p.DISARMED, p.FAULT):
            return True
        if self._errand is not None or self._link.mcu_state == p.ARMED:
            self._end_errand("failed", _now_ms(), "the bridge ends")
            self._link.order(p.DISARM)
            self._link.mcu_state = p.STOPPING
        self._link.poll()
        self._telemetry.tell_body("", self._gatekeeper.dropped)
        return False

    def _end_errand(self, status: m.AckStatus, now_ms: int, reason: str) -> None:
        if self._errand is not None:
            self._errand.end(status, now_ms, reason)
            self._errand = None

    def _ack(self, verdict: Verdict, status: m.AckStatus, now_ms: int, reason: str = "") -> None:
        self._tell(
            m.Ack(id=verdict.command_id, act=verdict.act, status=status, reason=reason, mono_ms=now_ms)
        )

    def _tell(self, ack: m.Ack) -> None:
        self._bus.publish("ack/command", ack)

    def _event(self, kind: str, detail: str, now_ms: int) -> None:
        event = {"kind": kind, "detail": detail, "mono_ms": now_ms}
        self._bus.publish("event/safety", m.SafetyEvent.model_validate(event))


class Inbox:
    """Messages from the bus's thread to the loop: at most INBOX_LIMIT; beyond, all but stops are dropped."""

    def __init__(self) -> None:
        self._waiting: deque[Delivery] = deque()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self.dropped = 0

    def fileno(self) -> int:
        return self._wake_read

    def put(self, delivery: Delivery) -> None:
        """Called on the bus's thread."""
        if delivery.name == "cmnd/stop":
            self._waiting.appendleft(delivery)
        elif len(self._waiting) < INBOX_LIMIT:
            self._waiting.append(delivery)
        else:
            self.dropped += 1
        with suppress(BlockingIOError):
            os.write(self._wake_write, b"\0")

    def take(self) -> Iterator[Delivery]:
        with suppress(BlockingIOError):
            os.read(self._wake_read, 4096)
        while self._waiting:
            yield self._waiting.popleft()

    def close(self) -> None:
        os.close(self._wake_read)
        os.close(self._wake_write)


def _now_ms() -> int:
    """The robot's monotonic clock, shared by every process of this machine."""
    return time.monotonic_ns() // 1_000_000


def serve(bridge: Bridge, link: Link, inbox: Inbox, ended: Ended) -> None:
    """The main loop, until `ended`; the board is left at rest on every way out."""
    try:
        while not ended.asked:
            _wait(link, inbox, bridge.next_stream_s - time.monotonic())
            for delivery in inbox.take():
                _deliver(bridge, delivery)
            bridge.step(_now_ms())
    finally:
        give_up_s = time.monotonic() + GOODBYE_S
        while not bridge.farewell() and time.monotonic() < give_up_s:
            _wait(link, inbox, PERIOD_S)
            for _ in inbox.take():
                pass


def _wait(link: Link, inbox: Inbox, timeout_s: float) -> None:
    port = link.fileno()
    watched = [inbox.fileno()] if port is None else [inbox.fileno(), port]
    select.select(watched, [], [], min(max(timeout_s, 0.0), PERIOD_S))


def _deliver(bridge: Bridge, delivery: Delivery) -> None:
    if delivery.name == "request/view":
        if not delivery.retained:
            bridge.view(delivery.payload, _now_ms())
        return
    topic = full_topic(delivery.robot_id, delivery.name)
    bridge.command(topic, delivery.payload, delivery.retained, _now_ms())


@contextmanager
def simulator() -> Iterator[str]:
    """A simulated microcontroller of our own; its port."""
    with tempfile.TemporaryDirectory(prefix="everpaw-") as folder:
        port = Path(folder) / "mcu"
        command = [sys.executable, "-m", "firmware_bridge.sim", "--link", str(port)]
        # In its own session: Ctrl-C is for the bridge, which disarms before it ends the board.
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            give_up_s = time.monotonic() + 15
            while not port.exists():
                if process.poll() is not None or time.monotonic() > give_up_s:
                    raise LinkError("the simulated microcontroller did not come up; its words stand above")
                time.sleep(0.01)
            yield str(port)
        finally:
            process.terminate()
            process.wait()


def main(argv: list[str] | None = None) -> int:
    """`everpaw bridge`."""
    args = _parse(argv)
    body = load_body(args.body)
    library = load_skills(args.pack / "skills", body)
    ended = Ended().listen()
    be_urgent()
    with ExitStack() as stack:
        port = stack.enter_context(simulator()) if args.port == "sim" else args.port
        inbox = Inbox()
        stack.callback(inbox.close)
        host, _, number = args.broker.rpartition(":")
        presence = {alive: ("state/bridge", m.Presence(alive=alive)) for alive in (False, True)}
        bus = Bus(args.robot_id, host or "127.0.0.1", int(number), will=presence[False], birth=presence[True])
        link = Link(port, body, time.monotonic)
        stack.callback(link.close)
        link.open()
        bus.connect(args.connect_s)
        stack.callback(bus.close)
        bridge = Bridge(bus, link, body, library, args.robot_id, arm=args.arm)
        bus.subscribe("cmnd", inbox.put)
        bus.subscribe("request/view", inbox.put)
        serve(bridge, link, inbox, ended)
    return 0


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="everpaw bridge", description="Between MQTT and the microcontroller."
    )
    parser.add_argument("--robot-id", default="buddy", type=check_robot_id)
    parser.add_argument("--broker", default="127.0.0.1:1883", metavar="HOST:PORT", type=_address)
    parser.add_argument("--port", required=True, help="serial port or pty of the board, or `sim`")
    parser.add_argument(
        "--pack", required=True, type=Path, help="folder of the pack; its skills/*.toml are used"
    )
    parser.add_argument("--body", type=Path, help="TOML of another body than Buddy's")
    parser.add_argument("--arm", action="store_true", help="allow movement as soon as the board said HELLO")
    parser.add_argument("--connect-s", type=float, default=5.0, help="how long to wait for the broker")
    return parser.parse_args(argv)


def _address(text: str) -> str:
    _, _, number = text.rpartition(":")
    if not number.isdigit() or not 0 < int(number) < 65_536:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return text


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="everpaw bridge: %(message)s", stream=sys.stderr)
    try:
        sys.exit(main())
    except EverpawError as error:
        print(f"everpaw: {error}", file=sys.stderr)
        sys.exit(1)
