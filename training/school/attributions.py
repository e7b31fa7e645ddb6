"""Why a classifier took a sentence for what it did: how much each word counted, and what change turns it.

Words left out: Li, Monroe, Jurafsky, "Understanding neural networks through representation erasure", 2016; it
asks nothing of a model but its answers. Integrated gradients: Sundararajan, Taly, Yan, "Axiomatic attribution
for deep networks", ICML 2017. Counterfactuals are searched word by word, the fewest edits first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from runtime.mind.behaviour import Classifier
from runtime.mind.wording import words_of
from training.school import checkpoint, confidence, losses
from training.school.checkpoint import Loaded
from training.school.confidence import Array
from training.school.examples import OUT_OF_SCOPE

STEPS = 32
"""Between nothing and the sentence, of integrated gradients"""
_BEAM = 8
"""Changed sentences that are changed once more, where one change turned nothing"""
_BATCH = 512


@dataclass(frozen=True)
class Model:
    """Any classifier of sentences, by its answers."""

    labels: list[str]
    several: bool
    shares: Callable[[list[str]], Array]
    """Texts -> probabilities (N, labels)"""
    threshold: float = 0.0
    thresholds: Sequence[float] = field(default=())
    loaded: Loaded | None = None
    """Where it is a checkpoint of the school: gradients need its inside"""

    def decisions(self, shares: Array) -> list[frozenset[str]]:
        """Of probabilities (N, labels): what is acted on; several labels where it has several a text."""
        if self.several:
            over = shares >= np.asarray(self.thresholds or [0.5] * len(self.labels))
            return [frozenset(self.labels[int(i)] for i in np.flatnonzero(row)) for row in over]
        outside = self.labels[0] == OUT_OF_SCOPE
        return [frozenset({self.labels[int(i)]}) for i in confidence.taken(shares, self.threshold, outside)]


def open_model(folder: Path, task: str) -> Model:
    """A checkpoint of the school, or a pack's own classifier (behaviour.json beside model.onnx)."""
    if task == "behaviour" and (folder / "behaviour.json").is_file():
        shipped = Classifier(folder)
        labels = [label or OUT_OF_SCOPE for label in shipped.card.labels]
        return Model(
            labels,
            False,
            lambda texts: shipped.probabilities([words_of(t) for t in texts]),
            shipped.card.threshold,
        )
    loaded = checkpoint.load(folder, task)
    card = loaded.card
    return Model(card.labels, card.several, loaded.shares, card.threshold, card.thresholds, loaded)


def left_out(model: Model, words: Sequence[str], label: str) -> list[float]:
    """How far the probability of `label` falls where each word is missing."""
    column = model.labels.index(label)
    texts = [" ".join(words), *(" ".join([*words[:i], *words[i + 1 :]]) for i in range(len(words)))]
    shares = model.shares(texts)[:, column]
    return [float(shares[0] - share) for share in shares[1:]]


def integrated_gradients(loaded: Loaded, words: Sequence[str], label: str) -> tuple[list[float], float]:
    """(what each word adds to the logit of `label`, what of the logit's change they leave unexplained)."""
    text, column = " ".join(words), loaded.card.labels.index(label)
    inputs = loaded.tokenizer(
        text,
        truncation=True,
        max_length=loaded.card.max_tokens,
        return_tensors="pt",
        return_offsets_mapping=True,
    )
    offsets = inputs.pop("offset_mapping")[0].tolist()
    own = torch.tensor([end > start for start, end in offsets])  # a word's, not a sign of the tokenizer's own
    alphas = (torch.arange(STEPS) + 0.5) / STEPS
    path = torch.cat([alphas, torch.tensor([0.0, 1.0])])  # the last two: nothing, the whole sentence
    nothing = _embedding(loaded, int(loaded.tokenizer.pad_token_id))
    kept: list[torch.Tensor] = []

    def along(whole: torch.Tensor) -> torch.Tensor:
        away = torch.where(own[:, None], whole - nothing, torch.zeros_like(whole))  # (S, T, H)
        point = (whole - away + path[:, None, None] * away).detach().requires_grad_()
        kept.extend((point, away.detach()))
        return point

    rows = {name: value.expand(len(path), -1) for name, value in inputs.items()}
    with torch.enable_grad(), losses.embeddings_of(loaded.model, along):
        logits = loaded.model(**rows).logits[:, column]
        [gradient] = torch.autograd.grad(logits[:STEPS].sum(), kept[0])
    each = (kept[1][0] * gradient[:STEPS].mean(0)).sum(1)  # (T,)
    found = np.zeros(len(words))
    for (_, end), value in zip(offsets, each.tolist(), strict=True):
        if end:
            found[min(text[: end - 1].count(" "), len(words) - 1)] += value
    return [float(f) for f in found], float(logits[-1] - logits[-2] - each.sum())


def _embedding(loaded: Loaded, token: int) -> torch.Tensor:
    table = loaded.model.get_input_embeddings()  # type: ignore[operator]
    return table(torch.tensor(token)).detach()  # (H,)


@dataclass(frozen=True)
class Change:
    """Another sentence, what was done to come to it, what it is taken for."""

    text: str
    edits: tuple[str, ...]
    became: frozenset[str]
    share: float
    """The probability of what it became"""


def counterfactual(
    model: Model, words: Sequence[str], vocabulary: Sequence[str], most: int, wanted: str = ""
) -> Change | None:
    """The fewest words dropped or replaced that turn what is decided (to `wanted`); None: `most` do not."""
    [first] = model.decisions(model.shares([" ".join(words)]))
    beam: list[tuple[tuple[str, ...], tuple[str, ...]]] = [(tuple(words), ())]
    for _ in range(most):
        tried = dict(pair for before, edits in beam for pair in _edited(before, edits, vocabulary))
        texts = [" ".join(after) for after in tried]
        if not texts:
            return None
        shares = np.concatenate(
            [model.shares(texts[at : at + _BATCH]) for at in range(0, len(texts), _BATCH)]
        )
        taken = model.decisions(shares)
        turned = [i for i, t in enumerate(taken) if t != first and (not wanted or wanted in t)]
        if turned:
            weight = [_weight(model, shares[i], wanted or next(iter(sorted(taken[i])), "")) for i in turned]
            best = turned[int(np.argmax(weight))]
            edits = tried[tuple(texts[best].split(" "))]
            return Change(texts[best], edits, taken[best], float(max(weight)))
        score = shares[:, model.labels.index(wanted)] if wanted else -_held(model, shares, first)
        keys = list(tried)
        beam = [(keys[int(i)], tried[keys[int(i)]]) for i in np.argsort(-score, kind="stable")[:_BEAM]]
    return None


def _weight(model: Model, row: Array, label: str) -> float:
    return float(row[model.labels.index(label)]) if label else 1.0 - float(row.max())


def _held(model: Model, shares: Array, labels: frozenset[str]) -> Array:
    columns = [model.labels.index(label) for label in labels]
    return np.asarray(shares[:, columns].sum(1) if columns else shares.max(1))


def _edited(
    words: tuple[str, ...], edits: tuple[str, ...], vocabulary: Sequence[str]
) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Each sentence that one more edit gives, with all edits so far."""
    found = []
    for i, word in enumerate(words):
        before, after = words[:i], words[i + 1 :]
        if len(words) > 1:
            found.append(((*before, *after), (*edits, f"-{word}")))
        found += [((*before, new, *after), (*edits, f"{word} > {new}")) for new in vocabulary if new != word]
    return found
