"""Every gait of a pack against servos and floor: `everpaw body gaits [--picture FILE.svg]`.

The picture shows a step in time: bars while a foot is on the ground, below them how far the centre of mass
stays inside the feet that carry it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from firmware_bridge import ground
from firmware_bridge.gait_search import LEAST_MARGIN_MM, MOST_ACCEL, MOST_SPEED, MOST_TIP_DEG
from firmware_bridge.legs import LEGS, Point, foot, geometry_of, hip_at
from firmware_bridge.motion import GaitShape
from firmware_bridge.skid import Skid, skid
from firmware_bridge.skills import GaitSkill, Skill
from firmware_bridge.stride import Stride, peaks
from runtime.contracts.body import Body

FEET_OF_A_CRAWL = 3.0
"""More feet than this on the ground on average, and the gait must never tip"""
ROUNDING = 0.02
WIDE, HIGH, BAR = 560, 330, 18
WIDTHS = (6, 5, 6, 6, 9, 8, 7)


@dataclass(frozen=True, slots=True)
class Told:
    """A gait told by its joints, seen by its feet."""

    body: Body
    shape: GaitShape

    @property
    def period_s(self) -> float:
        return self.shape.period_s

    @property
    def duty(self) -> float:
        return self.shape.duty

    @property
    def turn(self) -> float:
        return self.shape.turn

    def is_down(self, leg: str, cycle: float) -> bool:
        return (cycle + self.shape.phase[leg]) % 1.0 < self.shape.duty

    def foot(self, leg: str, cycle: float, turn: float, amount: float) -> Point:
        pose = self.shape.pose(cycle, turn, amount)
        return foot(geometry_of(self.body), pose[f"{leg}_hip"], pose[f"{leg}_knee"])

    def peaks(self, turn: float = 0.0) -> tuple[float, float]:
        return peaks(self.shape, self.body, turn)


@dataclass(frozen=True, slots=True)
class Line:
    """A gait and what was found; `wrong` names the rules it breaks."""

    name: str
    crawls: bool
    verdict: ground.Verdict
    skid: Skid
    wrong: tuple[str, ...]


def lines(body: Body, library: Mapping[str, Skill | GaitSkill]) -> list[Line]:
    return [
        _line(name, _walk(body, skill)) for name, skill in library.items() if isinstance(skill, GaitSkill)
    ]


def _walk(body: Body, skill: GaitSkill) -> ground.Walk:
    return skill.shape if isinstance(skill.shape, Stride) else Told(body, skill.shape)


def _line(name: str, walk: ground.Walk) -> Line:
    verdict, slid = ground.check(walk), skid(walk)
    crawls = walk.duty * len(LEGS) > FEET_OF_A_CRAWL
    wrong = []
    if verdict.peak_speed > MOST_SPEED + ROUNDING:
        wrong.append("speed")
    if verdict.peak_accel > MOST_ACCEL + ROUNDING:
        wrong.append("acceleration")
    if crawls and verdict.margin_mm < LEAST_MARGIN_MM:
        wrong.append("margin")
    if not crawls and verdict.tip_deg > MOST_TIP_DEG + ROUNDING:
        wrong.append("tipping")
    return Line(name, crawls, verdict, slid, tuple(wrong))


def table(found: list[Line]) -> list[str]:
    words = ("margin", "tips", "speed", "accel", "ahead", "turns", "drag")
    head = "gait         " + " ".join(word.rjust(wide) for word, wide in zip(words, WIDTHS, strict=True))
    rows = [head]
    for row in found:
        margin = f"{row.verdict.margin_mm:.1f}mm" if row.crawls else "-"
        rows.append(
            f"{row.name:<12} {margin:>7} {row.verdict.tip_deg:>4.1f}° {row.verdict.peak_speed:>6.0%}"
            f" {row.verdict.peak_accel:>6.0%} {row.skid.ahead_mm_s:>z5.0f}mm/s {row.skid.left_deg_s:>z5.0f}"
            f"°/s {row.skid.drag_mm:>5.1f}mm  {', '.join(row.wrong) or 'keeps the rules'}"
        )
    return rows


def picture(body: Body, library: Mapping[str, Skill | GaitSkill], names: tuple[str, ...], path: Path) -> None:
    """An SVG of these gaits: footfall bars, and the margin below them."""
    panels = []
    for number, name in enumerate(names):
        skill = library[name]
        if isinstance(skill, GaitSkill):
            panels.append(
                f'<g transform="translate(0 {number * HIGH})">{_panel(name, _walk(body, skill))}</g>'
            )
    size = f'width="{WIDE + 180}" height="{HIGH * len(panels)}"'
    style = "<style>text{font:13px sans-serif;fill:#223}</style>"
    ground_ = '<rect width="100%" height="100%" fill="#fff"/>'
    text = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{ground_}{style}{"".join(panels)}</svg>'
    path.write_text(text + "\n", encoding="utf-8")


def _panel(name: str, walk: ground.Walk) -> str:
    parts = [f'<text x="10" y="22" style="font-weight:bold">{name}, {walk.period_s:.2f} s a step</text>']
    for row, leg in enumerate(LEGS):
        y = 36 + row * (BAR + 6)
        parts.append(f'<text x="10" y="{y + 14}">{leg.replace("_", " ")}</text>')
        steps = [walk.is_down(leg, step / WIDE) for step in range(WIDE)]
        for start, end in _runs(steps):
            parts.append(
                f'<rect x="{120 + start}" y="{y}" width="{end - start}" height="{BAR}" fill="#3b6ea5"/>'
            )
    margins = [_margin(walk, step / 140) for step in range(141)]
    low, high = min(*margins, 0.0), max(*margins, LEAST_MARGIN_MM)

    def at(value: float) -> float:
        return 300 - 140 * (value - low) / max(high - low, 1e-9)

    for value, colour in ((0.0, "#999"), (LEAST_MARGIN_MM, "#b33")):
        parts.append(f'<path d="M120 {at(value):.1f}h{WIDE}" stroke="{colour}" stroke-dasharray="4 4"/>')
        parts.append(f'<text x="{125 + WIDE}" y="{at(value) + 4:.1f}">{value:g} mm</text>')
    points = " ".join(f"{120 + 4 * step},{at(margin):.1f}" for step, margin in enumerate(margins))
    parts.append(f'<polyline points="{points}" fill="none" stroke="#1a7f4b" stroke-width="2"/>')
    parts.append(f'<text x="10" y="160">margin</text><text x="10" y="178">{min(margins):.1f}</text>')
    return "".join([*parts, f'<text x="10" y="196">to {max(margins):.1f} mm</text>'])


def _runs(steps: list[bool]) -> list[tuple[int, int]]:
    found, start = [], None
    for number, down in enumerate([*steps, False]):
        if down and start is None:
            start = number
        elif not down and start is not None:
            found.append((start, number))
            start = None
    return found


def _margin(walk: ground.Walk, cycle: float) -> float:
    geometry = geometry_of(walk.body)
    feet = []
    for leg in LEGS:
        if walk.is_down(leg, cycle):
            hip_x, hip_y = hip_at(geometry, leg)
            feet.append((hip_x + walk.foot(leg, cycle, walk.turn, 1.0)[0], hip_y))
    return ground.support_margin(feet, (geometry.mass_ahead_mm, 0.0))
