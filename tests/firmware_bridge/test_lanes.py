"""The owner before the pet's own will, enforced where the movements are made."""

from collections.abc import Iterator

import pytest

from firmware_bridge.lanes import ARMED_MS, LISTEN_MS, STILL_MS
from firmware_bridge.lease import FIRST_LEASE_MS
from runtime.contracts import messages as m
from tests.firmware_bridge.board import bench
from tests.firmware_bridge.conducted import BODY, Conducted, conducted


@pytest.fixture
def rig() -> Iterator[Conducted]:
    with conducted() as built:
        yield built


def test_an_order_goes_before_an_act_of_its_own_within_a_setpoint(rig: Conducted) -> None:
    own = rig.skill("stretch", "autonomy")
    rig.run(500)
    assert rig.statuses(own) == ["accepted", "started"]
    assert (rig.state.activity, rig.state.activity_source) == ("stretch", "autonomy")
    order = rig.skill("sit")
    rig.run(30)
    assert rig.statuses(own)[-1] == "preempted"
    assert rig.statuses(order) == ["accepted", "started"]
    assert rig.state.activity_source == "mind"


@pytest.mark.parametrize("source", ["mind", "voice", "page", "button", "cli"])
def test_its_own_will_never_ends_an_order(rig: Conducted, source: m.Source) -> None:
    order = rig.skill("sit", source)
    rig.run(200)
    own = rig.skill("stretch", "autonomy")
    assert rig.statuses(own) == ["rejected"]
    assert "owner's movement" in rig.reason(own)
    rig.run(4_000)
    assert rig.statuses(order) == ["accepted", "started", "done"]
    assert rig.statuses(rig.skill("stretch", "autonomy"))[0] == "accepted"


def test_an_act_of_its_own_may_follow_another(rig: Conducted) -> None:
    first = rig.skill("stretch", "autonomy")
    rig.run(200)
    second = rig.skill("startle", "autonomy")
    rig.run(100)
    assert rig.statuses(first)[-1] == "preempted"
    assert rig.statuses(second)[0] == "accepted"


def test_after_a_halt_nothing_of_its_own_moves_until_an_order_or_the_calm_is_over(rig: Conducted) -> None:
    rig.send("cmnd/halt", m.HaltCommand)
    rig.run(200)
    held = rig.joints
    for _ in range(5):
        assert rig.statuses(rig.skill("wag", "autonomy")) == ["rejected"]
        rig.idle(source="autonomy", alertness=1.0)
        rig.run((STILL_MS - 1_000) // 5)
    assert rig.joints == held
    rig.run(2_000)
    assert rig.statuses(rig.skill("wag", "autonomy"))[0] == "accepted"
    rig.send("cmnd/halt", m.HaltCommand)
    rig.run(100)
    rig.skill("perk_up")
    rig.run(3_000)
    assert rig.statuses(rig.skill("wag", "autonomy"))[0] == "accepted"


def test_the_breath_comes_back_when_the_calm_is_over(rig: Conducted) -> None:
    rig.send("cmnd/halt", m.HaltCommand)
    rig.run(STILL_MS + 100)
    held = rig.joints
    rig.idle(source="autonomy")
    rig.run(3_000)
    assert rig.joints != held


def test_whoever_speaks_ends_an_act_of_its_own_and_none_begins(rig: Conducted) -> None:
    own = rig.skill("stretch", "autonomy")
    rig.run(500)
    rig.idle(listening=True)
    rig.run(20)
    assert rig.statuses(own)[-1] == "preempted"
    before = rig.conductor._mover._player.base
    rig.run(1_000)
    assert rig.conductor._mover._player.base == before
    assert rig.statuses(rig.skill("wag", "autonomy")) == ["rejected"]
    rig.run(LISTEN_MS)
    assert rig.statuses(rig.skill("wag", "autonomy"))[0] == "accepted"


def test_listening_does_not_touch_an_order(rig: Conducted) -> None:
    order = rig.skill("sit")
    rig.run(200)
    rig.idle(listening=True)
    rig.run(4_000)
    assert rig.statuses(order)[-1] == "done"


@pytest.mark.parametrize(
    ("name", "model", "fields"),
    [
        ("cmnd/arm", m.ArmCommand, {}),
        ("cmnd/clear", m.ClearCommand, {}),
        ("cmnd/disarm", m.DisarmCommand, {}),
        ("cmnd/pose", m.PoseCommand, {"joints_deg": {"tail": 5.0}, "duration_ms": 500}),
    ],
)
def test_its_own_will_may_ask_for_little(
    rig: Conducted, name: str, model: type[m.Command], fields: dict[str, object]
) -> None:
    asked = rig.send(name, model, "autonomy", **fields)
    assert rig.statuses(asked) == ["rejected"]
    assert rig.state.mcu_state == "ARMED"


def test_a_lease_of_its_own_will_is_none(rig: Conducted) -> None:
    rig.leased = False
    for _ in range(10):
        rig.send("cmnd/lease", m.LeaseCommand, "autonomy")
        rig.run(100)
    assert rig.state.mcu_state != "ARMED"


def test_armed_without_a_mind_it_holds_for_ten_seconds_and_lets_go() -> None:
    with bench() as board:
        rig = Conducted(board, leased=False)
        rig.run(FIRST_LEASE_MS - 1_500)
        assert rig.state.mcu_state == "ARMED"
        assert rig.joints == BODY.safe
        rig.run(3_500)
        assert rig.state.mcu_state == "DISARMED"
        assert not board.guard.torque
        lapsed = [msg for _, msg in rig.said if isinstance(msg, m.SafetyEvent) and msg.kind == "lease_lapsed"]
        assert ["no mind renewed it" in event.detail for event in lapsed] == [True]
        rig.leased = True
        rig.run(1_000)
        assert rig.state.mcu_state == "DISARMED", "a mind that comes late arms nothing"


def test_with_the_lease_the_small_movements_stop(rig: Conducted) -> None:
    rig.idle(alertness=1.0, breath_depth=1.0)
    rig.run(3_000)
    rig.leased = False
    rig.run(260)
    held = rig.joints
    rig.run(100)
    assert rig.joints == held


def test_right_after_arming_a_hand_may_be_near() -> None:
    with bench() as board:
        rig = Conducted(board)
        own = rig.skill("wag", "autonomy")
        assert rig.statuses(own) == ["rejected"]
        assert "hand" in rig.reason(own)
        rig.run(ARMED_MS)
        assert rig.statuses(rig.skill("wag", "autonomy"))[0] == "accepted"


def test_touch_and_lifting_are_told(rig: Conducted) -> None:
    assert not rig.state.touched
    rig.board.vitals.touch = 5
    rig.run(400)
    assert rig.state.touched == 5
