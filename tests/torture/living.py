"""Lives of many seeds through the bridge's player and the board's guard, in virtual time: no limit is met.

`python -m tests.torture living`: a hundred lives of an hour, each at another hour of the day: drives, moods,
acts in their colours, the small movements, and a household that talks, startles and halts. Counted: broken
limits, setpoints the guard had to clamp or refuse, acts begun while the pet was spoken to or held, and the
longest time in which an awake pet showed no movement at all.
"""

from dataclasses import asdict, dataclass, field
from functools import partial

from firmware_bridge.expression import coloured
from firmware_bridge.idle import IdleSettings
from firmware_bridge.mcu import limits
from firmware_bridge.mcu import protocol as p
from firmware_bridge.mcu.guard import Guard
from firmware_bridge.player import Player
from firmware_bridge.skills import GaitSkill, load_skills
from runtime.contracts.body import CDEG, Pose, load_body
from runtime.life import will
from runtime.life.chooser import Rules
from runtime.life.colour import bearing, colour
from runtime.life.day import QuietHours
from runtime.life.drives import nature
from runtime.life.household import DAY_S, GAIT_OF, SKILL_OF, Event, household
from runtime.mind.emotion import Emotion
from tests.firmware_bridge.owner import PACK
from tests.torture.idle_life import broken
from tests.torture.ledger import Piece, Proof, Row, Verdict

BODY = load_body()
SKILLS = load_skills(PACK / "skills", BODY)
SETPOINTS_A_SECOND = 50
TICKS_A_SETPOINT = 2
MOVED_DEG = 0.2
"""Less is no movement that anybody sees"""
FOLLOW_UP_S = 8.0
STILL_S = 8.0
"""Longest time an awake pet may show no movement"""
SEEDS, HOUR_S = 100, 3_600


@dataclass
class Seen:
    seed: int
    hour: float
    seconds: int = 0
    acts: int = 0
    orders: int = 0
    violations: int = 0
    clamped: int = 0
    refused: int = 0
    while_held: int = 0
    stillest_s: float = 0.0


@dataclass
class Life:
    """One pet: mind, player and board in one loop."""

    seed: int
    hour: float
    rules: Rules
    player: Player = field(default_factory=lambda: Player(BODY))
    guard: Guard = field(default_factory=lambda: Guard(limits.JOINTS, limits.RULES))

    def __post_init__(self) -> None:
        self.seen = Seen(self.seed, round(self.hour, 2))
        self.emotion, self.state = Emotion(self.seed), will.State(self.seed)
        self.setpoints = 0
        self.was_moving = False
        self.still_pose: Pose = BODY.safe
        self.still_since = 0
        self.guard.tick()
        assert self.guard.arm() == p.OK
        self.player.resume(BODY.safe)
        self.player.breathe()

    @property
    def now_s(self) -> float:
        return self.setpoints / SETPOINTS_A_SECOND

    def live(self, seconds: int) -> Seen:
        start_s = self.hour * 3_600
        events = [e for e in household(2, self.seed) if start_s <= e.at_s < start_s + seconds]
        for second in range(seconds):
            while events and events[0].at_s <= start_s + second:
                self.meet(events.pop(0))
            self.think()
            for _ in range(SETPOINTS_A_SECOND):
                self.stream()
        self.seen.seconds = seconds
        self.seen.clamped, self.seen.refused = self.guard.clamped, self.guard.refused
        return self.seen

    def meet(self, event: Event) -> None:
        hour = event.at_s % DAY_S / 3_600
        if event.kind == "said":
            self.emotion.hear(event.what)
            skill, gait = SKILL_OF.get(event.what or "", ""), event.what in GAIT_OF
            self.state = will.heard(self.state, event.what, skill, gait=gait, follow_up_s=FOLLOW_UP_S)
            self.play(skill or ("walk" if gait else "perk_up"))
            self.seen.orders += 1
        elif event.kind == "halt":
            self.state = will.halted(self.state)
            self.player.hold()
        else:
            self.state, choice = will.happened(self.state, event.kind, hour, self.rules)
            if choice is not None and choice.act is not None:
                self.play(will.skill_of(self.state, choice.act))

    def think(self) -> None:
        hour = (self.hour + self.now_s / 3_600) % 24
        temperament = (self.emotion.temperament.valence, self.emotion.temperament.arousal)
        self.emotion.leaning = will.leaning(self.state, hour, temperament)
        self.emotion.tick(1.0)
        feeling = (self.emotion.valence, self.emotion.arousal)
        before = self.state
        self.state, choice = will.passed(self.state, 1.0, hour, feeling, self.rules)
        worn = bearing(*feeling, asleep=self.state.asleep)
        self.player.shape(
            IdleSettings(
                listening=self.state.age_s < self.state.attends_until_s,
                seed=self.seed,
                breath_hz=worn.breath_hz,
                breath_depth=worn.breath_depth,
                alertness=worn.alertness,
                head_deg=worn.head_deg,
                crouch_deg=worn.crouch_deg,
            )
        )
        held = self.state.age_s < self.state.still_until_s
        if self.player.frozen and not held:
            self.player.breathe()
        if choice is not None and choice.act is not None:
            self.seen.acts += 1
            self.seen.while_held += self.state.age_s < max(before.attends_until_s, before.still_until_s)
            self.play(will.skill_of(self.state, choice.act))

    def play(self, name: str) -> None:
        look = colour(self.emotion.valence, self.emotion.arousal)
        skill, start = SKILLS[name], self.player.base
        if isinstance(skill, GaitSkill):
            movement = skill.movement(BODY, start, look.speed, 0.0, 2.5)
        else:
            movement, _ = coloured(BODY, start, skill.frames, look.speed, look.amplitude)
        self.player.begin(movement, self.now_s)

    def stream(self) -> None:
        self.setpoints += 1
        pose = self.player.step(self.now_s)
        if self.was_moving and not self.player.moving:
            self.player.breathe()
        self.was_moving = self.player.moving
        self.guard.setpoint([round(pose[name] * CDEG) for name in BODY.names], 120)
        for _ in range(TICKS_A_SETPOINT):
            was, speed = list(self.guard.position), list(self.guard.speed)
            self.guard.tick()
            self.seen.violations += broken(self.guard, was, speed)
        self.watch(pose)

    def watch(self, pose: Pose) -> None:
        """How long nothing has moved, while it is awake and nobody told it to hold."""
        moved = any(abs(pose[name] - self.still_pose[name]) > MOVED_DEG for name in BODY.names)
        if moved or self.state.asleep or self.player.frozen:
            self.still_pose, self.still_since = pose, self.setpoints
        still_s = (self.setpoints - self.still_since) / SETPOINTS_A_SECOND
        self.seen.stillest_s = max(self.seen.stillest_s, still_s)


def live(seed: int, hour: float, seconds: int) -> Row:
    """One life, walks allowed, from `hour` of its first day."""
    rules = Rules(nature(seed), QuietHours.read("22:00-07:00"), locomotion=True)
    return asdict(Life(seed, hour, rules).live(seconds))


def pieces(short: bool) -> list[Piece]:
    if short:
        return [Piece(f"1 at {hour}", partial(live, 1, hour, 400)) for hour in (7.0, 17.5)]
    return [Piece(str(seed), partial(live, seed, 24 * seed / SEEDS, HOUR_S)) for seed in range(SEEDS)]


def judge(rows: list[Row]) -> Verdict:
    total = {what: sum(row[what] for row in rows) for what in rows[0]}
    bad = {what: total[what] for what in ("violations", "clamped", "refused", "while_held")}
    stillest_s = max(row["stillest_s"] for row in rows)
    figures = (
        f"{total['seconds'] / HOUR_S:.1f} h in {len(rows)} lives, {total['acts']:,} acts,"
        f" {total['orders']:,} orders: "
        + ", ".join(f"{count} {what}" for what, count in bad.items())
        + f"; awake and still for {stillest_s:.1f} s at most"
    )
    return Verdict(sum(bad.values()) + (stillest_s > STILL_S), figures)


PROOF = Proof(
    "living",
    "lives of its own will meet no limit and are never still for long",
    (
        "firmware_bridge/mcu/guard.py",
        "firmware_bridge/mcu/limits.py",
        "firmware_bridge/player.py",
        "firmware_bridge/idle.py",
        "firmware_bridge/motion.py",
        "firmware_bridge/expression.py",
        "runtime/life/*.py",
        "runtime/mind/emotion.py",
        "tests/torture/living.py",
    ),
    pieces,
    judge,
)
