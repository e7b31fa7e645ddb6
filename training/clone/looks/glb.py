"""`avatar.glb`: the painted surface on the robot's joints, with the robot's own skills as clips (glTF 2.0).

glTF has y up and z ahead, in metres: the animal has the robot's size. Nodes are named as the servos.
Colours are linear; weights are bytes that sum to 255; the skinned node stands at the scene's root.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.clone.looks.paint import Paint
from training.clone.looks.rig import Rig, grounded, order
from training.clone.looks.skeleton import Array
from training.clone.looks.surface import Mesh

FLOAT, UBYTE, USHORT, SHORT = 5126, 5121, 5123, 5122
_COUNT = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}
CLIP_STEP = 2
"""Every second sample of a skill is a key"""
Pose = Mapping[str, float]


class _Buffer:
    """Arrays one after the other, each aligned to four bytes, with their accessors."""

    def __init__(self) -> None:
        self.blob, self.views, self.accessors = bytearray(), [], []

    def add(self, values: npt.NDArray[Any], kind: str, component: int, target: int = 0, **more: Any) -> int:
        view: dict[str, Any] = {"buffer": 0, "byteOffset": len(self.blob), "byteLength": values.nbytes}
        if target:
            view["target"] = target
        self.blob += values.tobytes() + b"\0" * (-values.nbytes % 4)
        self.views.append(view)
        accessor = {"bufferView": len(self.views) - 1, "componentType": component, "type": kind, **more}
        self.accessors.append(accessor | {"count": values.size // _COUNT[kind]})
        return len(self.accessors) - 1


def to_gltf(points: Array) -> Array:
    """x ahead, y left, z up -> x left, y up, z ahead."""
    return points[..., [1, 2, 0]]


def write(
    out: Path, name: str, mesh: Mesh, paint: Paint, rig: Rig, skills: Mapping[str, Any], length_m: float
) -> None:
    """`skills` is `.clone/skills.json`; `length_m` from front to rear hips. Same inputs, same bytes."""
    hips = rig.feet["front_left"][0, 0] - rig.feet["rear_left"][0, 0]
    scale = length_m / abs(float(hips))
    floor = float(mesh.vertices[:, 2].min())
    buffer = _Buffer()
    primitive = _primitive(buffer, mesh, paint, rig, scale, floor)
    names = rig.names
    places = np.stack([np.array([0.0, 0.0, floor]), *(node.place for node in rig.nodes.values())])
    places = to_gltf((places - [0, 0, floor]) * scale)
    parents = order(names, rig.nodes)
    nodes: list[dict[str, Any]] = [{"name": name, "mesh": 0, "skin": 0}]
    for i, (joint, parent) in enumerate(zip(names, parents, strict=True)):
        shift = places[i] - (places[parent] if parent >= 0 else 0)
        children = [k + 1 for k, p in enumerate(parents) if p == i]
        nodes.append(
            {"name": joint, "translation": [float(x) for x in shift]}
            | ({"children": children} if children else {})
        )
    inverse = np.tile(np.eye(4, dtype=np.float32), (len(names), 1, 1))
    inverse[:, 3, :3] = -places  # column-major
    skin = {"joints": list(range(1, len(names) + 1)), "skeleton": 1}
    skin["inverseBindMatrices"] = buffer.add(inverse, "MAT4", FLOAT)
    clips = _clips(buffer, rig, skills, scale, floor)
    tree = {
        "asset": {"version": "2.0", "generator": "everpaw", "extras": _provenance(name, paint)},
        "scene": 0,
        "scenes": [{"nodes": [0, 1]}],
        "nodes": nodes,
        "meshes": [{"name": name, "primitives": [primitive]}],
        "materials": [
            {"name": "coat", "pbrMetallicRoughness": {"metallicFactor": 0, "roughnessFactor": 0.95}}
        ],
        "skins": [skin],
        "animations": clips,
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": len(buffer.blob)}],
    }
    _save(out, tree, bytes(buffer.blob))


def _provenance(name: str, paint: Paint) -> dict[str, Any]:
    shares = {word: round(paint.share(i), 4) for i, word in enumerate(("seen", "mirrored", "guessed"))}
    return {"copy_of": name, "made_by": "a machine, from photos, for a robot", "surface": shares}


def _primitive(
    buffer: _Buffer, mesh: Mesh, paint: Paint, rig: Rig, scale: float, floor: float
) -> dict[str, Any]:
    places = to_gltf((mesh.vertices - [0, 0, floor]) * scale).astype(np.float32)
    normals = to_gltf(mesh.normals).astype(np.float32)
    rows = np.argsort(-rig.weights, axis=1)[:, :4]
    weights = _bytes_of(np.take_along_axis(rig.weights, rows, 1))
    joints = np.where(weights > 0, rows, 0).astype(np.uint8)
    colours = np.concatenate([_linear(paint.colours), np.ones((len(places), 1))], axis=1)
    attributes = {
        "POSITION": buffer.add(
            places, "VEC3", FLOAT, 34962, min=places.min(0).tolist(), max=places.max(0).tolist()
        ),
        "NORMAL": buffer.add(normals / np.linalg.norm(normals, axis=1, keepdims=True), "VEC3", FLOAT, 34962),
        "COLOR_0": buffer.add(
            (colours * 255).round().astype(np.uint8), "VEC4", UBYTE, 34962, normalized=True
        ),
        "JOINTS_0": buffer.add(joints, "VEC4", UBYTE, 34962),
        "WEIGHTS_0": buffer.add(weights, "VEC4", UBYTE, 34962, normalized=True),
    }
    index = buffer.add(mesh.faces.astype(np.uint16).ravel(), "SCALAR", USHORT, 34963)
    return {"attributes": attributes, "indices": index, "material": 0}


def _bytes_of(weights: Array) -> npt.NDArray[np.uint8]:
    """Rows that sum to 255 exactly: what rounding leaves goes to the heaviest."""
    whole = np.floor(weights / weights.sum(1, keepdims=True) * 255).astype(int)
    whole[:, 0] += 255 - whole.sum(1)
    return whole.astype(np.uint8)


def _linear(srgb: Array) -> Array:
    srgb = np.clip(srgb, 0, 1)
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def _clips(
    buffer: _Buffer, rig: Rig, skills: Mapping[str, Any], scale: float, floor: float
) -> list[dict[str, Any]]:
    keyed = {name: poses[::CLIP_STEP] for name, poses in skills["skills"].items()}
    times = {}
    for count in sorted({1, *(len(keys) for keys in keyed.values())}):
        seconds = (np.arange(count) * CLIP_STEP / skills["rate_hz"]).astype(np.float32)
        times[count] = buffer.add(seconds, "SCALAR", FLOAT, min=[0.0], max=[float(seconds[-1])])
    return [
        _clip(buffer, rig, name, keys, skills["rest"], times, scale, floor) for name, keys in keyed.items()
    ]


def _clip(
    buffer: _Buffer,
    rig: Rig,
    name: str,
    keys: Sequence[Pose],
    rest: Pose,
    times: Mapping[int, int],
    scale: float,
    floor: float,
) -> dict[str, Any]:
    """Every joint has its track, so that nothing of the clip before stays; the feet stay on the floor."""
    samplers: list[dict[str, Any]] = []
    channels: list[dict[str, Any]] = []
    moment = times[1]

    def track(node: int, path: str, values: npt.NDArray[Any], component: int) -> None:
        """What never changes is one key."""
        still = bool((values == values[0]).all())
        values = values[:1] if still else values
        more = {"normalized": True} if component == SHORT else {}
        output = buffer.add(values, "VEC4" if path == "rotation" else "VEC3", component, **more)
        channels.append({"sampler": len(samplers), "target": {"node": node, "path": path}})
        samplers.append({"input": moment if still else times[len(keys)], "output": output})

    for i, (joint, node) in enumerate(rig.nodes.items(), 2):
        angles = [node.sign * (key.get(joint, 0.0) - rest.get(joint, 0.0)) for key in keys]
        turns = _quaternions(to_gltf(np.array(node.axis)), np.radians(angles))
        track(i, "rotation", turns, SHORT)
    stands = np.array([grounded(rig, key, rest) for key in keys])
    at_rest = grounded(rig, rest, rest)
    pitch, rise = stands[:, 0] - at_rest[0], (stands[:, 1] - at_rest[1]) * scale
    track(1, "rotation", _quaternions(np.array([1.0, 0.0, 0.0]), -pitch), SHORT)
    lift = np.zeros((len(keys), 3), np.float32)
    lift[:, 1] = rise + floor * scale * (np.cos(pitch) - 1)
    track(1, "translation", lift, FLOAT)
    return {"name": name, "samplers": samplers, "channels": channels}


def _quaternions(axis: Array, angles: Array) -> npt.NDArray[np.int16]:
    half = np.asarray(angles)[:, None] / 2
    turns = np.concatenate([np.sin(half) * axis, np.cos(half)], axis=1)
    return (turns * 32767).round().astype(np.int16)


def _save(out: Path, tree: dict[str, Any], blob: bytes) -> None:
    text = json.dumps(tree, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    size = 12 + 8 + len(text) + 8 + len(blob)
    head = struct.pack("<4sII", b"glTF", 2, size)
    draft = out.with_name(f".{out.name}.new")
    draft.write_bytes(
        head
        + struct.pack("<I4s", len(text), b"JSON")
        + text
        + struct.pack("<I4s", len(blob), b"BIN\0")
        + blob
    )
    draft.replace(out)


def read(path: Path) -> tuple[dict[str, Any], bytes]:
    """Tree and buffer of a GLB."""
    raw = path.read_bytes()
    length = struct.unpack_from("<I", raw, 12)[0]
    return json.loads(raw[20 : 20 + length]), raw[28 + length :]
