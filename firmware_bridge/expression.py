"""The mood's colour on a movement: wider or smaller swings of head and tail, within the body's limits.

The legs' angles are left alone, because they carry the body. A swing is what a joint does beside where the
movement leaves it, so a look to the left stays one and a sit stays a sit. A mood never costs an order: what
cannot be played in colour is played plainly.
"""

from collections.abc import Sequence
from dataclasses import replace

from firmware_bridge.motion import LEGS, KeyFrame, KeyFrames
from runtime.contracts.body import Body, Pose
from runtime.contracts.errors import PackError


def coloured(
    body: Body, start: Pose, frames: Sequence[KeyFrame], speed: float, amplitude: float
) -> tuple[KeyFrames, list[str]]:
    """(the movement, what of the colour met a limit); PackError only where the plain one has it too."""
    if amplitude == 1.0:
        movement, met = KeyFrames(body, start, frames, speed), list[str]()
    else:
        wide, met = scaled(body, frames, amplitude)
        try:
            movement = KeyFrames(body, start, wide, speed)
        except PackError:
            movement, met = KeyFrames(body, start, frames, speed), ["played plainly, as joints would meet"]
    if speed > 1.0 and movement.slowed:
        met.append("slower than asked")
    return movement, met


def scaled(body: Body, frames: Sequence[KeyFrame], amplitude: float) -> tuple[list[KeyFrame], list[str]]:
    """(`frames` with their swings scaled, the joints that met their range and where)."""
    ends: Pose = {}
    for frame in frames:
        ends |= dict(frame.pose)
    found, met = [], dict[str, str]()
    for frame in frames:
        pose = dict(frame.pose)
        for name, angle in frame.pose.items():
            if name.startswith(LEGS):
                continue
            wanted = ends[name] + amplitude * (angle - ends[name])
            pose[name] = body.by_name[name].clamp(wanted)
            if pose[name] != wanted:
                met[name] = f"{name} at {pose[name]:g} deg"
        found.append(replace(frame, pose=pose))
    return found, list(met.values())
