"""OpenCat's skills become ours and ours OpenCat's: feet where they were, limits kept, nothing silent."""

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge import opencat
from firmware_bridge.bittle import bittle_of, pose_of
from firmware_bridge.body import main
from firmware_bridge.exchange import exported, imported
from firmware_bridge.legs import foot, geometry_of
from firmware_bridge.skills import GaitSkill, Skill, load_skill, load_skills
from runtime.contracts.body import load_body
from runtime.contracts.errors import PackError
from tests.firmware_bridge.owner import PACK

BODY = load_body()
SKILLS = load_skills(PACK / "skills", BODY)
# shoulders, then knees: front left, front right, rear right, rear left
STANDS = "const int8_t stands[] PROGMEM = { 1, 0, 0, 1, 20,0,0,0, 0,0,0,0, 30,30,30,30, 30,30,30,30 };"
DEEP = "const int8_t deep[] PROGMEM = { 1, 0, 0, 1, 0,0,0,0, 0,0,0,0, 75,75,75,75, -55,-55,-55,-55 };"
MEET = "const int8_t meet[] PROGMEM = { 1, 0, 0, 1, 0,0,0,0, 0,0,0,0, 90,90,20,20, 60,60,70,70 };"
WAVES = """const int8_t waves[] PROGMEM = { -3, 0, 0, 1, 1, 2, 2,
0,0,0,0, 0,0,0,0, 30,30,30,30, 30,30,30,30, 4, 6, 0, 0,
0,0,0,0, 0,0,0,0, 10,30,30,30, 30,30,30,30, 4, 0, 1, 20,
0,0,0,0, 0,0,0,0, 50,30,30,30, 30,30,30,30, 4, 0, 0, 0 };"""


def bittles_foot(shoulder_deg: float, knee_deg: float, long_mm: float) -> tuple[float, float]:
    """(x ahead, z down), from Petoi's own zero and sense of turning: ahead turns down, down turns back."""
    thigh, shin = math.radians(shoulder_deg), math.radians(shoulder_deg + knee_deg)
    return long_mm * (math.cos(shin) - math.sin(thigh)), long_mm * (math.sin(shin) + math.cos(thigh))


@given(st.integers(10, 90), st.integers(0, 135))
def test_a_bittles_foot_stands_where_ours_does(hip: int, knee: int) -> None:
    pose = dict.fromkeys(BODY.names, 0.0) | {"rear_left_hip": hip, "rear_left_knee": knee}
    angles = bittle_of(pose)
    geometry = geometry_of(BODY)
    ours = foot(geometry, hip, knee)
    assert bittles_foot(angles[11], angles[15], geometry.upper_mm) == pytest.approx(ours, abs=1e-6)
    assert pose_of(angles)["rear_left_hip"] == hip
    assert pose_of(angles)["rear_left_knee"] == knee


def test_what_stands_on_a_bittle_is_our_rest_pose() -> None:
    [skill] = opencat.parse(STANDS)
    pose = pose_of(skill.angles_deg(0))
    assert pose == {name: BODY.rest[name] for name in pose} | {"head_pan": 20}


def test_a_behaviour_is_taken_with_its_pauses_and_repeats(tmp_path: Path) -> None:
    [skill] = opencat.parse(WAVES)
    text, remarks = imported(skill, BODY)
    (tmp_path / "waves.toml").write_text(text)
    taken = load_skill(tmp_path / "waves.toml", BODY)
    assert isinstance(taken, Skill)
    hips = [frame.pose.get("front_left_hip") for frame in taken.frames]
    assert hips == [30, None, 50, 10, 50, 10], "its pause stays, and the last two frames come twice"
    assert taken.frames[1].take_s == pytest.approx(0.3, abs=0.01)
    assert remarks == ["not waiting for a tilt: frame 2"]


def test_what_does_not_fit_is_brought_inside_or_left_out_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header = tmp_path / "skills.h"
    header.write_text("\n".join((STANDS, DEEP, MEET, WAVES)))
    out = tmp_path / "skills"
    assert main(["opencat-import", str(header), "--out", str(out)]) == 1
    said = capsys.readouterr()
    assert "deep.toml: posture of 1 frames; brought inside this body's range: frame 1" in said.out
    assert re.search(r"not taken: meet.toml: frame 1: .* would meet", said.err)
    assert sorted(load_skills(out, BODY)) == ["deep", "stands", "waves"]
    header.write_text("int nothing;")
    with pytest.raises(PackError, match="holds no OpenCat skill"):
        main(["opencat-import", str(header), "--out", str(out)])


def test_every_skill_of_the_pack_goes_to_a_bittle_and_its_feet_stay(tmp_path: Path) -> None:
    header = tmp_path / "ours.h"
    assert main(["opencat-export", "--out", str(header)]) == 0
    found = {skill.name: skill for skill in opencat.parse(header.read_text())}
    assert found.keys() == SKILLS.keys()
    for name, ours in SKILLS.items():
        theirs = found[name]
        assert theirs == exported(ours, BODY)
        if isinstance(ours, GaitSkill):
            pose = ours.shape.pose(0.0, ours.shape.turn, 1.0)
        else:
            pose = BODY.rest | dict(ours.frames[0].pose)
        for joint, angle in pose_of(theirs.angles_deg(0)).items():
            if joint != "head_pan":
                assert abs(angle - pose[joint]) <= 1.0, (name, joint)
    with pytest.raises(PackError, match="no skill 'fly'"):
        main(["opencat-export", "fly", "--out", str(header)])


def test_a_frame_of_tail_alone_is_a_pause_on_a_bittle() -> None:
    rows = exported(SKILLS["sit"], BODY).frames
    assert [row[17] for row in rows] == [0, 8, 8, 8]
    assert len({row[:16] for row in rows}) == 1


def test_what_came_from_a_bittle_goes_back_byte_for_byte_until_it_is_altered(tmp_path: Path) -> None:
    header, out, back = tmp_path / "skills.h", tmp_path / "mine" / "skills", tmp_path / "back.h"
    roll = "const int8_t roll[] PROGMEM = { -2, 0, 0, 2, 0, 1, -1, " + ", ".join(["15"] * 40) + " };"
    header.write_text("\n".join((STANDS, DEEP, WAVES, roll)))
    assert main(["opencat-import", str(header), "--out", str(out)]) == 0
    again = ["opencat-export", "--pack", str(out.parent), "--out", str(back)]
    assert main(again) == 0
    came, went = ({s.name: s for s in opencat.parse(path.read_text())} for path in (header, back))
    assert {name: opencat.to_bytes(s) for name, s in went.items()} == {
        name: opencat.to_bytes(s) for name, s in came.items()
    }
    altered = (out / "waves.toml").read_text().replace("take_s = 0.500", "take_s = 0.900")
    (out / "waves.toml").write_text(altered)
    assert main(again) == 0
    went = {s.name: s for s in opencat.parse(back.read_text())}
    assert went["waves"] != came["waves"]
    assert went["deep"] == came["deep"]


def test_an_endless_loop_is_played_once_and_said() -> None:
    [skill] = opencat.parse(WAVES.replace("1, 2, 2,", "1, 2, -1,", 1))
    text, remarks = imported(skill, BODY)
    assert text.count("[[frames]]") == 4
    assert "its endless loop once" in remarks
