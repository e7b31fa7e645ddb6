"""Pictures of figures. matplotlib is asked for only where one is drawn."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runtime.contracts.errors import ConfigError, MissingExtraError

_DPI = 110


@contextmanager
def picture(path: Path, width_in: float, height_in: float) -> Iterator[Any]:
    """A matplotlib Figure to draw on; it stands in `path` when the block ends: PNG, SVG or PDF, by its name.

    MissingExtraError without matplotlib; ConfigError for a name or a place that cannot be written.
    """
    try:
        from matplotlib import figure as matplotlib_figure
    except ModuleNotFoundError as error:
        raise MissingExtraError("matplotlib", "training") from error
    figure = matplotlib_figure.Figure(figsize=(width_in, height_in), layout="constrained")
    yield figure
    try:
        figure.savefig(path, dpi=_DPI)
    except (OSError, ValueError) as error:
        raise ConfigError(f"--plot {path}: {error}; give a .png, .svg or .pdf that can be written") from error
