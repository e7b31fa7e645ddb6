"""The second wake backend: the `openwakeword` library itself, features and heads (extra `[openwakeword]`).

Its wheel holds no feature networks: `melspectrogram.onnx` and `embedding_model.onnx` come from a folder, or
from where `openwakeword.utils.download_models()` puts them.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from runtime.audio.embeddings import STEP_SAMPLES
from runtime.audio.heads import WakeHead
from runtime.contracts.audio import AudioBlock, Samples
from runtime.contracts.errors import MissingExtraError, PackError


class LibraryScorer:
    """Scores of `openwakeword.Model`; its random start is replaced by silence, to repeat itself."""

    def __init__(self, heads: Sequence[Path], networks: Path | None) -> None:
        try:
            import openwakeword
        except ImportError as error:
            raise MissingExtraError("openwakeword", "openwakeword") from error
        folder = networks or Path(openwakeword.__file__).parent / "resources" / "models"
        mel, embedding = folder / "melspectrogram.onnx", folder / "embedding_model.onnx"
        for path in (mel, embedding):
            if not path.is_file():
                raise PackError(
                    f"{path} is missing; run openwakeword.utils.download_models() or name its folder"
                )
        self._waiting: Samples = np.zeros(0, np.int16)
        self.settings = [WakeHead(path).settings for path in heads]
        self._labels = [path.stem for path in heads]
        self._model = openwakeword.Model(
            wakeword_models=[str(path) for path in heads],
            inference_framework="onnx",
            melspec_model_path=str(mel),
            embedding_model_path=str(embedding),
        )
        self.reset()

    def step(self, block: AudioBlock) -> list[tuple[int, list[float]]]:
        """(end sample, score of each head) for every 80 ms this block completes."""
        self._waiting = np.concatenate([self._waiting, block.samples])
        end = block.start_sample + len(block.samples)
        steps = []
        while len(self._waiting) >= STEP_SAMPLES:
            piece, self._waiting = self._waiting[:STEP_SAMPLES], self._waiting[STEP_SAMPLES:]
            scores = self._model.predict(piece)
            steps.append((end - len(self._waiting), [float(scores[label]) for label in self._labels]))
        return steps

    def reset(self) -> None:
        self._model.reset()
        hearing = self._model.preprocessor
        hearing.feature_buffer = hearing._get_embeddings(np.zeros(4 * 16_000, np.int16))
        self._waiting = np.zeros(0, np.int16)
