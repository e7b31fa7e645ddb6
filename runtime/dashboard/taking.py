"""A copy of what is kept, from the robot into the reader's downloads."""

import time
import uuid
from collections.abc import Callable
from datetime import date

from nicegui import ui

from runtime.contracts import messages as m
from runtime.contracts.errors import FactError
from runtime.contracts.reports import ExportAck
from runtime.dashboard.view import View, act
from runtime.eyes.pet import Pet
from runtime.privacy.copies import Incoming

PATIENCE_S = 20.0
"""Without another part for so long none comes"""


class Taking:
    """One order for a copy, and what became of it. Parts arrive on the bus's thread."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._incoming: Incoming | None = None
        self._end: Callable[[], None] = _nothing
        self._told = ("", "soft")

    def begin(self) -> None:
        """Ask for one; an order that is under way is given up."""
        self._end()
        incoming = Incoming(self._view.robot, uuid.uuid4().hex)

        def take(pet: Pet, name: str, message: m.Message) -> None:
            if isinstance(message, ExportAck) and pet.robot == incoming.robot:
                incoming.take(message)

        self._incoming, self._end = incoming, self._view.watcher.listen(take)
        self._view.watcher.ask_now(incoming.robot, "request/export", id=incoming.order, key=incoming.key)

    @property
    def became(self) -> tuple[str, str]:
        """(what to say of it, how well it is); a copy that has come is handed to the browser, once."""
        incoming, w = self._incoming, self._view.words
        if incoming is None:
            return self._told
        if incoming.whole:
            self._settle(*self._handed(incoming))
        elif incoming.reason:
            known = incoming.reason in ("late", "busy", "not_here")
            self._settle(w(f"copies.{incoming.reason}") if known else incoming.reason, "bad")
        elif time.monotonic() - incoming.heard_s > PATIENCE_S:
            self._settle(w("copies.silent"), "bad")
        else:
            share = f" {100 * incoming.got // incoming.parts} %" if incoming.parts else ""
            return f"{w('copies.under_way')}{share}", "busy"
        return self._told

    def _handed(self, incoming: Incoming) -> tuple[str, str]:
        name = f"{incoming.robot}-{date.today().isoformat()}.zip"
        try:
            ui.download.content(incoming.open(), name, "application/zip")
        except FactError as error:
            return str(error), "bad"
        return self._view.words("copies.taken").format(name=name), "good"

    def _settle(self, text: str, level: str) -> None:
        self._end()
        self._incoming, self._end, self._told = None, _nothing, (text, level)


def _nothing() -> None: ...


def take_a_copy(view: View) -> None:
    """The button, and below it what became of it."""
    taking = Taking(view)
    with ui.element("div").classes("row below"):
        act(view.words("copies.take"), taking.begin, "take-copy")
        ui.label(view.words("copies.hint")).classes("soft wide")
    became = ui.label().props("role=status data-see=copy")

    def refresh() -> None:
        became.text, level = taking.became
        became.classes(replace=level)

    view.on_refresh(refresh)
