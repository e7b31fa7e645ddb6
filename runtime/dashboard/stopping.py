"""STOP, in reach on every part of the page, and a loud word where nobody confirms that it was obeyed."""

import time
from dataclasses import dataclass

from nicegui import ui

from runtime.contracts import messages as m
from runtime.dashboard.view import View

CONFIRMED_S = 1.0
"""A board that is reached has answered by then: figures of docs/figures.md are below a fifth of it"""


@dataclass(slots=True)
class Stopping:
    """The last STOP of this page."""

    view: View
    _id: str = ""
    _robot: str = ""
    _since_s: float = 0.0

    def press(self) -> None:
        self._robot, self._since_s = self.view.robot, time.monotonic()
        self._id = self.view.watcher.stop(self._robot)

    @property
    def unconfirmed(self) -> bool:
        """It was pressed for the robot that is shown, and the board did not say that it obeyed."""
        if not self._id or self._robot != self.view.robot:
            return False
        pet = self.view.pet
        body = pet.of("state/body", m.BodyState)
        stands = pet.online and body is not None and body.mcu_alive and body.mcu_state == "FAULT"
        if stands or any(ack.id == self._id and ack.status == "done" for ack in pet.acks):
            self._id = ""
        return bool(self._id) and time.monotonic() - self._since_s > CONFIRMED_S


def stop_button(view: View) -> Stopping:
    """The button; where its alarm stands is `alarm`'s."""
    w, stopping = view.words, Stopping(view)
    button = ui.button(w("commands.stop"), color=None).classes("stop")
    button.props(
        f'unelevated aria-label="{w("commands.stop")}" title="{w("commands.stop_tip")}" data-do=stop'
    )
    button.on_click(stopping.press)
    return stopping


def alarm(view: View, stopping: Stopping) -> None:
    """Says that STOP may not have got through, and what to do."""
    told = ui.label(view.words("commands.not_confirmed")).classes("alarm")
    told.props("role=alert data-see=alarm")

    def refresh() -> None:
        told.visible = stopping.unconfirmed

    view.on_refresh(refresh)
