"""What the bridge tells the world at its own pace: the clock, the body's state, joints and link figures."""

from typing import Protocol

from firmware_bridge.errand import Errand
from firmware_bridge.link import Link
from firmware_bridge.mcu import protocol as p
from firmware_bridge.mcu.vitals import LIFTED
from runtime.contracts import messages as m
from runtime.contracts.body import Body
from runtime.contracts.reports import BodyMeta, GeometryMeta, JointMeta

SECOND_MS = 1_000
JOINTS_MS = 33
"""30 a second at most"""


class Publisher(Protocol):
    """The part of runtime.bus.Bus that the bridge needs."""

    def publish(self, name: str, message: m.Message, /) -> bool: ...


class Telemetry:
    """`step` is cheap and may be called as often as the loop turns."""

    def __init__(self, bus: Publisher, link: Link, body: Body, boot_id: str) -> None:
        self._bus, self._link, self._body, self._boot_id = bus, link, body, boot_id
        self._second_ms = -SECOND_MS
        self._joints_due_ms = 0
        self._view_until_ms = 0
        self._streamed = 0
        self._said: m.BodyState | None = None
        self._meta: BodyMeta | None = None

    def view(self, for_ms: int, now_ms: int) -> None:
        """Somebody looks: joints flow for this long."""
        self._view_until_ms = max(self._view_until_ms, now_ms + for_ms)

    def step(self, now_ms: int, errand: Errand | None, dropped: int) -> None:
        self.tell_body(errand, dropped)
        self._tell_meta()
        if not 0 <= now_ms - self._second_ms < SECOND_MS:  # a clock that went back must not silence us
            self._tell_second(now_ms)
        if now_ms >= self._view_until_ms:
            self._joints_due_ms = self._view_until_ms  # never due in the past: the loop would not sleep
        elif not 0 < self._joints_due_ms - now_ms <= JOINTS_MS:
            self._tell_joints(now_ms)

    @property
    def joints_due_s(self) -> float:
        """Monotonic seconds at which joints are due next; infinite while nobody looks."""
        looked_at = self._joints_due_ms < self._view_until_ms
        return self._joints_due_ms / 1000 if looked_at else float("inf")

    def _tell_joints(self, now_ms: int) -> None:
        """On a beat of their own: counted from when they were due, not from when the loop came round."""
        late_ms = now_ms - self._joints_due_ms
        self._joints_due_ms = (self._joints_due_ms if 0 <= late_ms < JOINTS_MS else now_ms) + JOINTS_MS
        if self._link.state:
            angles = dict(zip(self._body.names, self._link.state.angles_deg, strict=True))
            self._bus.publish("tele/joints", m.JointsTelemetry(joints_deg=angles, mono_ms=now_ms))

    def tell_body(self, errand: Errand | None, dropped: int) -> None:
        """`state/body`, where it changed."""
        link = self._link
        fault = link.mismatch
        if link.state is not None and link.state.state == p.FAULT:
            fault = reason_name(link.state.reason)
        senses = link.senses if link.alive else None
        unfit = senses.unfit if senses else p.NONE
        state = m.BodyState(
            mcu_alive=link.alive,
            mcu_state=mcu_state_name(link.mcu_state) if link.alive else None,
            fault=fault,
            activity=errand.activity if errand else "",
            activity_source=errand.source if errand else None,
            commands_dropped=dropped,
            unfit=reason_name(unfit) if unfit != p.NONE else "",
            touched=senses.touch if senses else 0,
            lifted=bool(senses and senses.flags & LIFTED),
        )
        if state != self._said:
            self._said = state
            self._bus.publish("state/body", state)

    def _tell_meta(self) -> None:
        """`meta/body`, at the start and when another firmware answers."""
        hello = self._link.hello
        firmware = f"{hello.firmware} {hello.firmware_hash.hex()[:8]}" if hello else ""
        if self._meta is None or self._meta.firmware != firmware:
            self._meta = body_meta(self._body, firmware)
            self._bus.publish("meta/body", self._meta)

    def why_not(self, code: int | None) -> str:
        """Why the board did not obey, from its answer's code; None where it never answered."""
        if code is None:
            return "the board did not answer"
        if code == p.UNFIT and self._link.senses is not None:
            return f"the board is not fit: {reason_name(self._link.senses.unfit)}"
        return p.RESULTS[code].lower().replace("_", " ") if code < len(p.RESULTS) else f"code {code}"

    def _tell_second(self, now_ms: int) -> None:
        self._bus.publish("state/clock", m.Clock(boot_id=self._boot_id, mono_ms=now_ms))
        link, counters = self._link, self._link.counters
        since_ms = now_ms - self._second_ms
        hz = (counters.streamed - self._streamed) * 1000 / (since_ms if since_ms > 0 else SECOND_MS)
        self._streamed, self._second_ms = counters.streamed, now_ms
        figures = m.LinkTelemetry(
            frames_sent=counters.sent,
            frames_received=counters.received,
            crc_errors=counters.bad,
            resends=link.orders.resends,
            stream_hz=round(hz, 1),
            mono_ms=now_ms,
            baud=link.baud,
            frames_unsent=counters.unsent,
            orders_given_up=link.orders.given_up,
            reopened=counters.reopened,
            round_trip_ms=_rounded(link.heartbeat.round_trip_ms),
            clock_offset_ms=_rounded(link.heartbeat.clock_offset_ms),
            wrong_proofs=link.heartbeat.wrong,
            **_board_figures(link),
        )
        self._bus.publish("tele/link", figures)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _board_figures(link: Link) -> dict[str, int]:
    """What the board counts and feels, as far as it has said."""
    figures: dict[str, int] = {}
    if link.state is not None:
        figures |= {"setpoints_clamped": link.state.clamped, "setpoints_refused": link.state.refused}
        figures |= {"board_crc_errors": link.state.bad_frames}
    if (senses := link.senses) is not None:
        figures |= {"setpoints_stale": senses.stale, "late_ticks": senses.late}
        if senses.senses & p.SUPPLY:
            figures["supply_mv"] = senses.supply_mv
        if senses.senses & p.TEMPERATURE:
            figures["temperature_c"] = senses.temperature_c
    return figures


def body_meta(body: Body, firmware: str) -> BodyMeta:
    """What a picture of the body needs."""
    geometry = GeometryMeta.model_validate(body.geometry.model_dump()) if body.geometry else None
    joints = [JointMeta.model_validate(joint.model_dump()) for joint in body.joints]
    return BodyMeta(
        name=body.name, joints=joints, geometry=geometry, firmware=firmware, limits_hash=body.limits_hash
    )


def reason_name(reason: int) -> str:
    """A reason of the dictionary in words; its number where the board knows one that we do not."""
    return p.REASONS[reason].lower().replace("_", " ") if reason < len(p.REASONS) else f"reason {reason}"


_NAMES: dict[int, m.McuState] = {
    p.BOOT: "BOOT",
    p.DISARMED: "DISARMED",
    p.ARMED: "ARMED",
    p.STOPPING: "STOPPING",
    p.FAULT: "FAULT",
}


def mcu_state_name(state: int | None) -> m.McuState | None:
    """The contract's word for a state of the board; None where it is unknown."""
    return None if state is None else _NAMES.get(state)
