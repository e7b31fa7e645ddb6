"""Our poses on a Petoi Bittle and back: its legs bend the other way, so angles go by where the foot is.

OpenCat, as Petoi documents it: leg joints count clockwise from the front left one, shoulders 8 to 11, knees
12 to 15; seen from the left, counterclockwise is positive, on both sides. At 0 a thigh hangs down, its shin
points ahead. So a thigh goes back where ours goes ahead; with thigh and shin of one length the foot is at the
same place where shoulder = knee - hip and elbow = 90 - knee. A Nybble's hind legs are built otherwise.
"""

from collections.abc import Mapping

from firmware_bridge.legs import LEGS
from runtime.contracts.body import Pose

PAN = 0
SHOULDERS = {"front_left": 8, "front_right": 9, "rear_right": 10, "rear_left": 11}
"""Leg -> OpenCat's index of its shoulder; its knee comes four later"""
TO_KNEE = 4
MOST_DEG = 125
"""OpenCat's servos turn so far, each way"""


def bittle_of(pose: Mapping[str, float]) -> dict[int, int]:
    """OpenCat's index -> whole degrees, inside its servos' range; joints that a Bittle lacks are left out."""
    angles = {PAN: pose["head_pan"]} if "head_pan" in pose else {}
    for leg, shoulder in SHOULDERS.items():
        hip, knee = pose[f"{leg}_hip"], pose[f"{leg}_knee"]
        angles |= {shoulder: knee - hip, shoulder + TO_KNEE: 90.0 - knee}
    return {index: round(min(max(angle, -MOST_DEG), MOST_DEG)) for index, angle in sorted(angles.items())}


def pose_of(angles: Mapping[int, float]) -> Pose:
    """Our degrees for all leg joints, and the head's pan where it is told."""
    pose: Pose = {"head_pan": float(angles[PAN])} if PAN in angles else {}
    for leg in LEGS:
        shoulder = SHOULDERS[leg]
        knee = 90.0 - angles[shoulder + TO_KNEE]
        pose |= {f"{leg}_hip": knee - angles[shoulder], f"{leg}_knee": knee}
    return pose
