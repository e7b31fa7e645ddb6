"""What every part of the page shares: whose robot it shows, in which words, and what to refresh."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from nicegui import ui

from runtime.dashboard.words import Words
from runtime.eyes.pet import Pet
from runtime.eyes.watcher import Watcher


@dataclass(slots=True)
class View:
    """One open page."""

    watcher: Watcher
    words: Words
    robot: str = ""
    refreshers: list[Callable[[], None]] = field(default_factory=list)

    @property
    def pet(self) -> Pet:
        """The robot that is shown; one of no name where none was heard."""
        return self.watcher.pets.get(self.robot) or Pet(self.robot)

    def refresh(self) -> None:
        for refresher in self.refreshers:
            refresher()

    def on_refresh(self, refresher: Callable[[], None]) -> None:
        """Call it about twice a second, and once at the start."""
        self.refreshers.append(refresher)

    def ask(self, name: str, **fields: object) -> str:
        return self.watcher.ask(self.robot, name, **fields)


@contextmanager
def card(title: str = "", classes: str = "") -> Iterator[None]:
    """A framed part of the page."""
    with ui.element("section").classes(f"card {classes}"):
        if title:
            with ui.element("h2"):
                ui.label(title)
        yield


def act(label: str, do: Callable[[], object], marker: str = "") -> ui.button:
    """A plain button; `marker` is its name for tests and scripts."""
    button = ui.button(label, on_click=lambda: do(), color=None).classes("act").props("no-caps unelevated")
    return button.props(f"data-do={marker}") if marker else button


def switch(label: str, do: Callable[[bool], object], marker: str) -> ui.switch:
    """A switch that calls `do(on)` when a person turns it, not when the robot's word moves it."""
    made = ui.switch(label).props(f"data-do={marker}")
    made.on("update:model-value", lambda event: do(bool(event.args)), args=[None])
    return made
