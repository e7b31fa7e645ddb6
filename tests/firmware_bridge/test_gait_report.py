"""Every gait of the pack keeps its servos and the floor, as it really turns; the picture is one of them."""

from dataclasses import replace
from pathlib import Path

import pytest

from firmware_bridge import body as command
from firmware_bridge import gait_report
from firmware_bridge.motion import GaitShape
from firmware_bridge.skid import skid
from firmware_bridge.skills import GaitSkill, load_skill
from firmware_bridge.stride import Stride
from runtime.contracts.body import load_body
from tests.firmware_bridge.owner import PACK

BODY = load_body()


def stride(name: str) -> Stride:
    skill = load_skill(PACK / "skills" / f"{name}.toml", BODY)
    assert isinstance(skill, GaitSkill)
    assert isinstance(skill.shape, Stride)
    return skill.shape


def test_every_gait_of_the_pack_keeps_the_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "gaits.svg"
    assert command.main(["gaits", "--picture", str(path)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 10
    assert all("keeps the rules" in line for line in said[1:])
    assert path.read_text().count("<polyline") == 2


def test_a_gait_straight_ahead_is_not_dragged_and_one_that_turns_is() -> None:
    ahead, turning = skid(stride("trot")), skid(stride("turn_left"))
    assert ahead.drag_mm < 1
    assert ahead.ahead_mm_s == pytest.approx(67, abs=3)
    assert abs(ahead.left_deg_s) < 1
    assert turning.left_deg_s > 20
    assert turning.drag_mm > 10
    assert skid(stride("turn_right")).left_deg_s == pytest.approx(-turning.left_deg_s, rel=0.05)


def test_what_is_too_fast_or_too_far_is_named() -> None:
    hasty = gait_report._line("hasty", replace(stride("turn_left"), period_s=0.4))
    assert {"speed", "acceleration"} <= set(hasty.wrong)
    unsteady = gait_report._line("unsteady", replace(stride("crawl"), shift_mm=0.0))
    assert "margin" in unsteady.wrong
    told = GaitShape(0.5, 0.55, stride("trot").phase, 14, 24, 1.0, 0.0, BODY.rest, {"tail": 5})
    assert "acceleration" in gait_report._line("told", gait_report.Told(BODY, told)).wrong
