"""What a dashboard, a phone or another house may ask of a robot, beside skills and words (`messages.py`).

None of them is a command: the mind or the bridge checks each and makes the stamped command itself.
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from runtime.contracts.messages import Request, Unit


class HandRequest(Request):
    """Arm, clear or disarm by hand. The bridge takes it for a command issued at `seen_mono_ms`.

    Both values are of the `state/clock` the asker heard last, so that an old request cannot arm anything.
    """

    boot_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    seen_mono_ms: Annotated[int, Field(ge=0)]


class HaltRequest(Request):
    """Hold the pose, as "stop!" said aloud does."""


class VolumeRequest(Request):
    level: Unit
    """0 is silent, 1 as loud as the loudspeaker is set"""


class MuteRequest(Request):
    """The microphone's sound is replaced by silence."""

    muted: bool


class ConsentRequest(Request):
    """Take consent back, or give it. None leaves it as it is."""

    share_text: bool | None = None
    remember: bool | None = None
    lessons: bool | None = None


class MemoryRequest(Request):
    """The facts the pet knows; answered by `ack/memory`."""

    act: Literal["list", "correct", "forget"] = "list"
    number: Annotated[int, Field(ge=0)] = 0
    """Of a fact in the last list; for `list` how many to leave out"""
    value: Annotated[str, StringConstraints(max_length=240)] = ""


class LessonsRequest(Request):
    """The turns that are kept to learn from; answered by `ack/lessons`."""

    act: Literal["list", "forget"] = "list"
    number: Annotated[int, Field(ge=0)] = 0
    """Of a lesson in the last list; for `list` how many of the newest to leave out"""


class KeptRequest(Request):
    """How much of each class of data is kept; answered by `ack/kept`."""


Erasable = Literal["memory", "lessons", "events", "persona", "life", "consents"]
FRESH_MS = 60_000


class DatedRequest(Request):
    """One that counts for a minute of the robot's clock: under way for longer, it does nothing."""

    seen_mono_ms: Annotated[int, Field(ge=0)]
    """Of the `state/clock` that the asker heard last"""

    def is_fresh(self, now_mono_ms: int) -> bool:
        return abs(now_mono_ms - self.seen_mono_ms) <= FRESH_MS


class EraseRequest(DatedRequest):
    """Destroy these classes of data, as `everpaw privacy erase` does; answered by `ack/erased`.

    Mind and bridge empty their journals of events at once; for the rest the mind ends its life, destroys,
    looks whether anything is left, and begins anew.
    """

    only: Annotated[tuple[Erasable, ...], Field(min_length=1, max_length=6)]


class ExportRequest(DatedRequest):
    """A copy of all that is kept, as `everpaw privacy export` writes it; answered by parts of `ack/export`.

    The copy is sealed for whoever has the other half of `key`, so it needs no consent to words on topics.
    """

    key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{43}=$")]
    """A public key of X25519, base64; the asker makes a pair for this order alone"""


class UpdateRequest(DatedRequest):
    """What `everpaw update` does on the robot, by the same rules; answered by `ack/update`.

    What becomes of it is told on `job/update`. Only what the robot's own settings name as its repository is
    looked at; nobody names a pack from afar.
    """

    act: Literal["look", "install", "rollback"]


class ReplayRequest(Request):
    """Events again, in `event/past`, of every journal."""

    after: Annotated[dict[str, int], Field(max_length=16, default_factory=dict)]
    """Origin -> last number known; a journal that is not named begins with its first"""
    limit: Annotated[int, Field(ge=1, le=1_000)] = 500
