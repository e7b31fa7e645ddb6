"""When a robot may be disturbed: its body at rest, its battery not low."""

import pytest

from firmware_bridge.update import rest
from firmware_bridge.update.charge import cells, charge_percent
from firmware_bridge.update.rest import Watch
from runtime.bus import Delivery
from runtime.contracts import messages as m
from runtime.contracts.body import load_body
from runtime.contracts.topics import encode

BRIDGE, RESTING = m.Presence(alive=True), m.BodyState(mcu_alive=True, mcu_state="DISARMED")
LINK = {"frames_sent": 1, "frames_received": 1, "crc_errors": 0, "resends": 0, "stream_hz": 0.0, "mono_ms": 1}


def watch(
    bridge: m.Presence | None = BRIDGE, body: m.BodyState | None = RESTING, supply_mv: int | None = 8_000
) -> Watch:
    watch = Watch(cells=2)
    link = m.LinkTelemetry.model_validate(LINK | {"supply_mv": supply_mv})
    for name, message in (("state/bridge", bridge), ("state/body", body), ("tele/link", link)):
        if message is not None:
            watch.take(Delivery("buddy", name, encode(message), True, 1, False))
    return watch


@pytest.mark.parametrize(
    ("robot", "reason"),
    [
        (watch(), ""),
        (watch(body=m.BodyState(mcu_alive=True, mcu_state="ARMED")), "the board is ARMED"),
        (watch(body=m.BodyState(mcu_alive=True, mcu_state="STOPPING")), "the board is STOPPING"),
        (watch(body=m.BodyState(mcu_alive=True, mcu_state="FAULT")), "the board is FAULT"),
        (watch(body=m.BodyState(mcu_alive=True, mcu_state=None)), "the board is None"),
        (watch(body=m.BodyState(mcu_alive=True, mcu_state="DISARMED", activity="walk")), "busy with 'walk'"),
        (watch(body=m.BodyState(mcu_alive=False, mcu_state=None)), ""),
        (watch(bridge=m.Presence(alive=False), body=m.BodyState(mcu_alive=True, mcu_state="ARMED")), ""),
        (watch(supply_mv=7_400), "less than 30 %"),
        (watch(supply_mv=7_560), ""),
        (watch(supply_mv=None), ""),
    ],
)
def test_who_is_at_rest(robot: Watch, reason: str) -> None:
    found = robot.ask(30)
    assert reason in found.reason
    assert bool(found.reason) == bool(reason)


def test_a_robot_that_says_nothing_cannot_move(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "ASK_S", 0.1)
    assert Watch(cells=2).ask(30) == rest.Rest(remark="no bridge is there, so nothing can move")


def test_a_broken_message_is_not_a_state() -> None:
    robot = watch()
    robot.take(Delivery("buddy", "state/body", b"{", True, 1, False))
    robot.take(Delivery("buddy", "state/unheard", b"{}", True, 1, False))
    assert robot.ask(30).reason == ""


def test_which_pack_the_mind_says_it_runs() -> None:
    robot = watch()
    assert robot.pack_sha256 == ""
    meta = m.RobotMeta(runtime_version="1", pack_name="Rex", pack_sha256="ab", skills=[], gaits=[])
    robot.take(Delivery("buddy", "meta/robot", encode(meta), True, 1, False))
    assert robot.pack_sha256 == "ab"


def test_how_full_a_battery_is() -> None:
    assert cells(load_body().cutoffs.supply_cut_mv) == 2
    assert [charge_percent(mv) for mv in (0, 3_270, 3_770, 4_200, 5_000)] == [0, 0, 30, 100, 100]
    rising = [charge_percent(mv) for mv in range(3_000, 4_300)]
    assert rising == sorted(rising)
