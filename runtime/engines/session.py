"""The only importer of onnxruntime on the robot: one session a model, quiet threads, metadata at hand."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from runtime.contracts.errors import MissingExtraError, PackError

# A spinning worker thread starves every other process of a two-core robot (measured: 33 times slower).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

Arrays = dict[str, npt.NDArray[np.generic]]
Feeds = Mapping[str, npt.NDArray[np.generic]]
Provider = str | tuple[str, dict[str, str]]
"""An execution provider of onnxruntime, perhaps with its options"""
CPU, CUDA, TENSORRT = "CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"
_TYPES: dict[str, type[np.generic]] = {
    "float16": np.float16,
    "float": np.float32,
    "double": np.float64,
    "int32": np.int32,
    "int64": np.int64,
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a model runs: the providers to ask for, and the file that they read."""

    providers: tuple[Provider, ...] = (CPU,)
    file: Path | None = None
    """An engine's wrapper in place of the model"""


ON_CPU = Place()


def available() -> list[str]:
    """What this onnxruntime was built with; whether it works here is another question."""
    return list(_onnxruntime().get_available_providers())


def _onnxruntime() -> Any:
    try:
        import onnxruntime as ort
    except ImportError as error:
        raise MissingExtraError("onnxruntime", "cpu") from error
    return ort


class Engine:
    """One ONNX model, ready to run: where `place` says, else where the ladder does.

    Raises PackError where the file cannot be loaded, MissingExtraError without onnxruntime. What fails later
    anywhere but on the processor is answered by the processor from then on.
    """

    def __init__(self, path: Path, threads: int = 1, place: Place | None = None) -> None:
        from runtime.engines import ladder  # it opens engines itself

        self._path, self._threads = path, threads
        chosen = ladder.place_of(path) if place is None else place
        self._on_cpu = chosen == ON_CPU
        self._session = _open(path, threads, chosen)
        self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        self.inputs: list[str] = [i.name for i in self._session.get_inputs()]
        self.input_shapes: dict[str, list[int | str | None]] = {
            i.name: i.shape for i in self._session.get_inputs()
        }
        self.input_types: dict[str, type[np.generic]] = {
            i.name: _TYPES.get(i.type[7:-1], np.float32) for i in self._session.get_inputs()
        }
        self.outputs: list[str] = [o.name for o in self._session.get_outputs()]
        self.output_shapes: dict[str, list[int | str | None]] = {
            o.name: o.shape for o in self._session.get_outputs()
        }

    @property
    def providers(self) -> list[str]:
        """Those in use, in the order they are asked."""
        return list(self._session.get_providers())

    def run(self, feeds: Feeds) -> Arrays:
        """Named arrays in, named arrays out."""
        try:
            values = self._session.run(self.outputs, dict(feeds))
        except Exception as error:  # a GPU fails in as many types as there are drivers
            self._degrade(error)
            values = self._session.run(self.outputs, dict(feeds))
        return dict(zip(self.outputs, values, strict=True))

    def _degrade(self, error: Exception) -> None:
        """Go on with the processor; an error of the processor itself is raised."""
        from runtime.engines import ladder

        if self._on_cpu:
            raise error
        reason = f"{self.providers[0]} failed while it ran: {first_line(error)}"
        _log.warning("%s: %s; the processor goes on", self._path.name, reason)
        ladder.give_up(self._path, reason)
        self._session, self._on_cpu = _open(self._path, self._threads, ON_CPU), True


def first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _open(path: Path, threads: int, place: Place) -> Any:
    ort = _onnxruntime()
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(str(place.file or path), options, providers=list(place.providers))
    except Exception as error:  # onnxruntime raises a dozen unrelated types here
        raise PackError(
            f"{path} is not a usable ONNX model ({first_line(error)}); rebuild or reinstall the pack"
        ) from error
