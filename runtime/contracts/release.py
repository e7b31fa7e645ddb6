"""What an update repository offers, and where its parts lie: a folder that any web server can hand out.

metadata/   TUF: who signs (root), what is offered (targets), which versions belong together (snapshot),
            that this is the newest (timestamp)
targets/    HASH.CHANNEL.json: the release that a channel offers, a `Release`
blobs/ab/   every file of every pack by its sha256: a robot fetches the ones it lacks
"""

import hashlib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from runtime.contracts.pack import MAX_MANIFEST_BYTES, MAX_SIGNATURE_BYTES, Sha256

METADATA, TARGETS, BLOBS = "metadata", "targets", "blobs"
MAX_RELEASE_BYTES = 16_384
Channel = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,32}$")]


class Blob(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    sha256: Sha256
    size: Annotated[int, Field(ge=0)]
    """Bytes"""


class Release(BaseModel):
    """One pack as a channel offers it. The pack's own signature decides whether it may run."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    release_schema: Annotated[Literal[1], Field(alias="schema")] = 1
    version: Annotated[int, Field(ge=1)]
    """Counts up; a robot never goes to a lower one by itself"""
    channel: Channel
    name: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    percent: Annotated[int, Field(ge=0, le=100)] = 100
    """Share of the fleet that takes it"""
    manifest: Blob
    signature: Blob
    runtime: str
    """The version of everpaw it was published with"""
    mcu_protocol: int
    mcu_firmware: int
    """What belongs on the board beside this pack"""
    published_s: int
    """Unix time"""
    notes: Annotated[str, StringConstraints(max_length=2_000)] = ""

    def is_bounded(self) -> bool:
        return self.manifest.size <= MAX_MANIFEST_BYTES and self.signature.size <= MAX_SIGNATURE_BYTES

    def takes(self, robot_key: str) -> bool:
        """True where the robot belongs to the share that this release is for.

        The share is drawn anew for each version, so that the same robots are not always first.
        """
        draw = hashlib.sha256(f"{self.channel} {self.version} {robot_key}".encode()).digest()
        return int.from_bytes(draw[:4]) % 100 < self.percent


def target_name(channel: str) -> str:
    return f"{channel}.json"


def blob_path(sha256: str) -> str:
    """Path of a blob inside the repository."""
    return f"{BLOBS}/{sha256[:2]}/{sha256}"
