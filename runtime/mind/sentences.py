"""Text that comes in pieces, cut into sentences to be spoken one by one, rid of what nobody can say.

A pure stage. A sentence is given out as soon as the letter after its end is seen, so that "3.5" and "Dr. Who"
stay whole. The first one may be given out at a comma when it grows long: somebody waits for it.
"""

import re

FIRST_CLAUSE_WORDS = 14
"""A first sentence that has more words is begun at its last comma"""
MAX_LETTERS = 600
"""What has no end by then is cut there: no reply is longer"""
_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|[!?…]+[\"'”’)\]]*(?=\w)|\n+")
_NO_END = re.compile(r"\b(?:(?i:mr|mrs|ms|dr|st|prof|e\.g|i\.e|vs)|[A-HJ-Z])\.$")
_CLAUSE = re.compile(r"[,;:–—](?=\s)")
_STAGE = re.compile(r"\*+[^*\n]*\*+|\([^()\n]*\)")
_UNSAYABLE = re.compile(r"[^\w\s.,;:!?…'\"’‘“”–—<>\[\]{}|/\\@#%&+=$€£°()*`~^-]")


class Cutter:
    """`feed` pieces as they come, then `finish`."""

    def __init__(self) -> None:
        self._text = ""
        self._first = True

    def feed(self, piece: str) -> list[str]:
        """The sentences that this piece completes."""
        self._text += piece
        found = []
        while (end := self._next_end()) is not None:
            found.append(self._take(end))
        return [sentence for sentence in found if sentence]

    def finish(self) -> list[str]:
        """What is left, if it can be said; the text is over."""
        rest = self._take(len(self._text))
        return [rest] if rest else []

    def _take(self, end: int) -> str:
        sentence, self._text = sayable(self._text[:end]), self._text[end:]
        self._first = self._first and not sentence
        return sentence

    def _next_end(self) -> int | None:
        for found in _END.finditer(self._text):
            if not _NO_END.search(self._text[: found.end()]):
                return found.end()
        if self._first and len(self._text.split()) > FIRST_CLAUSE_WORDS:
            clauses = [found.end() for found in _CLAUSE.finditer(self._text)]
            if clauses and len(self._text[: clauses[-1]].split()) >= FIRST_CLAUSE_WORDS // 3:
                return clauses[-1]
        return MAX_LETTERS if len(self._text) > MAX_LETTERS else None


def sayable(text: str) -> str:
    """Without stage directions ("*wags*") and signs that have no sound; "" where no word is left."""
    plain = _UNSAYABLE.sub("", _STAGE.sub(" ", text))
    words = " ".join(plain.split())
    return words if re.search(r"\w", words) else ""
