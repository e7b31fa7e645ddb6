"""The same movement in two moods: different where it may be, inside the limits always, never refused."""

from itertools import pairwise

import pytest

from firmware_bridge.expression import coloured
from firmware_bridge.player import PERIOD_S
from firmware_bridge.skills import Skill
from runtime.contracts.body import Pose
from tests.firmware_bridge.conducted import BODY, SKILLS, conducted
from tests.firmware_bridge.test_motion import assert_gentle

PLAIN = {name: skill for name, skill in SKILLS.items() if isinstance(skill, Skill)}


def poses(name: str, speed: float, amplitude: float, start: Pose = BODY.rest) -> list[Pose]:
    movement, _ = coloured(BODY, start, PLAIN[name].frames, speed, amplitude)
    return [movement.evaluate(step * PERIOD_S) for step in range(int(movement.duration_s / PERIOD_S) + 2)]


def swing(seen: list[Pose], joint: str) -> float:
    return max(pose[joint] for pose in seen) - min(pose[joint] for pose in seen)


def test_a_wag_is_wide_and_quick_or_narrow_and_slow() -> None:
    happy, sad = poses("wag", 1.2, 1.3), poses("wag", 0.75, 0.6)
    assert swing(happy, "tail") == pytest.approx(104, rel=0.02)
    assert swing(sad, "tail") == pytest.approx(48, rel=0.02)
    quick, slow = (
        sum(abs(after["tail"] - before["tail"]) for before, after in pairwise(seen)) / len(seen)
        for seen in (happy, sad)
    )
    assert quick > 2 * slow


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("amplitude", [0.5, 1.5])
def test_every_skill_in_colour_stays_inside_and_ends_where_it_ends(name: str, amplitude: float) -> None:
    for start in (BODY.rest, BODY.safe):
        seen = poses(name, 1.3, amplitude, start)
        assert_gentle(BODY, seen)
        assert seen[-1] == pytest.approx(poses(name, 1.0, 1.0, start)[-1])


def test_legs_carry_the_body_whatever_the_mood() -> None:
    narrow, wide = poses("sit", 1.0, 0.5), poses("sit", 1.0, 1.5)
    assert swing(narrow, "rear_left_knee") == pytest.approx(swing(wide, "rear_left_knee"))
    assert swing(wide, "tail") == pytest.approx(3 * swing(narrow, "tail"), rel=0.05)


def test_what_met_a_limit_is_said_and_done_as_far_as_it_goes() -> None:
    with conducted() as rig:
        wide = rig.skill("happy", amplitude=1.5, speed=2.0)
        accepted = rig.acks(wide)[0]
        assert accepted.status == "accepted"
        assert "tail at -70 deg" in accepted.reason
        assert "slower than asked" in accepted.reason
        rig.run(6_000)
        assert rig.statuses(wide)[-1] == "done"
        assert rig.acks(rig.skill("wag"))[0].reason == ""


def test_a_mood_never_costs_an_order() -> None:
    """A head turned far aside cannot be lowered further; the plain movement is played instead."""
    from firmware_bridge.motion import KeyFrame

    start = BODY.rest | {"head_pan": 75.0, "head_tilt": -20.0}
    frames = [KeyFrame(0.5, {"head_tilt": -29.0}), KeyFrame(0.5, {"head_tilt": 0.0})]
    movement, met = coloured(BODY, start, frames, 1.0, 1.5)
    assert movement.evaluate(0.5)["head_tilt"] == pytest.approx(-29)
    assert met == ["played plainly, as joints would meet"]
