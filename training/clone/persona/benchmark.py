"""How well a character is read: `python -m training.clone.persona.benchmark [--seed N]`.

Fifty facts are told within thirty days of a diary, in wordings of which the table knows some and lacks
others, among sentences of one day, of others, of doubt and jest, and strangers' real remarks where
EVERPAW_DATA names them. What is on the card, is it true, has it a source? Does the robot answer from it?
"""

import argparse
import json
import os
import random
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from runtime.intervals import Share
from runtime.mind.card import card_answer
from training.clone.persona import step
from training.clone.persona.language import first_person
from training.clone.profile import Profile
from training.clone.steps import Pet
from training.data import corpora

_DATA = Path(__file__).with_name("benchmark.toml")
DAYS, PLANTED = 30, 50


@dataclass(frozen=True, slots=True)
class Planted:
    """A fact: how it is told, the words that the card must hold, and questions that ask for it."""

    kind: str
    told: str
    keys: str
    asks: tuple[str, ...]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="training.clone.persona.benchmark", description=__doc__)
    parser.add_argument("--seed", type=int, default=3_000)
    parser.add_argument("--diaries", type=int, default=10)
    parser.add_argument("--show", action="store_true", help="what was missed and what was wrong")
    args = parser.parse_args(argv)
    print(json.dumps(measure(args.seed, args.diaries, show=args.show)))
    return 0


def measure(seed: int, diaries: int, *, show: bool = False) -> dict[str, object]:
    """Precision, recall and answers over so many diaries of fifty facts."""
    true = found = sourced = told = right = asked = 0
    for number in range(diaries):
        chance = random.Random(f"{seed} {number}")
        planted = list(facts(chance))
        with tempfile.TemporaryDirectory(prefix="everpaw-") as scratch:
            pet = Pet(Path(scratch), Profile(name="Pepper", species="dog", sex="female", owner="Nina"))
            (pet.folder / "notes").mkdir()
            (pet.folder / "notes/diary.md").write_text(diary(planted, chance), encoding="utf-8")
            lines = ["", *(pet.folder / "notes/diary.md").read_text().splitlines()]
            card = step.card_of(pet)
        for fact in card.facts:
            told_by = [p for p in planted if p.kind == fact.kind and p.keys in fact.says.lower()]
            true, found = true + bool(told_by), found + 1
            sourced += any(p.told in lines[int(fact.source.rpartition(":")[2])] for p in told_by)
            if show and not told_by:
                print(f"wrong: {fact.says}  <- {lines[int(fact.source.rpartition(':')[2])]}", file=sys.stderr)
        for plant in planted:
            known = any(plant.keys in f.says.lower() for f in card.facts if f.kind == plant.kind)
            told += known
            if show and not known:
                print(f"missed: {plant.told}", file=sys.stderr)
            answer = card_answer([f.says for f in card.facts], chance.choice(plant.asks)) if known else None
            asked += known
            answered = answer is not None and plant.keys in answer.lower()
            right += answered
            if show and known and not answered:
                print(f"unanswered: {plant.asks} {plant.told} -> {answer}", file=sys.stderr)
    return {
        "facts on the card that are true": str(Share(true, found)),
        "with the line that told them": str(Share(sourced, found)),
        "of the facts told, on the card": str(Share(told, PLANTED * diaries)),
        "of those on the card, answered when asked": str(Share(right, asked)),
    }


def facts(chance: random.Random) -> Iterator[Planted]:
    """Fifty, no two of one value."""
    data = tomllib.loads(_DATA.read_text(encoding="utf-8"))
    rows = [(row, value) for row in data["fact"] for value in row["values"]]
    for row, value in chance.sample(rows, PLANTED):
        told = chance.choice(row["told"]).format(v=value)
        first = " ".join([first_person(value.split()[0]), *value.split()[1:]])
        asks = tuple(
            ask.format(v=value.replace("her ", "your "), verb=first.split()[0], first=first)
            for ask in row["asks"]
        )
        keys = row["keys"].format(v=value, first=first).lower().replace("her ", "my ")
        yield Planted(row["kind"], told, keys, asks)


def diary(planted: list[Planted], chance: random.Random) -> str:
    """A month of it."""
    data = tomllib.loads(_DATA.read_text(encoding="utf-8"))
    remarks = _remarks()
    days: list[list[str]] = [[] for _ in range(DAYS)]
    for plant in planted:
        chance.choice(days).append(plant.told)
    rows = []
    for number, told in enumerate(days):
        others = chance.sample(data["other"]["lines"], 4) + (chance.sample(remarks, 2) if remarks else [])
        lines = [*told, *others]
        chance.shuffle(lines)
        rows += [f"## {date(2024, 5, 1) + timedelta(days=number)}", *lines, ""]
    return "\n".join(rows)


def _remarks() -> list[str]:
    path = Path(os.environ.get("EVERPAW_DATA", "/nowhere")) / corpora.GOEMOTIONS / "dev.tsv"
    if not path.is_file():
        return []
    return [text.replace("[NAME]", "Pepper") for text, _ in corpora.goemotions(path)]


if __name__ == "__main__":
    sys.exit(main())
