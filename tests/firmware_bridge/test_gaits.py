"""Legs, strides and the floor: kinematics go there and back, and every gait keeps its rules."""

from dataclasses import replace
from pathlib import Path

import pytest

from firmware_bridge import ground, legs
from firmware_bridge.gait_search import GAITS, LEAST_MARGIN_MM, MOST_ACCEL, MOST_SPEED, faults, search, text
from firmware_bridge.skills import GaitSkill, load_skill
from firmware_bridge.stride import Stride
from runtime import starter
from runtime.contracts.body import load_body
from runtime.contracts.errors import PackError

BODY = load_body()
GEOMETRY = legs.geometry_of(BODY)
FOLDER = Path(starter.__file__).parent / "skills"


@pytest.mark.parametrize("x", [-40, -10, 0, 25, 40])
@pytest.mark.parametrize("z", [40, 70, 95])
def test_a_foot_goes_where_it_is_sent(x: float, z: float) -> None:
    hip, knee = legs.angles(GEOMETRY, x, z)
    assert knee >= 0
    assert legs.foot(GEOMETRY, hip, knee) == pytest.approx((x, z))


def test_straight_down_and_standing_are_where_the_body_says() -> None:
    assert legs.foot(GEOMETRY, 0, 0) == pytest.approx((0, 110))
    assert legs.foot(GEOMETRY, 30, 60)[0] == pytest.approx(0, abs=1e-9)
    assert legs.angles(GEOMETRY, 0, 110) == pytest.approx((0, 0), abs=1e-3)


@pytest.mark.parametrize(("x", "z"), [(0, 111), (80, 80), (0, 0)])
def test_a_foot_out_of_reach_is_refused(x: float, z: float) -> None:
    with pytest.raises(PackError, match="out of reach"):
        legs.angles(GEOMETRY, x, z)


def test_the_margin_is_the_way_to_the_nearest_edge() -> None:
    square = [(-50.0, -40.0), (50.0, -40.0), (50.0, 40.0), (-50.0, 40.0)]
    assert ground.support_margin(square, (0, 0)) == pytest.approx(40)
    assert ground.support_margin(square, (45, 0)) == pytest.approx(5)
    assert ground.support_margin(square, (60, 0)) == pytest.approx(-10)
    assert ground.support_margin([(-1, -1), (1, 1)], (1, -1)) == pytest.approx(-(2**0.5))
    assert ground.support_margin([(0, 0)], (0, 0)) == -float("inf")


def strides() -> dict[str, Stride]:
    found = {}
    for path in sorted(FOLDER.glob("*.toml")):
        skill = load_skill(path, BODY)
        if isinstance(skill, GaitSkill) and isinstance(skill.shape, Stride):
            found[path.stem] = skill.shape
    return found


def test_the_generated_gaits_are_in_the_starter_pack() -> None:
    assert set(strides()) == set(GAITS)


@pytest.mark.parametrize("name", GAITS)
def test_every_gait_keeps_the_servos_and_the_floor(name: str) -> None:
    gait = strides()[name]
    verdict = ground.check(gait)
    assert verdict.peak_speed <= MOST_SPEED + 0.005
    assert verdict.peak_accel <= MOST_ACCEL + 0.02
    assert faults(GAITS[name], verdict) < 0.1
    if GAITS[name].is_crawl:
        assert verdict.margin_mm >= LEAST_MARGIN_MM
    assert verdict.speed_mm_s * GAITS[name].forward >= 0


def test_the_check_finds_what_cannot_work() -> None:
    crawl = strides()["crawl"]
    assert ground.check(replace(crawl, shift_mm=0.0)).margin_mm < LEAST_MARGIN_MM
    assert ground.check(replace(crawl, shift_mm=-crawl.shift_mm)).margin_mm < 0
    trot = strides()["trot"]
    assert ground.check(replace(trot, period_s=trot.period_s / 3)).peak_speed > MOST_SPEED
    pacing = {"front_left": 0.0, "rear_left": 0.0, "front_right": 0.5, "rear_right": 0.5}
    assert ground.check(replace(trot, phase=pacing)).tip_deg > ground.check(trot).tip_deg
    slippery = BODY.model_copy(update={"geometry": GEOMETRY.model_copy(update={"friction": 0.01})})
    assert ground.check(replace(crawl, body=slippery)).grip > ground.check(crawl).grip * 50


def test_the_search_is_repeatable_and_its_file_can_be_loaded(tmp_path: Path) -> None:
    found = [search(BODY, GAITS["trot"], 60, seed=3) for _ in range(2)]
    assert found[0] == found[1]
    path = tmp_path / "trot.toml"
    path.write_text(text(found[0], GAITS["trot"]))
    skill = load_skill(path, BODY)
    assert isinstance(skill, GaitSkill)
    assert skill.shape.period_s == pytest.approx(found[0].period_s, abs=1e-3)


def test_a_stride_needs_a_body_with_lengths() -> None:
    bare = BODY.model_copy(update={"geometry": None})
    with pytest.raises(PackError, match="gives no"):
        ground.check(replace(strides()["trot"], body=bare))
