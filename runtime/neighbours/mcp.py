"""`everpaw mcp`: the pet's skills as tools for a language model's program, over stdin and stdout.

Every call is a request over MQTT, which the mind checks and stamps as any other; there is no tool that arms,
clears or moves a joint, so what must not come from a language model cannot. A tool says "done" only when the
bridge did.
"""

import argparse
import threading
import time

from mcp.server.mcpserver import MCPServer

from runtime.contracts import messages as m
from runtime.contracts.topics import check_robot_id
from runtime.eyes.pet import Pet
from runtime.eyes.watcher import Watcher, add_broker, watcher_of

ANSWER_S = 20.0
"""Longest wait for a movement's end"""
FOUND_S = 3.0
NEVER_BEGUN = frozenset({"rejected", "expired"})
ENDED = frozenset({"done", "preempted", "failed"})


class Hands:
    """What the tools do, on one robot."""

    def __init__(self, watcher: Watcher, robot: str) -> None:
        self._watcher, self._robot = watcher, robot
        self._changed = threading.Condition()
        self._begun: set[str] = set()
        """Ids of movements taken since the last one was asked for: what ends another one is not its end"""
        self._ended: list[m.Ack] = []
        watcher.listen(self._note)

    @property
    def pet(self) -> Pet:
        return self._watcher.pets.get(self._robot) or Pet(self._robot)

    def wait_until_known(self) -> None:
        """Skills come with a retained message, a moment after the connection."""
        give_up_s = time.monotonic() + FOUND_S
        while not self.pet.skills() and time.monotonic() < give_up_s:
            time.sleep(0.02)

    def do_skill(self, skill: str) -> str:
        """What became of it, in words."""
        known = self.pet.skills()
        if skill not in known:
            return f"there is no skill {skill!r}; known are {', '.join(known) or 'none: the robot is away'}"
        with self._changed:
            self._begun.clear()
            self._ended.clear()
            self._watcher.ask(self._robot, "request/skill", skill=skill, source="cli")
            self._changed.wait_for(lambda: bool(self._ended), ANSWER_S)
            ended = self._ended[0] if self._ended else None
        if ended is None:
            return "asked, but nothing came back in time; the robot may be away"
        return f"{skill}: {ended.status}{f', {ended.reason}' if ended.reason else ''}"

    def say(self, text: str) -> str:
        self._watcher.ask(self._robot, "request/say", text=text[:200], source="cli")
        return "asked to say it"

    def hold_still(self) -> str:
        self._watcher.ask(self._robot, "request/halt", source="cli")
        return "asked to hold still"

    def state(self) -> dict[str, object]:
        """How the pet is."""
        status, mind = self.pet.status, self.pet.of("state/mind", m.MindState)
        told: dict[str, object] = {"name": self.pet.name, "status": status.key, "detail": status.detail}
        if mind is not None:
            told |= {"mood": mind.mood, "awake": mind.awake, "doing": mind.doing, "drives": mind.drives}
        return told

    def _note(self, pet: Pet, name: str, message: m.Message) -> None:
        if pet.robot != self._robot or not isinstance(message, m.Ack) or message.act != "skill":
            return
        with self._changed:
            if message.status == "accepted":
                self._begun.add(message.id)
            if message.status in NEVER_BEGUN or (message.status in ENDED and message.id in self._begun):
                self._ended.append(message)
                self._changed.notify_all()


def server(hands: Hands) -> MCPServer:
    """The tools, with the pack's skills named in their description."""
    made = MCPServer(
        "everpaw", instructions="A small robot pet. It moves for real: ask for one thing at a time."
    )
    skills = ", ".join(hands.pet.skills())

    def do_skill(skill: str) -> str:
        return hands.do_skill(skill)

    def say(text: str) -> str:
        return hands.say(text)

    def hold_still() -> str:
        return hands.hold_still()

    def state() -> dict[str, object]:
        return hands.state()

    made.tool(description=f"Let the pet do a skill, and wait for its end. Skills: {skills}")(do_skill)
    made.tool(description="Let the pet say something aloud, at most 200 letters.")(say)
    made.tool(description="The pet holds still at once.")(hold_still)
    made.tool(description="How the pet is: status, mood, what it does and wants.")(state)
    return made


def main(argv: list[str]) -> int:
    """`everpaw mcp`."""
    parser = argparse.ArgumentParser(
        prog="everpaw mcp", description="The pet's skills as MCP tools, over stdio."
    )
    add_broker(parser)
    parser.add_argument("--robot", default="buddy", metavar="ID", type=check_robot_id)
    args = parser.parse_args(argv)
    watcher = watcher_of(args)
    try:
        hands = Hands(watcher, args.robot)
        hands.wait_until_known()
        server(hands).run("stdio")
    finally:
        watcher.close()
    return 0
