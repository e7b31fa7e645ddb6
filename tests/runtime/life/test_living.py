"""The own will at work: what goes out on the wire, and that it always gives way."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from runtime.body import Body
from runtime.bus import Bus
from runtime.contracts import messages as m
from runtime.life.chooser import Rules
from runtime.life.day import QuietHours
from runtime.life.drives import DRIVES, nature
from runtime.life.kept import Kept
from runtime.life.living import KEEP_S, RENEW_S, Living
from runtime.mind.acts import Act
from runtime.mind.emotion import Emotion, Feeling
from tests.fakes.loopback import LoopbackBus, WillingBridge


@dataclass
class Mind:
    emotion: Emotion = field(default_factory=lambda: Emotion(3))


class Home:
    def __init__(self, **settings: Any) -> None:
        self.bus = LoopbackBus()
        self.bridge = WillingBridge(self.bus)
        self.body = Body(cast(Bus, self.bus))
        self.mind = Mind()
        self.told: list[m.MindState] = []
        self.kept: list[Kept] = []
        self.hour: float | None = 10.0
        self.life = Living(
            self.body,
            self.mind,
            Rules(nature(3)),
            **{"seed": 3, "hour": lambda: self.hour, "keep": self.kept.append, "tell": self.told.append}
            | settings,
        )
        self.body.colour = self.life.colour
        self.bus.subscribe("state/body", self.life.on_body)
        self.bridge.wake()

    def pass_time(self, seconds: int, *, answering: bool = False) -> None:
        for _ in range(seconds):
            self.mind.emotion.tick(1.0)
            self.life.tick(1.0, answering=answering)

    def acts(self) -> list[m.SkillCommand]:
        sent = cast("list[m.SkillCommand]", self.bus.of("cmnd/skill"))
        return [command for command in sent if command.source == "autonomy"]

    def idles(self) -> list[m.IdleCommand]:
        return cast("list[m.IdleCommand]", self.bus.of("cmnd/idle"))

    def feels(self, **state: Any) -> None:
        body = m.BodyState(mcu_alive=True, mcu_state="ARMED").model_copy(update=state)
        self.bus.publish("state/body", body)


@pytest.fixture
def home() -> Home:
    return Home()


def test_left_alone_it_lives_and_says_that_it_is_its_own_will(home: Home) -> None:
    home.pass_time(1_800)
    assert len({command.skill for command in home.acts()}) >= 3
    assert {command.source for command in home.bus.of("cmnd/skill")} == {"autonomy"}  # type: ignore[attr-defined]
    assert not home.bus.of("cmnd/arm")
    assert set(home.told[-1].drives) == set(DRIVES)
    assert any(state.doing and state.why for state in home.told)


def test_its_name_ends_it_at_once_and_nothing_follows_while_it_listens(home: Home) -> None:
    home.pass_time(1_000)
    before = len(home.acts())
    home.life.attend()
    assert home.idles()[-1].listening
    home.pass_time(7)
    assert len(home.acts()) == before
    home.pass_time(2)
    assert not home.idles()[-1].listening
    home.pass_time(300, answering=True)
    assert len(home.acts()) == before
    home.pass_time(900)
    assert len(home.acts()) > before


def test_after_a_stop_it_keeps_still(home: Home) -> None:
    home.pass_time(1_000)
    before = len(home.acts())
    home.life.hold()
    home.pass_time(58)
    assert len(home.acts()) == before


@pytest.mark.parametrize(
    "state", [{"mcu_state": "DISARMED"}, {"activity": "sit", "activity_source": "mind"}, {"mcu_alive": False}]
)
def test_a_body_that_cannot_or_is_under_orders_is_left_alone(home: Home, state: dict[str, Any]) -> None:
    if "mcu_alive" in state:
        state["mcu_state"] = None
    home.feels(**state)
    home.pass_time(1_800)
    home.life.bang()
    assert home.acts() == []
    home.feels()
    home.pass_time(600)
    assert home.acts()


def test_what_the_body_refuses_is_taken_calmly(home: Home) -> None:
    home.bridge.refuse = "halted: still for 60 s"
    home.pass_time(600)
    assert 1 <= len(home.acts()) <= 600 / 15
    assert any(state.why == "halted: still for 60 s" for state in home.told)


def test_switched_off_it_only_does_what_it_is_asked() -> None:
    home = Home(enabled=False)
    home.pass_time(1_800)
    home.life.bang()
    home.life.attend()
    assert home.acts() == []
    assert not home.idles()[-1].enabled
    home.mind.emotion.feeling = Feeling(-0.8, -0.8)
    home.body.skill("sit")
    [command] = cast("list[m.SkillCommand]", home.bus.of("cmnd/skill"))
    assert (command.speed, command.amplitude) == (1.0, 1.0)
    assert home.told[-1].drives == {}


def test_the_same_order_looks_happy_or_sad(home: Home) -> None:
    def asked(feeling: Feeling) -> tuple[m.SkillCommand, m.GaitCommand, m.IdleCommand]:
        home.mind.emotion.feeling = feeling
        home.body.skill("sit")
        home.body.gait("walk")
        home.life.tick(RENEW_S, answering=True)
        return home.bus.of("cmnd/skill")[-1], home.bus.of("cmnd/gait")[-1], home.idles()[-1]  # type: ignore[return-value]

    happy, happy_walk, up = asked(Feeling(0.8, 0.6))
    sad, sad_walk, down = asked(Feeling(-0.7, -0.4))
    assert happy.speed > 1.2 > 0.9 > sad.speed
    assert happy.amplitude > 1.3 > 0.8 > sad.amplitude
    assert happy_walk.speed > sad_walk.speed
    assert up.head_deg > 5 > -5 > down.head_deg
    assert down.crouch_deg > 3 > up.crouch_deg
    assert up.breath_hz > down.breath_hz
    assert (happy.source, up.source) == ("mind", "autonomy")


def test_a_bang_startles_and_a_hand_pleases(home: Home) -> None:
    home.pass_time(100)
    home.life.bang()
    assert home.acts()[-1].skill == "startle"
    home.pass_time(1)
    assert home.mind.emotion.mood == "startled"
    company = home.life.state.drives["company"]
    home.feels(touched=1)
    assert home.acts()[-1].skill == "wag"
    assert home.life.state.drives["company"] < company
    sent = len(home.acts())
    home.feels(touched=1)
    assert len(home.acts()) == sent


def test_words_move_the_drives(home: Home) -> None:
    home.pass_time(600)
    home.life.turned("settle", Act(kind="skill", name="lie"))
    home.pass_time(1)
    assert home.told[-1].quiet or home.life.state.drives["peace"] > 0.5
    home.life.turned("play", Act(kind="skill", name="bow"))
    assert home.life.state.drives["peace"] < 0.05


def test_the_bearing_is_told_again_after_a_while_in_case_the_bridge_was_restarted() -> None:
    home = Home(enabled=False)
    home.pass_time(95)
    assert 3 <= len(home.idles()) <= 5


def test_it_remembers_now_and_then_and_at_the_end(home: Home) -> None:
    home.pass_time(int(KEEP_S * 2 + 5))
    assert len(home.kept) == 3
    home.life.close()
    assert home.kept[-1] == Kept(home.life.state, home.mind.emotion.feeling)
    again = Home(kept=home.kept[-1])
    assert again.life.state == home.life.state
    assert again.mind.emotion.feeling == home.mind.emotion.feeling


def test_a_full_disk_does_not_end_a_life() -> None:
    def full(kept: Kept) -> None:
        raise OSError(28, "No space left on device")

    home = Home(keep=full)
    home.pass_time(20)
    home.life.close()
    assert home.life.state.age_s == 20


def test_the_same_seed_and_events_send_the_same(home: Home) -> None:
    other = Home()
    for each in (home, other):
        each.pass_time(500)
        each.life.attend()
        each.life.turned("praise", Act(kind="skill", name="happy"))
        each.pass_time(500)
        each.life.bang()
        each.pass_time(500)
    sent = [[(c.skill, c.speed, c.amplitude) for c in each.acts()] for each in (home, other)]
    assert sent[0] == sent[1]
    assert [i.head_deg for i in home.idles()] == [i.head_deg for i in other.idles()]


def sounds_of_a_day(hour: float) -> list[tuple[str, ...]]:
    heard: list[tuple[str, ...]] = []
    home = Home(utter=lambda kinds, mood: heard.append(kinds))
    home.hour = hour
    home.life._rules = Rules(nature(3), QuietHours.read("22:00-07:00"))
    for _ in range(40):
        home.feels(touched=1)
        home.feels(touched=0)
        home.pass_time(30)
    return heard


def test_its_own_sounds_go_with_what_it_does_and_are_apart() -> None:
    heard = sounds_of_a_day(10.0)
    assert ("purr", "happy_whimper") in heard
    assert 2 <= len(heard) <= 21


def test_quiet_hours_are_silent() -> None:
    heard: list[tuple[str, ...]] = []
    home = Home(utter=lambda kinds, mood: heard.append(kinds))
    home.hour = 23.5
    home.life._rules = Rules(nature(3), QuietHours.read("22:00-07:00"))
    home.pass_time(3_600)
    assert "sleep" in [command.skill for command in home.acts()]
    assert heard == []
