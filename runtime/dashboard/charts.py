"""The second part: mood over the day, latencies by stage, battery, temperature, load."""

from collections.abc import Callable
from math import ceil, floor
from typing import Any

from nicegui import ui

from runtime.dashboard.view import View, card

COLOURS = ("#2f7fb8", "#d0762b", "#3d9a5f")
"""Of lines and bars, three times as light or dark as either card; words have the page's (style.css)"""
DAY_MS, LEAST_MS = 86_400_000, 600_000
_GRID = {"splitLine": {"lineStyle": {"color": "#888", "opacity": 0.25}}}


def charts(view: View) -> None:
    """Builds it."""
    w = view.words
    lines = (
        ("mood", {"valence": w("charts.valence"), "arousal": w("charts.arousal")}, (-1, 1)),
        ("supply", {"supply_v": w("charts.board")}, None),
        ("temperature", {"board_c": w("charts.board"), "host_c": w("charts.host")}, None),
        ("cpu", {"cpu_percent": w("charts.cpu")}, (0, 100)),
        ("memory", {"memory_mb": w("charts.memory")}, None),
    )
    with ui.element("div").classes("grid even"):
        _latency(view)
        for key, names, span in lines:
            _lines(view, w(f"charts.{key}"), names, span)


def _base(title: str) -> dict[str, Any]:
    return {
        "animation": False,
        "color": list(COLOURS),
        "legend": {"top": 0},
        "grid": {"left": 52, "right": 14, "top": 34, "bottom": 28},
        "tooltip": {"trigger": "axis"},
        "backgroundColor": "transparent",
        "aria": {"enabled": True, "label": {"description": title}},
    }


def _chart(view: View, title: str, options: dict[str, Any], sample: Callable[[], Any]) -> None:
    """A chart that is drawn anew where `sample`, the list of its series' data, changed."""
    with card(title):
        empty = ui.label(view.words("charts.no_data")).classes("soft")
        chart = ui.echart(options, renderer="svg").classes("chart").props(f'role=img aria-label="{title}"')
    drawn: list[Any] = [None]

    def refresh() -> None:
        data = sample()
        empty.visible = not any(data["series"])
        chart.visible = not empty.visible
        if data == drawn[0]:
            return
        drawn[0] = data
        for series, values in zip(chart.options["series"], data["series"], strict=True):
            series["data"] = values
            series["showSymbol"] = len(values) == 1
        for axis, name in (("yAxis", "span"), ("xAxis", "times")):
            if name in data:
                chart.options[axis]["min"], chart.options[axis]["max"] = data[name]
        if "names" in data:
            chart.options["yAxis"]["data"] = data["names"]
        chart.update()

    view.on_refresh(refresh)


def _lines(view: View, title: str, names: dict[str, str], span: tuple[float, float] | None) -> None:
    label = {"hideOverlap": True}
    options = _base(title) | {
        "xAxis": {"type": "time", "axisLabel": label},
        "yAxis": {"type": "value", "scale": True, "axisLabel": label, **_GRID},
        "series": [{"type": "line", "name": name, "showSymbol": False} for name in names.values()],
    }
    if len(names) == 1:  # the card's title says it
        options["legend"]["show"], options["grid"]["top"] = False, 14

    def sample() -> dict[str, Any]:
        series = [_points(view, name) for name in names]
        values = [value for line in series for _, value in line]
        return {"series": series, "span": span or _span(values), "times": _times(series)}

    _chart(view, title, options, sample)


def _span(values: list[float]) -> tuple[float, float]:
    """Whole numbers around the values, so that a quiet one is a quiet line."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = max(1.0, 0.1 * (high - low))
    return float(floor(low - room)), float(ceil(high + room))


def _times(series: list[list[tuple[int, float]]]) -> tuple[int, int]:
    """From the first to the last moment, a day and ten minutes at most and at least; milliseconds."""
    moments = [at_ms for line in series for at_ms, _ in line]
    last = max(moments, default=0)
    return max(last - DAY_MS, min(last - LEAST_MS, min(moments, default=0))), last


def _points(view: View, name: str) -> list[tuple[int, float]]:
    return [(round(at_s * 1_000), round(value, 2)) for at_s, value in view.pet.curve(name)]


def _latency(view: View) -> None:
    w = view.words
    title = w("charts.latency")
    options = _base(title) | {
        "xAxis": {"type": "value", **_GRID},
        "yAxis": {"type": "category", "data": [], "inverse": True},
        "series": [{"type": "bar", "name": w(f"charts.{name}"), "data": []} for name in ("median", "worst")],
    }
    options["grid"]["left"] = 148

    def sample() -> dict[str, Any]:
        told = view.pet.latency
        stages = sorted(told.stages.items(), key=lambda item: item[1].p50_ms) if told else []
        names = [f"{w(f'stages.{name}')} ({stage.n})" for name, stage in stages]
        return {
            "names": names,
            "series": [[stage.p50_ms for _, stage in stages], [stage.p95_ms for _, stage in stages]],
        }

    _chart(view, title, options, sample)
