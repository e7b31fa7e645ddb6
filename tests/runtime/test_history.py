"""The day in steps: means, holes, a day at most; and on the page before what was heard there."""

import pytest

from runtime.contracts import messages as m
from runtime.contracts.reports import DayState
from runtime.contracts.topics import MAX_PAYLOAD_BYTES, encode
from runtime.eyes.pet import Pet
from runtime.history import STEP_S, STEPS, History

STEP_MS = int(STEP_S * 1_000)


def feels(valence: float) -> m.MindState:
    return m.MindState(awake=True, mood="calm", valence=valence, arousal=0.0)


def link(**more: float) -> m.LinkTelemetry:
    counts = {"frames_sent": 1, "frames_received": 1, "crc_errors": 0, "resends": 0, "stream_hz": 50.0}
    return m.LinkTelemetry.model_validate({**counts, "mono_ms": 1, **more})


def test_steps_are_means_and_what_no_sensor_tells_is_a_hole() -> None:
    now = [5_000]
    day = History(lambda: now[0])
    first = day.turn()
    assert first is not None
    assert first.series == {}
    day.take(feels(0.2))
    day.take(feels(0.4))
    assert day.turn() is None
    now[0] += STEP_MS
    assert day.turn() == DayState(step_s=STEP_S, mono_ms=now[0], series={"arousal": [0.0], "valence": [0.3]})
    day.take(link(supply_mv=7_600))
    now[0] += STEP_MS
    told = day.turn()
    assert told is not None
    assert told.series == {"arousal": [0.0, None], "supply_v": [None, 7.6], "valence": [0.3, None]}


def test_it_keeps_a_day_that_fits_into_one_message() -> None:
    now = [0]
    day = History(lambda: now[0])
    for step in range(STEPS + 10):
        day.take(feels(-0.123 if step % 2 else 0.999))
        day.take(link(supply_mv=11_123, temperature_c=41))
        now[0] += STEP_MS
        told = day.turn()
    assert told is not None
    assert {len(values) for values in told.series.values()} == {STEPS}
    assert 2 * len(encode(told)) < MAX_PAYLOAD_BYTES


def test_a_page_that_was_opened_late_shows_the_day_before_its_own() -> None:
    pet = Pet("rex")
    day = DayState(step_s=600.0, mono_ms=10_000_000, series={"valence": [0.1, None, 0.3]})
    pet.take("state/day", day, retained=True, wall_s=50_000.0)
    clock = m.Clock(boot_id="b", mono_ms=10_060_000)
    pet.take("state/clock", clock, retained=True, wall_s=50_000.0)
    assert pet.curve("valence") == []  # an old clock tells no time
    pet.take("state/clock", clock, retained=False, wall_s=50_000.0)
    end_s = 50_000.0 - 60.0
    assert pet.curve("valence") == [(pytest.approx(end_s - 1_500), 0.1), (pytest.approx(end_s - 300), 0.3)]
    pet.take("state/mind", feels(0.5), retained=False, wall_s=50_000.0)
    assert pet.curve("valence")[-1] == (50_000.0, 0.5)
    pet.take("state/mind", feels(0.5), retained=False, wall_s=end_s - 400)
    assert pet.curve("arousal") == [(50_000.0, 0.0), (end_s - 400, 0.0)]
    assert pet.curve("supply_v") == []
