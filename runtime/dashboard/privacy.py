"""The fourth part: what the pet remembers and learnt, to read, put right and forget; the switches of privacy;
and what is kept of people, to be erased.

Facts and lessons come over MQTT only with consent to words.
"""

from collections.abc import Callable
from functools import partial

from nicegui import ui

from runtime.contracts.reports import FactRow, FactsAck, LessonRow, LessonsAck, PrivacyState
from runtime.dashboard.kept import kept
from runtime.dashboard.listing import Listing, listed
from runtime.dashboard.view import View, act, card, sure, switch


def memory(view: View) -> None:
    """Builds it."""
    with ui.element("div").classes("grid"):
        with ui.element("div").classes("stack"):
            facts = Listing[FactRow](view, "memory", lambda a: a.facts if isinstance(a, FactsAck) else ())
            listed(view, facts, ["", "", ""], partial(_fact, view, facts))
            turns = Listing[LessonRow](
                view, "lessons", lambda a: a.lessons if isinstance(a, LessonsAck) else ()
            )
            listed(view, turns, ["", ""], partial(_lesson, view, turns))
        with ui.element("div").classes("stack"):
            _switches(view)
            kept(view)


def _fact(view: View, facts: Listing[FactRow], body: ui.element, fact: FactRow) -> None:
    w = view.words
    who = f" ({fact.person})" if fact.person else ""
    with body, ui.element("tr").props(f"data-fact={fact.number}"):
        with ui.element("td"):
            ui.label(f"{fact.text}{who}")
        with ui.element("td"):
            act(w("memory.correct"), lambda: _correct(view, facts, fact), f"correct-{fact.number}")
        with ui.element("td"):
            act(w("memory.forget"), _forgetting(view, facts, fact.number, fact.text), f"forget-{fact.number}")


def _forgetting(
    view: View, listing: Listing[FactRow] | Listing[LessonRow], number: int, text: str
) -> Callable[[], None]:
    w = view.words

    def ask() -> None:
        question, yes = w(f"{listing.name}.sure"), w(f"{listing.name}.forget")
        sure(view, question, [text], yes, lambda: listing.change("forget", number))

    return ask


def _correct(view: View, facts: Listing[FactRow], fact: FactRow) -> None:
    w = view.words
    label = f'aria-label="{w("memory.correct")}"'
    with ui.dialog().props(label) as dialog, ui.element("div").classes("card"):
        ui.label(fact.text)
        value = ui.input(w("memory.correct"), value=fact.value).props(
            "outlined dense autofocus data-do=value"
        )

        def save() -> None:
            facts.change("correct", fact.number, value=value.value)
            dialog.close()

        with ui.element("div").classes("row"):
            act(w("memory.save"), save, "save")
            act(w("memory.cancel"), dialog.close)
    dialog.open()


def _lesson(view: View, lessons: Listing[LessonRow], body: ui.element, lesson: LessonRow) -> None:
    w = view.words
    made = w(f"skills.{lesson.intent}") if lesson.intent else w("talk.not_understood")
    with body, ui.element("tr").props(f"data-lesson={lesson.number}"):
        with ui.element("td"):
            ui.label(f"“{lesson.heard}” → {made}")
            if lesson.label:
                ui.label(_taken(view, lesson)).classes("soft")
        with ui.element("td"):
            act(
                w("lessons.forget"),
                _forgetting(view, lessons, lesson.number, f"“{lesson.heard}” → {made}"),
                f"unlearn-{lesson.number}",
            )


def _taken(view: View, lesson: LessonRow) -> str:
    """How it was taken: praised, scolded, or what was meant."""
    w = view.words
    told = w(f"lessons.{lesson.label}")
    return f"{told}: “{lesson.meant}” → {w(f'skills.{lesson.meant_intent}')}" if lesson.meant else told


def _switches(view: View) -> None:
    w = view.words
    with card(w("memory.privacy")):
        share = switch(
            w("memory.share_text"), lambda on: view.ask("request/consent", share_text=on), "share-text"
        )
        ui.label(w("memory.share_hint")).classes("hint")
        remember = switch(
            w("memory.remember"), lambda on: view.ask("request/consent", remember=on), "remember"
        )
        ui.label(w("memory.remember_hint")).classes("hint")
        lessons = switch(w("memory.lessons"), lambda on: view.ask("request/consent", lessons=on), "lessons")
        ui.label(w("memory.lessons_hint")).classes("hint")
        mute = switch(w("commands.mute"), lambda on: view.ask("request/mute", muted=on), "mute-too")
        ui.label(w("memory.mute_hint")).classes("hint")
    seen: list[PrivacyState | None] = [None]

    def refresh() -> None:
        state = view.pet.privacy
        if state is not None and state != seen[0]:
            seen[0] = state
            share.value, remember.value, mute.value = state.share_text, state.remembers, state.muted
            lessons.value = state.lessons

    view.on_refresh(refresh)
