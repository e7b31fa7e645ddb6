"""Getting up: the skill in the pack is the one the body asks for, and it keeps its rules on the floor."""

import math

import pytest

from firmware_bridge import get_up
from firmware_bridge.skills import Skill, load_skill
from runtime.contracts import messages as m
from runtime.contracts.body import load_body
from tests.firmware_bridge.board import bench
from tests.firmware_bridge.conducted import Conducted
from tests.firmware_bridge.owner import PACK

BODY = load_body()


def test_a_body_on_a_tilted_plane_leans_as_it_must() -> None:
    level = [(80.0, 50.0, 95.0), (80.0, -50.0, 95.0), (-80.0, 50.0, 95.0), (-80.0, -50.0, 95.0)]
    assert get_up.settled_lean_deg(level, (0, 0)) == 0
    nose_down = [(x, y, 95.0 - (20 if x > 0 else 0)) for x, y, _ in level]
    assert get_up.settled_lean_deg(nose_down, (0, 0)) == pytest.approx(math.degrees(math.atan(20 / 160)))
    one_short = [*level[:3], (-80.0, -50.0, 40.0)]
    assert get_up.settled_lean_deg(one_short, (10, 5)) == 0, "three feet carry it while its mass is over them"
    assert get_up.settled_lean_deg(one_short, (-10, -5)) > 10


def test_the_packs_skill_is_the_bodys_and_keeps_its_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    path = PACK / "skills" / "get_up.toml"
    assert path.read_text() == get_up.text(BODY), "python -m firmware_bridge.get_up writes it"
    skill = load_skill(path, BODY)
    assert isinstance(skill, Skill)
    monkeypatch.setattr(get_up, "FALLS", 3)
    found = get_up.check(BODY, skill)
    assert found.holds(BODY), found
    assert BODY.geometry is not None
    weak = BODY.model_copy(update={"geometry": BODY.geometry.model_copy(update={"torque_nmm": 100.0})})
    assert not get_up.check(weak, skill).holds(weak)


def test_a_fallen_body_refuses_to_move_until_it_is_set_on_its_feet() -> None:
    with bench() as board:
        robot = Conducted(board)
        for fallen, status in ((True, "rejected"), (False, "accepted")):
            board.vitals.fallen = fallen
            robot.run(400)
            before = len(robot.said)
            robot.send("cmnd/skill", m.SkillCommand, skill="stand")
            acks = [said for _, said in robot.said[before:] if isinstance(said, m.Ack)]
            assert acks[0].status == status
            assert ("lift it onto its feet" in acks[0].reason) is fallen
