"""A command to move, made into the movement from where the body is."""

from firmware_bridge.expression import coloured
from firmware_bridge.motion import KeyFrame, KeyFrames, Movement
from firmware_bridge.skills import GaitSkill, Library
from runtime.contracts import messages as m
from runtime.contracts.body import Body, Pose

MoveCommand = m.SkillCommand | m.GaitCommand | m.PoseCommand


def movement_of(
    command: MoveCommand, body: Body, start: Pose, library: Library
) -> tuple[str, Movement, list[str]]:
    """(its name, the movement, where the mood's colour met a limit); PackError where it cannot begin here."""
    if isinstance(command, m.PoseCommand):
        frame = KeyFrame(command.duration_ms / 1000, command.joints_deg)
        return "pose", KeyFrames(body, start, [frame]), []
    if isinstance(command, m.SkillCommand):
        skill = library[command.skill]
        if isinstance(skill, GaitSkill):
            return command.skill, skill.movement(body, start, command.speed), []
        return command.skill, *coloured(body, start, skill.frames, command.speed, command.amplitude)
    gait = library[command.gait]
    assert isinstance(gait, GaitSkill)  # the gatekeeper knows which names are gaits
    walk_s = command.duration_ms / 1000
    return command.gait, gait.movement(body, start, command.speed, command.turn, walk_s), []
