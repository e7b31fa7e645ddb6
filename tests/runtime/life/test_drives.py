"""Drives and the hours of a day: bounded, independent of the step, each animal its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.contracts.errors import ConfigError
from runtime.life.acts import HAPPENED, HEARD
from runtime.life.day import QuietHours, liveliness, sleepiness
from runtime.life.drives import DRIVES, STYLES, eased, nature, newborn, passed

HOURS = st.one_of(st.none(), st.floats(0, 23.99))
LEVELS = st.fixed_dictionaries({name: st.floats(0, 1) for name in DRIVES})


@given(LEVELS, st.floats(0, 1e6), st.booleans(), HOURS, st.integers(0, 99))
def test_drives_stay_between_content_and_strong(
    drives: dict[str, float], dt_s: float, asleep: bool, hour: float | None, seed: int
) -> None:
    later = passed(drives, dt_s, asleep=asleep, hour=hour, of=nature(seed))
    assert all(-1e-9 <= later[name] <= 1 + 1e-9 for name in DRIVES)


@given(LEVELS, st.sampled_from([*HEARD.values(), *HAPPENED.values()]))
def test_whatever_happens_moves_them_within_bounds(drives: dict[str, float], by: dict[str, float]) -> None:
    after = eased(drives, by)
    assert all(0 <= after[name] <= 1 for name in DRIVES)
    assert all((after[name] - drives[name]) * amount >= 0 for name, amount in by.items())


@given(LEVELS, st.integers(1, 600), st.booleans(), HOURS)
def test_many_small_steps_are_one_large_one(
    drives: dict[str, float], seconds: int, asleep: bool, hour: float | None
) -> None:
    at_once = passed(drives, seconds, asleep=asleep, hour=hour, of=nature(1))
    for _ in range(seconds):
        drives = dict(passed(drives, 1.0, asleep=asleep, hour=hour, of=nature(1)))
    assert drives == pytest.approx(dict(at_once), abs=1e-9)


def test_sleep_rests_and_waking_hours_tire() -> None:
    tired = passed(newborn(), 8 * 3_600, asleep=False, hour=20.0, of=nature(1))
    rested = passed(tired, 6 * 3_600, asleep=True, hour=10.0, of=nature(1))
    assert tired["rest"] > 0.35 > rested["rest"]


def test_two_puppies_differ_and_a_lively_style_plays_more() -> None:
    assert nature(1) != nature(2)
    for word, (drive, _) in STYLES.items():
        assert nature(1, {word: 1.0}).gain[drive] > nature(1).gain[drive] > nature(1, {word: 0.0}).gain[drive]


def test_a_day_has_two_lively_times_and_one_night() -> None:
    peaks = [h for h in range(24) if liveliness(h) > max(liveliness((h - 1) % 24), liveliness((h + 1) % 24))]
    assert peaks == [8, 18]
    assert sleepiness(3) > 0.9 > 0.5 > sleepiness(13) > sleepiness(10)


@pytest.mark.parametrize(
    ("text", "quiet", "loud"),
    [
        ("22:00-07:00", (22, 0, 6.99), (7, 12, 21.99)),
        ("13:30-14:15", (13.5, 14), (13.4, 14.25)),
        ("", (), (0, 12)),
    ],
)
def test_quiet_hours_hold_over_midnight(text: str, quiet: tuple[float, ...], loud: tuple[float, ...]) -> None:
    hours = QuietHours.read(text)
    assert all(hours.holds(hour) for hour in quiet)
    assert not any(hours.holds(hour) for hour in loud)


@pytest.mark.parametrize("text", ["22-7", "25:00-07:00", "22:00-07:60", "always"])
def test_quiet_hours_that_are_none_are_named(text: str) -> None:
    with pytest.raises(ConfigError, match=r"22:00-07:00"):
        QuietHours.read(text)
