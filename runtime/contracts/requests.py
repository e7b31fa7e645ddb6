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


class ReplayRequest(Request):
    """Events again, in `event/past`, of every journal."""

    after: Annotated[dict[str, int], Field(max_length=16, default_factory=dict)]
    """Origin -> last number known; a journal that is not named begins with its first"""
    limit: Annotated[int, Field(ge=1, le=1_000)] = 500
