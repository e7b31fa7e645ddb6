"""Everything a robot holds of people is destroyed, and looked for afterwards.

Keys go first: from then on every copy of a sealed row is dead, wherever it lies. Journals, which hold no
words, are overwritten and removed with the logs of changes beside them.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import get_args

from runtime.contracts.errors import FactError
from runtime.contracts.requests import Erasable
from runtime.life.kept import traces
from runtime.mind.memory import consent, keys, proof, store
from runtime.mind.memory.proof import Search
from runtime.privacy.holdings import Holdings, sentences
from runtime.privacy.switches import FILE

CLASSES: tuple[Erasable, ...] = get_args(Erasable)


def needles(held: Holdings, only: Iterable[str]) -> set[bytes]:
    """Texts and sealed rows that must be found nowhere afterwards; rows alone where texts cannot be read."""
    wanted = set(only)
    found: set[bytes] = set()
    if "memory" in wanted:
        found |= store.sealed_rows(held.memory) | _texts_or_none(lambda: proof.needles_of(held.facts()))
    if "lessons" in wanted:
        found |= store.sealed_rows(held.lessons) | _texts_or_none(lambda: sentences(held.book().values()))
    return found


def _texts_or_none(read: Callable[[], set[bytes]]) -> set[bytes]:
    try:
        return read()
    except FactError:  # what cannot be read can still be destroyed
        return set()


def erase(held: Holdings, only: Iterable[str] = CLASSES) -> Search:
    """Destroy the named classes; what was searched for, where, and how often it was found (0).

    FactError where a trace is left.
    """
    wanted = set(only)
    looked_for = needles(held, wanted)
    if "memory" in wanted:
        store.erase(held.memory)
    if "lessons" in wanted:
        store.erase(held.lessons)
    if "events" in wanted:
        _shred(path for journal in held.journals for path in _with_logs(journal))
    if "persona" in wanted:
        _shred([held.persona])
    if "life" in wanted:
        _shred(traces(held.life))
    if "consents" in wanted:
        _shred([held.folder / FILE, held.memory / consent.FILE])
    return prove(held, looked_for)


def prove(held: Holdings, looked_for: set[bytes]) -> Search:
    """Look for it in every file of data and memory; FactError where it is found."""
    found = [proof.search(place, looked_for) for place in held.places]
    total = Search(
        sum(one.files for one in found),
        sum(one.size for one in found),
        len(looked_for),
        sum(one.hits for one in found),
    )
    if total.hits:
        raise FactError(f"{total.hits} traces are left in {held.folder}; remove the folder by hand")
    return total


def _with_logs(database: Path) -> list[Path]:
    """SQLite's journal and its log of changes lie beside it."""
    return sorted(database.parent.glob(f"{database.name}*"))


def _shred(paths: Iterable[Path]) -> None:
    for path in list(paths):
        if path.is_file():
            keys.shred(path)
