"""Movements keep to the body, and the starter's skills can follow one another in any order."""

from pathlib import Path

import pytest

from firmware_bridge.mcu import limits
from firmware_bridge.mcu import protocol as p
from firmware_bridge.mcu.guard import Guard
from firmware_bridge.motion import KeyFrame, KeyFrames, Movement
from firmware_bridge.player import PERIOD_S, Player
from firmware_bridge.skills import GaitSkill, load_skill, load_skills, skills_of
from runtime import starter
from runtime.contracts.body import CDEG, Body, Pose, load_body
from runtime.contracts.errors import PackError
from runtime.contracts.pack import verify
from tests.packs import make_pack

BODY = load_body()
FOLDER = Path(starter.__file__).parent / "skills"
SKILLS = load_skills(FOLDER, BODY)
LAG_DEG = 3.0
"""How far the firmware's joints may trail a movement, beside the way they need to brake"""


def sampled(movement: Movement) -> list[Pose]:
    steps = int(movement.duration_s / PERIOD_S) + 2
    return [movement.evaluate(step * PERIOD_S) for step in range(steps)]


def assert_gentle(body: Body, poses: list[Pose]) -> None:
    for number, pose in enumerate(poses):
        assert not body.violation(pose)
        for joint in body.joints:
            way = abs(pose[joint.name] - poses[max(number - 1, 0)][joint.name])
            assert way <= joint.max_speed_deg_s * PERIOD_S * 1.001, (joint.name, number)


def test_the_starter_has_enough_skills() -> None:
    assert len(SKILLS) >= 24
    assert sum(isinstance(skill, GaitSkill) for skill in SKILLS.values()) >= 4


@pytest.mark.parametrize("name", SKILLS)
def test_a_skill_starts_at_the_present_pose_and_stays_gentle(name: str) -> None:
    for start in (BODY.rest, BODY.safe):
        for speed in (0.25, 1.0, 2.0):
            movement = SKILLS[name].movement(BODY, start, speed)
            assert movement.evaluate(0.0) == pytest.approx(start)
            assert_gentle(BODY, sampled(movement))
            assert movement.evaluate(1e6) == movement.evaluate(movement.duration_s)


def test_every_skill_may_follow_every_other() -> None:
    ends = {name: skill.movement(BODY, BODY.rest).evaluate(1e6) for name, skill in SKILLS.items()}
    for end in ends.values():
        for skill in SKILLS.values():
            movement = skill.movement(BODY, end)
            for share in range(11):
                assert not BODY.violation(movement.evaluate(share / 10 * movement.duration_s))


@pytest.mark.parametrize("name", SKILLS)
def test_the_guard_follows_every_skill_closely(name: str) -> None:
    guard = Guard(limits.JOINTS, limits.RULES)
    guard.tick()
    guard.arm()
    for pose in sampled(SKILLS[name].movement(BODY, BODY.safe)):
        assert guard.setpoint([round(pose[joint] * CDEG) for joint in BODY.names], 100)
        guard.tick()
        guard.tick()
        for joint, position in zip(BODY.joints, guard.position, strict=True):
            braking_deg = joint.max_speed_deg_s**2 / (2 * joint.max_accel_deg_s2)
            assert abs(position / CDEG - pose[joint.name]) < braking_deg + LAG_DEG
    assert guard.clamped == 0
    assert guard.state == p.ARMED


def test_a_gait_moves_legs_in_turn_and_ends_standing() -> None:
    walk = SKILLS["walk"].movement(BODY, BODY.rest)
    hips = [pose["front_left_hip"] for pose in sampled(walk)]
    assert max(hips) - min(hips) > 15
    assert walk.evaluate(1e6) == pytest.approx(
        BODY.rest | {"head_pan": 0, "head_tilt": 0, "tail": 0}, abs=0.01
    )


def test_turning_left_steps_back_on_the_left_and_ahead_on_the_right() -> None:
    turn = SKILLS["turn_left"]
    assert isinstance(turn, GaitSkill)
    assert turn.shape.stride("front_left", 1.0) < 0 < turn.shape.stride("front_right", 1.0)


def test_a_too_hasty_way_takes_longer() -> None:
    movement = KeyFrames(BODY, BODY.rest, [KeyFrame(0.02, {"head_pan": 80.0})])
    assert movement.duration_s > 0.5
    assert_gentle(BODY, sampled(movement))


def test_a_frame_that_would_collide_from_here_is_refused() -> None:
    with pytest.raises(PackError, match="would meet"):
        KeyFrames(BODY, BODY.rest | {"rear_left_hip": 60.0}, [KeyFrame(1, {"front_left_hip": -60.0})])


BAD_SKILLS = {
    "nonsense": ("x =", "cannot be read"),
    "no_frames": ('description = "x"', "frames"),
    "empty": ('description = "x"\nframes = []', "frames"),
    "unknown_joint": (
        'description = "x"\n[[frames]]\ntake_s = 1\npose = { wing = 1 }',
        "unknown joint 'wing'",
    ),
    "out_of_limit": ('description = "x"\n[[frames]]\ntake_s = 1\npose = { tail = 71 }', "outside -70..70"),
    "too_fast": (
        'description = "x"\n[[frames]]\ntake_s = 1\npose = { tail = 60 }\n'
        "[[frames]]\ntake_s = 0.1\npose = { tail = -60 }",
        "frame 2: tail is too fast",
    ),
    "colliding": (
        'description = "x"\n[[frames]]\ntake_s = 1\npose = { rear_hip = 60, front_hip = -60 }',
        "would meet",
    ),
    "unknown_key": ('description = "x"\nloop = 3\n[[frames]]\ntake_s = 1', "loop"),
    "not_a_number": ('description = "x"\n[[frames]]\ntake_s = nan', "take_s"),
    "unknown_kind": ('kind = "hop"\ndescription = "x"', "kind"),
    "fast_gait": (
        'kind = "gait"\ndescription = "x"\nperiod_s = 0.2\nduty = 0.5\nstride_deg = 20\nlift_deg = 60\n'
        "phase = { front_left = 0, front_right = 0.5, rear_left = 0.5, rear_right = 0 }",
        "too fast",
    ),
    "three_legs": (
        'kind = "gait"\ndescription = "x"\nperiod_s = 1\nduty = 0.5\nstride_deg = 4\nlift_deg = 6\n'
        "phase = { front_left = 0, front_right = 0.5, rear_left = 0.5 }",
        "rear_right",
    ),
}


@pytest.mark.parametrize("name", BAD_SKILLS)
def test_bad_data_is_refused_with_file_and_reason(name: str, tmp_path: Path) -> None:
    text, reason = BAD_SKILLS[name]
    path = tmp_path / f"{name}.toml"
    path.write_text(text)
    with pytest.raises(PackError, match=f"(?s){name}.toml.*{reason}"):
        load_skill(path, BODY)


def test_a_pack_without_skills_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="holds no skills"):
        load_skills(tmp_path, BODY)
    one_file = tmp_path / "buddy.paw"
    one_file.touch()
    with pytest.raises(PackError, match="everpaw pack archive"):
        load_skills(one_file / "skills", BODY)


def test_a_skill_that_only_lies_beside_a_pack_is_never_read(tmp_path: Path) -> None:
    sit = (FOLDER / "sit.toml").read_bytes()
    pack = make_pack(tmp_path, {"skills/sit.toml": sit})
    (pack / "skills" / "jump.toml").write_bytes(sit)
    assert list(load_skills(pack / "skills", BODY)) == ["jump", "sit"]
    assert list(skills_of(verify(pack), BODY)) == ["sit"]


def test_the_player_holds_breathes_and_holds_again() -> None:
    player = Player(BODY)
    player.resume(BODY.rest)
    assert player.step(10.0) == BODY.rest
    player.breathe()
    poses = [player.step(10 + step * PERIOD_S) for step in range(500)]
    assert_gentle(BODY, poses)
    assert any(pose != BODY.rest for pose in poses)
    assert all(abs(pose[n] - BODY.rest[n]) <= 4.01 for pose in poses for n in BODY.names)
    player.hold()
    held = player.step(20.1)
    assert player.step(25.0) == held == poses[-1]


def test_the_player_interrupts_a_movement_where_it_is() -> None:
    player = Player(BODY)
    player.resume(BODY.rest)
    player.begin(SKILLS["lie"].movement(BODY, player.base), 0.0)
    before = player.step(0.5)
    player.begin(SKILLS["stand"].movement(BODY, player.base), 0.5)
    after = player.step(0.5)
    assert_gentle(BODY, [before, after])
