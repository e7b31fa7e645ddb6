"""The second wake backend: the `openwakeword` library itself, features and heads (extra `[openwakeword]`).

Its wheel holds no feature networks: `melspectrogram.onnx` and `embedding_model.onnx` come from a folder, or
from where `openwakeword.utils.download_models()` puts them.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from runtime.audio.embeddings import STEP_SAMPLES
from runtime.audio.heads import LOOSE, WakeHead
from runtime.contracts.audio import AudioBlock, Samples
from runtime.contracts.errors import MissingExtraError, PackError


class LibraryScorer:
    """Scores of `openwakeword.Model`; its random start is replaced by silence, to repeat itself."""

    def __init__(self, heads: Sequence[Path], networks: Path | None, anybody: bool = False) -> None:
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
        opened = [WakeHead(path, anybody) for path in heads]
        self.settings = [head.settings for head in opened]
        self._verifiers = [head.verifier for head in opened]
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
            heard = [self._score(number, scores) for number in range(len(self._labels))]
            steps.append((end - len(self._waiting), heard))
        return steps

    def _score(self, number: int, scores: Mapping[str, float]) -> float:
        """Of one head; 0 where somebody else than its owner says the name."""
        score, verifier = float(scores[self._labels[number]]), self._verifiers[number]
        if score < min(LOOSE, self.settings[number].threshold) or verifier is None:
            return score
        return score if verifier.is_owner(self._model.preprocessor.get_features(verifier.windows)) else 0.0

    def reset(self) -> None:
        self._model.reset()
        hearing = self._model.preprocessor
        hearing.feature_buffer = hearing._get_embeddings(np.zeros(4 * 16_000, np.int16))
        self._waiting = np.zeros(0, np.int16)
