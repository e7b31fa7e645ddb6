"""`everpaw eval life`: simulated days of the pet's own will; exit status 1 where a goal or rule is missed."""

import argparse
import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from runtime.contracts.config import RobotConfig, load_config
from runtime.life.figures import GOALS, Figures, Tie, figures
from runtime.life.household import household
from runtime.life.picture import draw
from runtime.life.rules import rules_of
from runtime.life.simulate import Days, live


def main(argv: list[str]) -> int:
    """`everpaw eval life`."""
    parser = argparse.ArgumentParser(prog="everpaw eval life", description="Days of the pet's own will.")
    parser.add_argument("kind", choices=("life",))
    parser.add_argument("--days", type=int, default=7, help="simulated days")
    parser.add_argument("--seed", type=int, help="of pet and household; the robot's where not given")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw a day (needs the [training] extra)")
    parser.add_argument("--day", type=int, default=2, help="which one to draw, 1 is the first")
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    parser.add_argument("--config", type=Path, help="robot.toml; defaults where not given")
    parser.add_argument("--set", action="append", default=[], metavar="A.B=C", help="change one setting")
    args = parser.parse_args(argv)
    if args.days < 1:
        parser.error("--days is at least 1")
    if not 1 <= args.day <= max(args.days, 2):
        parser.error(f"--day {args.day}: there are days 1 to {args.days}")
    config = load_config(RobotConfig, args.config, args.set)
    seed = config.seed if args.seed is None else args.seed
    rules = rules_of(config.life, seed)
    seen = live(args.days, seed, rules, household(args.days, seed))
    found = figures(seen)
    print(json.dumps(asdict(found)) if args.json else table(found, seen, args.days, seed))
    if args.plot is not None:
        draw(seen, min(args.day, args.days) - 1, rules, args.plot)
    return int(not found.good)


def table(found: Figures, seen: Days, days: int, seed: int) -> str:
    """For people."""
    counts = Counter(deed.act.name for deed in seen.deeds).most_common()
    moods = ", ".join(f"{mood} {share:.0%}" for mood, share in found.moods.items())
    lines = [
        f"{days} days, seed {seed}: {found.deeds} acts of its own will, {found.acts} kinds,"
        f" {found.deeds_an_hour:.0f} an hour awake; asleep {found.asleep_h:.1f} h a day",
        f"mood: {moods}",
        f"entropy of the acts: {found.act_entropy:.2f} bit",
        _tie("hour", found.hour),
        _tie("strongest drive", found.drive, "drive"),
        f"quiet hours: {found.in_quiet_hours} acts, {found.loud_in_quiet_hours} of them more than lying down",
        f"begun while attending or halted: {found.while_held}",
        "",
        *(f"{count:6d}  {name}" for name, count in counts),
    ]
    return "\n".join(lines)


def _tie(words: str, tie: Tie, key: str = "") -> str:
    goal = GOALS[key or words]
    mark = "reached" if tie.beyond_chance >= goal else "missed"
    return (
        f"information of the {words} about the act: {tie.information:.2f} bit, by chance {tie.by_chance:.2f};"
        f" entropy of the {words} {tie.entropy:.2f} (goal {goal:g} beyond chance: {mark})"
    )
