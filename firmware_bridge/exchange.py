"""Movements to and from OpenCat: `everpaw body opencat-import | opencat-export`.

What a Bittle does becomes a skill of ours, checked against this body's limits as any other; a skill of ours
becomes an array for Petoi's Skill Composer or InstinctBittle.h. What was taken from there and left as it was
goes back byte for byte. Nothing moves here.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from firmware_bridge import opencat
from firmware_bridge.bittle import bittle_of, pose_of
from firmware_bridge.motion import Ease, KeyFrame, needed_s
from firmware_bridge.opencat import JOINTS, WALKING, OpenCatSkill
from firmware_bridge.skills import GaitSkill, Skill, load_skill, load_skills
from runtime.contracts.body import Body, Pose
from runtime.contracts.errors import PackError
from runtime.whole import put

PAUSE_S = 0.05
"""OpenCat's unit of a frame's pause"""
LEAST_S, FIRST_S = 0.02, 0.5
PAUSE, TRIGGER = 17, 18
"""Places in a behaviour's frame; its speed, degrees a step of the robot's own loop, is left to this body"""
GAIT_FRAMES = 30
GENTLE = 4
"""Degrees a step"""


def import_file(args: argparse.Namespace, body: Body) -> int:
    """Each skill of a C header into `--out`; 1 where one does not fit this body."""
    try:
        found = opencat.parse(args.file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PackError(f"{args.file} cannot be read ({error}); give a C header of OpenCat skills") from error
    if not found:
        raise PackError(
            f"{args.file} holds no OpenCat skill; those are arrays: const int8_t NAME[] = {{...}};"
        )
    args.out.mkdir(parents=True, exist_ok=True)
    refused = 0
    for skill in found:
        text, remarks = imported(skill, body)
        if fault := _fault(skill.name, text, body):
            refused += 1
            print(f"not taken: {fault}", file=sys.stderr)
            continue
        path = args.out / f"{skill.name}.toml"
        put(path, text.encode(), 0o644)
        print(f"{path}: {skill.kind} of {len(skill.frames)} frames{''.join(f'; {r}' for r in remarks)}")
    return int(refused > 0)


def _fault(name: str, text: str, body: Body) -> str:
    """What a pack would say against this skill file; empty where it would take it."""
    try:
        _loaded(name, text, body)
    except PackError as error:
        return str(error)
    return ""


def _loaded(name: str, text: str, body: Body) -> Skill | GaitSkill:
    """A skill file's text as a pack would load it; PackError where it would not."""
    with tempfile.TemporaryDirectory(prefix="everpaw-") as folder:
        path = Path(folder) / f"{name}.toml"
        path.write_text(text, encoding="utf-8")
        try:
            return load_skill(path, body)
        except PackError as error:
            raise PackError(str(error).removeprefix(f"{folder}/")) from error


def imported(skill: OpenCatSkill, body: Body) -> tuple[str, list[str]]:
    """(a skill file of ours, what differs in it). As fast as this body gently may; pauses are kept."""
    inside: list[int] = []
    untilted: list[int] = []
    frames: list[str] = []
    here: Pose = {}
    ease: Ease = "linear" if skill.kind == "gait" else "smooth"
    for number in _order(skill):
        wanted = pose_of(skill.angles_deg(number))
        pose = {name: angle for name, angle in body.clamp(body.rest | wanted).items() if name in wanted}
        if pose != wanted:
            inside.append(number + 1)
        ways = {name: angle - here.get(name, angle) for name, angle in pose.items()}
        take_s = max(needed_s(body.by_name[name], way, ease) for name, way in ways.items())
        frames.append(_frame(max(take_s, LEAST_S if here else FIRST_S), pose, ease))
        here = pose
        if skill.kind == "behaviour":
            row = skill.frames[number]
            if row[PAUSE]:
                frames.append(_frame(abs(row[PAUSE]) * PAUSE_S, {}, ease))
            if row[TRIGGER]:
                untilted.append(number + 1)
    head = f"description = {json.dumps(f'{skill.name}, a {skill.kind} of OpenCat')}\n"
    return head + _origin(skill) + "".join(frames), _remarks(skill, inside, untilted)


def _origin(skill: OpenCatSkill) -> str:
    """Its rows, kept with the file so that it goes back as it came."""
    rows = "".join(f"  [{', '.join(map(str, row))}],\n" for row in opencat.rows_of(skill))
    return f"opencat = [\n{rows}]\n"


def _remarks(skill: OpenCatSkill, inside: Sequence[int], untilted: Sequence[int]) -> list[str]:
    found = []
    if inside:
        found.append(f"brought inside this body's range: {_frames_named(inside)}")
    if untilted:
        found.append(f"not waiting for a tilt: {_frames_named(untilted)}")
    if skill.kind == "gait":
        found.append("one step of it")
    if skill.loop and skill.loop[2] < 0:
        found.append("its endless loop once")
    return found


def _frames_named(numbers: Sequence[int]) -> str:
    """As "frames 1-3, 7"."""
    spans: list[list[int]] = []
    for number in sorted(set(numbers)):
        if spans and number == spans[-1][-1] + 1:
            spans[-1][1:] = [number]
        else:
            spans.append([number])
    words = ", ".join("-".join(map(str, span)) for span in spans)
    return f"frame{'s' if len(set(numbers)) > 1 else ''} {words}"


def _order(skill: OpenCatSkill) -> Iterator[int]:
    """Numbers of the frames as they are played: a behaviour may repeat some."""
    first, last, times = skill.loop or (0, 0, 0)
    if last == 0:  # as OpenCat does it
        times = 0
    yield from range(len(skill.frames))[: last + 1 if times > 1 else None]
    for _ in range(times - 1):
        yield from range(first, last + 1)
    if times > 1:
        yield from range(last + 1, len(skill.frames))


def _frame(take_s: float, pose: Pose, ease: Ease) -> str:
    lines = ["", "[[frames]]", f"take_s = {take_s + 0.0005:.3f}"]
    if pose:
        lines.append(f"pose = {{ {', '.join(f'{name} = {angle:g}' for name, angle in pose.items())} }}")
    if ease == "linear":
        lines.append('ease = "linear"')
    return "\n".join([*lines, ""])


def export_skills(args: argparse.Namespace, body: Body) -> int:
    """The named skills of a pack, or all, as one C header."""
    library = load_skills(args.pack / "skills", body)
    unknown = [name for name in args.skills if name not in library]
    if unknown:
        raise PackError(f"the pack has no skill {unknown[0]!r}; it has {', '.join(library)}")
    found = [exported(library[name], body) for name in args.skills or library]
    put(args.out, opencat.header(found).encode(), 0o644)
    print(f"{args.out}: {len(found)} skills, for a Bittle; try each with the robot held in the hand first")
    return 0


def exported(skill: Skill | GaitSkill, body: Body) -> OpenCatSkill:
    """An array of OpenCat: of a gait one step, of one frame a posture, else a behaviour. No tilt, no tail."""
    if isinstance(skill, GaitSkill):
        poses = [skill.shape.pose(step / GAIT_FRAMES, skill.shape.turn, 1.0) for step in range(GAIT_FRAMES)]
        rows = tuple(_row(pose)[JOINTS - WALKING :] for pose in poses)
        return OpenCatSkill(skill.name, "gait", 0, 0, 1, rows)
    if (taken := _taken(skill, body)) is not None:
        return taken
    rows = tuple(_behaviour(skill.frames, body))
    if len(rows) == 1:
        return OpenCatSkill(skill.name, "posture", 0, 0, 1, (rows[0][:JOINTS],))
    return OpenCatSkill(skill.name, "behaviour", 0, 0, 1, rows, (0, 0, 0))


def _taken(skill: Skill, body: Body) -> OpenCatSkill | None:
    """What it was imported from; None where it comes from elsewhere, or was altered since."""
    if not skill.opencat:
        return None
    try:
        data = bytes(number & 0xFF for row in skill.opencat for number in row)
        origin = opencat.from_bytes(skill.name, data)
        again = _loaded(skill.name, imported(origin, body)[0], body)
    except PackError:
        return None
    return origin if isinstance(again, Skill) and again.frames == skill.frames else None


def _behaviour(frames: Sequence[KeyFrame], body: Body) -> Iterator[tuple[int, ...]]:
    """A frame that moves nothing that a Bittle has is a pause of the one before."""
    pose, before = body.rest, tuple[int, ...]()
    for frame in frames:
        pose = pose | dict(frame.pose)
        row = _row(pose)
        pause = round(frame.take_s / PAUSE_S) if row == before else 0
        yield (*row, GENTLE, min(pause, 127), 0, 0)
        before = row


def _row(pose: Pose) -> tuple[int, ...]:
    angles = bittle_of(pose)
    return tuple(angles.get(index, 0) for index in range(JOINTS))
