"""What the owner switched: microphone muted, words shared, lessons kept. Every change is a record of consent.

One small file, written whole or not at all; the newest record of a switch counts, and where there is none the
settings do. Several processes may use it: each looks whether it changed. A file that cannot be read consents
to nothing, and mutes.
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runtime import whole
from runtime.contracts.errors import FactError
from runtime.mind.memory.memory import wall_clock

_log = logging.getLogger(__name__)
FILE = "consents.json"
MAX_RECORDS = 1_000
What = Literal["muted", "share_text", "lessons", "memory"]
How = Literal["command", "page", "said", "typed"]


class Change(BaseModel):
    """Somebody switched something."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    what: What
    on: bool
    how: How
    at: datetime | None = None
    """Wall clock, where it could be trusted"""


class Records(BaseModel):
    """`consents.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    layout: Literal[1] = 1
    changes: Annotated[tuple[Change, ...], Field(max_length=MAX_RECORDS)] = ()


@dataclass(slots=True)
class Switches:
    """The switches of the robot whose data lie in `folder`."""

    folder: Path
    _seen: tuple[int, int] = (0, 0)
    _records: Records = field(default_factory=Records)
    _broken: bool = False

    def on(self, what: What, otherwise: bool) -> bool:
        """Whether it is switched on; `otherwise` where nobody ever switched it."""
        changes = [change for change in self.changes() if change.what == what]
        if self._broken:
            return what == "muted"
        return changes[-1].on if changes else otherwise

    def note(self, what: What, on: bool, how: How) -> None:
        """Switch; FactError where that cannot be written down."""
        change = Change(what=what, on=on, how=how, at=wall_clock())
        kept = (*self.changes(), change)[-MAX_RECORDS:]
        text = Records(changes=kept).model_dump_json(indent=1) + "\n"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            whole.put(self.folder / FILE, text.encode())
        except OSError as error:
            raise FactError(f"{self.folder / FILE} cannot be written ({error.strerror})") from error

    def changes(self) -> tuple[Change, ...]:
        """All records, the oldest first."""
        path = self.folder / FILE
        try:
            stat = path.stat()
            if (stat.st_mtime_ns, stat.st_size) != self._seen:
                self._seen = (stat.st_mtime_ns, stat.st_size)
                self._records = Records.model_validate_json(path.read_bytes())
                self._broken = False
        except FileNotFoundError:
            self._records, self._seen, self._broken = Records(), (0, 0), False
        except (OSError, ValidationError) as error:
            if not self._broken:
                _log.error(
                    "%s cannot be read (%s): muted, nothing allowed; type: everpaw privacy deny mute",
                    path,
                    type(error).__name__,
                )
            self._records, self._broken = Records(), True
        return self._records.changes
