"""The only importer of onnxruntime on the robot: one session a model, quiet threads, metadata at hand."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from runtime.contracts.errors import MissingExtraError, PackError

# A spinning worker thread starves every other process of a two-core robot (measured: 33 times slower).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

Arrays = dict[str, npt.NDArray[np.generic]]
_TYPES: dict[str, type[np.generic]] = {
    "float16": np.float16,
    "float": np.float32,
    "double": np.float64,
    "int32": np.int32,
    "int64": np.int64,
}


class Kept(Protocol):
    """A result that stays where the engine made it, ready to be fed again without a copy."""

    def numpy(self) -> npt.NDArray[np.generic]: ...


class Engine:
    """One ONNX model, ready to run on the CPU.

    Raises PackError where the file cannot be loaded, MissingExtraError without onnxruntime.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        try:
            import onnxruntime as ort
        except ImportError as error:
            raise MissingExtraError("onnxruntime", "cpu") from error
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises a dozen unrelated types here
            reason = str(error).splitlines()[0][:200]
            raise PackError(
                f"{path} is not a usable ONNX model ({reason}); rebuild or reinstall the pack"
            ) from error
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

    def run(self, feeds: Mapping[str, npt.NDArray[np.generic]]) -> Arrays:
        """Named arrays in, named arrays out."""
        values = self._session.run(self.outputs, dict(feeds))
        return dict(zip(self.outputs, values, strict=True))

    def value(self, array: npt.NDArray[np.generic]) -> Kept:
        """An array as the engine keeps its own."""
        import onnxruntime as ort

        kept: Kept = ort.OrtValue.ortvalue_from_numpy(array)
        return kept

    def keep(self, feeds: Mapping[str, npt.NDArray[np.generic] | Kept]) -> dict[str, Kept]:
        """As `run`, but results stay with the engine: for what is only fed again, as a cache is."""
        given = {n: self.value(v) if isinstance(v, np.ndarray) else v for n, v in feeds.items()}
        values = self._session.run_with_ort_values(self.outputs, given)
        return dict(zip(self.outputs, values, strict=True))
