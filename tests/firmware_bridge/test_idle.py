"""The small movements: alive, small, inside every limit, alike for one seed, quiet while listening."""

import random
from collections.abc import Iterator
from itertools import pairwise

import pytest

from firmware_bridge.idle import BREATH_DEG, GLANCE_PAN_DEG, HIP_DEG, Idle, IdleSettings
from firmware_bridge.mcu import limits
from firmware_bridge.mcu import protocol as p
from firmware_bridge.mcu.guard import Guard
from firmware_bridge.player import PERIOD_S, Player
from runtime.contracts.body import CDEG, Pose, load_body
from tests.firmware_bridge.test_motion import SKILLS, assert_gentle
from tests.torture.idle_life import mood

BODY = load_body()
ALERT = IdleSettings(alertness=1.0, breath_depth=1.0, seed=3)


def poses(settings: IdleSettings, seconds: float, start: Pose = BODY.rest) -> list[Pose]:
    player = Player(BODY)
    player.shape(settings)
    player.resume(start)
    player.breathe()
    return [player.step(step * PERIOD_S) for step in range(int(seconds / PERIOD_S))]


def stillest_s(seen: list[Pose], moved_deg: float = 0.2) -> float:
    """Longest time in which no joint went `moved_deg` from where it was."""
    longest, since = 0, 0
    for number, pose in enumerate(seen):
        if any(abs(pose[name] - seen[since][name]) > moved_deg for name in BODY.names):
            longest, since = max(longest, number - since), number
    return max(longest, len(seen) - since) * PERIOD_S


def test_same_seed_same_life_and_another_seed_another() -> None:
    assert poses(ALERT, 60) == poses(ALERT, 60)
    assert poses(ALERT, 60) != poses(IdleSettings(alertness=1.0, breath_depth=1.0, seed=4), 60)


@pytest.mark.parametrize("alertness", [0.0, 0.1, 0.5, 1.0])
def test_it_is_never_still_for_long_and_always_gentle(alertness: float) -> None:
    seen = poses(IdleSettings(breath_hz=0.2, breath_depth=0.3, alertness=alertness), 120)
    assert stillest_s(seen) <= 8.0
    assert_gentle(BODY, seen)


def test_the_swings_are_small() -> None:
    bounds = {"hip": HIP_DEG, "knee": 2 * HIP_DEG, "pan": GLANCE_PAN_DEG, "tail": 2.0, "tilt": 3.2}
    for pose in poses(ALERT, 300):
        for name in BODY.names:
            assert abs(pose[name] - BODY.rest[name]) <= bounds[name.rpartition("_")[2]] + 1e-9, name


def test_the_breath_has_the_rate_that_was_asked_for() -> None:
    for rate_hz in (0.2, 0.3, 0.4):
        seen = poses(IdleSettings(breath_hz=rate_hz, breath_depth=1.0, alertness=0.0), 110)[500:]
        knees = [pose["rear_left_knee"] - BODY.rest["rear_left_knee"] for pose in seen]
        rises = sum(before < 0 <= after for before, after in pairwise(knees))
        assert rises == pytest.approx(100 * rate_hz, abs=1)
        assert max(knees) == pytest.approx(BREATH_DEG["knee"], rel=0.02)


def test_who_is_sleepy_moves_less_and_slower() -> None:
    def work(settings: IdleSettings) -> float:
        return sum(
            abs(after[n] - before[n]) for before, after in pairwise(poses(settings, 120)) for n in BODY.names
        )

    sleepy = IdleSettings(breath_hz=0.2, breath_depth=0.35, alertness=0.0)
    assert work(sleepy) < 0.4 * work(ALERT)


def test_while_somebody_speaks_head_and_tail_are_quiet_and_the_breath_goes_on() -> None:
    player = Player(BODY)
    player.shape(ALERT)
    player.resume(BODY.rest)
    player.breathe()
    for step in range(1_000):
        player.step(step * PERIOD_S)
    player.shape(IdleSettings(alertness=1.0, breath_depth=1.0, seed=3, listening=True))
    seen = [player.step((1_000 + step) * PERIOD_S) for step in range(1_000)][50:]
    assert {round(pose["head_pan"], 6) for pose in seen} == {0.0}
    assert {round(pose["tail"], 6) for pose in seen} == {0.0}
    assert stillest_s(seen) <= 8.0


def test_a_sad_head_hangs_and_is_counted_once_however_often_the_body_is_held() -> None:
    sad = IdleSettings(head_deg=-10, crouch_deg=5, alertness=0.0, breath_depth=0.0)
    player, now = Player(BODY), iter(step * PERIOD_S for step in range(10_000_000))
    player.shape(sad)
    player.resume(BODY.rest)
    for _ in range(20):
        player.breathe()
        for _ in range(200):
            pose = player.step(next(now))
        player.hold()
    assert pose["head_tilt"] == pytest.approx(-10, abs=0.1)
    assert pose["front_left_knee"] == pytest.approx(BODY.rest["front_left_knee"] + 10, abs=0.2)
    player.begin(SKILLS["nod"].movement(BODY, player.base), next(now))
    while player.moving:
        pose = player.step(next(now))
    assert pose["head_tilt"] == pytest.approx(-10, abs=0.2)


def life(player: Player, chance: random.Random, setpoints: int) -> Iterator[Pose]:
    """Skills, holds and changes of mood in any order."""
    for number in range(setpoints):
        now_s = number * PERIOD_S
        if chance.random() < 0.01:
            player.shape(mood(chance))
        if chance.random() < 0.005:
            player.begin(chance.choice([*SKILLS.values()]).movement(BODY, player.base), now_s)
        if chance.random() < 0.002:
            player.hold()
        if not player.moving and chance.random() < 0.02:
            player.breathe()
        yield player.step(now_s)


@pytest.mark.parametrize("seed", range(5))
def test_moods_under_movements_never_trip_the_guard(seed: int) -> None:
    guard, player = Guard(limits.JOINTS, limits.RULES), Player(BODY)
    player.resume(BODY.safe)
    guard.tick()
    assert guard.arm() == p.OK
    before = BODY.safe
    for pose in life(player, random.Random(seed), 5_000):
        assert_gentle(BODY, [before, pose])
        before = pose
        assert guard.setpoint([round(pose[name] * CDEG) for name in BODY.names], 120)
        guard.tick()
        guard.tick()
    assert (guard.state, guard.clamped, guard.refused) == (p.ARMED, 0, 0)


def test_the_offsets_are_a_function_of_ticks_alone() -> None:
    first, second = Idle(ALERT), Idle(ALERT)
    for number in range(3_000):
        first.tick(at_rest=number % 700 > 100, standing=True)
        second.tick(at_rest=number % 700 > 100, standing=True)
    assert first.offsets == second.offsets
