"""The scripted owner: what is said, when, and what a person would take it to mean."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from runtime.contracts.config import Settings

FOLDER = Path(__file__).parent
CLIPS = FOLDER / "voice"


class Line(Settings):
    """One thing the owner says."""

    text: str
    clip: str
    meant: str
    """Intent, or `none` where the pet should say that it does not understand"""
    when: Literal["settled", "moving"] = "settled"

    @property
    def path(self) -> Path:
        return CLIPS / self.clip

    def understood(self, intent: str | None) -> bool:
        return (intent or "none") == self.meant


class Script(Settings):
    turn: Annotated[tuple[Line, ...], Field(min_length=1)]


def load_script() -> tuple[Line, ...]:
    """The lines of `conversation.toml`."""
    return Script.model_validate(tomllib.loads((FOLDER / "conversation.toml").read_text())).turn
