"""The robot's joints inside the animal: where they sit, what they turn, and which vertices follow them.

The animal as fitted stands as the robot does in its rest pose. Signs are those of runtime.contracts.body.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from training.clone.looks.shape import Shape
from training.clone.looks.skeleton import SKELETON, Array, sided
from training.clone.looks.surface import Mesh

ROOT = "root"
SOFT = 0.035
"""How far a joint's influence fades; trunks"""
MOST = 4
"""Joints a vertex, as glTF has them"""
_ACROSS, _UPRIGHT = (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
_LEGS = tuple((end, side) for end in ("front", "rear") for side in ("left", "right"))


@dataclass(frozen=True, slots=True)
class Node:
    """A joint of the robot: its parent, where its axis lies, the axis, and the sign of a positive angle."""

    parent: str
    place: Array
    axis: tuple[float, float, float]
    sign: float


@dataclass(frozen=True, slots=True)
class Rig:
    nodes: Mapping[str, Node]
    """Parents first; the root has none"""
    weights: Array
    """(N, J) in the order of the nodes, the root first; rows sum to 1, at most four are not 0"""
    feet: Mapping[str, Array]
    """Leg -> hip, knee, toe (3, 3)"""

    @property
    def names(self) -> tuple[str, ...]:
        return (ROOT, *self.nodes)


def rigged(mesh: Mesh, shape: Shape) -> Rig:
    joints = shape.joints().detach().numpy().astype(float)
    at = {name: joints[i] for i, name in enumerate(SKELETON.joints)}
    nodes: dict[str, Node] = {}
    for end, side in _LEGS:
        hip, knee = f"{end}_{side}_hip", f"{end}_{side}_knee"
        nodes[hip] = Node(ROOT, at[hip], _ACROSS, -1.0)
        nodes[knee] = Node(hip, at[knee], _ACROSS, 1.0)
    nodes["head_pan"] = Node(ROOT, at["neck"], _UPRIGHT, 1.0)
    nodes["head_tilt"] = Node("head_pan", 0.5 * (at["neck"] + at["head"]), _ACROSS, -1.0)
    nodes["tail"] = Node(ROOT, 0.55 * at["pelvis"] + 0.45 * at["tail_mid"], _UPRIGHT, -1.0)
    feet = {
        f"{end}_{side}": np.stack([at[sided(f"{end}_{part}", side)] for part in ("hip", "knee", "toe")])
        for end, side in _LEGS
    }
    return Rig(nodes, _weights(mesh, shape, at, nodes), feet)


def _weights(mesh: Mesh, shape: Shape, at: Mapping[str, Array], nodes: Mapping[str, Node]) -> Array:
    """By the distance to each joint's bones, less the bones' thickness; then smoothed over the surface."""
    solid = shape.ellipsoids()
    thick = solid.spread.diagonal(dim1=1, dim2=2).mean(1).sqrt().detach().numpy()
    centre = solid.centre.detach().numpy()
    owner = np.array([_owner(*(SKELETON.joints[j] for j in bone)) for bone in SKELETON.bones])
    owner = np.repeat(owner, len(centre) // len(owner))
    names = (ROOT, *nodes)
    away = np.full((len(mesh.vertices), len(names)), np.inf)
    for i, name in enumerate(names):
        for middle, radius in zip(centre[owner == name], thick[owner == name], strict=True):
            distance = np.linalg.norm(mesh.vertices - middle, axis=1) - radius
            away[:, i] = np.minimum(away[:, i], distance)
    away[:, names.index("tail")] += 10.0 * (mesh.vertices[:, 0] > nodes["tail"].place[0])
    weights = np.exp(-(away - away.min(1, keepdims=True)) / SOFT)
    for _ in range(4):
        weights = _smoothed(mesh, weights)
    weights[np.argsort(np.argsort(-weights, axis=1), axis=1) >= MOST] = 0.0
    weights[weights < 0.02] = 0.0
    return weights / weights.sum(1, keepdims=True)


def _owner(start: str, end: str) -> str:
    """The robot's joint that a bone of the animal follows."""
    for leg_end, side in _LEGS:
        prefix = f"{leg_end}_{side}"
        if start.startswith(prefix):
            return f"{prefix}_hip" if start.endswith("_hip") else f"{prefix}_knee"
    if start == "head" or end == "head":
        return "head_tilt" if start == "head" else "head_pan"
    return "tail" if end.startswith("tail") else ROOT


def _smoothed(mesh: Mesh, values: Array) -> Array:
    """Half its own, half the mean of its neighbours'."""
    total, count = np.zeros_like(values), np.zeros(len(values))
    for i, j in ((0, 1), (1, 2), (2, 0)):
        for a, b in ((i, j), (j, i)):
            np.add.at(total, mesh.faces[:, a], values[mesh.faces[:, b]])
            np.add.at(count, mesh.faces[:, a], 1.0)
    return 0.5 * values + 0.5 * total / np.maximum(count, 1)[:, None]


def grounded(rig: Rig, pose: Mapping[str, float], rest: Mapping[str, float]) -> tuple[float, float]:
    """Pitch (radians, nose up) and height of the root at which all feet stand on the floor, z = 0."""
    ends: dict[str, list[Array]] = {"front": [], "rear": []}
    for leg, (hip, knee, toe) in rig.feet.items():
        swing, fold = (
            np.radians(pose.get(f"{leg}_{part}", 0.0) - rest.get(f"{leg}_{part}", 0.0))
            for part in ("hip", "knee")
        )
        bent = knee + _about_y(toe - knee, fold)
        ends[leg.partition("_")[0]].append(hip + _about_y(bent - hip, -swing))
    front, rear = (min(feet, key=lambda foot: float(foot[2])) for feet in ends.values())
    pitch = float(np.arctan2(rear[2] - front[2], front[0] - rear[0]))
    return pitch, float(-(front[2] * np.cos(pitch) + front[0] * np.sin(pitch)))


def _about_y(way: Array, angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([c * way[0] + s * way[2], way[1], -s * way[0] + c * way[2]])


def order(names: Sequence[str], nodes: Mapping[str, Node]) -> list[int]:
    """Parent of each name, as an index; -1 for the root."""
    return [-1 if n == ROOT else list(names).index(nodes[n].parent) for n in names]
