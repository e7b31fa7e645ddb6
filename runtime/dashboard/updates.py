"""What is installed, what is offered, and the way back; each step asked once, in words.

`everpaw update attend` on the robot does what is asked here, by the rules of `everpaw update`.
"""

import time
from dataclasses import dataclass
from typing import Literal

from nicegui import ui

from runtime.contracts import messages as m
from runtime.contracts.reports import OfferRow, PackRow, UpdateAck, UpdateState
from runtime.dashboard.lists import table
from runtime.dashboard.view import View, act, card, sure

PATIENCE_S = 8.0
"""Whoever attends to updates has answered by then"""
Act = Literal["look", "install", "rollback"]


@dataclass(slots=True)
class Order:
    """What was asked for last, and whether anybody took it."""

    view: View
    _id: str = ""
    _since_s: float = 0.0

    def give(self, act: Act) -> None:
        self._id = self.view.watcher.ask_now(self.view.robot, "request/update", act=act)
        self._since_s = time.monotonic()

    @property
    def reason(self) -> str:
        """Why it is not done; empty where it is, or nothing was asked."""
        told = self.view.pet.of("ack/update", UpdateAck)
        if not self._id:
            return ""
        if told is None or told.id != self._id:
            return "silent" if time.monotonic() - self._since_s > PATIENCE_S else ""
        return told.reason


def updates(view: View) -> None:
    """Builds it."""
    w, order = view.words, Order(view)
    with card(w("updates.title")):
        body = table(["", "", ""], w("updates.title"))
        told = {}
        for name in ("serving", "offered", "previous"):
            with body, ui.element("tr"):
                with ui.element("th").props("scope=row"):
                    ui.label(w(f"updates.{name}"))
                with ui.element("td"):
                    told[name] = ui.label().props(f"data-see=update-{name}")
                with ui.element("td").classes("soft"):
                    told[f"{name}-more"] = ui.label()
        job = ui.label().classes("soft below").props("role=status data-see=update")
        reason = ui.label().classes("warn").props("role=status data-see=update-reason")
        with ui.element("div").classes("row next"):
            look = act(w("updates.look"), lambda: order.give("look"), "update-look")
            install = act(w("updates.install"), lambda: _install(view, order), "update-install")
            back = act(w("updates.rollback"), lambda: _back(view, order), "update-rollback")

    def refresh() -> None:
        state = view.pet.of("state/update", UpdateState) or UpdateState(repository=False)
        new = news(state)
        told["serving"].text, told["serving-more"].text = _pack(view, state.serving)
        told["previous"].text, told["previous-more"].text = _pack(view, state.previous)
        told["offered"].text, told["offered-more"].text = _offer(view, state)
        look.enabled, install.enabled = state.repository, new is not None
        back.enabled = state.previous is not None
        job.text = _job(view)
        reason.text = w(f"updates.{order.reason}") if order.reason else ""

    view.on_refresh(refresh)


def badge_of_updates(view: View, tab: ui.tab) -> None:
    """A mark on the tab, seen from everywhere, while something new is offered."""
    with tab:
        badge = ui.badge(view.words("updates.new"), color=None).classes("news")

    def refresh() -> None:
        state = view.pet.of("state/update", UpdateState)
        badge.visible = state is not None and news(state) is not None

    view.on_refresh(refresh)


def news(state: UpdateState) -> OfferRow | None:
    """What is offered, where it is not what serves."""
    offered = state.offered
    return offered if offered and (not state.serving or state.serving.sha256 != offered.sha256) else None


def _pack(view: View, pack: PackRow | None) -> tuple[str, str]:
    return (pack.name, pack.sha256[:12]) if pack else (view.words("updates.none"), "")


def _offer(view: View, state: UpdateState) -> tuple[str, str]:
    """(what is offered, more of it)."""
    w, new = view.words, news(state)
    if not state.repository:
        return w("updates.no_repository"), ""
    if new is None:
        return w("updates.nothing_new" if state.offered else "updates.not_looked"), ""
    failed = f"{w('updates.failed_here')}: {state.refused}" if state.refused else ""
    return f"{new.name} {new.version}", failed or new.notes or new.sha256[:12]


def _install(view: View, order: Order) -> None:
    state = view.pet.of("state/update", UpdateState)
    new = news(state) if state else None
    if state is None or new is None:
        return
    w, old = view.words, _pack(view, state.serving)
    lines = [w("updates.comes").format(new=f"{new.name} {new.version}", old=" ".join(old).strip())]
    lines += [w("updates.at_rest"), w("updates.tried")]
    sure(view, w("updates.sure_install"), lines, w("updates.install"), lambda: order.give("install"))


def _back(view: View, order: Order) -> None:
    state = view.pet.of("state/update", UpdateState)
    if state is None or state.previous is None:
        return
    w = view.words
    names = {
        "old": " ".join(_pack(view, state.previous)),
        "new": " ".join(_pack(view, state.serving)).strip(),
    }
    lines = [w("updates.goes").format(**names), w("updates.at_rest"), w("updates.not_again")]
    sure(view, w("updates.sure_rollback"), lines, w("updates.rollback"), lambda: order.give("rollback"))


def _job(view: View) -> str:
    job = view.pet.of("job/update", m.JobState)
    if job is None:
        return view.words("robots.no_update")
    share = f" {100 * job.bytes_done // job.bytes_total} %" if job.bytes_total else ""
    told = [f"{view.words(f'jobs.{job.status}')}{share}", job.release, job.detail]
    return " · ".join(word for word in told if word)
