"""What counts of a task beside bare numbers: its own figure, of any engine's answers."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from export.models.checkpoint import Checkpoint
from export.models.parity import Answers
from export.models.samples import COUNTED, Inputs
from training.asr.error_rates import edits

Figures = dict[str, float]


def figures(checkpoint: Checkpoint, inputs: Sequence[Inputs], meant: Answers, found: Answers) -> Figures:
    """The task's figures of `found`; where nobody wrote down what is right, `meant` is taken for right."""
    work = _METRICS.get(checkpoint.task.name)
    return work(checkpoint, inputs, meant, found) if work else {}


def _perplexity(checkpoint: Checkpoint, inputs: Sequence[Inputs], meant: Answers, found: Answers) -> Figures:
    """A hundred times the mean surprise at the next token (nats), of replies where they are known.

    One more is one per cent of perplexity.
    """
    surprises = []
    for given, logits in zip(inputs, found, strict=True):
        tokens = given["input_ids"][0]
        if len(tokens) > 1:
            rows = logits[0, :-1].astype(np.float64)
            rows -= rows.max(axis=1, keepdims=True)
            chosen = rows[np.arange(len(rows)), tokens[1:]]
            told = np.log(np.exp(rows).sum(axis=1)) - chosen
            surprises.append(told[-int(given[COUNTED][0, 0]) :] if COUNTED in given else told)
    return {"log_perplexity_percent": round(100 * float(np.concatenate(surprises).mean()), 3)}


def _word_errors(checkpoint: Checkpoint, inputs: Sequence[Inputs], meant: Answers, found: Answers) -> Figures:
    """Words heard otherwise, in percent of words: by the likeliest symbol of each step."""
    symbols, blank = vocabulary(checkpoint.folder), checkpoint.model.config.pad_token_id
    wrong = total = 0
    for one, two in zip(meant, found, strict=True):
        right, heard = (spell(logits[0], symbols, blank).split() for logits in (one, two))
        wrong, total = wrong + edits(right, heard), total + len(right)
    return {"wer_points": round(100 * wrong / max(1, total), 3)}


def _other_actions(
    checkpoint: Checkpoint, inputs: Sequence[Inputs], meant: Answers, found: Answers
) -> Figures:
    """Inputs whose likeliest label is another, in percent."""
    other = [int(one.argmax() != two.argmax()) for one, two in zip(meant, found, strict=True)]
    return {"other_action_points": round(100 * float(np.mean(other)), 3)}


_METRICS: dict[str, Callable[[Checkpoint, Sequence[Inputs], Answers, Answers], Figures]] = {
    "dialogue": _perplexity,
    "asr": _word_errors,
    "behaviour": _other_actions,
}


def vocabulary(folder: Path) -> dict[int, str]:
    """Number -> symbol of a CTC tokenizer's vocab.json; plain numbers where there is none."""
    path = folder / "vocab.json"
    table: dict[str, int] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {number: symbol for symbol, number in table.items()}


def spell(logits: np.ndarray, symbols: dict[int, str], blank: int | None) -> str:
    """(T, V) -> text: repeats once, blanks out, `|` is a space."""
    best = logits.argmax(-1)
    kept = best[np.r_[True, best[1:] != best[:-1]] & (best != blank)]
    if not symbols:
        return " ".join(map(str, kept))
    return "".join(symbols.get(int(n), "") for n in kept).replace("|", " ")
