"""The second part: mood over the day, latencies by stage, battery, temperature, load."""

from collections.abc import Callable
from typing import Any

from nicegui import ui

from runtime.dashboard.view import View, card

COLOURS = ("#2f7fb8", "#d0762b", "#3d9a5f")
GREY = "#8a8f98"


def charts(view: View) -> None:
    """Builds it."""
    w = view.words
    lines = (
        ("mood", {"valence": w("charts.valence"), "arousal": w("charts.arousal")}, (-1, 1)),
        ("supply", {"supply_v": w("charts.board")}, None),
        ("temperature", {"board_c": w("charts.board"), "host_c": w("charts.host")}, None),
        ("load", {"cpu_percent": w("charts.cpu"), "memory_mb": w("charts.memory")}, None),
    )
    with ui.element("div").classes("grid even"):
        _latency(view)
        for key, names, span in lines:
            _lines(view, w(f"charts.{key}"), names, span)


def _base(title: str) -> dict[str, Any]:
    return {
        "animation": False,
        "color": list(COLOURS),
        "textStyle": {"color": GREY},
        "legend": {"textStyle": {"color": GREY}, "top": 0},
        "grid": {"left": 52, "right": 14, "top": 34, "bottom": 28},
        "tooltip": {"trigger": "axis"},
        "aria": {"enabled": True, "label": {"description": title}},
    }


def _chart(view: View, title: str, options: dict[str, Any], sample: Callable[[], Any]) -> None:
    """A chart that is drawn anew where `sample`, the list of its series' data, changed."""
    with card(title):
        empty = ui.label(view.words("charts.no_data")).classes("soft")
        chart = ui.echart(options).classes("chart").props(f'role=img aria-label="{title}"')
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
        if "names" in data:
            chart.options["yAxis"]["data"] = data["names"]
        chart.update()

    view.on_refresh(refresh)


def _lines(view: View, title: str, names: dict[str, str], span: tuple[float, float] | None) -> None:
    options = _base(title) | {
        "xAxis": {"type": "time", "axisLabel": {"hideOverlap": True}},
        "yAxis": {"type": "value", "scale": True, "splitLine": {"lineStyle": {"opacity": 0.25}}},
        "series": [{"type": "line", "name": label, "showSymbol": False} for label in names.values()],
    }
    if span is not None:
        options["yAxis"] |= {"min": span[0], "max": span[1]}

    def sample() -> dict[str, Any]:
        return {"series": [_points(view, name) for name in names]}

    _chart(view, title, options, sample)


def _points(view: View, name: str) -> list[tuple[int, float]]:
    series = view.pet.series.get(name)
    return [(round(at_s * 1_000), round(value, 2)) for at_s, value in series.samples] if series else []


def _latency(view: View) -> None:
    w = view.words
    title = w("charts.latency")
    options = _base(title) | {
        "xAxis": {"type": "value", "splitLine": {"lineStyle": {"opacity": 0.25}}},
        "yAxis": {"type": "category", "data": [], "inverse": True},
        "series": [{"type": "bar", "name": w(f"charts.{name}"), "data": []} for name in ("median", "worst")],
    }
    options["grid"]["left"] = 92

    def sample() -> dict[str, Any]:
        told = view.pet.latency
        stages = sorted(told.stages.items(), key=lambda item: item[1].p50_ms) if told else []
        names = [f"{name} ({stage.n})" for name, stage in stages]
        return {
            "names": names,
            "series": [[stage.p50_ms for _, stage in stages], [stage.p95_ms for _, stage in stages]],
        }

    _chart(view, title, options, sample)
