"""The host's clock jumps by an hour, either way, while the body walks: the board stops, and stays stopped.

`python -m tests.torture clock`: by injection a hundred times each way, link, bridge and board in one process
on one simulated clock; what is counted is the board's ticks.
"""

import random
from functools import partial

from firmware_bridge.conductor import Conductor
from firmware_bridge.mcu import protocol as p
from firmware_bridge.mcu.guard import HOLD_TICKS
from firmware_bridge.skills import load_skills
from runtime.contracts import messages as m
from runtime.contracts.body import load_body
from runtime.contracts.topics import full_topic
from tests.firmware_bridge.board import Bench, bench
from tests.firmware_bridge.owner import PACK
from tests.torture.ledger import Piece, Proof, Row, Verdict

HOUR_S = 3_600.0
RUNS = 100
MOVING_TICKS, AFTER_TICKS = 80, 900
"""By the first it walks; the second is watched after the jump"""
LEASE_TICKS, STEP_TICKS = 10, 4
LEGS_JOINTS = 8
"""The first of the body: head and tail move without a walk"""


class Deaf:
    """A bus that nobody listens to."""

    def publish(self, _name: str, _message: m.Message, /) -> bool:
        return True


class Host:
    """The bridge's conductor on the bench's clock, and a mind that renews its lease on its own, right one."""

    def __init__(self, board: Bench) -> None:
        self.board = board
        self.mind_s = board.now_s
        body = load_body()
        self.conductor = Conductor(
            Deaf(), board.link, body, load_skills(PACK / "skills", body), "rex", arm=True
        )
        self.number = 0

    def run(self, ticks: int, lease: bool = True) -> None:
        for _ in range(ticks):
            self.mind_s += 0.01
            self.number += 1
            if lease and self.number % LEASE_TICKS == 0:
                self.send("cmnd/lease", m.LeaseCommand, ttl_ms=250)
            self.board.run()
            self.conductor.step(round(self.board.now_s * 1000))

    def send(self, name: str, model: type[m.Command], ttl_ms: int = 2_000, **fields: object) -> None:
        stamp = {
            "id": f"c{self.number}",
            "boot_id": self.conductor.boot_id,
            "source": "mind",
            "ttl_ms": ttl_ms,
        }
        stamp |= {"issued_at_ms": round(self.mind_s * 1000)}
        payload = model.model_validate(stamp | fields).model_dump_json().encode()
        self.conductor.command(full_topic("rex", name), payload, False, round(self.board.now_s * 1000))


def jump(hours: float, seed: int) -> Row:
    """One walk and one jump at a random moment."""
    with bench() as board:
        host = Host(board)
        host.run(100)
        assert board.guard.state == p.ARMED
        host.send("cmnd/gait", m.GaitCommand, gait="walk", duration_ms=60_000)
        host.run(MOVING_TICKS + random.Random(seed).randrange(100))
        was = board.guard.position[:LEGS_JOINTS]
        host.run(STEP_TICKS)  # a joint may rest for a tick between two setpoints
        assert board.guard.position[:LEGS_JOINTS] != was, "it does not walk"
        valid_at = _witness(board)
        board.now_s += hours * HOUR_S
        stopped_at = None
        rearmed = 0
        for _ in range(AFTER_TICKS):
            host.run(1)
            if stopped_at is None and board.guard.state != p.ARMED:
                stopped_at = board.device.ticks
            rearmed += stopped_at is not None and board.guard.state == p.ARMED
        silent = -1 if stopped_at is None else stopped_at - valid_at[0]
        return {
            "hours": hours,
            "ticks": silent,
            "rearmed": rearmed,
            "ok": 0 <= silent <= HOLD_TICKS + 1 and not rearmed,
        }


def _witness(board: Bench) -> list[int]:
    """[tick of the last setpoint that the guard took], counted beside the guard."""
    take, at = board.guard.setpoint, [board.device.ticks]

    def setpoint(angles: list[int], ttl_ms: int) -> bool:
        taken: bool = take(angles, ttl_ms)
        if taken:
            at[0] = board.device.ticks
        return taken

    board.guard.setpoint = setpoint
    return at


def pieces(short: bool) -> list[Piece]:
    runs = 2 if short else RUNS
    return [
        Piece(f"{hours:+g}/{run}", partial(jump, hours, run)) for hours in (1.0, -1.0) for run in range(runs)
    ]


def judge(rows: list[Row]) -> Verdict:
    words = []
    for hours in (1.0, -1.0):
        found = [row for row in rows if row["hours"] == hours]
        if found:
            good = sum(row["ok"] for row in found)
            most = max(row["ticks"] for row in found)
            words.append(f"{hours:+g} h: {good} of {len(found)}, at most {most} ticks")
    return Verdict(sum(not row["ok"] for row in rows), "; ".join(words))


PROOF = Proof(
    "clock",
    "when the host's clock jumps the board stops by its own",
    (
        "firmware_bridge/*.py",
        "firmware_bridge/mcu/*.py",
        "tests/torture/clock.py",
        "tests/firmware_bridge/board.py",
    ),
    pieces,
    judge,
)
