"""The collision rules follow from the lengths of the body: with them no parts meet, without one some do."""

import numpy as np
import pytest

from firmware_bridge import body as command
from firmware_bridge.clearance import least_room, pairs, room_mm, segment_distance
from firmware_bridge.skills import GaitSkill, load_skills
from runtime.contracts.body import Body, load_body
from tests.firmware_bridge.owner import PACK

BODY = load_body()
FEW = 6_000
"""Poses to begin with: enough for the pushing to find the tight ones"""


def without(why: str) -> Body:
    return BODY.model_copy(update={"collisions": tuple(r for r in BODY.collisions if r.why != why)})


def test_the_distance_of_segments() -> None:
    def one(*point: float) -> np.ndarray:  # type: ignore[type-arg]
        return np.array([point])

    cross = segment_distance(one(-1, 0, 0), one(1, 0, 0), one(0, -1, 3), one(0, 1, 3))
    assert cross == pytest.approx(3)
    aside = segment_distance(one(0, 0, 0), one(1, 0, 0), one(4, 4, 0), one(5, 9, 0))
    assert aside == pytest.approx(5)
    alongside = segment_distance(one(0, 0, 0), one(2, 0, 0), one(1, 1, 0), one(3, 1, 0))
    assert alongside == pytest.approx(1)


def test_what_limits_and_rules_allow_keeps_its_room() -> None:
    assert BODY.geometry is not None
    rooms = least_room(BODY, poses=FEW)
    assert {(room.first, room.second) for room in rooms} == set(pairs(BODY))
    for room in rooms:
        assert room.least_mm >= BODY.geometry.apart_mm, room
        assert BODY.violation(room.pose) == ""


@pytest.mark.parametrize("why", sorted({rule.why for rule in BODY.collisions}))
def test_without_one_of_the_rules_some_parts_meet(why: str) -> None:
    assert min(room.least_mm for room in least_room(without(why), poses=FEW)) < 0


def test_every_pose_of_the_packs_movements_keeps_its_room() -> None:
    poses = []
    for skill in load_skills(PACK / "skills", BODY).values():
        if isinstance(skill, GaitSkill):
            steps = [
                (skill.shape.pose(cycle / 40, turn, 1.0)) for cycle in range(40) for turn in (-1.0, 0.0, 1.0)
            ]
            poses += steps
            continue
        pose = BODY.rest
        for frame in skill.frames:
            pose = pose | dict(frame.pose)
            poses.append(pose)
    table = np.array([[pose[name] for name in BODY.names] for pose in poses])
    assert BODY.geometry is not None
    for pair in pairs(BODY):
        assert room_mm(BODY, table, *pair).min() >= BODY.geometry.apart_mm, pair


def test_the_command_says_what_is_too_close(capsys: pytest.CaptureFixture[str], tmp_path) -> None:  # type: ignore[no-untyped-def]
    assert command.main(["clearance"]) == 0
    said = capsys.readouterr().out
    assert "front_left - rear_left" in said
    assert "TOO CLOSE" not in said
    path = tmp_path / "wide.toml"
    text = (PACK.parents[0] / "contracts" / "body" / "buddy.toml").read_text()
    path.write_text(text.replace("max_deg = 85", "max_deg = 400"))
    assert command.main(["clearance", "--body", str(path)]) == 1
    assert "TOO CLOSE" in capsys.readouterr().out
