"""Find gaits for a body: `python -m firmware_bridge.gait_search --out FOLDER` writes one file each.

Random tries, then ever smaller steps around the best: the quickest gait that keeps every rule. Seeded, so
that the same body gets the same gaits.
"""

import argparse
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from firmware_bridge.ground import Verdict, check
from firmware_bridge.stride import Stride
from runtime.contracts.body import Body, load_body
from runtime.contracts.errors import PackError

MOST_SPEED, MOST_ACCEL, MOST_GRIP = 0.70, 0.95, 0.7
"""Shares of the servos' speed and acceleration, and of the floor's friction"""
MOST_TIP_DEG, MOST_SLIP_MM = 6.0, 1.0
LEAST_MARGIN_MM = 5.0
ROUNDING_MM = 0.1
"""What the digits of a file may cost"""
LEAST_LIFT_MM = 14.0
CRAWL = {"rear_left": 0.0, "front_left": 0.75, "rear_right": 0.5, "front_right": 0.25}
TROT = {"front_left": 0.0, "rear_right": 0.0, "front_right": 0.5, "rear_left": 0.5}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A gait to look for: which feet when, where to, and between which bounds."""

    description: str
    phase: dict[str, float]
    forward: float = 1.0
    turn: float = 0.0
    is_crawl: bool = False
    tail_deg: float = 12.0
    most_tip_deg: float = MOST_TIP_DEG
    walk_s: float = 3.0
    like: str = ""
    """The gait whose step it has, with a tail and a length of its own"""


GAITS = {
    "crawl": Wanted("Crawls ahead, three feet on the ground at all times", CRAWL, is_crawl=True),
    "walk": Wanted("Walks ahead, two diagonal feet at a time, softly", TROT, most_tip_deg=2.0),
    "trot": Wanted("Trots ahead, two diagonal feet at a time", TROT, tail_deg=20.0),
    "back_up": Wanted("Steps backwards", TROT, forward=-1.0),
    "turn_left": Wanted("Turns left on the spot", TROT, forward=0.0, turn=1.0, tail_deg=-10.0, walk_s=2.0),
    "turn_right": Wanted("Turns right on the spot", TROT, forward=0.0, turn=-1.0, tail_deg=10.0, walk_s=2.0),
    "come": Wanted("Trots up with the tail going", TROT, tail_deg=25.0, like="trot"),
    "turn_around": Wanted(
        "Turns round to the left", TROT, forward=0.0, turn=1.0, tail_deg=-10.0, walk_s=5.0, like="turn_left"
    ),
    "spin": Wanted(
        "Spins round, the tail going",
        TROT,
        forward=0.0,
        turn=1.0,
        tail_deg=25.0,
        walk_s=6.0,
        like="turn_left",
    ),
}


def faults(wanted: Wanted, verdict: Verdict) -> float:
    """How far a gait is beyond the rules; 0 where it keeps them all."""
    beyond = max(verdict.peak_speed - MOST_SPEED, 0.0) + max(verdict.peak_accel - MOST_ACCEL, 0.0)
    beyond += max(verdict.grip - MOST_GRIP, 0.0) + max(verdict.slip_mm - MOST_SLIP_MM, 0.0)
    if wanted.is_crawl:
        return beyond + max(LEAST_MARGIN_MM + ROUNDING_MM - verdict.margin_mm, 0.0)
    return beyond + max(verdict.tip_deg - wanted.most_tip_deg, 0.0)


def search(body: Body, wanted: Wanted, tries: int, seed: int) -> Stride:
    """The quickest gait found; PackError where none keeps the rules."""
    rng = random.Random(seed)
    best: tuple[float, float, Stride] | None = None
    for number in range(tries):
        gait = _near(best[2], rng, 0.4 * (1 - number / tries)) if best and number > tries // 4 else None
        gait = gait or _anywhere(body, wanted, rng)
        try:
            verdict = check(gait)
        except PackError:
            continue
        way = abs(verdict.speed_mm_s) if wanted.forward else gait.stride_mm / gait.period_s
        score = faults(wanted, verdict), -way
        if best is None or score < best[:2]:
            best = *score, gait
    if best is None or best[0] > 0:
        raise PackError(
            f"no gait found in {tries} tries that keeps the rules; try more, or slower servos' limits"
        )
    return best[2]


def _anywhere(body: Body, wanted: Wanted, rng: random.Random) -> Stride:
    return Stride(
        body=body,
        period_s=rng.uniform(1.0, 3.0) if wanted.is_crawl else rng.uniform(0.4, 1.2),
        duty=rng.uniform(0.78, 0.92) if wanted.is_crawl else rng.uniform(0.5, 0.7),
        phase=wanted.phase,
        stride_mm=rng.uniform(15, 50),
        lift_mm=rng.uniform(LEAST_LIFT_MM, 24),
        forward=wanted.forward,
        turn=wanted.turn,
        shift_mm=rng.uniform(5, 18) if wanted.is_crawl else 0.0,
        shift_phase=rng.random() if wanted.is_crawl else 0.0,
        sway={"tail": wanted.tail_deg},
    )


def _near(gait: Stride, rng: random.Random, share: float) -> Stride:
    def moved(value: float, low: float, high: float) -> float:
        return min(max(value + rng.gauss(0, share * (high - low) / 2), low), high)

    crawls = gait.shift_mm != 0.0
    return replace(
        gait,
        period_s=moved(gait.period_s, 0.4, 3.0),
        duty=moved(gait.duty, 0.5, 0.92),
        stride_mm=moved(gait.stride_mm, 12, 50),
        lift_mm=moved(gait.lift_mm, LEAST_LIFT_MM, 24),
        shift_mm=moved(gait.shift_mm, 4, 20) if crawls else 0.0,
        shift_phase=moved(gait.shift_phase, 0, 1) if crawls else 0.0,
    )


def text(gait: Stride, wanted: Wanted) -> str:
    """The gait as a skill's file."""
    phase = ", ".join(f"{leg} = {at:g}" for leg, at in gait.phase.items())
    lines = [
        'kind = "stride"',
        f'description = "{wanted.description}"',
        *(f"{name} = {getattr(gait, name):.3f}" for name in ("period_s", "duty", "stride_mm", "lift_mm")),
        f"phase = {{ {phase} }}",
        f"shift_mm = {gait.shift_mm:.3f}",
        f"shift_phase = {gait.shift_phase:.3f}",
        f"forward = {gait.forward:.1f}",
        f"turn = {gait.turn:.1f}",
        f"sway = {{ tail = {wanted.tail_deg:g} }}",
        f"walk_s = {wanted.walk_s}",
    ]
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None, say: Callable[[str], None] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m firmware_bridge.gait_search", description=__doc__)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--only", nargs="*", default=list(GAITS), choices=list(GAITS))
    parser.add_argument("--tries", type=int, default=1_200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--body", type=Path)
    args = parser.parse_args(argv)
    body = load_body(args.body)
    for name in args.only:
        wanted = GAITS[name]
        gait = search(body, GAITS[wanted.like] if wanted.like else wanted, args.tries, args.seed)
        gait = replace(gait, sway={"tail": wanted.tail_deg})
        (args.out / f"{name}.toml").write_text(text(gait, GAITS[name]), encoding="utf-8")
        print(f"{name}: {check(gait)}", file=sys.stderr, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
