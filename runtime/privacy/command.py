"""`everpaw privacy`: what is kept of people, in the owner's hands."""

import argparse
import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from runtime.actions import actions_of, sure, text_of
from runtime.contracts.config import RobotConfig, load_config
from runtime.contracts.errors import ConfigError
from runtime.data_folder import in_use
from runtime.lessons.book import Book
from runtime.mind.memory import consent
from runtime.mind.memory.memory import wall_clock
from runtime.privacy import erasing, portable, verifying
from runtime.privacy.classes import CLASSES
from runtime.privacy.holdings import Holdings
from runtime.privacy.switches import What

Row = dict[str, Any]
SWITCHES: dict[str, What] = {"words": "share_text", "lessons": "lessons", "memory": "memory", "mute": "muted"}
"""What is typed -> the switch"""


def main(argv: list[str]) -> int:
    """`everpaw privacy ACTION`."""
    args = _parser().parse_args(argv)
    config = load_config(RobotConfig, args.config, args.set)
    work: Callable[[argparse.Namespace, RobotConfig, Holdings], list[Row]] = args.work
    rows = work(args, config, Holdings.of(config))
    for row in rows:
        print(json.dumps(row, ensure_ascii=False, default=str) if args.json else _words(row), flush=True)
    return int(any(row.get("well") is False for row in rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="everpaw privacy", description="What is kept of people: shown, taken along, erased, verified."
    )
    action = actions_of(parser, "one object a line on stdout")
    action("show", _show, "every class of data: where, by what consent, for how long, how much")
    action("consents", _consents, "who switched what, and when")
    for name, on in (("allow", True), ("deny", False)):
        one = action(name, _switch, "switch something on" if on else "switch something off")
        one.add_argument("what", choices=sorted(SWITCHES))
        one.set_defaults(on=on)
    one = action("lessons", _lessons, "the turns that are kept to learn from")
    one.add_argument("--forget", type=int, nargs="+", default=[], metavar="NUMBER", help="take them away")
    one = action("export", _export, "everything as plain files, readable by anybody: keep it safe")
    one.add_argument("folder", type=Path, metavar="DIR", help="a new folder")
    one.add_argument("--training", action="store_true", help="the lessons alone, as a recipe takes them")
    one = action("import", _import, "an export, added to what is there")
    one.add_argument("folder", type=Path, metavar="DIR", help="or the zip that the owner's page handed over")
    one = action("erase", _erase, "destroy keys and data, and prove that nothing is left")
    one.add_argument("--only", choices=erasing.CLASSES, nargs="+", default=erasing.CLASSES)
    one.add_argument("--yes", action="store_true", help="do not ask")
    one = action("verify", _verify, "is it kept as promised? exit 1 where not")
    one.add_argument("--absent", type=Path, metavar="FILE", help="texts, one a line, that must be nowhere")
    return parser


def _show(args: argparse.Namespace, config: RobotConfig, held: Holdings) -> list[Row]:
    counts = {str(name): count for name, count in held.counts().items()}
    return [asdict(row) | {"count": counts.get(row.name, "-")} for row in CLASSES]


def _consents(args: argparse.Namespace, config: RobotConfig, held: Holdings) -> list[Row]:
    rows = [change.model_dump(mode="json") for change in held.switches.changes()]
    given = consent.read(held.memory)
    if given and not any(row["what"] == "memory" for row in rows):
        rows.append({"what": "memory", "on": given.allowed, "how": given.how, "at": given.at})
    return rows


def _switch(args: argparse.Namespace, config: RobotConfig, held: Holdings) -> list[Row]:
    what = SWITCHES[args.what]
    if what == "memory":
        consent.switch(held.memory, args.on, wall_clock())
    held.switches.note(what, args.on, "command")
    return [{"what": args.what, "on": args.on}]


def _lessons(args: argparse.Namespace, config: RobotConfig, held: Holdings) -> list[Row]:
    lessons = held.book()
    unknown = [number for number in args.forget if number not in lessons]
    if unknown:
        raise ConfigError(f"there is no lesson number {unknown[0]}; `everpaw privacy lessons` shows them")
    if args.forget:
        with closing(Book(held.lessons)) as book:
            return [{"forgotten": book.forget(args.forget)}]
    return [
        {"number": number, **lesson.model_dump(mode="json", by_alias=True)}
        for number, lesson in lessons.items()
    ]


def _export(args: argparse.Namespace, config: RobotConfig, held: Holdings) -> list[Row]:
    made = portable.export(held, config.robot_id, args.folder, lessons_only=args.training)
    return [{"folder": str(args.folder), "files": len(made.files), "lessons": made.lessons}]


def _import(args: argparse.Namespace, config: RobotConfig, held: Holdings) -> list[Row]:
    with in_use(held.folder, alone=True):
        return [portable.put_back(held, args.folder)]


def _erase(args: argparse.Namespace, config: RobotConfig, held: Holdings) -> list[Row]:
    if not args.yes and not sure(f"Erase {', '.join(args.only)} of {config.robot_id}? [y/N] "):
        return [{"erased": "nothing"}]
    with in_use(held.folder, alone=True):
        found = erasing.erase(held, args.only)
    row = {"erased": list(args.only), "searched_for": found.needles, "files": found.files}
    return [row | {"bytes": found.size, "hits": found.hits}]


def _verify(args: argparse.Namespace, config: RobotConfig, held: Holdings) -> list[Row]:
    absent = text_of(args.absent).splitlines() if args.absent else []
    return [asdict(finding) for finding in verifying.verify(held, config.privacy, absent)]


def _words(row: Row) -> str:
    if "where" in row:
        return (
            f"{row['name']:<13} {row['count']!s:>6}  {row['where']}; consent: {row['consent']}; {row['kept']}"
        )
    if "seen" in row:
        cure = "" if row["well"] else f"  →  {row['cure']}"
        return f"{'✓' if row['well'] else '✗'} {row['name']:<14} {row['seen']}{cure}"
    if "heard" in row:
        taken = f"  [{row['label']}]" if row["label"] else ""
        return f"{row['number']:>5}  {row['heard']!r} → {row['intent'] or 'not understood'}{taken}"
    return "  ".join(f"{name}: {value}" for name, value in row.items())
