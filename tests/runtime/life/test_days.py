"""Simulated days: structure that chance does not give, quiet hours, and the command that tells it."""

import json
import random
from pathlib import Path

import pytest

from runtime.cli import main
from runtime.life.chooser import Rules
from runtime.life.day import QuietHours
from runtime.life.drives import nature
from runtime.life.figures import GOALS, entropy, figures, information
from runtime.life.household import household
from runtime.life.simulate import Days, live

RULES = Rules(nature(3), QuietHours.read("22:00-07:00"))
STEP_S = 5


@pytest.fixture(scope="module")
def days() -> Days:
    return live(3, 3, RULES, household(3, 3), STEP_S)


def test_the_hour_and_the_drives_tell_the_act_beyond_chance(days: Days) -> None:
    found = figures(days)
    assert found.act_entropy > 2.5
    assert found.hour.beyond_chance >= GOALS["hour"]
    assert found.drive.beyond_chance >= GOALS["drive"]
    assert found.good


def test_no_rule_of_the_house_is_broken(days: Days) -> None:
    found = figures(days)
    assert (found.loud_in_quiet_hours, found.while_held) == (0, 0)
    assert found.in_quiet_hours > 0
    assert 8 <= found.asleep_h <= 15
    assert set(found.moods) >= {"calm", "sleepy"}


def test_the_same_seed_lives_the_same_days_and_another_others(days: Days) -> None:
    again = live(1, 3, RULES, household(3, 3), STEP_S)
    first = [deed for deed in days.deeds if deed.at_s < again.seconds]
    assert [(deed.at_s, deed.act.name) for deed in again.deeds] == [(d.at_s, d.act.name) for d in first]
    assert [s for s in days.samples if s.at_s < again.seconds] == again.samples
    other = live(1, 4, RULES, household(1, 4), STEP_S)
    assert [deed.act.name for deed in other.deeds] != [deed.act.name for deed in again.deeds]


def test_a_life_without_quiet_hours_is_told_apart() -> None:
    """The figure that is 0 above can be something else."""
    restless = live(1, 3, Rules(nature(3)), household(1, 3), STEP_S)
    quiet = QuietHours.read("16:00-20:00")
    loud = sum(quiet.holds(deed.hour) and not deed.act.quiet for deed in restless.deeds)
    assert loud > 10


def test_the_figures_measure_what_they_say() -> None:
    chance = random.Random(1)
    coin = [chance.choice("ab") for _ in range(4_000)]
    assert entropy(coin) == pytest.approx(1.0, abs=0.01)
    assert information(coin, coin) == pytest.approx(entropy(coin))
    assert information(coin, [chance.choice("xyz") for _ in coin]) < 0.01
    assert entropy(["a"]) == 0


def test_the_command_tells_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib", reason="the picture needs the [training] extra")
    picture = tmp_path / "day.png"
    main(["eval", "life", "--days", "1", "--seed", "3", "--json", "--plot", str(picture)])
    told = json.loads(capsys.readouterr().out)
    assert told["deeds"] > 100
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert main(["eval", "life", "--days", "1", "--plot", str(tmp_path / "day.nonsense")]) == 1
    assert "give a .png" in capsys.readouterr().err
    main(["eval", "life", "--days", "1", "--set", "life.quiet_hours=''", "--set", "life.sleep=false"])
    assert "begun while attending or halted: 0" in capsys.readouterr().out
