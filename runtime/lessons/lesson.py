"""One turn as an example to learn from, and the form in which a recipe takes it: a JSON object a line."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from runtime.contracts.messages import Name, Unit

MAX_LETTERS = 500
Label = Literal["", "praised", "scolded", "corrected"]
"""What a person said to it next; empty: nothing of the kind"""
Words = Annotated[str, Field(max_length=MAX_LETTERS)]


class Meaning(BaseModel):
    """What the person says was meant."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    text: Words
    """The words of the correction that say it"""
    intent: Name
    slots: dict[str, str] = {}


class Lesson(BaseModel):
    """A turn: what was heard, what was made of it, what the pet did and said, and how that was taken."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False)
    lesson_schema: Annotated[Literal[1], Field(alias="schema")] = 1
    at: datetime | None = None
    """Wall clock, where it could be trusted"""
    heard: Words
    clear: Unit
    """The probability that nearly all the words are right"""
    belief: Unit
    intent: Name | None = None
    """None: not understood"""
    confidence: Unit = 0.0
    slots: dict[str, str] = {}
    act: str | None = None
    reply: Words = ""
    by: str = ""
    """Who worded the reply: card, lines, model or rule"""
    mood: str = ""
    label: Label = ""
    meant: Meaning | None = None
    """Where it was corrected"""

    @property
    def texts(self) -> tuple[str, ...]:
        """All words in it."""
        return (self.heard, self.reply, self.meant.text if self.meant else "")
