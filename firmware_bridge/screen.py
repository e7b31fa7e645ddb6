"""What the body is doing, as lines of text: state, senses, link, and a bar for every joint."""

from firmware_bridge.link import Link
from firmware_bridge.mcu import protocol as p
from firmware_bridge.mcu.vitals import FALLEN, LIFTED, PRESSED
from firmware_bridge.telemetry import mcu_state_name, reason_name
from runtime.contracts.body import Body, Joint

BAR = 41
HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
LEGEND = "| where a joint is, . where it rests; Ctrl-C ends"
SENSES = {
    p.SUPPLY: "supply",
    p.TEMPERATURE: "heat",
    p.TILT: "tilt",
    p.LIFT: "foot switches",
    p.ESTOP_INPUT: "e-stop",
    p.POSITION: "servo positions",
    p.TOUCH: "touch",
}
FLAGS = {LIFTED: "lifted", PRESSED: "e-stop", FALLEN: "fallen"}


def drawn(lines: list[str], columns: int, rows: int) -> str:
    """The picture over the one before, on a terminal of this size: what does not fit is cut."""
    shown = [line[:columns] + CLEAR_LINE for line in lines[:rows]]
    return HOME + "\n".join(shown) + CLEAR_BELOW


def render(link: Link, body: Body) -> list[str]:
    """The present picture; works with a board that has said nothing yet."""
    lines = [f"{body.name} at {link.path}", _state(link), _senses(link), _link(link), ""]
    if link.state is None:
        return [*lines, link.mismatch or "no word from the board yet"]
    for joint, angle_deg in zip(body.joints, link.state.angles_deg, strict=True):
        lines.append(f"{joint.name:<18} {bar(joint, angle_deg)} {angle_deg:7.1f} deg")
    return lines


def bar(joint: Joint, angle_deg: float) -> str:
    """The joint's range from end to end: `|` where it is, `.` where it rests."""
    marks = ["-"] * BAR
    for at_deg, mark in ((joint.rest_deg, "."), (angle_deg, "|")):
        share = (at_deg - joint.min_deg) / (joint.max_deg - joint.min_deg)
        marks[round(min(max(share, 0.0), 1.0) * (BAR - 1))] = mark
    return "[" + "".join(marks) + "]"


def _state(link: Link) -> str:
    state = mcu_state_name(link.mcu_state) if link.alive else None
    words = [f"state     {state or 'silent'}"]
    if link.state is not None and link.state.reason:
        words.append(f"({reason_name(link.state.reason)})")
    if link.senses is not None and link.senses.unfit:
        words.append(f"not fit to arm: {reason_name(link.senses.unfit)}")
    if link.senses is not None and link.senses.silent:
        words.append(f"(nothing from: {', '.join(sense_names(link.senses.silent))})")
    return " ".join(words)


def sense_names(bits: int) -> list[str]:
    return [name for bit, name in SENSES.items() if bits & bit]


def _senses(link: Link) -> str:
    senses = link.senses
    if senses is None:
        return "senses    none yet"
    words = []
    if senses.senses & p.SUPPLY:
        words.append(f"{senses.supply_mv / 1000:.2f} V")
    if senses.senses & p.TEMPERATURE:
        words.append(f"{senses.temperature_c} C")
    if senses.senses & p.TILT:
        words.append(f"roll {senses.roll_deg} pitch {senses.pitch_deg} deg")
    words += [word for flag, word in FLAGS.items() if senses.flags & flag]
    return "senses    " + (", ".join(words) or "this board has none")


def _link(link: Link) -> str:
    beat, counters = link.heartbeat, link.counters
    trip = "-" if beat.round_trip_ms is None else f"{beat.round_trip_ms:.1f}"
    spoilt = counters.bad + (link.state.bad_frames if link.state else 0)
    clamped = link.state.clamped if link.state else 0
    stale = link.senses.stale if link.senses else 0
    return (
        f"link      round trip {trip} ms, {counters.sent} sent, {counters.received} heard, {spoilt} spoilt,"
        f" {clamped} clamped, {stale} stale"
    )
