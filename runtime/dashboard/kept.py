"""What is kept of people, how much of each, a copy to take along, and the button that erases it."""

import time
from dataclasses import dataclass
from typing import get_args

from nicegui import ui

from runtime.contracts.reports import ErasedAck, KeptAck
from runtime.contracts.requests import Erasable
from runtime.dashboard.lists import table
from runtime.dashboard.taking import take_a_copy
from runtime.dashboard.view import View, act, card, sure

CLASSES: tuple[Erasable, ...] = get_args(Erasable)
ASK_S = 10.0
"""How often it is asked how much there is, while somebody looks"""
PATIENCE_S = 60.0
"""A mind that ends, erases and begins anew has answered by then"""


@dataclass(slots=True)
class Kept:
    """How much there is as far as the robot said, and the order that is under way."""

    view: View
    _robot: str = ""
    _asked_s: float = float("-inf")
    _erasing: str = ""
    _since_s: float = 0.0

    def ask(self) -> None:
        """Again, where the last answer is old or another robot's."""
        now_s = time.monotonic()
        if self.view.robot and (self.view.robot != self._robot or now_s - self._asked_s > ASK_S):
            self._robot, self._asked_s = self.view.robot, now_s
            self.view.ask("request/kept")

    @property
    def counts(self) -> dict[Erasable, int] | None:
        """None before the robot told any."""
        told = self.view.pet.of("ack/kept", KeptAck)
        return told.counts if told is not None and told.ok else None

    def erase(self, only: list[Erasable]) -> None:
        self._erasing = self.view.watcher.ask_now(self.view.robot, "request/erase", only=tuple(only))
        self._since_s = time.monotonic()

    @property
    def became(self) -> tuple[str, str]:
        """(what to say of the order, how well it is)."""
        w, told = self.view.words, self.view.pet.of("ack/erased", ErasedAck)
        if not self._erasing:
            return "", "soft"
        if told is None or told.id != self._erasing:
            late = time.monotonic() - self._since_s > PATIENCE_S
            return (w("kept.silent"), "bad") if late else (w("kept.erasing"), "busy")
        self._asked_s = min(self._asked_s, self._since_s)
        if not told.ok:
            known = told.reason in ("late", "not_here")
            return w(f"kept.{told.reason}") if known else told.reason, "bad"
        names = ", ".join(w(f"kept.{name}") for name in told.erased)
        proof = w("kept.proof").format(needles=told.searched_for, files=told.files)
        return f"{w('kept.erased')}: {names}. {proof if told.searched_for else ''}", "good"


def kept(view: View) -> None:
    """Builds it."""
    w, held = view.words, Kept(view)
    with card(w("kept.title")):
        body = table([w("kept.what"), w("kept.much"), w("kept.until")], w("kept.title"))
        ticks, much = dict[Erasable, ui.checkbox](), dict[Erasable, ui.label]()
        for name in CLASSES:
            with body, ui.element("tr"):
                with ui.element("td"):
                    ticks[name] = ui.checkbox(w(f"kept.{name}")).props(f"dense data-do=tick-{name}")
                with ui.element("td"):
                    much[name] = ui.label("–").props(f"data-see=kept-{name}")
                with ui.element("td").classes("soft"):
                    ui.label(w(f"kept.until_{name}"))
        take_a_copy(view)
        with ui.element("div").classes("row next"):
            button = act(w("kept.erase"), lambda: _ask(view, held, ticks), "erase").classes("danger")
        became = ui.label().props("role=status data-see=erased")

    def arm() -> None:
        button.enabled = any(tick.value for tick in ticks.values())

    for tick in ticks.values():
        tick.on_value_change(arm)

    def refresh() -> None:
        held.ask()
        counts = held.counts
        for name in CLASSES:
            much[name].text = "–" if counts is None else str(counts.get(name, 0))
        arm()
        became.text, level = held.became
        became.classes(replace=level)

    view.on_refresh(refresh)


def _ask(view: View, held: Kept, ticks: dict[Erasable, ui.checkbox]) -> None:
    w, counts = view.words, held.counts or {}
    chosen = [name for name in CLASSES if ticks[name].value]
    if not chosen:
        return
    lines = [f"{w(f'kept.{name}')}: {counts.get(name, '–')}" for name in chosen]
    lines.append(w("kept.pause" if set(chosen) != {"events"} else "kept.no_pause"))
    if "consents" in chosen:
        lines.append(w("kept.switches"))

    def do() -> None:
        held.erase(chosen)
        for tick in ticks.values():
            tick.value = False

    sure(view, w("kept.sure"), lines, w("kept.for_good"), do)
