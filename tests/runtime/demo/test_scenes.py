"""The pet's hearing in a simulated room, with its real voice: a person's word is taken, never its own."""

import importlib.util
from collections.abc import Iterator

import numpy as np
import pytest

from runtime import starter
from runtime.audio.capture import read_audio
from runtime.audio.stop import StopHit
from runtime.audio.turns import SpeechStarted
from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.demo.people import acoustic_span
from runtime.demo.room import RoomSettings
from runtime.demo.scenes import SimulatedScene, simulated_scene, until_quiet
from runtime.demo.script import CLIPS

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("espeakng_loader") is None,
    reason="needs the extra: pip install 'everpaw[voice]'",
)
LOUD, FAINT = RoomSettings(delay_s=0.03, echo_db=-6.0), RoomSettings(delay_s=0.08, echo_db=-20.0)
LONG = "I walk, turn, look around, bark and howl, and I am always glad when somebody comes home."


@pytest.fixture(params=[LOUD, FAINT], ids=["loud echo", "faint echo"])
def scene(request: pytest.FixtureRequest) -> Iterator[SimulatedScene]:
    with simulated_scene(starter.load_pack(), request.param) as scene:
        yield scene


def recorded(name: str, level: float = 1.0) -> tuple[Samples, float]:
    """(a person's clip, where its last word ends, in seconds)"""
    samples = read_audio(CLIPS / name)
    return (samples * level).astype(np.int16), acoustic_span(samples)[1] / SAMPLE_RATE_HZ


def test_it_may_say_stop_and_its_own_name_from_the_first_word_on(scene: SimulatedScene) -> None:
    for text in ("Stop, stop, I stop when you say stop.", "Hey buddy is what you call me, hey buddy."):
        clip = scene.speak(text)
        until_quiet(scene, timeout_s=15.0)
        scene.wait(0.5)
        assert clip.last_cut_s is None
    assert scene.noticed == []


def learn_the_room(scene: SimulatedScene) -> None:
    """A reply in peace; before it the canceller knows nothing."""
    scene.speak("I am glad that you are here.")
    until_quiet(scene, timeout_s=10.0)


def test_who_talks_over_it_is_given_the_floor_at_once(scene: SimulatedScene) -> None:
    learn_the_room(scene)
    clip = scene.speak(LONG)
    scene.wait(1.5)
    samples, _ = recorded("good_boy.flac", level=1.5)  # as loud as the louder echo
    begin_s = scene.say(samples) + acoustic_span(samples)[0] / SAMPLE_RATE_HZ
    scene.wait(2.0)
    assert [type(one) for one in scene.noticed] == [SpeechStarted]
    assert clip.last_cut_s is not None
    assert clip.last_cut_s - begin_s < 0.2


def test_stop_is_heard_over_its_own_voice_and_motors_before_the_word_is_long_over(
    scene: SimulatedScene,
) -> None:
    learn_the_room(scene)
    samples, end_s = recorded("stop.flac", level=0.5)
    for begin in (lambda: scene.speak(LONG), lambda: scene.move(4.0)):
        begin()
        scene.wait(1.2)
        scene.halts_s.clear()
        end_s_of_stream = scene.say(samples) + end_s
        scene.wait(1.5)
        assert any(isinstance(one, StopHit) for one in scene.noticed)
        assert scene.halts_s[0] - end_s_of_stream < 0.1
        scene.rest()
