"""The description of a body: what it refuses, and what its hash covers."""

from pathlib import Path

import pytest

from runtime.contracts import body as contract
from runtime.contracts.body import load_body
from runtime.contracts.errors import PackError

BUDDY = (Path(contract.__file__).parent / "buddy.toml").read_text()


def changed(tmp_path: Path, before: str, after: str) -> Path:
    assert before in BUDDY
    path = tmp_path / "body.toml"
    path.write_text(BUDDY.replace(before, after, 1))
    return path


def test_buddy_has_eleven_joints_in_order() -> None:
    body = load_body()
    assert len(body.joints) == 11
    assert body.names[:2] == ("front_left_hip", "front_left_knee")
    assert body.names[-3:] == ("head_pan", "head_tilt", "tail")
    assert not body.violation(body.rest)
    assert not body.violation(body.safe)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("min_deg = -80", "min_deg = -79"),
        ("max_deg = 90", "max_deg = 89"),
        ("safe_deg = 60", "safe_deg = 59"),
        ("max_speed_deg_s = 360", "max_speed_deg_s = 361"),
        ("max_accel_deg_s2 = 6000", "max_accel_deg_s2 = 5900"),
        ("max_deg = 85", "max_deg = 84"),
    ],
)
def test_the_hash_covers_every_limit(tmp_path: Path, before: str, after: str) -> None:
    assert load_body(changed(tmp_path, before, after)).limits_hash != load_body().limits_hash


def test_the_hash_leaves_out_words(tmp_path: Path) -> None:
    path = changed(tmp_path, "the legs of one side meet", "other words")
    assert load_body(path).limits_hash == load_body().limits_hash


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("rest_deg = 30", "rest_deg = 300", "outside"),
        ('name = "tail"', 'name = "head_pan"', "twice"),
        ("front_left_hip = -2", "front_left_wing = -2", "unknown joint"),
        ("max_deg = 85", "max_deg = -61", "rest or safe pose"),
        ("min_deg = -80", 'min_deg = "low"', "min_deg"),
        ("max_accel_deg_s2 = 6000", "max_jerk = 6000", "max_accel_deg_s2"),
        ("joints = [", "joints = [[", "not TOML"),
    ],
)
def test_a_bad_body_is_refused_with_a_reason(tmp_path: Path, before: str, after: str, reason: str) -> None:
    with pytest.raises(PackError, match=reason):
        load_body(changed(tmp_path, before, after))


def test_a_missing_body_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="cannot read"):
        load_body(tmp_path / "none.toml")
