"""The pet's hearing in a simulated room, with its real voice: a person's word is taken, never its own.

Its voice has a breath that is never twice the same, so what hangs on it is tried in several rooms alike;
`everpaw bench barge-in --offline` counts how often.
"""

import importlib.util
from collections.abc import Callable

import numpy as np
import pytest

from runtime import starter
from runtime.audio.capture import read_audio
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
def room(request: pytest.FixtureRequest) -> RoomSettings:
    return request.param  # type: ignore[no-any-return]


def times(count: int, room: RoomSettings, holds: Callable[[SimulatedScene], bool]) -> int:
    """In how many of so many scenes it holds."""
    held = 0
    for _ in range(count):
        with simulated_scene(starter.load_pack(), room) as scene:
            held += holds(scene)
    return held


def recorded(name: str, level: float = 1.0) -> tuple[Samples, float]:
    """(a person's clip, where its last word ends, in seconds)"""
    samples = read_audio(CLIPS / name)
    return (samples * level).astype(np.int16), acoustic_span(samples)[1] / SAMPLE_RATE_HZ


def test_it_may_say_stop_and_its_own_name_from_the_first_word_on(room: RoomSettings) -> None:
    def unmoved(scene: SimulatedScene) -> bool:
        clips = []
        for text in ("Stop, stop, I stop when you say stop.", "Hey buddy is what you call me, hey buddy."):
            clips.append(scene.speak(text))
            until_quiet(scene, timeout_s=15.0)
            scene.wait(0.5)
        return not scene.noticed and all(clip.last_cut_s is None for clip in clips)

    assert times(3, room, unmoved) >= 2


def learn_the_room(scene: SimulatedScene) -> None:
    """A reply in peace; before it the canceller knows nothing."""
    scene.speak("I am glad that you are here.")
    until_quiet(scene, timeout_s=10.0)


def test_who_talks_over_it_is_given_the_floor_at_once(room: RoomSettings) -> None:
    samples, _ = recorded("good_boy.flac", level=1.5)  # as loud as the louder echo

    def yields(scene: SimulatedScene) -> bool:
        learn_the_room(scene)
        clip = scene.speak(LONG)
        scene.wait(1.5)
        begin_s = scene.say(samples) + acoustic_span(samples)[0] / SAMPLE_RATE_HZ
        scene.wait(2.0)
        if [type(one) for one in scene.noticed] != [SpeechStarted] or clip.last_cut_s is None:
            return False
        return clip.last_cut_s - begin_s < 0.2

    assert times(3, room, yields) >= 2


def test_stop_is_heard_over_its_own_voice_and_motors_before_the_word_is_long_over(room: RoomSettings) -> None:
    samples, end_s = recorded("stop.flac", level=0.5)

    def stops(scene: SimulatedScene, begin: Callable[[], object]) -> bool:
        begin()
        scene.wait(1.2)
        scene.halts_s.clear()
        end_s_of_stream = scene.say(samples) + end_s
        scene.wait(1.5)
        return any(at_s - end_s_of_stream < 0.1 for at_s in scene.halts_s)

    def over_its_voice(scene: SimulatedScene) -> bool:
        learn_the_room(scene)
        return stops(scene, lambda: scene.speak(LONG))

    assert times(4, room, over_its_voice) >= 2
    assert times(2, room, lambda scene: stops(scene, lambda: scene.move(4.0))) == 2
