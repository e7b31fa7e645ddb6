"""A long proof in small pieces: each result is written down at once, so that an interrupted proof goes on.

`build/torture/NAME.jsonl` begins with a fingerprint of what is proved: the files named in `Proof.sources`.
Results of other sources prove nothing about these, so a change of one begins the proof anew. Memory stays
flat: a piece gives one small row, and rows are read back only to be judged.
"""

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SAY_EVERY_S = 10.0
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Piece:
    """`key` is its name in the ledger, `run` gives its row."""

    key: str
    run: Callable[[], Row]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`failed` counts what must be 0; `figures` is one line for people."""

    failed: int
    figures: str


@dataclass(frozen=True, slots=True)
class Proof:
    """`pieces(short)` are made anew at every start; `judge` gets all rows in their order."""

    name: str
    says: str
    sources: tuple[str, ...]
    """Globs below the root"""
    pieces: Callable[[bool], list[Piece]]
    judge: Callable[[list[Row]], Verdict]


@dataclass(frozen=True, slots=True)
class Outcome:
    name: str
    says: str
    done: int
    of: int
    failed: int
    figures: str

    @property
    def ok(self) -> bool:
        return self.done == self.of and not self.failed


def prove(proof: Proof, folder: Path, *, short: bool = False, fresh: bool = False) -> Outcome:
    """Run what is missing in the ledger; the outcome of all pieces."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{proof.name}{'-short' if short else ''}.jsonl"
    known = {} if fresh else _known(path, fingerprint(proof.sources))
    if not known:
        path.write_text(json.dumps({"fingerprint": fingerprint(proof.sources)}) + "\n")
    pieces = proof.pieces(short)
    missing = [piece for piece in pieces if piece.key not in known]
    with path.open("a", encoding="utf-8") as ledger:
        for piece in _told(proof.name, missing, len(pieces)):
            known[piece.key] = piece.run()
            ledger.write(json.dumps({"key": piece.key, "row": known[piece.key]}) + "\n")
            ledger.flush()
    return _judged(proof, pieces, known)


def look(proof: Proof, folder: Path, *, short: bool = False) -> Outcome:
    """What the ledger holds, without running anything."""
    path = folder / f"{proof.name}{'-short' if short else ''}.jsonl"
    return _judged(proof, proof.pieces(short), _known(path, fingerprint(proof.sources)))


def _judged(proof: Proof, pieces: list[Piece], known: dict[str, Row]) -> Outcome:
    rows = [known[piece.key] for piece in pieces if piece.key in known]
    verdict = proof.judge(rows) if rows else Verdict(0, "not run")
    return Outcome(proof.name, proof.says, len(rows), len(pieces), verdict.failed, verdict.figures)


def fingerprint(sources: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for pattern in sources:
        paths = sorted(ROOT.glob(pattern))
        if not paths:
            raise FileNotFoundError(f"{pattern} names no file; mend the proof's sources")
        for path in paths:
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _known(path: Path, wanted: str) -> dict[str, Row]:
    """Key -> row of an earlier run of the same sources; a last line that was cut short is left out."""
    if not path.is_file():
        return {}
    known: dict[str, Row] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue
        if number == 0:
            if entry.get("fingerprint") != wanted:
                print(f"{path.name}: what it proves has changed; it begins anew", file=sys.stderr)
                return {}
        else:
            known[entry["key"]] = entry["row"]
    return known


def _told(name: str, missing: list[Piece], total: int) -> Iterator[Piece]:
    """The pieces, with a line of progress now and then."""
    began_s = said_s = time.monotonic()
    done = total - len(missing)
    if done:
        print(f"{name}: {done} of {total} pieces are done already", file=sys.stderr, flush=True)
    for number, piece in enumerate(missing):
        yield piece
        now_s = time.monotonic()
        if now_s - said_s >= SAY_EVERY_S or number + 1 == len(missing):
            said_s = now_s
            left_s = (now_s - began_s) / (number + 1) * (len(missing) - number - 1)
            share = (done + number + 1) / total
            print(
                f"{name}: {done + number + 1} of {total} pieces, {share:.0%}, {_words(left_s)} left",
                file=sys.stderr,
                flush=True,
            )


def _words(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 5400 else f"{seconds / 60:.0f} min"
