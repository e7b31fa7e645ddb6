"""A model's thoughts, which some servers leave in its answer: taken out before anything else sees them."""

from collections.abc import Iterable, Iterator

OPEN, CLOSE = "<think>", "</think>"


def without_thoughts(pieces: Iterable[str]) -> Iterator[str]:
    """The text of `pieces` without what stands between OPEN and CLOSE, however the pieces are cut."""
    waiting, thinking = "", False
    for piece in pieces:
        waiting += piece
        while (place := waiting.find(CLOSE if thinking else OPEN)) >= 0:
            if not thinking and place:
                yield waiting[:place]
            waiting = waiting[place + len(CLOSE if thinking else OPEN) :]
            thinking = not thinking
        kept = _begun(waiting, CLOSE if thinking else OPEN)
        if not thinking and len(waiting) > kept:
            yield waiting[: len(waiting) - kept]
        waiting = waiting[len(waiting) - kept :]
    if waiting and not thinking:
        yield waiting


def _begun(text: str, mark: str) -> int:
    """How many letters at the end of `text` may be the beginning of `mark`."""
    return next((n for n in range(len(mark) - 1, 0, -1) if text.endswith(mark[:n])), 0)
