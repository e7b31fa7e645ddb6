"""The memory as a page shows it: read, correct, forget, a few facts at a time."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from runtime.contracts.errors import FactError
from runtime.contracts.reports import FactRow, FactsAck
from runtime.contracts.requests import MemoryRequest
from runtime.mind.memory.entry import Entry
from runtime.mind.memory.knowledge import Knowledge
from runtime.mind.memory.memory import wall_clock
from runtime.mind.memory.secrets import is_secret
from runtime.mind.memory.talk import texts_of

PAGE = 25
"""Facts in one answer; a message holds 16 kB"""


def answer(
    folder: Path, asked: MemoryRequest, *, share: bool, forgotten: Callable[[Sequence[str]], object]
) -> FactsAck:
    """Do it and tell what there is then, without `share` only how much. FactError where it cannot be done.

    `forgotten` hears of texts that are to be nowhere else either, before they are gone here.
    """
    with closing(Knowledge(folder)) as knowledge:
        if asked.act == "forget":
            gone = [_chosen(knowledge, asked.number)]
            forgotten(texts_of(gone))
            knowledge.forget(gone)
        elif asked.act == "correct":
            _correct(knowledge, asked)
        entries = knowledge.entries()
        skipped = asked.number if asked.act == "list" else 0
        shown = entries[skipped : skipped + PAGE] if share else []
        return FactsAck(id=asked.id, ok=True, facts=tuple(_row(entry) for entry in shown), total=len(entries))


def _correct(knowledge: Knowledge, asked: MemoryRequest) -> None:
    value = " ".join(asked.value.split())
    if is_secret(value):
        raise FactError("that looks like a PIN, a password or a card number; a pet keeps no secrets")
    old = _chosen(knowledge, asked.number)
    knowledge.replace(old, old.fact.corrected(value, told_at=wall_clock(), confidence=1.0))


def _chosen(knowledge: Knowledge, number: int) -> Entry:
    for entry in knowledge.entries():
        if entry.number == number:
            return entry
    raise FactError(f"there is no fact {number}; list them again")


def _row(entry: Entry) -> FactRow:
    fact = entry.fact
    return FactRow(number=entry.number, text=fact.text, value=fact.value, person=fact.person)
