"""The fourth part: what the pet remembers, to read, put right and forget; and the switches of privacy.

Facts come over MQTT only with consent to words. Answers arrive on the bus's thread and are shown at the next
refresh.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from nicegui import ui

from runtime.contracts.reports import FactRow, FactsAck, PrivacyState
from runtime.dashboard.lists import table
from runtime.dashboard.view import View, act, card, switch


@dataclass(slots=True)
class Facts:
    """The facts that the last answer told."""

    view: View
    rows: list[FactRow] = field(default_factory=list)
    total: int = 0
    reason: str = ""
    shown: int = 0
    changes: int = 0
    _asked: str = ""
    _skipped: int = 0

    def read(self, skipped: int = 0) -> None:
        self._skipped = skipped
        self._asked = self.view.ask("request/memory", act="list", number=skipped)

    def change(self, act_: str, number: int, value: str = "") -> None:
        self._skipped = 0
        self._asked = self.view.ask("request/memory", act=act_, number=number, value=value)

    def take(self) -> None:
        """The answer, if it has come."""
        answer = self.view.pet.of("ack/memory", FactsAck)
        if answer is None or answer.id != self._asked:
            return
        self._asked = ""
        self.reason = "" if answer.ok else answer.reason
        if answer.ok:
            self.rows = [*(self.rows if self._skipped else []), *answer.facts]
            self.total = answer.total
        self.changes += 1


def memory(view: View) -> None:
    """Builds it."""
    with ui.element("div").classes("grid"):
        _facts(view)
        _switches(view)


def _facts(view: View) -> None:
    w, facts = view.words, Facts(view)
    with card(w("memory.title")):
        with ui.element("div").classes("row"):
            act(w("memory.read"), facts.read, "memory-read")
            more = act(w("memory.more"), lambda: facts.read(len(facts.rows)), "memory-more")
            count = ui.label().classes("soft")
        reason = ui.label().classes("warn").props("role=status data-see=memory")
        body = table(["", "", ""], w("memory.title"))
    drawn = [-1]

    def refresh() -> None:
        facts.take()
        more.visible = len(facts.rows) < facts.total
        if facts.changes == drawn[0]:
            return
        drawn[0] = facts.changes
        known = facts.reason in ("not_allowed", "no_consent")
        reason.text = w(f"memory.{facts.reason}") if known else facts.reason
        count.text = f"{facts.total} {w('memory.count')}" if facts.changes else ""
        body.clear()
        for fact in facts.rows:
            _fact(view, facts, body, fact)

    view.on_refresh(refresh)


def _fact(view: View, facts: Facts, body: ui.element, fact: FactRow) -> None:
    w = view.words
    who = f" ({fact.person})" if fact.person else ""
    with body, ui.element("tr").props(f"data-fact={fact.number}"):
        with ui.element("td"):
            ui.label(f"{fact.text}{who}")
        with ui.element("td"):
            act(w("memory.correct"), lambda: _correct(view, facts, fact), f"correct-{fact.number}")
        with ui.element("td"):
            act(w("memory.forget"), lambda: _forget(view, facts, fact), f"forget-{fact.number}")


def _correct(view: View, facts: Facts, fact: FactRow) -> None:
    w = view.words
    with ui.dialog() as dialog, ui.element("div").classes("card"):
        ui.label(fact.text)
        value = ui.input(w("memory.correct"), value=fact.value).props(
            "outlined dense autofocus data-do=value"
        )
        with ui.element("div").classes("row"):
            act(
                w("memory.save"),
                _then(dialog, lambda: facts.change("correct", fact.number, value.value)),
                "save",
            )
            act(w("memory.cancel"), dialog.close)
    dialog.open()


def _forget(view: View, facts: Facts, fact: FactRow) -> None:
    w = view.words
    with ui.dialog() as dialog, ui.element("div").classes("card"):
        ui.label(w("memory.sure"))
        ui.label(fact.text).classes("soft")
        with ui.element("div").classes("row"):
            act(w("memory.forget"), _then(dialog, lambda: facts.change("forget", fact.number)), "sure")
            act(w("memory.cancel"), dialog.close)
    dialog.open()


def _then(dialog: ui.dialog, do: Callable[[], None]) -> Callable[[], None]:
    def both() -> None:
        do()
        dialog.close()

    return both


def _switches(view: View) -> None:
    w = view.words
    with card(w("memory.privacy")):
        share = switch(
            w("memory.share_text"), lambda on: view.ask("request/consent", share_text=on), "share-text"
        )
        ui.label(w("memory.share_hint")).classes("soft")
        remember = switch(
            w("memory.remember"), lambda on: view.ask("request/consent", remember=on), "remember"
        )
        ui.label(w("memory.remember_hint")).classes("soft")
        lessons = switch(w("memory.lessons"), lambda on: view.ask("request/consent", lessons=on), "lessons")
        ui.label(w("memory.lessons_hint")).classes("soft")
        mute = switch(w("commands.mute"), lambda on: view.ask("request/mute", muted=on), "mute-too")
        ui.label(w("memory.mute_hint")).classes("soft")
    seen: list[PrivacyState | None] = [None]

    def refresh() -> None:
        state = view.pet.privacy
        if state is not None and state != seen[0]:
            seen[0] = state
            share.value, remember.value, mute.value = state.share_text, state.remembers, state.muted
            lessons.value = state.lessons

    view.on_refresh(refresh)
