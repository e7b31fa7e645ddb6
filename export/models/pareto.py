"""What a variant costs and what it gives, as a picture: size and latency against the task's own figure."""

from collections.abc import Sequence
from pathlib import Path

from export.models.variants import Variant
from runtime.picture_file import picture


def draw(made: Sequence[Variant], chosen: Variant, title: str, path: Path) -> None:
    """Each variant a point; a cross is one outside the thresholds, a ring the choice."""
    name = next(iter(made[0].metrics), "max_abs")
    with picture(path, 9, 3.8) as figure:
        left, right = figure.subplots(1, 2, sharey=True)
        for axes, of, label in (
            (left, [one.size / 1e6 for one in made], "size, MB"),
            (right, [one.latency_ms for one in made], "latency on one thread, ms"),
        ):
            for number, (one, x) in enumerate(zip(made, of, strict=True)):
                y = one.metrics.get(name, one.parity.max_abs)
                colour, mark = ("tab:red", "x") if one.misses else ("tab:green", "o")
                axes.scatter([x], [y], c=colour, marker=mark, s=45, zorder=3)
                axes.annotate(
                    one.precision, (x, y), xytext=(7, 5 - 15 * (number % 2)), textcoords="offset points"
                )
                if one is chosen:
                    axes.scatter([x], [y], s=190, facecolors="none", edgecolors="black", zorder=2)
            axes.set_xlabel(label)
            axes.grid(alpha=0.3)
            axes.margins(0.15)
            axes.set_xlim(0, 1.2 * max(of))
        left.set_ylabel(name.replace("_", " "))
        figure.suptitle(f"{title}: green within the thresholds, red outside, ringed the choice")
