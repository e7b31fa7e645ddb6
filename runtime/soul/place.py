"""Where a soul lies in a robot's data folder."""

from pathlib import Path

PERSONA, RESTS = "persona.toml", "at-rest"


def moved(folder: Path) -> Path | None:
    """The persona that a soul brought along, None where the pack's counts."""
    path = folder / PERSONA
    return path if path.is_file() else None


def rests(folder: Path) -> bool:
    """Its owner let it rest: it does not start."""
    return (folder / RESTS).exists()
