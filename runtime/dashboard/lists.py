"""Tables: the events with a search, and all robots of the broker."""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from nicegui import ui

from runtime.contracts import messages as m
from runtime.contracts.reports import BodyMeta
from runtime.dashboard.telling import kind_of, meant, what_of
from runtime.dashboard.view import View, act, card
from runtime.eyes.pet import Pet

KINDS = ("wake", "turn", "safety", "privacy")
SHOWN_ROBOTS, FEW_ROBOTS = 200, 8
LEVELS = ("bad", "warn", "busy", "good")


def table(heads: Sequence[str], label: str) -> ui.element:
    """An empty table, without a head where no column has one; its rows go into what comes back."""
    region = ui.element("div").classes("long").props(f'tabindex=0 role=region aria-label="{label}"')
    with region, ui.element("table").classes("plain"):
        if any(heads):
            with ui.element("thead"), ui.element("tr"):
                for head in heads:
                    with ui.element("th").props("scope=col"):
                        ui.label(head)
        return ui.element("tbody")


def row(body: ui.element, cells: Sequence[str]) -> ui.element:
    with body, ui.element("tr") as made:
        for cell in cells:
            with ui.element("td"):
                ui.label(cell)
    return made


def events(view: View) -> None:
    """Builds the third part."""
    w = view.words
    with card():
        with ui.element("div").classes("row"):
            search = (
                ui.input(w("events.search")).props("outlined dense clearable data-do=search").classes("wide")
            )
            kinds = {"": w("events.all"), **{kind: w(f"events.{kind}") for kind in KINDS}}
            kind = ui.select(kinds, label=w("events.kind"), value="").props("outlined dense").classes("wide")
        none = ui.label(w("events.none")).classes("soft")
        body = table([w("events.time"), w("events.kind"), w("events.what")], w("page.events"))
    shown: list[Any] = [None]

    def refresh() -> None:
        names = [f"event/{kind.value}"] if kind.value else []
        text = search.value or ""
        found = view.watcher.events.search(view.robot, text, names, meant=lambda word: meant(w, word))
        none.visible = not found
        if found == shown[0]:
            return
        shown[0] = found
        body.clear()
        for event in found:
            row(body, [_clock_time(event.at_s), kind_of(w, event), what_of(w, event)])

    view.on_refresh(refresh)


def _clock_time(at_s: float) -> str:
    """Day and time as they were here."""
    return datetime.fromtimestamp(at_s).strftime("%m-%d %H:%M:%S")


def robots(view: View, choose: Callable[[str], None]) -> None:
    """Builds what the last part shows of versions and of the fleet."""
    w = view.words
    with ui.element("div").classes("stack"):
        _versions(view)
        with card(w("robots.title")):
            with ui.element("div").classes("row"):
                count = ui.label().classes("soft wide")
                search = ui.input(w("robots.find")).props("outlined dense clearable")
            heads = [w(f"robots.{name}") for name in ("robot", "state", "mood", "battery", "open")]
            body = table(heads, w("robots.title"))
            gone = ui.label(w("robots.gone")).classes("soft below")
    shown: list[Any] = [None]

    def refresh() -> None:
        pets = sorted(view.watcher.pets.values(), key=_urgency)
        count.text = w("robots.count").format(here=sum(pet.online for pet in pets), all=len(pets))
        gone.visible = any(not pet.online for pet in pets)
        search.visible = len(pets) > FEW_ROBOTS
        text = (search.value or "").lower()
        all_rows = ((pet.robot, _fleet_row(view, pet)) for pet in pets)
        fitting = (one for one in all_rows if text in " ".join(one[1]).lower())
        rows = list(islice(fitting, SHOWN_ROBOTS))
        if rows == shown[0]:
            return
        shown[0] = rows
        body.clear()
        for robot, cells in rows:
            with row(body, cells), ui.element("td"):
                act(w("robots.open"), _opening(choose, robot), f"open-{robot}")

    view.on_refresh(refresh)


def _urgency(pet: Pet) -> tuple[bool, int, str]:
    """Who needs somebody comes first, who is away last."""
    return not pet.online, LEVELS.index(pet.status.level), pet.robot


def _opening(choose: Callable[[str], None], robot: str) -> Callable[[], None]:
    return lambda: choose(robot)


def _fleet_row(view: View, pet: Pet) -> list[str]:
    mind, link = pet.of("state/mind", m.MindState), pet.of("tele/link", m.LinkTelemetry)
    volts = f"{link.supply_mv / 1000:.1f}\N{NO-BREAK SPACE}V" if link and link.supply_mv else "-"
    mood = view.words(f"moods.{mind.mood}") if mind else "-"
    name = pet.robot if pet.name.lower() == pet.robot else f"{pet.name} ({pet.robot})"
    return [name, view.words(f"status.{pet.status.key}"), mood, volts]


def _versions(view: View) -> None:
    w = view.words
    with card(w("robots.version")):
        body = table(["", ""], w("robots.version"))
    shown: list[Any] = [None]

    def refresh() -> None:
        rows = _version_rows(view)
        if rows != shown[0]:
            shown[0] = rows
            body.clear()
            for head, told in rows:
                with body, ui.element("tr"):
                    with ui.element("th").props("scope=row"):
                        ui.label(head)
                    with ui.element("td"):
                        ui.label(told)

    view.on_refresh(refresh)


def _version_rows(view: View) -> list[tuple[str, str]]:
    w, pet = view.words, view.pet
    meta, body, link = (
        pet.of("meta/robot", m.RobotMeta),
        pet.of("meta/body", BodyMeta),
        pet.of("tele/link", m.LinkTelemetry),
    )
    rows = []
    if meta:
        rows.append((w("robots.pack"), f"{meta.pack_name} {meta.pack_sha256[:12]}"))
        rows.append((w("robots.version"), meta.runtime_version))
        rows += [(f"{w('robots.engine')} {model}", where) for model, where in sorted(meta.engines.items())]
    if body:
        rows.append((w("robots.firmware"), f"{body.firmware} ({body.name})"))
    if link:
        trip = f", {link.round_trip_ms:g} ms" if link.round_trip_ms is not None else ""
        spoilt = w("robots.spoilt").format(count=link.crc_errors)
        rows.append((w("robots.link"), f"{link.stream_hz:g} Hz{trip}, {spoilt}"))
    return rows
