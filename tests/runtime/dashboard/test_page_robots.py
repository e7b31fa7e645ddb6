"""The page's events, updates and fleet, before a puppet robot and the real bridge."""

import time
from contextlib import ExitStack

import pytest

from runtime.body import mono_ms
from runtime.broker import available_kind
from runtime.bus import Bus
from runtime.contracts import messages as m
from runtime.contracts import requests as r
from runtime.contracts.reports import UpdateAck, UpdateState
from runtime.eyes.pet import SILENT_S
from runtime.security import control
from tests.runtime.dashboard.puppet import UPDATES
from tests.runtime.dashboard.scene import Scene

pytest.importorskip("nicegui", reason="the [dashboard] extra is not installed")
pytest.importorskip("selenium", reason="selenium is not installed")
if available_kind() is None:
    pytest.skip("no broker is installed", allow_module_level=True)

pytestmark = pytest.mark.usefixtures("fresh")


def test_an_update_is_looked_for_installed_and_taken_back_each_asked_once(scene: Scene) -> None:
    page, puppet = scene.page, scene.puppet
    page.part("robots")
    page.wait(lambda: page.see("update-offered") == "Rex 3")
    assert "It hears its name in the kitchen." in page.body
    page.do("update-look")
    [looked] = scene.asked(r.UpdateRequest)
    assert (looked.act, looked.is_fresh(mono_ms())) == ("look", True)
    puppet.bus.publish("ack/update", UpdateAck(id=looked.id, ok=False, reason="busy"))
    page.wait(lambda: page.see("update-reason") == "Another update is under way.")
    page.do("update-install")
    comes, rests, *_ = page.question()
    assert comes == "Rex 3 takes the place of Rex 555555555555."
    assert "motors off" in rests
    page.do("cancel")
    page.wait(lambda: not page.texts(".ask li"))
    page.do("update-install")
    page.do("sure")
    assert scene.asked(r.UpdateRequest, 2)[-1].act == "install"
    page.wait(lambda: page.see("update-reason").startswith("Nobody on the robot attends"))
    page.do("update-rollback")
    assert page.question()[0] == "Rex 000000000000 takes the place of Rex 555555555555."
    page.do("sure")
    assert scene.asked(r.UpdateRequest, 3)[-1].act == "rollback"
    job = {"status": "downloading", "release": "Rex 3", "bytes_done": 25, "bytes_total": 100, "mono_ms": 1}
    puppet.bus.publish("job/update", m.JobState.model_validate(job))
    page.wait(lambda: page.see("update") == "loading 25 % · Rex 3")


def test_what_cannot_be_had_is_not_offered(scene: Scene) -> None:
    page, puppet = scene.page, scene.puppet
    page.part("robots")
    puppet.bus.publish("state/update", UpdateState(repository=False))
    page.wait(lambda: "name no repository" in page.see("update-offered"))
    for name in ("look", "install", "rollback"):
        assert not page.element(f'[data-do="update-{name}"]').is_enabled()
    puppet.bus.publish("state/update", UPDATES)
    page.wait(lambda: page.see("update-offered") == "Rex 3")


def test_events_are_searched_and_robots_listed(scene: Scene) -> None:
    page, puppet = scene.page, scene.puppet
    for kind in ("halt", "link_lost"):
        puppet.bus.publish("event/safety", m.SafetyEvent(kind=kind, detail="strawberry", mono_ms=1))
    page.part("events")
    page.wait(lambda: "The cable to the body is silent" in page.body)
    page.element('[aria-label="Search"]').send_keys("strawberry held")
    page.wait(lambda: "The cable" not in page.body and "Held still · strawberry" in page.body)
    page.part("robots")
    page.wait(lambda: "2 of 2 in contact" in page.body and "7.6\N{NO-BREAK SPACE}V" in page.body)
    assert "Rex (puppet)" in page.body
    page.do("open-real")
    page.wait(lambda: "robot=real" in page.driver.current_url)


LISTED = "return [...document.querySelectorAll('[data-do^=open-other]')].map((one) => one.dataset.do)"


def test_a_fleet_is_listed_by_who_needs_somebody_and_searched(scene: Scene) -> None:
    page, buses = scene.page, list[Bus]()

    def listed() -> list[str]:
        for bus in buses:
            bus.publish("state/clock", m.Clock(boot_id="b", mono_ms=1))
        return [str(name).rpartition("-")[2] for name in page.run(LISTED)]

    page.part("robots")
    assert "Find a robot" not in page.body
    with ExitStack() as stack:
        for number in range(9):
            robot = f"other-{number}"
            bus = stack.enter_context(Bus(robot, port=scene.port))
            bus.publish("state/bridge", m.Presence(alive=True))
            bus.publish("state/runtime", m.Presence(alive=True))
            buses.append(bus)
            state = {"mcu_alive": True, "mcu_state": "FAULT" if number == 5 else "ARMED"}
            bus.publish("state/body", m.BodyState.model_validate(state))
            stack.callback(control.forget, robot, "127.0.0.1", scene.port)
        page.wait(lambda: listed() == ["5", "0", "1", "2", "3", "4", "6", "7", "8"])
        page.element('[aria-label="Find a robot"]').send_keys("OTHER-7")
        page.wait(lambda: listed() == ["7"])
        assert "gone for good" not in page.body
        time.sleep(SILENT_S + 1)
        page.wait(lambda: "everpaw security forget" in page.body)
    page.wait(lambda: "2 of 2 in contact" in page.body)
