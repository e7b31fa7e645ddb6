"""The first part: the twin, how the pet is, what to ask of it, and the talk."""

from collections.abc import Callable

from nicegui import ui

from runtime.contracts import messages as m
from runtime.contracts.reports import PrivacyState
from runtime.dashboard.twin import Twin
from runtime.dashboard.view import View, act, card, switch
from runtime.eyes.pet import Status

DRIVES = ("company", "play", "curiosity", "comfort", "rest", "peace")
SKILLS_AT_HAND = ("sit", "lie", "stand", "wag", "shake_paw", "walk", "bark", "dance")


def now(view: View, avatar: str) -> Twin:
    """Builds it; the twin is fed by the page."""
    with ui.element("div").classes("now-box"), ui.element("div").classes("grid now"):
        with ui.element("div").classes("stack"):
            twin = _twin(view, avatar)
            _talk(view)
        with ui.element("div").classes("stack"):
            _status(view)
            _commands(view)
            _needs(view)
            _hands(view)
    return twin


def _twin(view: View, avatar: str) -> Twin:
    w = view.words
    with card(classes="c-twin"):
        twin = Twin(w("twin.label"), w("twin.without"), avatar).classes("twin-box")
        with ui.element("details") as angles:
            with ui.element("summary"):
                ui.label(w("twin.angles")).style("display:inline")
            grid = ui.element("div").classes("angles")
    labels: dict[str, ui.label] = {}

    def refresh() -> None:
        twin.take_body(view.pet.body_meta)
        sample = view.pet.of("tele/joints", m.JointsTelemetry)
        for name, angle in (sample.joints_deg if sample else {}).items():
            if name not in labels:
                with grid:
                    labels[name] = ui.label()
            labels[name].text = f"{w(f'joints.{name}')} {angle:.1f}°"
        angles.visible = bool(labels)

    view.on_refresh(refresh)
    return twin


def _status(view: View) -> None:
    w = view.words
    with card(classes="c-status"):
        big = ui.label().classes("big").props("role=status data-see=status")
        detail = ui.label().classes("soft").props("data-see=detail")
        doing = ui.label().classes("soft")
        power = ui.label().classes("soft").props("data-see=power")
        muted = ui.label(w("status.muted")).classes("bad")
        with ui.element("div").classes("row next"):
            ways = {
                key: act(w(f"commands.{name}"), _by_hand(view, name), f"next-{name}")
                for key, name in (("stopped", "clear"), ("not_armed", "arm"))
            }

    def refresh() -> None:
        pet, mind = view.pet, view.pet.of("state/mind", m.MindState)
        status = pet.status
        big.text = w(f"status.{status.key}")
        big.classes(replace=f"big {status.level}")
        detail.text = w(f"moods.{status.detail}") if status.level == "good" else _why(view, status)
        for key, way in ways.items():
            way.visible = status.key == key
        link = pet.of("tele/link", m.LinkTelemetry)
        power.text = _power(view, link) if link and pet.online else ""
        doing.text = f"{w('status.does')}: {w(f'skills.{mind.doing}')}" if mind and mind.doing else ""
        muted.visible = bool(pet.privacy and pet.privacy.muted)

    view.on_refresh(refresh)


def _needs(view: View) -> None:
    """What it wants, each as a bar; gone where the pet has no life of its own."""
    w = view.words
    bars: dict[str, ui.element] = {}
    with card(w("status.wants"), "c-needs") as framed, ui.element("div").classes("needs"):
        for name in DRIVES:
            ui.label(w(f"drives.{name}"))
            bars[name] = ui.element("meter").props(f'min=0 max=1 aria-label="{w(f"drives.{name}")}"')

    def refresh() -> None:
        mind = view.pet.of("state/mind", m.MindState)
        drives = mind.drives if mind and view.pet.online else {}
        framed.visible = bool(drives)
        for name, bar in bars.items():
            bar.props(f"value={drives.get(name, 0.0):.2f}")

    view.on_refresh(refresh)


def _why(view: View, status: Status) -> str:
    """A board's reason, or the movement that is under way."""
    part = "skills" if status.key == "moving" else "faults"
    return view.words(f"{part}.{status.detail.lower().replace(' ', '_')}")


def _power(view: View, link: m.LinkTelemetry) -> str:
    """Battery and the board's temperature, as far as there are sensors."""
    volts = f"{view.words('charts.battery')}: {link.supply_mv / 1000:.1f} V" if link.supply_mv else ""
    warmth = f"{link.temperature_c:g} °C" if link.temperature_c is not None else ""
    return " · ".join(part for part in (volts, warmth) if part)


def _commands(view: View) -> None:
    w = view.words
    with card(w("commands.title")):
        with ui.element("div").classes("row"):
            for skill in SKILLS_AT_HAND:
                act(w(f"skills.{skill}"), _doing(view, skill), f"skill-{skill}")
            act(w("commands.hold"), lambda: view.ask("request/halt"), "hold")
            act(w("commands.sleep"), _doing(view, "sleep"), "sleep")
            act(w("commands.wake_up"), _doing(view, "wake_up"), "wake-up")
        with ui.element("div").classes("row").style("margin-top:10px"):
            choice = (
                ui.select([], label=w("commands.skill"))
                .props("outlined dense data-do=movement")
                .classes("wide")
            )
            act(
                w("commands.do"), lambda: choice.value and view.ask("request/skill", skill=choice.value), "do"
            )
        with ui.element("div").classes("row").style("margin-top:10px"):
            text = ui.input(w("commands.say")).props("outlined dense maxlength=200").classes("wide")
            text.on("keydown.enter", lambda: _say(view, text))
            act(w("commands.say_do"), lambda: _say(view, text), "say")
        _sound(view)
        became = ui.label().classes("soft").props("role=status data-see=ack")

    def refresh() -> None:
        skills = view.pet.skills()
        if list(choice.options) != skills:
            choice.set_options({skill: w(f"skills.{skill}") for skill in skills})
        acks = [ack for ack in view.pet.acks if ack.act not in ("idle", "lease")]
        became.text = _told(view, acks[-1]) if acks else ""

    view.on_refresh(refresh)


def _doing(view: View, skill: str) -> Callable[[], str]:
    return lambda: view.ask("request/skill", skill=skill)


def _say(view: View, text: ui.input) -> None:
    if words := (text.value or "").strip():
        view.ask("request/say", text=words)
        text.value = ""


def _told(view: View, ack: m.Ack) -> str:
    why = f": {view.words(f'reasons.{ack.reason}')}" if ack.reason else ""
    return f"{view.words(f'commands.{ack.act}')}: {view.words(f'ack.{ack.status}')}{why}"


def _sound(view: View) -> None:
    """Volume and the microphone; both show what the robot says, not what was clicked."""
    w = view.words
    with ui.element("div").classes("row").style("margin-top:10px"):
        ui.label(w("commands.volume"))
        volume = ui.slider(min=0, max=100, step=5, value=100).classes("wide")
        volume.props(f'aria-label="{w("commands.volume")}" data-do=volume')
        volume.on(
            "change", lambda event: view.ask("request/volume", level=float(event.args) / 100), args=[None]
        )
    mute = switch(w("commands.mute"), lambda on: view.ask("request/mute", muted=on), "mute")
    seen: list[PrivacyState | None] = [None]

    def refresh() -> None:
        state = view.pet.privacy
        if state is not None and state != seen[0]:
            seen[0] = state
            volume.value = round(state.volume * 100)
            mute.value = state.muted

    view.on_refresh(refresh)


def _hands(view: View) -> None:
    w = view.words
    with card(w("commands.hands"), "c-hands"), ui.element("div").classes("row"):
        for name in ("arm", "disarm", "clear"):
            act(w(f"commands.{name}"), _by_hand(view, name), name)


def _by_hand(view: View, name: str) -> Callable[[], str]:
    return lambda: view.watcher.by_hand(view.robot, name)


def _talk(view: View) -> None:
    w = view.words
    with card(w("talk.title"), "c-talk"):
        hint = ui.label().classes("soft")
        box = ui.element("div").classes("talk").props("tabindex=0 role=log data-see=talk")
    shown: list[object] = [None]

    def refresh() -> None:
        talk, privacy = view.pet.talk, view.pet.privacy
        shares = bool(privacy and privacy.share_text)
        hint.text = "" if shares and talk else w("talk.none" if shares else "talk.hidden")
        newest = (view.robot, len(talk), talk[-1][0] if talk else 0.0)
        if newest == shown[0]:
            return
        shown[0] = newest
        box.clear()
        with box:
            for _, turn in talk:
                if turn.heard:
                    ui.label(f"{w('talk.you')}: {turn.heard}").classes("you")
                intent = w(f"skills.{turn.intent}") if turn.intent else w("talk.not_understood")
                ui.label(f"{view.pet.name}: {turn.said}" if turn.said else f"({intent})")
        box.run_method("scrollTo", 0, 1_000_000)

    view.on_refresh(refresh)
