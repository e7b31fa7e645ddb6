"""A fact, as somebody told it, and what else is kept with it."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from runtime.contracts.errors import FactError

OWNER = ""
"""The person who speaks where nobody has said to be somebody else"""
MAX_LETTERS = 240
"""Of a subject, a value or a whole sentence; what is longer is no fact but a story"""
MAX_NAME = 40
"""Of the name of whoever told it"""
OPPOSITE = {"like": "dislike", "dislike": "like"}
"""Relations of which the same value cannot stand in both"""
Source = Literal["said", "typed", "card"]
"""card: from a persona card or another list, not from a conversation"""
Phrase = Annotated[str, Field(min_length=1, max_length=MAX_LETTERS)]


class Fact(BaseModel):
    """ "My sister is called Anna": subject "my sister", relation "name", value "Anna", person who told it.

    Subject and text are in the words of that person: its "I" and "my" mean whoever told it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    subject: Phrase
    relation: Annotated[str, Field(pattern=r"^[a-z][a-z' -]{0,59}$")]
    value: Phrase
    text: Phrase
    """The whole sentence: "my sister is called Anna" """
    person: Annotated[str, Field(max_length=MAX_NAME)] = OWNER
    """Who told it, as a name in small letters"""
    source: Source = "typed"
    confidence: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Belief in having understood it"""
    told_mono_ms: float = 0.0
    """The robot's own clock"""
    told_at: datetime | None = None
    """Wall clock, where it can be trusted"""
    replaced: bool = False
    """A newer statement took its place; kept for the owner's eyes only"""

    def takes(self, value: str) -> bool:
        """`value` can stand in the place of the fact's own."""
        return bool(value) and max(len(value), len(self.text.replace(self.value, value))) <= MAX_LETTERS

    def corrected(self, value: str, **circumstances: Any) -> "Fact":
        """The same with another value; FactError for one that it does not take."""
        if not self.takes(value):
            raise FactError(f"{value[:40]!r} is no value; a fact has 1 to {MAX_LETTERS} letters")
        text = self.text.replace(self.value, value)
        return Fact.model_validate(self.model_dump() | {"value": value, "text": text} | circumstances)

    @property
    def key(self) -> tuple[str, str, str]:
        """What a relation with one value has one value of."""
        return (self.person, self.subject.lower(), self.relation)
