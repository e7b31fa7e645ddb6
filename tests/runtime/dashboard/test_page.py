"""The page in a real browser, before a puppet robot and before the real bridge with its simulated board."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from random import Random

import pytest

from runtime import starter
from runtime.broker import available_kind
from runtime.bus import Bus, Delivery, decode
from runtime.contracts import messages as m
from runtime.contracts import requests as r
from runtime.mind.memory import consent
from runtime.mind.memory.knowledge import Knowledge
from runtime.simulated import simulated_body
from tests.npm import fetched
from tests.runtime.dashboard.browser import Browser, browser
from tests.runtime.dashboard.puppet import BODY, Puppet

pytest.importorskip("nicegui", reason="the [dashboard] extra is not installed")
pytest.importorskip("selenium", reason="selenium is not installed")
if available_kind() is None:
    pytest.skip("no broker is installed", allow_module_level=True)

TRACE = """
const twin = window.everpawTwin;
twin.heardAt = -Infinity;
window.trace = [];
const each = () => {
  window.trace.push(twin.angles().head_pan);
  window.tracing = requestAnimationFrame(each);
};
each();
"""
PARTS = ("now", "charts", "events", "memory", "robots")


class Scene:
    """A browser before the dashboard of one broker, a puppet on it, and perhaps a real body."""

    def __init__(self, page: Browser, puppet: Puppet, port: int) -> None:
        self.page, self.puppet, self.port = page, puppet, port

    def asked(self, model: type[m.Message], count: int = 1) -> list[m.Message]:
        self.page.wait(lambda: len(self.puppet.of(model)) >= count)
        return self.puppet.of(model)


@contextmanager
def dashboard(port: int) -> Iterator[str]:
    """The address of `everpaw dashboard` beside the broker at `port`."""
    words = ("dashboard", "--broker", f"127.0.0.1:{port}", "--port", "0")
    # NiceGUI behaves otherwise where this variable tells it of a test.
    env = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    command = [sys.executable, "-m", "runtime.cli", *words]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env)
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert "http://127.0.0.1:" in line, line
        yield next(word for word in line.split() if word.startswith("http"))
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with ExitStack() as stack:
        port = stack.enter_context(simulated_body("real", starter.load_pack())).broker.port
        address = stack.enter_context(dashboard(port))
        puppet = stack.enter_context(closing(Puppet(port, tmp_path_factory.mktemp("pet") / "memory")))
        ended = threading.Event()
        ticking = threading.Thread(target=lambda: [puppet.tick() for _ in iter(lambda: ended.wait(1), True)])
        ticking.start()
        stack.callback(ticking.join)
        stack.callback(ended.set)
        page = stack.enter_context(browser(address))
        page.wait(lambda: _answers(address))
        yield Scene(page, puppet, port)


def _answers(address: str) -> bool:
    from urllib.request import urlopen

    try:
        return bool(urlopen(address, timeout=5).status == 200)
    except OSError:
        return False


@pytest.fixture(autouse=True)
def _fresh(scene: Scene) -> None:
    scene.page.media()
    scene.puppet.share_text = scene.puppet.muted = False
    scene.puppet.desk.tell()
    scene.page.show()
    scene.puppet.asked.clear()


def pose(seed: int) -> dict[str, float]:
    random = Random(seed)
    return {j.name: round(random.uniform(j.min_deg, j.max_deg), 2) for j in BODY.joints}


def test_the_twin_shows_each_sample_within_a_tenth_of_a_degree(scene: Scene) -> None:
    page, worst = scene.page, 0.0
    for seed in range(30):
        sent = pose(seed)
        scene.puppet.joints(sent)
        page.wait(lambda sent=sent: page.run("return window.everpawTwin.target") == sent)
        page.wait(lambda: page.run("return !window.everpawTwin.ease"))
        shown = page.run("return window.everpawTwin.angles()")
        worst = max(worst, *(abs(shown[name] - angle) for name, angle in sent.items()))
    lags = sorted(page.run("return window.everpawTwin.lags"))
    print(f"worst {worst:.4f} deg; sample to bone p95 {lags[int(0.95 * len(lags))]:.1f} ms, n {len(lags)}")
    assert worst <= 0.1
    assert scene.asked(m.ViewRequest)


def test_the_angles_are_told_in_numbers_where_there_are_any(scene: Scene) -> None:
    page = scene.page
    page.open(robot="nobody")
    page.wait(lambda: page.see("status") == "No contact")
    assert "Joint angles" not in page.body
    page.open()
    scene.puppet.joints({"head_pan": 12.0})
    page.wait(lambda: "Joint angles" in page.body)
    page.element("summary").click()
    page.wait(lambda: "head pan 12.0°" in page.body)
    assert page.run("return getComputedStyle(document.querySelector('summary')).display") == "list-item"


def test_after_a_silence_the_pose_is_taken_up_without_a_jump(scene: Scene) -> None:
    page = scene.page
    scene.puppet.joints(dict.fromkeys(pose(0), 0.0) | {"head_pan": 0.0})
    page.wait(lambda: page.run("return window.everpawTwin.target.head_pan") == 0.0)
    page.run(TRACE)
    scene.puppet.joints(dict.fromkeys(pose(0), 0.0) | {"head_pan": 80.0})
    page.wait(lambda: abs(page.run("return window.everpawTwin.angles().head_pan") - 80) < 0.1)
    trace = page.run("cancelAnimationFrame(window.tracing); return window.trace")
    between = [angle for angle in trace if 1 < angle < 79]
    assert between, trace[-10:]
    assert between == sorted(between)


def test_every_control_asks_for_what_it_says(scene: Scene) -> None:
    page, puppet = scene.page, scene.puppet
    for name, skill in (("skill-sit", "sit"), ("sleep", "sleep"), ("wake-up", "wake_up")):
        page.do(name)
        assert scene.asked(m.SkillRequest)[-1].skill == skill
        puppet.asked.clear()
    page.do("hold")
    assert scene.asked(r.HaltRequest)
    page.element('[aria-label="Say aloud"]').send_keys("hello you")
    page.do("say")
    assert scene.asked(m.SayRequest)[0].text == "hello you"
    page.do("mute")
    assert scene.asked(r.MuteRequest)[0].muted
    page.wait(lambda: "Microphone muted" in page.body)
    page.do("mute")
    assert not scene.asked(r.MuteRequest, 2)[1].muted
    page.do("volume")  # in the middle
    assert 0.3 <= scene.asked(r.VolumeRequest)[-1].level <= 0.7
    for name in ("arm", "disarm", "clear"):
        puppet.asked.clear()
        page.do(name)
        [asked] = scene.asked(r.HandRequest)
        assert asked.boot_id == "puppet-boot"
        assert asked.seen_mono_ms > 0


def test_a_movement_is_chosen_from_those_of_the_pack(scene: Scene) -> None:
    page = scene.page
    page.do("movement")
    page.wait(lambda: page.texts(".q-menu .q-item") == ["sit", "wave"])
    page.element(".q-menu .q-item:last-child").click()
    page.do("do")
    assert scene.asked(m.SkillRequest)[0].skill == "wave"


def test_stop_goes_out_from_mouse_and_keyboard_in_every_part(scene: Scene) -> None:
    page = scene.page
    for count, part in enumerate(PARTS, 1):
        page.part(part)
        page.do("stop")
        assert scene.asked(m.StopCommand, count)[-1].source == "page"
    page.open()
    for _ in range(8):
        page.driver.switch_to.active_element.send_keys("\ue004")  # Tab
        if page.driver.switch_to.active_element.get_attribute("data-do") == "stop":
            break
    page.driver.switch_to.active_element.send_keys("\ue007")  # Enter
    assert scene.asked(m.StopCommand, len(PARTS) + 1)


def test_stop_stops_the_real_board_and_the_page_brings_it_back(scene: Scene) -> None:
    page, states, events = scene.page, [], []

    def note(delivery: Delivery) -> None:
        states.append(decode(delivery, m.BodyState).mcu_state)

    with Bus("real", port=scene.port) as bus:
        bus.subscribe("state/body", note)
        bus.subscribe("event/safety", lambda d: events.append(decode(d, m.SafetyEvent).kind))
        page.open(robot="real")
        page.do("stop")
        page.wait(lambda: states[-1:] == ["FAULT"])
        page.wait(lambda: page.see("status") == "Stopped")
        page.do("arm")
        page.wait(lambda: "refused" in page.see("ack"))
        page.do("clear")
        page.wait(lambda: states[-1:] == ["DISARMED"])
        page.do("arm")
        page.wait(lambda: "ARMED" in states[states.index("FAULT") :])
    assert "stop" in events


def test_words_are_shown_with_consent_alone(scene: Scene) -> None:
    page, puppet = scene.page, scene.puppet
    puppet.turn("sit down", "Bottom down.")
    page.wait(lambda: "(sit)" in page.see("talk"))
    assert "Words are not shared" in page.body
    page.part("memory")
    page.do("share-text")
    assert scene.asked(r.ConsentRequest)[0].share_text
    page.part("now")
    puppet.turn("sit down now", "Bottom further down.")
    page.wait(lambda: "You: sit down now" in page.see("talk") and "Rex: Bottom further down." in page.body)
    page.part("memory")
    page.do("share-text")
    page.wait(lambda: not puppet.share_text)


def test_facts_are_read_put_right_and_forgotten_for_good(scene: Scene) -> None:
    page, puppet = scene.page, scene.puppet
    page.part("memory")
    page.do("memory-read")
    page.wait(lambda: "allow words" in page.see("memory"))
    puppet.share_text = True
    page.do("memory-read")
    page.wait(lambda: "my sister is called Anna" in page.body)
    page.do("correct-1")
    page.wait(lambda: page.driver.find_elements("css selector", '.q-dialog [aria-label="Correct"]'))
    value = page.element('.q-dialog [aria-label="Correct"]')
    value.send_keys("\ue009a\ue000")  # all of it
    value.send_keys("Hanna")
    page.do("save")
    page.wait(lambda: "my sister is called Hanna" in page.body)
    rows = page.driver.find_elements("css selector", "tr[data-fact]")
    number = next(row.get_attribute("data-fact") for row in rows if "Hanna" in row.text)
    page.do(f"forget-{number}")
    page.do("sure")
    page.wait(lambda: "Hanna" not in page.body)
    with closing(Knowledge(puppet.folder)) as knowledge:
        assert [entry.fact.value for entry in knowledge.entries()] == ["in the drawer"]
    puppet.share_text = False
    page.do("remember")
    page.wait(lambda: not consent.allowed(puppet.folder, True))
    page.do("remember")
    page.wait(lambda: consent.allowed(puppet.folder, False))


def test_events_are_searched_and_robots_listed(scene: Scene) -> None:
    page, puppet = scene.page, scene.puppet
    for kind in ("halt", "link_lost"):
        puppet.bus.publish("event/safety", m.SafetyEvent(kind=kind, detail="strawberry", mono_ms=1))
    page.part("events")
    page.wait(lambda: "link_lost" in page.body)
    page.element('[aria-label="Search"]').send_keys("strawberry halt")
    page.wait(lambda: "link_lost" not in page.body and "kind halt" in page.body)
    page.part("robots")
    page.wait(lambda: "2 / 2" in page.body and "7.6 V" in page.body)
    page.do("open-real")
    page.wait(lambda: "robot=real" in page.driver.current_url)


def test_charts_show_what_came(scene: Scene) -> None:
    page = scene.page
    page.part("charts")
    page.wait(lambda: len(page.driver.find_elements("css selector", ".chart canvas")) == 5)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_phone_shows_all_of_it_with_stop_in_reach(scene: Scene, lang: str) -> None:
    page = scene.page
    page.media(phone=True)
    page.open(lang=lang)
    for part in PARTS:
        page.part(part)
        assert page.run("return document.documentElement.scrollWidth") <= 390, part
        box = page.run(
            "const b = document.querySelector('[data-do=stop]').getBoundingClientRect();"
            "return [b.top, b.bottom, b.width]"
        )
        assert box[0] >= 0
        assert box[1] <= 844
        assert box[2] >= 300


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious(scene: Scene, dark: bool) -> None:
    page = scene.page
    axe = fetched("axe-core", "4.12.1", "axe.min.js").read_text(encoding="utf-8")
    page.media(dark=dark)
    page.open()
    assert page.run("return document.body.classList.contains('body--dark')") == dark
    page.run(axe)
    for part in PARTS:
        page.part(part)
        page.wait(lambda: page.run("return document.getAnimations().length") == 0)
        found = page.driver.execute_async_script("axe.run().then(arguments[0])")["violations"]
        serious = [
            (v["id"], [(n["target"], n.get("failureSummary", "")[:200]) for n in v["nodes"][:3]])
            for v in found
            if v["impact"] in ("serious", "critical")
        ]
        assert serious == [], part


def test_chinese_is_chinese_and_a_click_away(scene: Scene) -> None:
    page = scene.page
    page.do("language")
    page.wait(lambda: "让它做什么" in page.body)
    assert page.run("return document.documentElement.lang").startswith("zh")


def test_nothing_leaves_this_computer_and_the_console_is_silent(scene: Scene) -> None:
    page = scene.page
    page.hosts()
    page.console()
    page.open()
    for part in PARTS:
        page.part(part)
    assert page.hosts() == {"127.0.0.1"}
    assert page.console() == []


def test_an_address_with_what_is_no_robot_shows_the_first(scene: Scene) -> None:
    scene.page.open(robot="a/b%20")
    scene.page.wait(lambda: scene.page.see("pill") not in ("", "No contact"))


def test_the_page_listens_on_loopback_alone(scene: Scene) -> None:
    port = int(scene.page.address.rstrip("/").rpartition(":")[2])
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = {row[1].partition(":")[0] for row in rows if row[3] == "0A" and int(row[1][-4:], 16) == port}
    assert listening == {"0100007F"}
