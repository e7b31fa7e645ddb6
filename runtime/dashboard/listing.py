"""A list that the robot tells on request, some rows at a time: its facts, its lessons.

Answers arrive on the bus's thread and are shown at the next refresh.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from nicegui import ui

from runtime.contracts.reports import FactsAck, LessonsAck
from runtime.dashboard.lists import table
from runtime.dashboard.view import View, act, card

R = TypeVar("R")
Answer = FactsAck | LessonsAck


@dataclass(slots=True)
class Listing(Generic[R]):
    """`name` is that of the request, its answer, and a part of words.toml."""

    view: View
    name: str
    rows_of: Callable[[Answer], Sequence[R]]
    rows: list[R] = field(default_factory=list)
    total: int = 0
    reason: str = ""
    changes: int = 0
    _asked: str = ""
    _skipped: int = 0

    def read(self, skipped: int = 0) -> None:
        self._ask(skipped, act="list", number=skipped)

    def change(self, act: str, number: int, **more: str) -> None:
        self._ask(0, act=act, number=number, **more)

    def _ask(self, skipped: int, **fields: object) -> None:
        self._skipped = skipped
        self._asked = self.view.ask(f"request/{self.name}", **fields)

    def take(self) -> None:
        """The answer, if it has come."""
        answer = self.view.pet.last.get(f"ack/{self.name}")
        if answer is None and self.rows:  # erased
            self.rows, self.total, self.changes = [], 0, self.changes + 1
        if not isinstance(answer, Answer) or answer.id != self._asked:
            return
        self._asked = ""
        self.reason = "" if answer.ok else answer.reason
        if answer.ok:
            self.rows = [*(self.rows if self._skipped else []), *self.rows_of(answer)]
            self.total = answer.total
        self.changes += 1


def listed(
    view: View, listing: Listing[R], heads: Sequence[str], add: Callable[[ui.element, R], None]
) -> None:
    """A card that shows it; `add` draws one row into the table."""
    w, name = view.words, listing.name
    with card(w(f"{name}.title")):
        with ui.element("div").classes("row"):
            act(w(f"{name}.read"), listing.read, f"{name}-read")
            more = act(w(f"{name}.more"), lambda: listing.read(len(listing.rows)), f"{name}-more")
            count = ui.label().classes("soft")
        reason = ui.label().classes("warn").props(f"role=status data-see={name}")
        body = table(heads, w(f"{name}.title"))
    drawn = [-1]

    def refresh() -> None:
        listing.take()
        more.visible = len(listing.rows) < listing.total
        if listing.changes == drawn[0]:
            return
        drawn[0] = listing.changes
        known = listing.reason in ("not_allowed", "no_consent", "not_here")
        reason.text = w(f"{name}.{listing.reason}") if known else listing.reason
        count.text = f"{listing.total} {w(f'{name}.count')}" if listing.changes else ""
        body.clear()
        for one in listing.rows:
            add(body, one)

    view.on_refresh(refresh)
