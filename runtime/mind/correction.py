"""A person who corrects himself: "sit, no wait, lie down" means what was said last.

What follows a word of correction counts when it is another phrase for a slot of the sentence before it ("turn
left, no, right"), or else a sentence of the grammar.
"""

from collections.abc import Sequence

from runtime.mind.grammar import Grammar, Parse

_MARKS = (
    *(("i", verb) for verb in ("mean", "meant", "said")),
    *((word,) for word in ("no", "wait", "sorry", "actually", "rather", "oops", "instead")),
)
"""Words that take back what came before them"""
CORRECTIONS = frozenset({"no", "wait", "sorry", "actually", "rather", "oops", "mean", "meant"})
"""A sentence that ends with one of these, and is none of the grammar, goes on"""


def corrected(words: Sequence[str], grammar: Grammar) -> Parse | None:
    """What `words` (normalised, no sentence of the grammar) come to mean in the end; None: no correction."""
    for end in range(len(words) - 1, 0, -1):
        mark = _mark_before(words, end)
        if mark:
            tail = " ".join(words[end:])
            found = _other_value(grammar, _stripped(words[: end - mark]), tail) or grammar.parse(tail)
            if found:
                return found
    return None


def _mark_before(words: Sequence[str], end: int) -> int:
    """How many words before `end` are a mark of correction."""
    return next((len(mark) for mark in _MARKS if tuple(words[:end][-len(mark) :]) == mark), 0)


def _stripped(words: Sequence[str]) -> str:
    while words and (mark := _mark_before(words, len(words))):
        words = words[: len(words) - mark]
    return " ".join(words)


def _other_value(grammar: Grammar, head: str, tail: str) -> Parse | None:
    before = grammar.parse(head)
    if before is None:
        return None
    for slot, value in before.slots.items():
        if tail != value and tail in grammar.slots[before.intent][slot]:
            return Parse(before.intent, {**before.slots, slot: tail})
    return None
