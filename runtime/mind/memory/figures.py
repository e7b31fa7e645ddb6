"""`everpaw eval memory`: facts taught, asked for in other words, and never told.

The sentences of `figures.yaml` were written down before the patterns that read them. Those patterns may be
mended with the first, third, fifth ... of each list in view; the figures that count are of the others. Every
half begins with an empty memory in a folder of its own. `--others` reads sentences of other people, none of
which asks to be remembered. `--aloud` has the recogniser hear what the grammar says to the memory, by voices
in no training set.
"""

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import yaml
from pydantic import Field

from runtime import starter
from runtime.contracts.config import Settings
from runtime.contracts.errors import ConfigError
from runtime.contracts.pack import Pack
from runtime.intervals import Share
from runtime.mind.memory.memory import Memory

UNKNOWN = re.compile(r"don't know", re.IGNORECASE)
HALVES = ("in view", "held out")
GOALS = {"taken_up": 0.9, "right": 0.9, "unknown": 0.95}
"""Least shares of the half held out"""
Word = Annotated[str, Field(min_length=1)]


class Sentences(Settings):
    """`figures.yaml`."""

    taught: tuple[tuple[Word, Word, Word, Word], ...]
    """(how it is told, how it is asked, how else, what the answer must hold)"""
    untaught: tuple[Word, ...]
    """Questions that nobody told the answer to"""


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one half of the sentences."""

    taken_up: Share
    """Statements kept at the first telling; the others are told again after "remember that" """
    right: Share
    """Questions about what was told, answered rightly"""
    unknown: Share
    """Other questions, answered "I don't know" or left to the dialogue"""

    @property
    def good(self) -> bool:
        shares = {name: getattr(self, name) for name in GOALS}
        return all(share.right >= GOALS[name] * share.n for name, share in shares.items())


def sentences() -> Sentences:
    """What ships with the program."""
    return Sentences.model_validate(yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8")))


def figures(memory: Memory, of: Sentences, half: int) -> Figures:
    """Teach and ask an empty memory; `half` 0: in view, 1: held out."""
    taught, untaught = of.taught[half::2], of.untaught[half::2]
    taken_up = [memory.hear(tell) is not None for tell, *_ in taught]
    for (tell, *_), taken in zip(taught, taken_up, strict=True):
        if not taken:
            memory.hear(f"remember that {tell}")
    right = [
        bool(re.search(answer, _says(memory, question), re.IGNORECASE))
        for _, *questions, answer in taught
        for question in questions
    ]
    unknown = [not (said := _says(memory, question)) or bool(UNKNOWN.search(said)) for question in untaught]
    return Figures(*(Share(sum(rows), len(rows)) for rows in (taken_up, right, unknown)))


def taken_for_facts(memory: Memory, others: Sequence[str]) -> list[str]:
    """Those of `others` that the memory keeps, each the first sentence of a conversation."""
    kept = []
    for sentence in others:
        memory.reset()
        answer = memory.hear(sentence)
        if answer is not None and answer.intent == "remember":
            kept.append(sentence)
    return kept


def heard_word_by_word(pack: Pack, n: int) -> Share:
    """Of `n` sentences of the grammar that are the memory's, spoken once each."""
    from runtime.demo.people import Said, people
    from runtime.mind.conversation import MEMORY_INTENTS
    from runtime.mind.grammar import Grammar
    from runtime.speech.asr import Recogniser

    grammar = Grammar.load(pack.path("grammar.yaml"))
    drawn = grammar.sentences(np.random.default_rng(3), 100 * n)
    said = list(dict.fromkeys(text for text, intent, _ in drawn if intent in MEMORY_INTENTS))[:n]
    recogniser = Recogniser(pack.part("asr"), grammar)
    with people() as persons:
        heard = [recogniser.recognise(persons.say(Said(text=text)).samples, n=1) for text in said]
    right = [bool(best) and best[0].text == text for text, best in zip(said, heard, strict=True)]
    return Share(sum(right), len(right))


def main(argv: list[str]) -> int:
    """`everpaw eval memory`: exit status 1 where the half held out misses a goal."""
    parser = argparse.ArgumentParser(prog="everpaw eval", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("kind", choices=("memory",))
    parser.add_argument(
        "--others", type=Path, metavar="FILE", help="sentences of other people, a line each (first column)"
    )
    parser.add_argument("--aloud", type=int, metavar="N", help="speak N sentences of the grammar as well")
    parser.add_argument("--pack", type=Path, help="folder of a pack for --aloud; the starter otherwise")
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    args = parser.parse_args(argv)
    if args.aloud is not None and args.aloud < 1:
        parser.error("--aloud is at least 1")
    others = _read(args.others) if args.others else []
    found: dict[str, Any] = {}
    for half, name in enumerate(HALVES):
        with _empty() as memory:
            found[name] = figures(memory, sentences(), half)
    if others:
        with _empty() as memory:
            kept = taken_for_facts(memory, others)
        found["others"] = {"taken_for_facts": len(kept), "n": len(others)}
    if args.aloud:
        found["aloud"] = heard_word_by_word(starter.load_pack(args.pack), args.aloud)
    rows = {name: row if isinstance(row, dict) else asdict(row) for name, row in found.items()}
    print(json.dumps(rows) if args.json else _table(found))
    return int(not found[HALVES[1]].good)


def _table(found: dict[str, Any]) -> str:
    lines = []
    for name in HALVES:
        half: Figures = found[name]
        lines.append(f"{name}: taken up {half.taken_up}; right {half.right}; unknown {half.unknown}")
    if others := found.get("others"):
        lines.append(f"sentences of others taken for facts: {others['taken_for_facts']} of {others['n']}")
    if "aloud" in found:
        lines.append(f"heard word by word: {found['aloud']}")
    return "\n".join(lines)


def _says(memory: Memory, question: str) -> str:
    answer = memory.hear(question)
    return "" if answer is None else answer.text


@contextmanager
def _empty() -> Iterator[Memory]:
    with (
        TemporaryDirectory(prefix="everpaw-") as folder,
        closing(Memory(Path(folder) / "memory", enabled=True, pet="Buddy")) as memory,
    ):
        yield memory


def _read(path: Path) -> list[str]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--others {path}: cannot be read ({error}); give a text file") from error
    found = [line.split("\t")[0].strip() for line in lines]
    if not any(found):
        raise ConfigError(f"--others {path}: holds no sentence; give a line each")
    return [sentence for sentence in found if sentence]
