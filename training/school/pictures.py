"""Which labels are taken for which, as a picture."""

from collections.abc import Sequence
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
