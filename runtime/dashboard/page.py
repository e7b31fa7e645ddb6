"""The page as a whole: a head that stays, with STOP in it, and five parts below."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

from nicegui import Client, ui

from runtime.contracts import messages as m
from runtime.dashboard import charts, lists, privacy
from runtime.dashboard.devices import Door, devices
from runtime.dashboard.now import now
from runtime.dashboard.stopping import alarm, stop_button
from runtime.dashboard.twin import Twin
from runtime.dashboard.updates import badge_of_updates, updates
from runtime.dashboard.view import View
from runtime.dashboard.words import LANGUAGES, Words
from runtime.eyes.pet import Pet
from runtime.eyes.watcher import Watcher

REFRESH_S = 0.5
VIEW_S, VIEW_MS = 1.0, 3_000
PARTS = ("now", "charts", "events", "memory", "robots")
_TELL = 'emitEvent("everpaw-seen", !document.hidden)'
_LOST = """
addEventListener("DOMContentLoaded", () => {
  const popup = document.getElementById("popup");
  popup.setAttribute("role", "alert");
  %s.forEach((text, i) => { popup.children[i].textContent = text; });
});
"""
_SEEN = f'document.addEventListener("visibilitychange", () => {_TELL});'
_STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")


def build(
    watcher: Watcher,
    language: str,
    robot: str,
    avatar_of: Callable[[Pet], str],
    client: Client,
    door: Door | None = None,
) -> None:
    """One page for one client; `door` where others than this computer may open it."""
    view = View(watcher, Words(language), robot or next(iter(watcher.pets), ""), PARTS[0])
    ui.add_css(_STYLE)
    ui.add_body_html(f"<script>{_SEEN}</script>")
    lost = [view.words(f"page.{name}") for name in ("lost", "lost_more")]
    ui.add_body_html(f"<script>{_LOST % json.dumps(lost)}</script>")
    ui.add_body_html(f'<script>document.documentElement.lang = "{language}"</script>')
    _head(view)
    tabs = _tabs(view)
    with ui.element("main").classes("main").props("id=content tabindex=-1"):
        waiting = ui.label(view.words("page.no_robot")).classes("soft")
        with ui.tab_panels(tabs, value=view.part, animated=False, keep_alive=True).classes("w-full"):
            twin = _panels(view, avatar_of, door)

    def refresh() -> None:
        if not view.robot:
            view.robot = next(iter(watcher.pets), "")
        waiting.visible = not view.robot
        view.refresh()

    def turn_to(part: str) -> None:
        view.part = part
        refresh()

    def see(seen: bool) -> None:
        view.seen = seen
        if seen:
            refresh()
            _look(view)

    refresh()
    tabs.on_value_change(lambda event: turn_to(event.value))
    ui.on("everpaw-seen", lambda event: see(bool(event.args)))
    client.on_connect(lambda: client.run_javascript(_TELL))
    ui.timer(REFRESH_S, lambda: refresh() if _is_looked_at(view, client) else None)
    ui.timer(VIEW_S, lambda: _look(view) if _is_looked_at(view, client) else None, immediate=True)
    _feed(view, twin, client)


def _panels(view: View, avatar_of: Callable[[Pet], str], door: Door | None) -> Twin:
    with ui.tab_panel("now"), view.building("now"):
        twin = now(view, avatar_of(view.pet))
    with ui.tab_panel("charts"), view.building("charts"):
        charts.charts(view)
    with ui.tab_panel("events"), view.building("events"):
        lists.events(view)
    with ui.tab_panel("memory"), view.building("memory"):
        privacy.memory(view)
    with ui.tab_panel("robots"), view.building("robots"), ui.element("div").classes("stack"):
        updates(view)
        lists.robots(view, lambda robot: ui.navigate.to(f"/?robot={robot}&lang={view.words.language}"))
        devices(view, door)
    return twin


def _head(view: View) -> None:
    w = view.words
    other = next(name for name in LANGUAGES if name != w.language)
    ui.html(f'<a class="skip" href="#content">{w("page.skip")}</a>', sanitize=False)
    with ui.element("header").classes("top"):
        with ui.element("h1").classes("pet"):
            name = ui.label()
        pill = ui.label().classes("pill").props("data-see=pill")
        broker = ui.label(w("page.broker_away")).classes("bad").props("role=alert")
        ui.element("div").classes("grow")
        dark = ui.dark_mode(None)
        ui.button(icon="contrast", on_click=lambda: _toggle(dark), color=None).classes("plain").props(
            f'flat aria-label="{w("page.dark")}" data-do=dark'
        )
        language = (
            ui.button(w("page.language"), color=None).classes("plain").props("flat no-caps data-do=language")
        )
        language.on_click(lambda: ui.navigate.to(f"/?lang={other}&robot={view.robot}"))
        stopping = stop_button(view)
    alarm(view, stopping)

    title = [""]

    def refresh() -> None:
        status = view.pet.status
        name.text = view.pet.name or "everpaw"
        if title[0] != name.text:
            title[0] = name.text
            ui.page_title(name.text)
        pill.text = w(f"status.{status.key}")
        pill.classes(replace=f"pill {status.level}")
        broker.visible = not view.watcher.bus.connected

    view.on_refresh(refresh)


def _toggle(dark: ui.dark_mode) -> None:
    dark.value = not dark.value


def _tabs(view: View) -> ui.tabs:
    with ui.tabs().props("dense outside-arrows mobile-arrows align=left no-caps") as tabs:
        for part in PARTS:
            made = ui.tab(part, label=view.words(f"page.{part}")).props(f"data-do=tab-{part}")
    badge_of_updates(view, made)
    return tabs


def _is_looked_at(view: View, client: Client) -> bool:
    """A browser shows it: neither closed nor behind another window."""
    return view.seen and client.has_socket_connection


def _look(view: View) -> None:
    """Joints flow while somebody looks at the twin."""
    if view.robot and view.part == PARTS[0]:
        view.watcher.ask(view.robot, "request/view", for_ms=VIEW_MS)


def _feed(view: View, twin: Twin, client: Client) -> None:
    """Every sample of the shown robot's joints to the page, from the bus's thread to the page's loop."""
    loop = asyncio.get_running_loop()

    def take(pet: Pet, name: str, message: m.Message) -> None:
        if view.seen and pet.robot == view.robot and isinstance(message, m.JointsTelemetry):
            loop.call_soon_threadsafe(_pose, twin, client, message.joints_deg)

    client.on_delete(view.watcher.listen(take))


def _pose(twin: Twin, client: Client, joints_deg: dict[str, float]) -> None:
    if client.has_socket_connection:
        twin.pose(joints_deg)
