"""The robot's wiring: the starter's mind and ears, a loopback bus, recordings pushed into the microphone."""

import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from runtime import assembly, starter
from runtime.audio.capture import QueueSource, read_audio
from runtime.audio.playback import NullSink
from runtime.contracts import messages as m
from runtime.contracts.audio import AudioBlock, SourceFault
from runtime.contracts.config import AudioSettings, PrivacySettings, RobotConfig
from runtime.demo.owner import living
from runtime.demo.script import CLIPS
from runtime.mind.conversation import Turn
from runtime.pipeline import CANNOT_MOVE, HEARING_GAP_S, Listeners, Robot, TurnRecord
from runtime.speech.tts import SilentVoice
from tests.fakes.loopback import LoopbackBus, WillingBridge


class Household:
    """A robot that lives on a loopback bus, and what it told."""

    def __init__(self, *, share_text: bool = False, full_duplex: bool = True) -> None:
        self.bus = LoopbackBus()
        self.bridge = WillingBridge(self.bus)
        self.turns: list[TurnRecord] = []
        self.faults: list[SourceFault] = []
        config = RobotConfig(
            privacy=PrivacySettings(share_text=share_text), audio=AudioSettings(echo_cancellation=full_duplex)
        )
        self.sink = NullSink()
        self.robot: Robot = assembly.assemble(
            config,
            starter.load_pack(),
            bus=self.bus,
            sink=self.sink,
            speaker=SilentVoice(),
            listeners=Listeners(turn=self.turns.append, fault=self.faults.append),
        )
        self.bridge.wake()

    def say(self, microphone: QueueSource, clip: str) -> TurnRecord:
        before = len(self.turns)
        microphone.push(read_audio(CLIPS / clip))
        until(lambda: len(self.turns) > before and not self.robot.answering)
        return self.turns[-1]


def until(true: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.02)


@pytest.fixture
def home() -> Iterator[Household]:
    household = Household()
    yield household
    household.robot.stop()


def test_a_turn_from_name_to_movement(home: Household) -> None:
    with living(home.robot, QueueSource()) as microphone:
        record = home.say(microphone, "hey_buddy_sit_down.flac")
    assert record.turn.understanding.intent == "sit"
    assert [c.skill for c in home.bus.of("cmnd/skill")] == ["perk_up", "sit"]
    assert {"endpoint", "asr", "understood", "motion", "sound"} - {"sound"} <= set(record.timings_ms)
    assert home.bus.of("event/wake")
    assert home.bus.of("cmnd/lease")
    [event] = home.bus.of("event/turn")
    assert (event.intent, event.heard, event.said) == ("sit", None, None)


def test_what_was_said_is_shared_only_with_consent() -> None:
    household = Household(share_text=True)
    with living(household.robot, QueueSource()) as microphone:
        household.say(microphone, "hey_buddy_sit_down.flac")
    [event] = household.bus.of("event/turn")
    assert event.heard
    assert event.said


def test_stop_needs_no_name_and_no_endpoint(home: Household) -> None:
    with living(home.robot, QueueSource()) as microphone:
        microphone.push(read_audio(CLIPS / "stop.flac"))
        until(lambda: bool(home.bus.of("cmnd/halt")))
        assert not home.turns or home.turns[-1].turn.understanding.intent == "stop"
        until(lambda: bool(home.turns))
    assert home.turns[-1].turn.understanding.intent == "stop"


def test_stop_silences_the_pet_while_it_speaks(home: Household) -> None:
    with living(home.robot, QueueSource()) as microphone:
        home.sink.play(np.full(16_000 * 8, 100, np.int16))
        microphone.push(read_audio(CLIPS / "stop.flac"))
        until(lambda: bool(home.bus.of("cmnd/halt")))
        until(lambda: not home.sink.busy, timeout_s=2.0)
        until(lambda: bool(home.turns))
    assert home.turns[-1].turn.understanding.intent == "stop"


def test_who_speaks_to_the_speaking_pet_is_heard_and_answered(home: Household) -> None:
    with living(home.robot, QueueSource()) as microphone:
        clip = home.sink.play(np.full(16_000 * 8, 100, np.int16))
        microphone.push(read_audio(CLIPS / "good_boy.flac"))
        until(lambda: bool(home.turns), timeout_s=30)
    assert clip.cut_s is not None
    assert home.turns[-1].turn.understanding.intent == "praise"


def test_a_click_makes_it_pause_and_go_on(home: Household) -> None:
    click = np.zeros(16_000, np.int16)
    voiced = read_audio(CLIPS / "good_boy.flac")
    loudest = int(np.abs(voiced.astype(np.int32)).argmax())
    click[:1_600] = voiced[loudest - 800 : loudest + 800]  # a tenth of a second of a voice
    with living(home.robot, QueueSource()) as microphone:
        clip = home.sink.play(np.full(16_000 * 3, 100, np.int16))
        microphone.push(click)
        until(lambda: not home.sink.busy, timeout_s=10)
    assert clip.cut_s is not None
    assert clip.last_cut_s is None
    assert clip.played_s(time.monotonic()) == pytest.approx(3.0, abs=0.01)
    assert home.turns == []


def test_without_echo_cancellation_it_is_deaf_while_it_speaks() -> None:
    household = Household(full_duplex=False)
    with living(household.robot, QueueSource()) as microphone:
        clip = household.sink.play(np.full(16_000 * 4, 100, np.int16))
        microphone.push(read_audio(CLIPS / "good_boy.flac"))
        until(lambda: not household.sink.busy, timeout_s=30)
    assert clip.cut_s is None
    assert household.turns == []


def test_a_posture_begins_before_the_answer_and_once(home: Household) -> None:
    with living(home.robot, QueueSource()) as microphone:
        record = home.say(microphone, "hey_buddy_sit_down.flac")
    assert record.early == "kept"
    assert [c.skill for c in home.bus.of("cmnd/skill")] == ["perk_up", "sit"]
    [event] = home.bus.of("event/turn")
    assert event.early == "kept"


def test_a_clock_that_jumps_makes_the_canceller_learn_anew(home: Household) -> None:
    silence = np.zeros(320, np.int16)
    resets: list[int] = []
    assert home.robot.echo is not None
    home.robot.echo.reset = lambda: resets.append(1)  # type: ignore[method-assign]

    def late() -> Iterator[AudioBlock]:
        time.sleep(0.2)
        yield AudioBlock(silence, 0)
        for number in range(1, 30):
            yield AudioBlock(silence, 320 * number)

    home.robot.run(late())
    assert 2 <= len(resets) < 30


def test_a_body_that_refuses_is_told(home: Household) -> None:
    home.bridge.refuse = "disarmed"
    with living(home.robot, QueueSource()) as microphone:
        record = home.say(microphone, "hey_buddy_sit_down.flac")
    assert record.body == "disarmed"
    assert record.said == CANNOT_MOVE
    assert "motion" not in record.timings_ms


def test_the_lease_lapses_when_no_sound_arrives(home: Household) -> None:
    with living(home.robot, QueueSource()) as microphone:
        until(lambda: bool(home.bus.of("cmnd/lease")))
        assert home.robot.healthy()
        microphone.close()
        until(lambda: not home.robot.healthy(), timeout_s=HEARING_GAP_S + 2)


def test_every_way_out_tells_the_body_to_hold(home: Household) -> None:
    with living(home.robot, QueueSource()):
        time.sleep(0.1)
    assert home.bus.of("cmnd/halt")[-1].reason == "the mind goes to sleep"


def test_a_faulty_microphone_is_reported_and_survived(home: Household) -> None:
    silence = np.zeros(320, np.int16)
    home.robot.run(
        [AudioBlock(silence, 0), SourceFault("stalled", 320, "no block for 1 s"), AudioBlock(silence, 320)]
    )
    assert [fault.kind for fault in home.faults] == ["stalled"]


def test_what_a_microphone_lost_shifts_no_moment(home: Household) -> None:
    """Whoever counted on after five lost seconds would look for its echo at the wrong time for an hour."""
    block = np.zeros(320, np.int16)
    home.robot.take(AudioBlock(block, 0))
    home.robot._stream_to_mono_s -= 5.0
    home.robot.take(AudioBlock(block, 320))
    assert time.monotonic() - home.robot.mono_of(640 / 16_000) > 4.0
    home.robot.take(SourceFault("overflow", 640, "5.00 s dropped"))
    home.robot.take(AudioBlock(block, 640))
    assert abs(time.monotonic() - home.robot.mono_of(960 / 16_000)) < 4.0


def test_a_mind_that_stumbles_goes_on(
    home: Household, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    begin, stumbled = home.robot.conversation.begin, []

    def once(samples: np.ndarray, *, stop: bool = False) -> Turn:
        if not stumbled:
            stumbled.append(True)
            raise ValueError("a mistake of the program's own")
        return begin(samples, stop=stop)

    monkeypatch.setattr(home.robot.conversation, "begin", once)
    with living(home.robot, QueueSource()) as microphone:
        microphone.push(read_audio(CLIPS / "hey_buddy_sit_down.flac"))
        until(lambda: bool(stumbled) and not home.robot.waiting)
        assert home.say(microphone, "hey_buddy_sit_down.flac").turn.understanding.intent == "sit"
    assert "a mistake of the program's own" in caplog.text


def test_requests_of_a_dashboard_are_stamped_by_the_mind(home: Household) -> None:
    with living(home.robot, QueueSource()):
        until(lambda: home.robot.healthy())
        home.bus.publish("request/skill", m.SkillRequest(id="r1", skill="sit"))
    [command] = home.bus.of("cmnd/skill")
    assert (command.skill, command.source, command.boot_id) == ("sit", "mind", "b1")


def test_a_gait_told_by_feet_is_told_as_a_gait() -> None:
    assert {"walk", "crawl", "turn_left"} <= set(assembly.describe(starter.load_pack()).gaits)
