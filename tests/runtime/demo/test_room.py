"""The simulated room: what comes back from the loudspeaker, when, and how loud."""

import numpy as np
import pytest

from runtime.audio.capture import QueueSource
from runtime.audio.playback import NullSink
from runtime.contracts.audio import BLOCK_SAMPLES, SAMPLE_RATE_HZ
from runtime.demo.room import Room, RoomSettings, impulse_response

SILENCE = np.zeros(BLOCK_SAMPLES, np.int16)


def test_the_way_has_its_delay_and_its_level() -> None:
    settings = RoomSettings(delay_s=0.05, echo_db=-12.0)
    way = impulse_response(settings, np.random.default_rng(1))
    assert int(np.flatnonzero(way)[0]) == round(0.05 * SAMPLE_RATE_HZ)
    assert 10 * np.log10(np.sum(way**2)) == pytest.approx(-12.0)
    assert int(np.abs(way).argmax()) == round(0.05 * SAMPLE_RATE_HZ)


def test_what_is_played_comes_back_late() -> None:
    room = Room(QueueSource(), NullSink(), RoomSettings(delay_s=0.06, echo_db=-6.0, noise_level=0.0))
    click = SILENCE.copy()
    click[0] = 20_000
    heard = np.concatenate([room.mix(SILENCE, click if n == 0 else SILENCE, moving=False) for n in range(10)])
    assert int(np.abs(heard).argmax()) == round(0.06 * SAMPLE_RATE_HZ)
    assert not heard[: round(0.06 * SAMPLE_RATE_HZ)].any()


def test_motors_are_heard_while_they_run() -> None:
    room = Room(QueueSource(), NullSink(), RoomSettings(motor_level=200.0, noise_level=10.0))

    def level(moving: bool) -> float:
        blocks = [room.mix(SILENCE, SILENCE, moving=moving) for _ in range(50)]
        return float(np.std(np.concatenate(blocks)))

    assert level(False) == pytest.approx(10, rel=0.1)
    assert level(True) == pytest.approx(200, rel=0.1)


def test_the_person_is_heard_as_spoken() -> None:
    person = QueueSource(realtime=False)
    samples = (np.arange(3 * BLOCK_SAMPLES) % 1_000).astype(np.int16)
    person.push(samples)
    person.end()
    blocks = [block.samples for block in Room(person, NullSink(), RoomSettings(noise_level=0.0))]
    assert np.array_equal(np.concatenate(blocks), samples)
