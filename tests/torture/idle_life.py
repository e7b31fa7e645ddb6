"""Simulated days of idle life and random commands through player and guard: no violation.

`python -m tests.torture.idle_life [--hours 24] [--seeds 20]`: each seed is one life; one JSON line each.
"""

import argparse
import json
import random

from firmware_bridge.mcu import limits
from firmware_bridge.mcu import protocol as p
from firmware_bridge.mcu.guard import Guard
from firmware_bridge.motion import KeyFrame, KeyFrames
from firmware_bridge.player import Player
from runtime.contracts.body import CDEG, load_body
from runtime.contracts.errors import PackError
from tests.firmware_bridge.guard_trace import beyond

TICKS_A_SETPOINT = 2
HOUR_TICKS = 360_000


def live(ticks: int, seed: int) -> dict[str, int]:
    """One life of `ticks`; how often what happened, and how many rules were broken."""
    rng, body = random.Random(seed), load_body()
    guard, player = Guard(limits.JOINTS, limits.RULES), Player(body)
    seen = {"seed": seed, "ticks": ticks, "moves": 0, "refusals": 0, "arms": 0, "stops": 0, "violations": 0}
    guard.tick()
    talks = True
    for tick in range(ticks):
        if rng.random() < 0.0005:
            _decide(rng, guard, seen)
            talks = rng.random() < 0.9
        if guard.state == p.DISARMED and rng.random() < 0.01:
            seen["arms"] += guard.arm() == p.OK
            player.resume(
                {name: angle / CDEG for name, angle in zip(body.names, guard.position, strict=True)}
            )
            player.breathe()
        if talks and guard.state == p.ARMED and tick % TICKS_A_SETPOINT == 0:
            if not player.moving and rng.random() < 0.01:
                pose = {joint.name: rng.uniform(joint.min_deg, joint.max_deg) for joint in body.joints}
                try:
                    player.begin(
                        KeyFrames(body, player.base, [KeyFrame(rng.uniform(0.1, 2), pose)]), tick / 100
                    )
                    seen["moves"] += 1
                except PackError:
                    seen["refusals"] += 1
            wanted = player.step(tick / 100)
            spoilt = rng.random() < 0.001
            angles = [
                rng.randint(-32_768, 32_767) if spoilt else round(wanted[name] * CDEG) for name in body.names
            ]
            guard.setpoint(angles, 120)
        was, speed = list(guard.position), list(guard.speed)
        guard.tick()
        if guard.torque:
            seen["violations"] += _broken(guard, was, speed)
        elif guard.position != was:
            seen["violations"] += 1
    return seen


def _decide(rng: random.Random, guard: Guard, seen: dict[str, int]) -> None:
    name = rng.choice(["halt", "disarm", "stop", "clear", "clear"])
    getattr(guard, name)()
    seen["stops"] += name == "stop"


def _broken(guard: Guard, was: list[int], speed: list[int]) -> int:
    for i, (low, high, _, fastest, accel) in enumerate(limits.JOINTS):
        step = abs(guard.position[i] - was[i])
        if not low <= guard.position[i] <= high or step > fastest or step > abs(speed[i]) + accel:
            return 1
    return int(bool(beyond(limits.RULES, guard.position)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--seeds", type=int, default=20)
    args = parser.parse_args()
    violations = 0
    for seed in range(args.seeds):
        seen = live(int(args.hours * HOUR_TICKS), seed)
        violations += seen["violations"]
        print(json.dumps(seen), flush=True)
    print(json.dumps({"hours": args.hours, "seeds": args.seeds, "violations": violations}))
    return int(violations > 0)


if __name__ == "__main__":
    raise SystemExit(main())
