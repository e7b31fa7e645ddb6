"""A fresh virtual environment that holds what a robot installs and nothing else: no torch is in reach.

What `pip install everpaw[cpu]` would bring is linked from this environment, so that no network is needed.
"""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement


def make(folder: Path, extras: tuple[str, ...] = ("cpu",)) -> Path:
    """Its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    [site] = folder.glob("lib/python*/site-packages")
    for name in _closure("everpaw", extras):
        for file in metadata.distribution(name).files or ():
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not (site / top).exists():
                (site / top).symlink_to(str(metadata.distribution(name).locate_file(top)))
    (site / "everpaw.pth").write_text(f"{Path(__file__).parents[1]}\n")
    return folder / "bin" / "python"


def _closure(name: str, extras: tuple[str, ...]) -> set[str]:
    """Distributions that `name` with `extras` brings, itself left out."""
    found: set[str] = set()
    waiting = [(name, extra) for extra in ("", *extras)]
    done = set()
    while waiting:
        here = waiting.pop()
        if here in done:
            continue
        done.add(here)
        for line in metadata.requires(here[0]) or ():
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate({"extra": here[1]}):
                found.add(wanted.name)
                waiting += [(wanted.name, extra) for extra in ("", *wanted.extras)]
    return found
