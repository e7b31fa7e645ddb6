"""The skeleton of a quadruped: 26 joints, 21 bones, each bone a chain of ellipsoids.

Frame: x ahead, y left, z up; the unit is about the length of the trunk. Only the left half and the middle are
listed; the right half mirrors them. Proportions are those of a middling dog, a start for every fit.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
CHAIN = 4
"""Ellipsoids a bone"""

_MIDDLE = {
    "pelvis": (-0.50, 0.0, 0.80),
    "waist": (-0.02, 0.0, 0.80),
    "chest": (0.42, 0.0, 0.76),
    "neck": (0.64, 0.0, 0.98),
    "head": (0.80, 0.0, 1.18),
    "snout": (1.10, 0.0, 1.10),
    "tail_mid": (-0.80, 0.0, 0.74),
    "tail_tip": (-1.05, 0.0, 0.60),
}
_LEFT = {
    "ear": (0.72, 0.13, 1.40),
    "front_hip": (0.42, 0.13, 0.64),
    "front_knee": (0.36, 0.14, 0.42),
    "front_wrist": (0.39, 0.14, 0.18),
    "front_toe": (0.45, 0.14, 0.03),
    "rear_hip": (-0.48, 0.13, 0.68),
    "rear_knee": (-0.40, 0.14, 0.42),
    "rear_wrist": (-0.58, 0.14, 0.20),
    "rear_toe": (-0.52, 0.14, 0.03),
}
# bone: from, to, radius at either end, width as a share of the height
_BONES = {
    ("pelvis", "waist"): (0.20, 0.19, 0.85),
    ("waist", "chest"): (0.19, 0.25, 0.80),
    ("chest", "neck"): (0.23, 0.16, 0.80),
    ("neck", "head"): (0.15, 0.14, 0.90),
    ("head", "snout"): (0.14, 0.06, 0.95),
    ("pelvis", "tail_mid"): (0.08, 0.05, 1.0),
    ("tail_mid", "tail_tip"): (0.05, 0.03, 1.0),
    ("head", "ear"): (0.07, 0.03, 1.0),
    ("front_hip", "front_knee"): (0.13, 0.08, 0.75),
    ("front_knee", "front_wrist"): (0.075, 0.05, 0.9),
    ("front_wrist", "front_toe"): (0.05, 0.05, 1.0),
    ("rear_hip", "rear_knee"): (0.17, 0.10, 0.70),
    ("rear_knee", "rear_wrist"): (0.09, 0.045, 0.8),
    ("rear_wrist", "rear_toe"): (0.05, 0.05, 1.0),
}


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Both halves written out. Parameters exist once for a pair; `joint_of` and `bone_of` lead to them."""

    joints: tuple[str, ...]
    rest: Array
    """(J, 3)"""
    joint_of: npt.NDArray[np.int64]
    """(J,) -> its row among the listed ones"""
    side: Array
    """(J,) 1 left or middle, -1 right"""
    middle: npt.NDArray[np.bool_]
    """(P,) listed joints that lie in the plane of symmetry"""
    bones: npt.NDArray[np.int64]
    """(B, 2) joints"""
    bone_of: npt.NDArray[np.int64]
    """(B,) -> its row among the listed ones"""
    bone_side: Array
    """(B,)"""
    radii: Array
    """(L, 2) of the listed bones"""
    width: Array
    """(L,)"""

    def index(self, name: str) -> int:
        return self.joints.index(name)


def sided(name: str, side: str) -> str:
    """`front_hip` -> `front_left_hip`, `ear` -> `left_ear`."""
    end, _, part = name.partition("_")
    return f"{end}_{side}_{part}" if part else f"{side}_{name}"


def _written_out() -> Skeleton:
    listed = {**_MIDDLE, **_LEFT}
    order = list(listed)
    joints, rest, joint_of, side = [], [], [], []
    for name, place in listed.items():
        for which, sign in (("left", 1.0), ("right", -1.0)) if name in _LEFT else (("", 1.0),):
            joints.append(sided(name, which) if which else name)
            rest.append((place[0], sign * place[1], place[2]))
            joint_of.append(order.index(name))
            side.append(sign)
    bones, bone_of, bone_side = [], [], []
    for row, (start, end) in enumerate(_BONES):
        for which, sign in (("left", 1.0), ("right", -1.0)) if end in _LEFT else (("", 1.0),):
            names = [sided(n, which) if n in _LEFT else n for n in (start, end)]
            bones.append([joints.index(n) for n in names])
            bone_of.append(row)
            bone_side.append(sign)
    values = np.array(list(_BONES.values()))
    return Skeleton(
        tuple(joints),
        np.array(rest),
        np.array(joint_of),
        np.array(side),
        np.array([name in _MIDDLE for name in order]),
        np.array(bones),
        np.array(bone_of),
        np.array(bone_side),
        values[:, :2],
        values[:, 2],
    )


SKELETON = _written_out()
