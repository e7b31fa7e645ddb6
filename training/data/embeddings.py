"""The runtime's speech embeddings of whole clips, five times faster than streaming them.

`embed(clip)` equals `runtime.audio.embeddings.WakeFeatures` fed the same clip after `reset()`: the mel
frames are computed in the same pieces (they depend on each piece's loudest moment), but the embedding
network, which is convolutional in time, runs once over all of them. A test holds the two together.
"""

import ctypes as C
from functools import cache

import numpy as np
import numpy.typing as npt
from pyopen_wakeword import OpenWakeWordFeatures

from runtime.contracts.audio import Samples

STEP_SAMPLES, OVERLAP, FRAMES_A_STEP, WINDOW, MELS = 1280, 480, 8, 76, 32
Floats = npt.NDArray[np.float32]


class ClipEmbedder:
    """One a process; not thread-safe."""

    def __init__(self) -> None:
        self._net = OpenWakeWordFeatures.from_builtin()
        self._resize(self._net.mel_interpreter, (1, STEP_SAMPLES + OVERLAP))
        self._steps = 0
        self._silence = self._mels(np.zeros(STEP_SAMPLES + OVERLAP, np.float32))[:1]

    def __call__(self, samples: Samples) -> Floats:
        """(n,) at 16 kHz -> (n // 1280, 96), as if silence had come before."""
        steps = len(samples) // STEP_SAMPLES
        if steps == 0:
            return np.zeros((0, 96), np.float32)
        sound = np.concatenate([np.zeros(OVERLAP, np.float32), samples.astype(np.float32)])
        pieces = [self._mels(sound[i * STEP_SAMPLES :][: STEP_SAMPLES + OVERLAP]) for i in range(steps)]
        past = np.repeat(self._silence, WINDOW - 4, axis=0)
        mels = np.concatenate([past, *pieces])[: FRAMES_A_STEP * (steps - 1) + WINDOW]
        if steps != self._steps:
            self._resize(self._net.emb_interpreter, (1, len(mels), MELS, 1))
            self._steps = steps
        out = self._run(self._net.emb_interpreter, mels)
        return out.reshape(steps, 96)

    def _mels(self, piece: Floats) -> Floats:
        out = self._run(self._net.mel_interpreter, piece)
        return out.reshape(-1, MELS) / 10 + 2

    def _resize(self, interpreter: int, shape: tuple[int, ...]) -> None:
        dims = (C.c_int32 * len(shape))(*shape)
        self._net.lib.TfLiteInterpreterResizeInputTensor(
            interpreter, C.c_int32(0), dims, C.c_int32(len(shape))
        )
        self._net.lib.TfLiteInterpreterAllocateTensors(interpreter)

    def _run(self, interpreter: int, values: Floats) -> Floats:
        lib, values = self._net.lib, np.ascontiguousarray(values, np.float32)
        tensor = lib.TfLiteInterpreterGetInputTensor(interpreter, C.c_int32(0))
        lib.TfLiteTensorCopyFromBuffer(tensor, values.ctypes.data_as(C.c_void_p), C.c_size_t(values.nbytes))
        lib.TfLiteInterpreterInvoke(interpreter)
        output = lib.TfLiteInterpreterGetOutputTensor(interpreter, C.c_int32(0))
        result = np.empty(lib.TfLiteTensorByteSize(output) // 4, np.float32)
        lib.TfLiteTensorCopyToBuffer(output, result.ctypes.data_as(C.c_void_p), C.c_size_t(result.nbytes))
        return result


@cache
def embedder() -> ClipEmbedder:
    """This process's embedder."""
    return ClipEmbedder()


def embed(samples: Samples) -> Floats:
    """(n,) int16 -> (n // 1280, 96)."""
    return embedder()(samples)
