"""Nothing that was said gets into a log: words are masked, tracebacks tell where and never what.

An error's text may quote what somebody said. Whatever was heard of late is known here, in memory only, and
its words are masked in every line that is logged, by whichever library.
"""

import logging
import resource
import traceback
from collections import deque
from dataclasses import dataclass, field
from types import TracebackType

from runtime.mind.grammar import normalise

MASK = "…"
_UTTERANCES = 50
_LEAST_LETTERS = 4
"""Shorter words tell nobody anything, and are in every log line"""


@dataclass(slots=True)
class Redactor:
    """Words of the last utterances. `hide` may be called from any thread."""

    _heard: deque[frozenset[str]] = field(default_factory=lambda: deque(maxlen=_UTTERANCES))

    def hide(self, text: str) -> None:
        """Mask the words of `text` from here on."""
        words = {word for word in normalise(text).split() if len(word) >= _LEAST_LETTERS}
        self._heard.append(frozenset(words))

    def clean(self, line: str) -> str:
        """`line` without any of these words."""
        hidden = frozenset().union(*tuple(self._heard))
        return "".join(MASK if part.lower() in hidden else part for part in _parts(line))


def _parts(line: str) -> list[str]:
    """Words, and what stands between them."""
    parts: list[str] = []
    for letter in line:
        if parts and letter.isalnum() and parts[-1][-1].isalnum():
            parts[-1] += letter
        else:
            parts.append(letter)
    return parts


class Redacting(logging.Formatter):
    """Another formatter's lines, cleaned."""

    def __init__(self, inner: logging.Formatter, redactor: Redactor) -> None:
        super().__init__()
        self._inner, self._redactor = inner, redactor

    def format(self, record: logging.LogRecord) -> str:
        bare = logging.makeLogRecord(record.__dict__ | {"exc_info": None, "exc_text": None})
        line = self._redactor.clean(self._inner.format(bare))
        if not record.exc_info or record.exc_info[0] is None:
            return line
        kind, _, trace = record.exc_info
        return f"{line}\n{_where(trace)}{kind.__name__} (its text is not logged: it may quote what was said)"


def _where(trace: TracebackType | None) -> str:
    return "".join(traceback.format_tb(trace))


def redact_logs(redactor: Redactor) -> None:
    """Every handler there is; and no core dump, which would hold sound and words."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(Redacting(handler.formatter or logging.Formatter(), redactor))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
