"""Who puts the answer into words: a fixed rule, the persona's lines, or the language model.

One table, read from the top; the first row that fits decides. What may do harm when it is said wrongly, and
what has to be quick, never waits for a model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from runtime.contracts.config import DialogueSettings
from runtime.mind.acts import ActionRow
from runtime.mind.behaviour import Understanding
from runtime.mind.safety import CRISIS

By = Literal["rule", "lines", "model"]


@dataclass(frozen=True, slots=True)
class Case:
    """One turn, as far as it matters here."""

    understanding: Understanding
    row: ActionRow
    """Of what was understood, or of `unknown`"""
    words: int
    """Words heard"""
    clear: float
    """The probability that they were heard right, 0..1; 1 for typed words"""
    settings: DialogueSettings
    card: str | None = None
    """The sentence of the pet's card that answers what was asked"""

    @property
    def holds(self) -> bool:
        return self.row.do is not None and self.row.do.kind == "halt"


def _only_a_question(case: Case) -> bool:
    """Not surely understood as something else, and no order."""
    return case.understanding.guessed and case.row.words != "order"


CARD_SAYS_IT = "its card says it"
Row = tuple[str, Callable[[Case], bool], Callable[[Case], By]]
TABLE: tuple[Row, ...] = (
    ("words of crisis", lambda case: case.understanding.intent == CRISIS, lambda _: "rule"),
    ("a rule answers", lambda case: case.understanding.rule is not None, lambda _: "rule"),
    ("the body is to hold", lambda case: case.holds, lambda _: "lines"),
    ("nothing was heard", lambda case: case.words == 0, lambda _: "lines"),
    ("badly heard", lambda case: case.clear < case.settings.least_clear, lambda _: "lines"),
    (CARD_SAYS_IT, lambda case: case.card is not None and _only_a_question(case), lambda _: "lines"),
    ("the pack has it fixed", lambda case: case.row.words == "fixed", lambda _: "lines"),
    ("an order", lambda case: case.row.words == "order", lambda case: case.settings.orders),
    ("small talk", lambda case: case.row.words == "small talk", lambda case: case.settings.small_talk),
    (CARD_SAYS_IT, lambda case: case.card is not None, lambda _: "lines"),
    ("open talk", lambda _: True, lambda case: case.settings.open_talk),
)


def who(case: Case) -> tuple[By, str]:
    """(who answers, the row's name)."""
    return next((by(case), why) for why, fits, by in TABLE if fits(case))
