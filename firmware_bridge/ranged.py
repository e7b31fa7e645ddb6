"""A number on the command line that must lie in a range: argparse's `type=between(0.25, 2)`."""

import argparse
from collections.abc import Callable


def between(low: float, high: float) -> Callable[[str], float]:
    """Reads a number; anything else, NaN included, is a one-line error of argparse."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is no number from {low:g} to {high:g}")
        return number

    return read
