"""What every part of the page shares: whose robot it shows, in which words, and what to refresh."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from nicegui import ui

from runtime.dashboard.words import Words
from runtime.eyes.pet import Pet
from runtime.eyes.watcher import Watcher


@dataclass(slots=True)
class View:
    """One open page: which robot and which part of it are shown, and whether anybody can see it."""

    watcher: Watcher
    words: Words
    robot: str = ""
    part: str = ""
    seen: bool = True
    _building: str = ""
    _refreshers: list[tuple[str, Callable[[], None]]] = field(default_factory=list)

    @property
    def pet(self) -> Pet:
        """The robot that is shown; one of no name where none was heard."""
        return self.watcher.pets.get(self.robot) or Pet(self.robot)

    def refresh(self) -> None:
        """The head and the part that is shown: what nobody sees costs nothing."""
        for part, refresher in self._refreshers:
            if part in ("", self.part):
                refresher()

    def on_refresh(self, refresher: Callable[[], None]) -> None:
        """Call it about twice a second while its part is shown."""
        self._refreshers.append((self._building, refresher))

    @contextmanager
    def building(self, part: str) -> Iterator[None]:
        """What is built meanwhile belongs to that part."""
        self._building = part
        yield
        self._building = ""

    def ask(self, name: str, **fields: object) -> str:
        return self.watcher.ask(self.robot, name, **fields)


@contextmanager
def card(title: str = "", classes: str = "") -> Iterator[ui.element]:
    """A framed part of the page."""
    with ui.element("section").classes(f"card {classes}") as framed:
        if title:
            with ui.element("h2"):
                ui.label(title)
        yield framed


def act(label: str, do: Callable[[], object], marker: str = "") -> ui.button:
    """A plain button; `marker` is its name for tests and scripts."""
    button = (
        ui.button(f"{label[:1].upper()}{label[1:]}", on_click=lambda: do(), color=None)
        .classes("act")
        .props("no-caps unelevated")
    )
    return button.props(f"data-do={marker}") if marker else button


def sure(view: View, question: str, goes: Sequence[str], yes: str, do: Callable[[], object]) -> None:
    """Asks once before what cannot be undone, and says what goes; the keyboard begins at the way back."""
    with (
        ui.dialog().props(f'aria-label="{question}"') as dialog,
        ui.element("div").classes("card ask"),
    ):
        ui.label(question).classes("ask-title")
        with ui.element("ul"):
            for line in goes:
                with ui.element("li"):
                    ui.label(line)

        def both() -> None:
            do()
            dialog.close()

        with ui.element("div").classes("row"):
            act(yes, both, "sure").classes("danger")
            act(view.words("memory.cancel"), dialog.close, "cancel").props("autofocus")
    dialog.open()


def switch(label: str, do: Callable[[bool], object], marker: str) -> ui.switch:
    """A switch that calls `do(on)` when a person turns it, not when the robot's word moves it."""
    made = ui.switch(label).props(f"data-do={marker}")
    made.on("update:model-value", lambda event: do(bool(event.args)), args=[None])
    return made
