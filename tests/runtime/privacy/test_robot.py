"""A whole robot: muted it hears zeros and says so, and neither that nor a withdrawn consent ends with it."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from runtime import assembly, starter
from runtime.audio.capture import QueueSource, read_audio
from runtime.audio.playback import NullSink
from runtime.contracts import requests as r
from runtime.contracts.audio import AudioBlock
from runtime.contracts.config import PrivacySettings, RobotConfig
from runtime.contracts.reports import PrivacyState
from runtime.demo.owner import living
from runtime.demo.script import CLIPS
from runtime.pipeline import Listeners, Meanwhile, TurnRecord
from runtime.privacy.switches import Switches
from runtime.speech.tts import SilentVoice
from tests.fakes.loopback import LoopbackBus, WillingBridge
from tests.runtime.test_pipeline import until as until_within

SIT = "hey_buddy_sit_down.flac"
until = partial(until_within, timeout_s=60.0)


class Home:
    """A robot whose settings share words, and what reached its ears."""

    def __init__(self, folder: Path) -> None:
        self.bus, self.blocks, self.turns = LoopbackBus(), list[AudioBlock](), list[TurnRecord]()
        self.robot = assembly.assemble(
            RobotConfig(privacy=PrivacySettings(share_text=True)),
            starter.load_pack(),
            bus=self.bus,
            sink=NullSink(),
            speaker=SilentVoice(),
            listeners=Listeners(turn=self.turns.append, block=self._block),
            switches=Switches(folder),
        )
        WillingBridge(self.bus).wake()

    def _block(self, block: AudioBlock, _meanwhile: Meanwhile) -> None:
        self.blocks.append(block)

    def ask(self, name: str, message: r.MuteRequest | r.ConsentRequest) -> None:
        self.bus.publish(name, message)

    @property
    def told(self) -> PrivacyState:
        return self.bus.of("state/privacy")[-1]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    yield made
    made.robot.stop()


def test_muted_it_hears_zeros_and_shows_that_it_was_seen(home: Home, tmp_path: Path) -> None:
    with living(home.robot, QueueSource()) as microphone:
        home.ask("request/mute", r.MuteRequest(id="1", muted=True))
        until(lambda: home.told.muted and home.told.silent)
        home.blocks.clear()
        microphone.push(read_audio(CLIPS / SIT))
        until(lambda: len(home.blocks) > 200)
        assert not any(np.any(block.samples) for block in home.blocks)
        assert home.turns == []
        home.ask("request/mute", r.MuteRequest(id="2", muted=False))
        until(lambda: not home.told.muted and not home.told.silent)
        microphone.push(read_audio(CLIPS / SIT))
        until(lambda: bool(home.turns))
        home.ask("request/mute", r.MuteRequest(id="3", muted=True))
        until(lambda: home.told.muted)
    assert Home(tmp_path).robot.muted


def test_what_the_command_line_denies_holds_from_the_next_turn_on(home: Home, tmp_path: Path) -> None:
    with living(home.robot, QueueSource()) as microphone:
        for on in (True, False):
            Switches(tmp_path).note("share_text", on, "command")
            before = len(home.bus.of("event/turn"))
            microphone.push(read_audio(CLIPS / SIT))
            until(lambda seen=before: len(home.bus.of("event/turn")) > seen and not home.robot.answering)
            assert (home.bus.of("event/turn")[-1].heard is not None) == on
    assert not Home(tmp_path).robot.share_text


def test_a_page_withdraws_consent_for_good(home: Home, tmp_path: Path) -> None:
    with living(home.robot, QueueSource()):
        home.ask("request/consent", r.ConsentRequest(id="1", share_text=False, lessons=True))
        until(lambda: home.told.lessons and not home.told.share_text)
    again = Home(tmp_path).robot
    assert (again.share_text, again.lessons) == (False, True)
    assert [(c.what, c.how) for c in Switches(tmp_path).changes()] == [
        ("share_text", "page"),
        ("lessons", "page"),
    ]
