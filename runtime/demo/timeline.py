"""What the screen shows: one line a turn, and a summary at the end."""

import shutil
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from runtime.pipeline import TurnRecord

COLUMNS = ("understood", "motion", "sound")
_TITLES = {"understood": "words", "motion": "motion", "sound": "sound"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A finished turn with what the joints did meanwhile."""

    record: TurnRecord
    moved_deg: dict[str, float]
    """Joint -> widest swing during the turn, degrees"""
    meant: str | None = None
    """What the script expects; None where a real person spoke"""

    @property
    def right(self) -> bool:
        return self.meant is None or (self.record.turn.understanding.intent or "none") == self.meant


def header() -> str:
    heard, said, moved = _widths()
    return (
        f" #  {'heard':<{heard}} {'understood':<18} {'said':<{said}} {'moved':<{moved}}"
        f" {'ms to words':>12} {'motion':>6} {'sound':>6}"
    )


def line(shown: Shown) -> str:
    """One turn on one line, fitted to the terminal."""
    heard, said, moved = _widths()
    turn = shown.record.turn
    nothing = "(open talk)" if turn.reply.by == "model" else "(not known)"
    intent = f"{turn.understanding.intent or nothing} {turn.understanding.confidence:.2f}"
    did = shown.record.body or joints(shown.moved_deg)
    mark = " " if shown.right else "!"
    times = " ".join(
        f"{_ms(shown.record.timings_ms.get(name)):>{w}}" for name, w in zip(COLUMNS, (12, 6, 6), strict=True)
    )
    return (
        f"{shown.record.number:2d}{mark} {_fit(turn.heard or '…', heard)} {_fit(intent, 18)}"
        f" {_fit(shown.record.said, said)} {_fit(did, moved)} {times}"
    )


def joints(moved_deg: dict[str, float], least_deg: float = 2.0) -> str:
    """`head_pan 30° tail 20° +3`: the two widest swings and how many more joints moved."""
    wide = sorted(((d, j) for j, d in moved_deg.items() if d >= least_deg), reverse=True)
    words = [f"{joint} {deg:.0f}°" for deg, joint in wide[:2]]
    return " ".join(words + ([f"+{len(wide) - 2}"] if len(wide) > 2 else [])) or "-"


def summary(turns: Sequence[Shown], broker: str) -> str:
    """Counts and medians over all turns."""
    moved = {joint for shown in turns for joint, deg in shown.moved_deg.items() if deg >= 2.0}
    scripted = [shown for shown in turns if shown.meant is not None]
    lines = [f"{len(turns)} turns, {len(moved)} joints moved, broker: {broker}"]
    if scripted:
        lines.append(f"understood as meant: {sum(s.right for s in scripted)} of {len(scripted)}")
    for name in COLUMNS:
        values = [s.record.timings_ms[name] for s in turns if name in s.record.timings_ms]
        if values:
            median, worst = statistics.median(values), max(values)
            times = f"median {median:.0f} ms, worst {worst:.0f} ms, n {len(values)}"
            lines.append(f"end of speech to {_TITLES[name]}: {times}")
    return "\n".join(lines)


def _widths() -> tuple[int, int, int]:
    spare = max(shutil.get_terminal_size((150, 24)).columns - 52, 60)
    return spare * 28 // 100, spare * 40 // 100, spare * 32 // 100


def _fit(text: str, width: int) -> str:
    return f"{text if len(text) <= width else text[: width - 1] + '…':<{width}}"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
