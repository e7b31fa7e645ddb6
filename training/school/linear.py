"""The peer: a linear model on words, word pairs and letter groups, learned from the same sentences."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion
from sklearn.svm import LinearSVC

Array = npt.NDArray[np.float64]


class Linear:
    """A linear SVM for one label a text, logistic regressions one against the rest for several."""

    def __init__(self, texts: Sequence[str], targets: torch.Tensor) -> None:
        self._features = FeatureUnion([
            ("words", TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)),
            ("letters", TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=2, sublinear_tf=True)),
        ])  # fmt: skip
        several = targets.ndim == 2
        model = (
            OneVsRestClassifier(LogisticRegression(C=5.0, max_iter=300, class_weight="balanced"))
            if several
            else LinearSVC(C=1.0)
        )
        self._several, self._model = several, model.fit(self._features.fit_transform(texts), targets.numpy())

    def scores(self, texts: Sequence[str]) -> Array:
        """(N, labels): probabilities where several, else distances to the planes."""
        features = self._features.transform(texts)
        found = (
            self._model.predict_proba(features) if self._several else self._model.decision_function(features)
        )
        return np.asarray(found, dtype=np.float64)
