"""Simulated days of idle life and random commands through player and guard: no violation.

`python -m tests.torture idle_life`: twenty lives of a day each, in ticks of the board: moods, skills of the
pack, any pose, wild setpoints, stops, reflexes and a host that falls silent.
"""

import random
from functools import partial

from firmware_bridge.idle import IdleSettings
from firmware_bridge.mcu import limits
from firmware_bridge.mcu import protocol as p
from firmware_bridge.mcu.guard import ACCEL, MAX, MIN, SPEED, Guard
from firmware_bridge.motion import KeyFrame, KeyFrames, Movement
from firmware_bridge.player import Player
from firmware_bridge.skills import load_skills
from runtime.contracts.body import CDEG, load_body
from runtime.contracts.errors import PackError
from tests.firmware_bridge.guard_trace import beyond
from tests.firmware_bridge.owner import PACK
from tests.torture.ledger import Piece, Proof, Row, Verdict

TICKS_A_SETPOINT = 2
HOUR_TICKS = 360_000
HOURS, SEEDS = 24, 20
REFLEXES = ((p.FALLING, limits.FALLING_POSE), (p.LOW_BATTERY, limits.LOW_BATTERY_POSE), (p.LIFTED, None))


def live(ticks: int, seed: int) -> Row:
    """One life of `ticks`; how often what happened, and how many rules were broken."""
    life = _Life(seed)
    for tick in range(ticks):
        life.tick(tick)
    return {"seed": seed, "ticks": ticks, **life.seen}


class _Life:
    """A guard behind a player; what happens is drawn, about once in ten seconds."""

    def __init__(self, seed: int) -> None:
        self.rng, self.body = random.Random(seed), load_body()
        self.skills = list(load_skills(PACK / "skills", self.body).values())
        self.guard, self.player = Guard(limits.JOINTS, limits.RULES), Player(self.body)
        self.seen = dict.fromkeys(("moves", "refusals", "arms", "stops", "reflexes", "violations"), 0)
        self.talks = True
        self.guard.tick()

    def tick(self, tick: int) -> None:
        rng, guard = self.rng, self.guard
        if rng.random() < 0.001:
            self.happen()
        if guard.state == p.DISARMED and rng.random() < 0.01:
            self.arm()
        if self.talks and guard.state == p.ARMED and tick % TICKS_A_SETPOINT == 0:
            self.stream(tick / 100)
        was, speed = list(guard.position), list(guard.speed)
        guard.tick()
        if guard.torque:
            self.seen["violations"] += broken(guard, was, speed)
        elif guard.position != was:
            self.seen["violations"] += 1

    def happen(self) -> None:
        rng = self.rng
        what = rng.choice(
            ("halt", "disarm", "stop", "clear", "clear", "reflex", "mood", "mood", "mood", "mood")
        )
        if what == "mood":
            self.player.shape(mood(rng))
        elif what == "reflex":
            reason, pose = rng.choice(REFLEXES)
            self.guard.reflex(reason, pose)
            self.seen["reflexes"] += 1
        else:
            getattr(self.guard, what)()
            self.seen["stops"] += what == "stop"
        self.talks = rng.random() < 0.9

    def arm(self) -> None:
        guard = self.guard
        self.seen["arms"] += guard.arm() == p.OK
        found = zip(self.body.names, guard.position, strict=True)
        self.player.resume({name: angle / CDEG for name, angle in found})
        self.player.breathe()

    def stream(self, now_s: float) -> None:
        """One setpoint, seldom of wild numbers; now and then a skill of the pack or any pose begins."""
        rng, player = self.rng, self.player
        if not player.moving and rng.random() < 0.005:
            self.begin(now_s)
        moved = player.moving
        wanted = player.step(now_s)
        if moved and not player.moving:
            player.breathe()
        if rng.random() < 0.001:
            angles = [rng.randint(-32_768, 32_767) for _ in self.body.names]
        else:
            angles = [round(wanted[name] * CDEG) for name in self.body.names]
        self.guard.setpoint(angles, 120)

    def begin(self, now_s: float) -> None:
        rng, player = self.rng, self.player
        try:
            if rng.random() < 0.5:
                movement: Movement = rng.choice(self.skills).movement(self.body, player.base)
            else:
                pose = {joint.name: rng.uniform(joint.min_deg, joint.max_deg) for joint in self.body.joints}
                movement = KeyFrames(self.body, player.base, [KeyFrame(rng.uniform(0.1, 2), pose)])
        except PackError:
            self.seen["refusals"] += 1
            return
        player.begin(movement, now_s)
        self.seen["moves"] += 1


def mood(rng: random.Random) -> IdleSettings:
    return IdleSettings(
        enabled=rng.random() < 0.95,
        listening=rng.random() < 0.2,
        breath_hz=rng.uniform(0.1, 0.6),
        breath_depth=rng.random(),
        alertness=rng.random(),
        head_deg=rng.uniform(-12, 12),
        crouch_deg=rng.uniform(0, 15),
        seed=rng.randrange(1_000),
    )


def broken(guard: Guard, was: list[int], speed: list[int]) -> int:
    for row, position, before, fast in zip(limits.JOINTS, guard.position, was, speed, strict=True):
        if position == before:
            continue
        step = position - before if position > before else before - position
        if not row[MIN] <= position <= row[MAX] or step > row[SPEED] or step > abs(fast) + row[ACCEL]:
            return 1
    return int(guard.position != was and bool(beyond(limits.RULES, guard.position)))


def pieces(short: bool) -> list[Piece]:
    if short:
        return [Piece("5", partial(live, 20_000, 5))]
    return [Piece(str(seed), partial(live, HOURS * HOUR_TICKS, seed)) for seed in range(SEEDS)]


def judge(rows: list[Row]) -> Verdict:
    total = {what: sum(int(row[what]) for row in rows) for what in rows[0] if what != "seed"}
    hours = total["ticks"] / HOUR_TICKS
    figures = f"{hours:g} h in {len(rows)} lives: {total['violations']} violations, " + ", ".join(
        f"{total[what]:,} {what}" for what in ("moves", "arms", "reflexes", "stops")
    )
    return Verdict(total["violations"], figures)


PROOF = Proof(
    "idle_life",
    "days of idle life and random commands break no limit",
    (
        "firmware_bridge/mcu/guard.py",
        "firmware_bridge/mcu/limits.py",
        "firmware_bridge/player.py",
        "firmware_bridge/idle.py",
        "firmware_bridge/motion.py",
        "tests/torture/idle_life.py",
    ),
    pieces,
    judge,
)
