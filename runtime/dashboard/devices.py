"""A card of the last part: which phones may open this page, a code for another one, and the way out."""

from collections.abc import Callable
from dataclasses import dataclass

from nicegui import ui

from runtime.dashboard.view import View, act, card
from runtime.visitors.lock import Lock


@dataclass(frozen=True, slots=True)
class Door:
    """How the page is served beyond this computer: what phones must know, and where they come."""

    lock: Lock
    address: str


def devices(view: View, door: Door | None) -> None:
    """Builds it; without a door the page is this computer's own."""
    w = view.words
    with card(w("visitors.title")):
        if door is None:
            ui.label(w("visitors.here_alone")).classes("soft")
            return
        with ui.element("div").classes("row"):
            act(w("visitors.let_in"), lambda: door.lock.offer(), "let-in")
            ui.html(
                f'<form method="post" action="/leave"><button class="q-btn act leave">{w("visitors.leave")}'
                "</button></form>",
                sanitize=False,
            )
        refused = ui.label().classes("warn").props("data-see=refused")
        told = ui.element("div").props("role=status")
        phones = ui.element("div").classes("stack")
    shown: list[object] = [None]

    def refresh() -> None:
        count = door.lock.refused
        refused.text = w("visitors.refused").replace("{count}", str(count)) if count else ""
        code = door.lock.phone_code
        state = (code.code if code and not code.over else "", tuple(door.lock.sessions.phones))
        if state == shown[0]:
            return
        shown[0] = state
        _code(view, door, told, state[0])
        phones.clear()
        with phones:
            if not state[1]:
                ui.label(w("visitors.none")).classes("soft")
            for number, phone in enumerate(state[1], 1):
                with ui.element("div").classes("row"):
                    ui.label(phone.name)
                    act(w("visitors.send_away"), _ending(door, phone.hash), f"send-away-{number}")

    view.on_refresh(refresh)


def _ending(door: Door, token_hash: str) -> Callable[[], None]:
    return lambda: door.lock.sessions.end(token_hash)


def _code(view: View, door: Door, told: ui.element, code: str) -> None:
    w = view.words
    told.clear()
    if not code:
        return
    with told:
        ui.label(f"{w('visitors.open_there')} {door.address}pair {w('visitors.type_there')}")
        ui.label(f"{code[:4]} {code[4:]}").classes("big").props("data-see=code")
        ui.label(w("visitors.counts")).classes("soft")
