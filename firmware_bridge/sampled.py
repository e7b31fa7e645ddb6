"""The skills of a pack as poses at equal times, for who shows a body without moving one."""

from firmware_bridge.skills import Library
from runtime.contracts.body import Body, Pose
from runtime.contracts.errors import PackError

RATE_HZ = 25


def sampled(library: Library, body: Body, rate_hz: float = RATE_HZ) -> dict[str, list[Pose]]:
    """Skill -> its poses from the rest pose on, in degrees; what cannot begin there is left out."""
    found = {}
    for name, skill in library.items():
        try:
            movement = skill.movement(body, body.rest)
        except PackError:
            continue
        count = round(movement.duration_s * rate_hz) + 1
        found[name] = [movement.evaluate(i / rate_hz) for i in range(count)]
    return found
