"""Which labels are taken for which, and which settings help, as pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from runtime.picture_file import picture

_MOST = 24
"""Labels a picture can show; of more those with the most mistakes"""


def confusion(
    targets: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], labels: Sequence[str], path: Path
) -> None:
    """Rows: what was meant; columns: what was understood; shares of a row. Columns (N,)."""
    counts = np.zeros((len(labels), len(labels)))
    np.add.at(counts, (targets, predicted), 1)
    wrong = counts * (1 - np.eye(len(labels)))
    shown = np.sort(np.argsort(-(wrong.sum(0) + wrong.sum(1)))[:_MOST])
    shares = (counts / np.maximum(1, counts.sum(1, keepdims=True)))[np.ix_(shown, shown)]
    names = [labels[int(i)].replace("_", " ") for i in shown]
    size = 2.5 + 0.36 * len(shown)
    with picture(path, size + 1.5, size) as figure:
        axes = figure.add_subplot()
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        axes.set_xticks(range(len(names)), names, rotation=90, fontsize=8)
        axes.set_yticks(range(len(names)), names, fontsize=8)
        for row, column in zip(*np.nonzero(shares >= 0.005), strict=True):
            dark = shares[row, column] > 0.6
            axes.text(column, row, f"{100 * shares[row, column]:.0f}", ha="center", va="center", fontsize=6,
                      color="white" if dark else "black")  # fmt: skip
        axes.set_xlabel("understood")
        axes.set_ylabel("meant")
        few = f", the {len(shown)} of {len(labels)} with most mistakes" if len(labels) > len(shown) else ""
        axes.set_title(f"percent of each row{few}", fontsize=10)
        figure.colorbar(image, shrink=0.7)


def spans(found: Mapping[str, tuple[float, float, float]], title: str, path: Path) -> None:
    """Line -> (value, least, most): each a dot with its interval, over the band of the first line's."""
    with picture(path, 7, 1.2 + 0.32 * len(found)) as figure:
        axes = figure.add_subplot()
        (_, least, most), *_ = found.values()
        axes.axvspan(least, most, color="tab:blue", alpha=0.12)
        for place, (value, low, high) in enumerate(found.values()):
            colour = "tab:green" if low > most else "tab:red" if high < least else "tab:gray"
            axes.plot([low, high], [place, place], color=colour)
            axes.plot([value], [place], "o", color=colour)
        axes.set_yticks(range(len(found)), list(found))
        axes.invert_yaxis()
        axes.grid(axis="x", alpha=0.3)
        first = next(iter(found))
        axes.set_title(f"{title}, 95 % intervals; the band is that of {first!r}", fontsize=10)
