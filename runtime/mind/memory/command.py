"""`everpaw memory`: what the pet knows of its people, in the owner's hands."""

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from runtime.actions import actions_of, sure
from runtime.contracts.config import RobotConfig, load_config
from runtime.contracts.errors import ConfigError, FactError
from runtime.data_folder import data_folder
from runtime.lessons.book import FOLDER as LESSONS
from runtime.lessons.book import forget_texts
from runtime.mind.memory import consent, proof, store
from runtime.mind.memory.consent import Consent
from runtime.mind.memory.entry import Entry, entry_of
from runtime.mind.memory.facts import MAX_NAME, OWNER, Fact
from runtime.mind.memory.knowledge import Knowledge
from runtime.mind.memory.memory import wall_clock
from runtime.mind.memory.place import folder_of
from runtime.mind.memory.secrets import is_secret
from runtime.mind.memory.statements import fact_of, statement_of
from runtime.mind.memory.talk import texts_of
from runtime.typed import typed

Row = dict[str, Any]
_FACTS = TypeAdapter(list[Fact])
MAX_IMPORT_BYTES = 50_000_000


def main(argv: list[str]) -> int:
    """`everpaw memory ACTION`."""
    args = _parser().parse_args(argv)
    config = load_config(RobotConfig, args.config, args.set)
    folder, args.lessons = folder_of(config), data_folder(config.robot_id) / LESSONS
    tell = _print_json if args.json else _print_words
    work: Callable[[argparse.Namespace, Path, bool], list[Row]] = args.work
    for row in work(args, folder, config.memory.enabled):
        tell(row)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="everpaw memory",
        description="What the pet knows of its people: read, correct, forget, take along, erase.",
    )
    action = actions_of(parser, "one object a line on stdout")
    one = action("allow", _allow, "let the pet remember what it is told")
    one.add_argument("--history", action="store_true", help="keep what a newer statement replaces as well")
    action("deny", _deny, "let it remember nothing new and tell nothing old")
    one = action("list", _list, "all facts, a number each")
    one.add_argument("--person", metavar="NAME", help='only what NAME told; "" for the owner')
    one.add_argument("--history", action="store_true", help="what was replaced as well")
    one = action("show", _show, "everything that is kept with one fact")
    one.add_argument("number", type=int)
    one = action("add", _add, 'a sentence, as in: everpaw memory add "my sister is called Anna"')
    one.add_argument("sentence", type=typed)
    one.add_argument(
        "--person", metavar="NAME", type=typed, default=OWNER, help="who says it; the owner where not given"
    )
    one = action("correct", _correct, "give a fact another value")
    one.add_argument("number", type=int)
    one.add_argument("value", type=typed)
    one = action("forget", _forget, "take facts away for good, by number or by what they are about")
    one.add_argument("numbers", type=int, nargs="*", metavar="NUMBER")
    one.add_argument("--about", metavar="TEXT", type=typed, default="")
    action("export", _export, "all facts as JSON on stdout, readable by anybody: keep it safe").set_defaults(
        json=True
    )
    one = action("import", _import, "facts of an export, added to what is there")
    one.add_argument("file", type=Path, metavar="FILE.json")
    action("rotate", _rotate, "seal everything anew under a new key")
    one = action("erase", _erase, "destroy keys and facts, and prove that nothing is left")
    one.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def _allow(args: argparse.Namespace, folder: Path, enabled: bool) -> list[Row]:
    consent.write(folder, Consent(allowed=True, history=args.history, how="command", at=wall_clock()))
    return [{"allowed": True, "history": args.history, "folder": str(folder)}]


def _deny(args: argparse.Namespace, folder: Path, enabled: bool) -> list[Row]:
    consent.write(folder, Consent(allowed=False, how="command", at=wall_clock()))
    return [{"allowed": False, "folder": str(folder)}]


def _list(args: argparse.Namespace, folder: Path, enabled: bool) -> list[Row]:
    return [
        _row(number, fact)
        for number, fact in _facts(folder).items()
        if (args.person is None or fact.person == args.person.lower()) and (args.history or not fact.replaced)
    ]


def _show(args: argparse.Namespace, folder: Path, enabled: bool) -> list[Row]:
    fact = _facts(folder).get(args.number)
    if fact is None:
        raise ConfigError(_no_such(args.number))
    return [{"number": args.number, **fact.model_dump(mode="json")}]


def _add(args: argparse.Namespace, folder: Path, enabled: bool) -> list[Row]:
    _insist_on_consent(folder, enabled)
    if is_secret(args.sentence):
        raise FactError("that looks like a PIN, a password or a card number; a pet keeps no secrets")
    if len(args.person) > MAX_NAME:
        raise FactError(f"--person {args.person[:MAX_NAME]!r}...: a name has at most {MAX_NAME} letters")
    statement = statement_of(f"remember that {args.sentence}")
    if statement is None:
        raise FactError(f'{args.sentence!r} tells nothing; write a sentence, as "my sister is called Anna"')
    fact = fact_of(statement, person=args.person.lower(), told_at=wall_clock())
    with closing(_open(folder)) as knowledge:
        told = knowledge.tell(fact, statement.one)
    return [_row(told.entry.number, told.entry.fact) | {"outcome": told.outcome}]


def _correct(args: argparse.Namespace, folder: Path, enabled: bool) -> list[Row]:
    if is_secret(args.value):
        raise FactError("that looks like a PIN, a password or a card number; a pet keeps no secrets")
    with closing(_open(folder)) as knowledge:
        [old] = _chosen(knowledge, [args.number])
        value = " ".join(args.value.split())
        entry = knowledge.replace(old, old.fact.corrected(value, told_at=wall_clock(), confidence=1.0))
    return [_row(entry.number, entry.fact)]


def _forget(args: argparse.Namespace, folder: Path, enabled: bool) -> list[Row]:
    if bool(args.numbers) == bool(args.about):
        raise ConfigError("say which facts: everpaw memory forget NUMBER..., or --about TEXT")
    with closing(_open(folder)) as knowledge:
        gone = knowledge.about(args.about, OWNER) if args.about else _chosen(knowledge, args.numbers)
        forget_texts(args.lessons, texts_of(gone))
        count = knowledge.forget(gone)
    return [{"forgotten": count}]


def _export(args: argparse.Namespace, folder: Path, enabled: bool) -> list[Row]:
    return [{"facts": [fact.model_dump(mode="json") for fact in _facts(folder).values()]}]


def _import(args: argparse.Namespace, folder: Path, enabled: bool) -> list[Row]:
    _insist_on_consent(folder, enabled)
    try:
        if args.file.stat().st_size > MAX_IMPORT_BYTES:
            raise FactError(f"{args.file} is larger than {MAX_IMPORT_BYTES} bytes; is it an export?")
        facts = _FACTS.validate_python(json.loads(args.file.read_text(encoding="utf-8"))["facts"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        why = " ".join(str(error).split())[:120]
        raise FactError(f"{args.file} is no export of a memory ({why}); nothing was changed") from error
    with closing(_open(folder)) as knowledge:
        known = set(knowledge.facts().values())
        fresh = [fact for fact in dict.fromkeys(facts) if fact not in known]
        knowledge.add(fresh)
    return [{"imported": len(fresh), "known": len(facts) - len(fresh)}]


def _rotate(args: argparse.Namespace, folder: Path, enabled: bool) -> list[Row]:
    with closing(_open(folder)) as knowledge:
        knowledge.rotate()
        return [{"sealed": len(knowledge.facts())}]


def _erase(args: argparse.Namespace, folder: Path, enabled: bool) -> list[Row]:
    try:
        needles = proof.needles_of(_facts(folder).values())
    except FactError as error:  # what cannot be read can still be destroyed
        print(f"everpaw: {error}", file=sys.stderr)
        needles = set()
    rows = store.sealed_rows(folder)
    if not args.yes and not sure(f"Erase all {len(rows)} facts in {folder}? [y/N] "):
        return [{"erased": 0}]
    store.erase(folder)
    found = proof.search(folder, needles | rows)
    if found.hits:
        raise FactError(f"{found.hits} traces are left in {folder}; remove the folder by hand")
    row = {"erased": len(rows), "searched_for": found.needles, "files": found.files, "bytes": found.size}
    return [row | {"hits": found.hits}]


def _insist_on_consent(folder: Path, enabled: bool) -> None:
    if not consent.allowed(folder, enabled):
        raise FactError("the pet may not remember yet; to allow it, type: everpaw memory allow")


def _facts(folder: Path) -> dict[int, Fact]:
    """Of a memory that may not be there: looking makes no file."""
    if not store.exists(folder):
        return {}
    with closing(_open(folder)) as knowledge:
        return knowledge.facts()


def _open(folder: Path) -> Knowledge:
    given = consent.read(folder)
    return Knowledge(folder, history=given.history if given else False)


def _chosen(knowledge: Knowledge, numbers: list[int]) -> list[Entry]:
    facts = knowledge.facts()
    for number in numbers:
        if number not in facts:
            raise ConfigError(_no_such(number))
    return [entry_of(number, facts[number]) for number in numbers]


def _no_such(number: int) -> str:
    return f"there is no fact number {number}; `everpaw memory list` shows them"


def _row(number: int, fact: Fact) -> Row:
    row: Row = {"number": number, "person": fact.person or "owner", "text": fact.text}
    return row | {"replaced": True} if fact.replaced else row


def _print_json(row: Row) -> None:
    print(json.dumps(row, ensure_ascii=False), flush=True)


def _print_words(row: Row) -> None:
    if "text" in row and "subject" not in row:
        extra = "".join(f"  ({row[name]})" for name in ("outcome",) if name in row)
        old = "  (replaced)" if row.get("replaced") else ""
        print(f"{row['number']:>5}  {row['person']}: {row['text']}{extra}{old}")
        return
    print("  ".join(f"{name}: {value}" for name, value in row.items()))
