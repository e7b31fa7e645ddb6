"""Servo trims: how far each servo's horn sits from where it should, found by `everpaw body calibrate`.

A TOML file of degrees by joint on the host; hundredths of a degree, in the body's order, on the board.
"""

import argparse
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from runtime.contracts.body import CDEG, Body, load_body
from runtime.contracts.errors import PackError

MOST_DEG = 20.0
"""A horn further off belongs on another tooth"""


def load_trims(path: Path, body: Body | None = None) -> tuple[int, ...]:
    """Trims in hundredths of a degree; PackError where a joint is unknown or a trim too large."""
    body = body or load_body()
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PackError(f"{path} cannot be read ({error}); calibrate again") from error
    for name, degrees in found.items():
        if name not in body.by_name:
            raise PackError(f"{path}: unknown joint {name!r}; {body.name} has {', '.join(body.names)}")
        if not isinstance(degrees, int | float) or not abs(degrees) <= MOST_DEG:
            raise PackError(f"{path}: {name} = {degrees} deg; a trim is at most {MOST_DEG:g}: move the horn")
    return tuple(round(found.get(name, 0.0) * CDEG) for name in body.names)


def writable(text: str) -> Path:
    """The path of a file to write, for argparse: looked at before all joints are calibrated in vain."""
    path = Path(text)
    if path.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        raise argparse.ArgumentTypeError(f"{text!r} cannot be written; give a file in a folder of yours")
    return path


def save_trims(path: Path, trims_deg: Mapping[str, float]) -> None:
    """Write degrees by joint, whole or not at all, for `everpaw flash board --trims`."""
    lines = [f"{name} = {degrees:.1f}" for name, degrees in trims_deg.items()]
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(
        "\n".join(["# Degrees; `everpaw flash board --trims` puts them on the board.", *lines, ""])
    )
    fresh.replace(path)
