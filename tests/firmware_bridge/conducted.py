"""The bridge's own conductor, link and board in one process and in virtual time; only the bus is a list."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from firmware_bridge.conductor import Conductor
from firmware_bridge.skills import load_skills
from runtime import starter
from runtime.contracts import messages as m
from runtime.contracts.body import Pose, load_body
from runtime.contracts.topics import encode, full_topic
from tests.firmware_bridge.board import Bench, bench

BODY = load_body()
SKILLS = load_skills(Path(starter.__file__).parent / "skills", BODY)


class Conducted:
    """`run` lets milliseconds pass; `send` commands; what the bridge said stands in `said`."""

    def __init__(self, board: Bench, *, leased: bool = True, state: m.McuState | None = "ARMED") -> None:
        self.board = board
        self.said: list[tuple[str, m.Message]] = []
        self.conductor = Conductor(self, board.link, BODY, SKILLS, "rex", arm=True)
        self.leased = leased
        self._sent = 0
        self.run(1_000)
        assert self.state.mcu_state == state, self.state

    def publish(self, name: str, message: m.Message, /) -> bool:
        self.said.append((name, message))
        return True

    @property
    def now_ms(self) -> int:
        return round(self.board.now_s * 1000)

    @property
    def state(self) -> m.BodyState:
        return next(msg for name, msg in reversed(self.said) if isinstance(msg, m.BodyState))

    @property
    def joints(self) -> Pose:
        return {n: a / 100 for n, a in zip(BODY.names, self.board.guard.position, strict=True)}

    def run(self, for_ms: int) -> None:
        board = self.board
        for _ in range(for_ms // 10):
            if self.leased and self.now_ms % 100 == 0:
                self.send("cmnd/lease", m.LeaseCommand)
            board.now_s = round(board.now_s + 0.01, 6)
            try:
                for byte in os.read(board.master, 4096):
                    board.device.receive(byte)
            except BlockingIOError:
                pass
            board.device.tick()
            self.conductor.step(self.now_ms)

    def send(self, name: str, model: type[m.Command], source: m.Source = "mind", **fields: Any) -> str:
        """Command at this moment; returns the command's id."""
        self._sent += 1
        stamp = {"id": f"c{self._sent}", "boot_id": self.conductor.boot_id, "issued_at_ms": self.now_ms}
        command = model.model_validate(stamp | {"ttl_ms": 1_000, "source": source} | fields)
        self.conductor.command(full_topic("rex", name), encode(command), False, self.now_ms)
        return command.id

    def skill(self, skill: str, source: m.Source = "mind", **fields: Any) -> str:
        return self.send("cmnd/skill", m.SkillCommand, source, skill=skill, **fields)

    def idle(self, **fields: Any) -> str:
        return self.send("cmnd/idle", m.IdleCommand, **({"enabled": True} | fields))

    def acks(self, command_id: str) -> list[m.Ack]:
        return [msg for _, msg in self.said if isinstance(msg, m.Ack) and msg.id == command_id]

    def statuses(self, command_id: str) -> list[str]:
        return [ack.status for ack in self.acks(command_id)]

    def reason(self, command_id: str) -> str:
        return self.acks(command_id)[-1].reason


@contextmanager
def conducted() -> Iterator[Conducted]:
    """An armed, leased bridge; the moment of arming is over."""
    with bench() as board:
        rig = Conducted(board)
        rig.run(6_000)
        yield rig
