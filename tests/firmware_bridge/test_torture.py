"""The short form of each long proof; `make torture` runs them in full."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.broker import available_kind
from tests.torture import campaign, frames, idle_life, noise, without


def test_mutated_frames_into_both_decoders(tmp_path: Path) -> None:
    assert frames.cpython(3_000, 1) == {"wrong": 0, "lost": 0, "frames": 3_000, "grown": 0}
    seen = frames.micro(3_000, 1, tmp_path)
    assert (seen["wrong"], seen["lost"], seen["frames"]) == (0, 0, 3_000)
    assert int(str(seen["grown"])) < 2_000


@pytest.mark.parametrize("rate", noise.RATES)
def test_a_noisy_line_delivers_orders_and_applies_no_bad_setpoint(rate: float) -> None:
    seen = noise.soak(rate, 0.2)
    assert (seen["wrong"], seen["unanswered"]) == (0, 0)
    assert seen["applied"] > 0
    assert rate > 0.01 or seen["wait_max_ms"] <= 500


def test_a_while_of_idle_life_breaks_no_rule() -> None:
    seen = idle_life.live(20_000, seed=5)
    assert seen["violations"] == 0
    assert seen["moves"] > 5


@pytest.mark.skipif(available_kind() is None, reason="neither mosquitto nor amqtt is installed")
@pytest.mark.parametrize(("target", "fault"), [("bridge", "wake"), ("mind", "freeze"), ("cable", "unplug")])
def test_whoever_fails_the_board_stops_by_its_own_clock(target: str, fault: str) -> None:
    seen = campaign._again(lambda: campaign.run(target, fault))
    assert seen["ok"], seen


@pytest.mark.parametrize(
    "rule",
    ["ttl of a setpoint", "ttl of a command", "clamp", "retained drop", "checksum", "latch", "two lanes"],
)
def test_the_tests_notice_that_a_rule_is_gone(rule: str) -> None:
    assert without.notices(rule)


def test_the_guards_tests_notice_its_mutants() -> None:
    # In a process of its own: a module that was imported here would be tested instead of the mutant.
    command = [sys.executable, "-m", "tests.torture.mutants", "--every", "60"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    seen = json.loads(done.stdout.strip().splitlines()[-1])
    assert seen["mutants"] >= 5
    assert seen["killed"] >= seen["mutants"] - 1, done.stdout
