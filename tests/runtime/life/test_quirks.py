"""What one animal alone does: at its hour, after its occasion, never in quiet hours."""

from dataclasses import replace

import pytest

from runtime.contracts.config import LifeSettings
from runtime.life import will
from runtime.life.acts import LIE, STAND
from runtime.life.chooser import Rules
from runtime.life.quirks import Quirk, acts_of
from runtime.life.rules import rules_of
from tests.runtime.life.test_will import grown, lived

SPINS = Quirk(says="I spin.", movements=("spin", "happy"), hours=(18.0,), after=("feed",))
BARKS = Quirk(says="I bark.", movements=("bark",), sounds=("bark", "woof"), after=("noise",))
WALKS = LifeSettings(locomotion=True)


def _rules(*quirks: Quirk, settings: LifeSettings = WALKS) -> Rules:
    return rules_of(settings, 3, quirks=quirks)


def _when(quirk: Quirk, hour: float, said: str = "") -> list[float]:
    """Ages of its act within two hours from `hour` on."""
    state = replace(grown(), posture=STAND)
    if said:
        state = will.heard(state, said, "", gait=False, follow_up_s=8.0)
    done = lived(state, 7_200, hour, _rules(quirk))[1]
    return [age_s for age_s, name in done if name.startswith("quirk")]


def test_at_its_hour_and_after_its_occasion_and_else_never() -> None:
    assert _when(SPINS, 17.0)
    assert not _when(SPINS, 10.0)
    assert _when(SPINS, 10.0, "feed")
    assert not _when(SPINS, 10.0, "praise")


def test_a_noise_is_followed_by_the_bark_with_its_sound() -> None:
    rules = _rules(BARKS)
    state, _ = will.happened(replace(grown(), posture=STAND), "noise", 10.0, rules)
    done = lived(state, 300, 10.0, rules)[1]
    assert any(name == "quirk 1: bark" for _, name in done)
    assert rules.quirks[0].sounds == ("bark", "woof")


def test_never_in_quiet_hours() -> None:
    state = replace(grown(), posture=LIE)
    state = will.heard(state, "feed", "", gait=False, follow_up_s=8.0)
    done = lived(state, 3_600, 23.0, _rules(SPINS, BARKS))[1]
    assert not [name for _, name in done if name.startswith("quirk")]


def test_without_steps_the_next_movement_stands_in() -> None:
    assert [act.skills for act in acts_of([SPINS], locomotion=True)] == [("spin",)]
    assert [act.skills for act in acts_of([SPINS], locomotion=False)] == [("happy",)]
    assert acts_of([SPINS], frozenset({"sit"}), locomotion=True) == ()


def test_a_quirk_moves_no_other_acts_chance() -> None:
    never = Quirk(says="I bark.", movements=("bark",), after=("goodbye",))
    assert lived(grown(), 3_600, 10.0, _rules())[1] == lived(grown(), 3_600, 10.0, _rules(never))[1]


@pytest.mark.parametrize(
    "field", [{"movements": ()}, {"hours": (24.0,)}, {"movements": ("../x",)}, {"says": ""}]
)
def test_a_quirk_that_is_none_is_refused(field: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Quirk.model_validate({"says": "I spin.", "movements": ("spin",), **field})


def test_what_was_met_is_kept_over_a_restart() -> None:
    state = will.heard(grown(), "feed", "", gait=False, follow_up_s=8.0)
    assert state.met_s["feed"] == state.age_s
    assert will.heard(state, "volume", "", gait=False, follow_up_s=8.0).met_s.keys() == {"feed"}
