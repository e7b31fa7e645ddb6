"""What the guard did for recorded orders: `python -m tests.firmware_bridge.guard_trace` writes it anew.

A change of the guard that is meant changes the record, on purpose; one that is not turns the test red.
"""

import binascii
import json
import random
from pathlib import Path

from firmware_bridge.mcu import limits
from firmware_bridge.mcu.guard import Guard

PATH = Path(__file__).parents[1] / "golden" / "guard.json"
SMALL = (((-9_000, 9_000, 0, 360, 60), (-9_000, 9_000, 0, 36, 6)), ((7_500, 0, 1, 1, -1), (50, 1, 1, 0, -1)))
BODIES = {"buddy": (limits.JOINTS, limits.RULES), "small": SMALL}
ORDERS = 400


def beyond(rules: tuple, angles: list[int]) -> list[tuple]:  # type: ignore[type-arg]
    """Rows of the collision rules (most, joint, weight, joint, weight, ...) that `angles` break."""
    return [
        row for row in rules if sum(w * angles[i] for i, w in zip(row[1::2], row[2::2], strict=True)) > row[0]
    ]


def make() -> dict[str, list[str]]:
    """Body -> a digest of everything the guard holds, after each order."""
    return {name: _trace(*body) for name, body in BODIES.items()}


def load() -> dict[str, list[str]]:
    stored: dict[str, list[str]] = json.loads(PATH.read_text())
    return stored


def _trace(joints: tuple, rules: tuple) -> list[str]:  # type: ignore[type-arg]
    rng, guard, found = random.Random(29), Guard(joints, rules), []
    found.append(_digest(guard, None))
    poses = ([row[1] for row in joints], [row[0] // 2 for row in joints])
    for _ in range(ORDERS):
        name = rng.choice(["arm", "set", "set", "set", "wait", "rare"])
        code: object = None
        if name == "rare":
            name = rng.choice(
                ["disarm", "halt", "stop", "release", "clear", "clear", "fall", "lift", "less", "more"]
            )
        if name == "set":
            angles = [rng.randint(row[0] - 900, row[1] + 900) for row in joints]
            code = guard.setpoint(angles, rng.choice([5, 30, 100, 250]))
        elif name == "release":
            code = guard.stop(11, False)
        elif name in ("fall", "lift"):
            guard.reflex(6 if name == "fall" else 7, poses[rng.randrange(2)] if name == "fall" else None)
        elif name == "less":
            i = rng.randrange(len(joints))
            low, high, _, speed, accel = guard.joints[i]
            code = guard.tighten(
                i, low + rng.choice([0, 100]), high - rng.choice([0, 100]), speed - 1, accel - 1
            )
        elif name == "more":
            guard.loosen()
        elif name != "wait":
            code = getattr(guard, name)()
        found.append(_digest(guard, code))
        for _ in range(rng.choice([1, 2, 2, 7, 26, 60]) if name == "wait" else 2):
            guard.tick()
            found.append(_digest(guard, None))
    return found


def _digest(guard: Guard, code: object) -> str:
    held = (code, guard.state, guard.reason, guard.torque, guard.age, guard.ttl, guard.holding)
    moved = (guard.clamped, guard.refused, guard.position, guard.speed, guard.goal, guard.joints)
    return f"{binascii.crc32(repr((held, moved)).encode()):08x}"


if __name__ == "__main__":
    PATH.write_text(json.dumps(make()) + "\n")
