"""Is it the owner who says the name? A second look at the steps where a head fires, and only there.

The form is openWakeWord's custom verifier: the head's own window of embeddings in, a probability out, by
`predict_proba`. One dot product: it costs nothing. It tells a voice in a room from other voices, it is no
lock: nobody should rely on it where it would do harm if somebody else were heard.
"""

import base64
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runtime.audio.embeddings import EMBEDDING_SIZE
from runtime.contracts.errors import PackError

SUFFIX = ".owner.json"
Floats = npt.NDArray[np.float32]


class Verifier(BaseModel):
    """NAME.owner.json, beside NAME.onnx."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    windows: Annotated[int, Field(ge=1, le=128)]
    """Steps it looks at, T; as many as its head"""
    weights: str
    """(T * 96,) float32, little endian, base64"""
    bias: float
    threshold: Annotated[float, Field(gt=0, lt=1)]
    """Probability from which it is the owner"""
    report: dict[str, str] = {}

    @classmethod
    def load(cls, path: Path) -> "Verifier":
        """PackError where the file is damaged."""
        try:
            found = cls.model_validate_json(path.read_bytes())
            size = len(found.vector)
        except (OSError, ValidationError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise PackError(
                f"{path} is no owner's verifier ({reason}); train it again or remove it"
            ) from error
        if size != found.windows * EMBEDDING_SIZE:
            raise PackError(
                f"{path} has {size} weights for {found.windows} steps; train it again or remove it"
            )
        return found

    @property
    def vector(self) -> Floats:
        return np.frombuffer(base64.b64decode(self.weights, validate=True), "<f4")

    def predict_proba(self, windows: Floats) -> Floats:
        """(B, T, 96) -> (B, 2): probability of others, of the owner; as openWakeWord asks for it."""
        logit = np.clip(windows.reshape(len(windows), -1) @ self.vector + self.bias, -60.0, 60.0)
        owner = 1.0 / (1.0 + np.exp(-logit))
        return np.stack([1.0 - owner, owner], axis=1).astype(np.float32)

    def is_owner(self, window: Floats) -> bool:
        """(1, T, 96)"""
        return float(self.predict_proba(window)[0, 1]) >= self.threshold


def beside(head: Path, windows: int) -> Verifier | None:
    """The verifier of a head; None where it has none. PackError where it is for another one."""
    path = head.with_name(head.stem + SUFFIX)
    if not path.exists():
        return None
    found = Verifier.load(path)
    if found.windows != windows:
        raise PackError(f"{path} looks at {found.windows} steps, {head.name} at {windows}; train it again")
    return found


def packed(weights: Floats) -> str:
    return base64.b64encode(np.asarray(weights, "<f4").tobytes()).decode()
