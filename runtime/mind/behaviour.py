"""From words to intent: the grammar where it holds the sentence, a small learned classifier elsewhere.

Order of rules: words of danger, exact sentence of the grammar (confidence 1 x the recogniser's), what a
person corrected, the truth about what the pet is, danger that a reader finds in the sentence as a whole
(where there is one), classifier. Whatever the classifier finds unlikely, or
negated ("don't sit"), is out of scope: intent None. Every answer says why. A few milliseconds on one core;
motion never waits for a language model.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError
from tokenizers import Tokenizer

from runtime.contracts.errors import PackError
from runtime.engines import Engine
from runtime.mind import rules
from runtime.mind.correction import corrected
from runtime.mind.grammar import QUESTIONS, YOU, Grammar, Parse, normalise
from runtime.mind.reader import MAX_TOKENS, Reader
from runtime.mind.rules import Rule
from runtime.mind.safety import CRISIS
from runtime.mind.slots import find_slots
from runtime.mind.wording import vectors, words_of

NEGATIONS = frozenset({"don't", "dont", "not", "never", "didn't", "doesn't", "shouldn't", "won't"})
_ASKING = frozenset({"why", "who", "when", "did", "does", "how", "where", "which", "was", "were", "do"})
"""A sentence that begins so asks, and is no guess at an order whose own sentences never begin so"""
_CALLS = frozenset({"hey", "okay", "ok", "hi", "hello"})
_MAX_LETTERS = 10_000
"""Danger is looked for in so much of a text; only its first words are weighed for other meanings"""


@dataclass(frozen=True, slots=True)
class Understanding:
    """What the pet takes a sentence to mean; `intent` None is out of scope."""

    intent: str | None
    slots: dict[str, str] = field(default_factory=dict)
    confidence: float = 0.0
    why: str = ""
    guessed: bool = False
    """By the classifier, from words that are no sentence of the grammar"""
    rule: Rule | None = None
    """The rule that found it, which also answers"""
    feeling: str = ""
    """What the speaker seems to feel (runtime.mind.reader.FEELINGS); empty where not read, or not sure"""


class BehaviourCard(BaseModel):
    """`behaviour.json`, beside the model."""

    model_config = ConfigDict(frozen=True)
    labels: list[str]
    """One a column of the model's output; the empty one is out of scope"""
    size: int = 0
    """Length of the feature vector; 0: an encoder, which reads tokens of the `tokenizer.json` beside it"""
    temperature: float
    threshold: float
    negated: list[str] = []
    """Intents that may be asked for with a negation ("don't move")"""


class Classifier:
    """Words -> probabilities of the labels: by hashed features, or by an encoder from `everpaw export`."""

    def __init__(self, folder: Path) -> None:
        self._engine = Engine(folder / "model.onnx")
        try:
            self.card = BehaviourCard.model_validate(
                json.loads((folder / "behaviour.json").read_text("utf-8"))
            )
        except (OSError, ValueError, ValidationError) as error:
            raise PackError(
                f"{folder}/behaviour.json cannot be used ({error}); reinstall the pack"
            ) from error
        self._tokenizer = None if self.card.size else _tokenizer(folder / "tokenizer.json")
        self.weighs = self._tokenizer is None
        """Whether every word's weight may be asked for, which costs as many readings"""

    def probabilities(self, texts: list[list[str]]) -> npt.NDArray[np.float64]:
        """(N, labels), calibrated, rows sum to 1."""
        logits = np.concatenate([self._logits([words]) for words in texts] if self._tokenizer else
                                [self._logits(texts)])  # fmt: skip
        scaled = logits.astype(np.float64) / self.card.temperature
        scaled -= scaled.max(axis=1, keepdims=True)
        likelihoods = np.exp(scaled)
        return np.asarray(likelihoods / likelihoods.sum(axis=1, keepdims=True))

    def _logits(self, texts: list[list[str]]) -> npt.NDArray[np.generic]:
        if self._tokenizer is None:
            feeds: dict[str, npt.NDArray[np.generic]] = {
                self._engine.inputs[0]: vectors(texts, self.card.size)
            }
        else:
            [words] = texts
            ids = np.array([self._tokenizer.encode(" ".join(words)).ids[:MAX_TOKENS]], np.int64)  # (1, T)
            known = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": 0 * ids}
            feeds = {name: known[name] for name in self._engine.inputs}
        return self._engine.run(feeds)[self._engine.outputs[0]]


def _tokenizer(path: Path) -> Tokenizer:
    try:
        found = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises nothing narrower
        raise PackError(f"{path} is no tokenizer ({error}); export the classifier again") from error
    found.no_padding()
    found.no_truncation()
    return found


class Behaviour:
    """Understands one sentence at a time; keeps nothing between them.

    Without `folder` (a pack that has a grammar only) sentences outside of the grammar are out of scope.
    """

    def __init__(
        self, folder: Path | None, grammar: Grammar, reader: Reader | None = None, *, children: bool = False
    ) -> None:
        """`children`: a child talks with it (runtime.mind.rules.CHILD)."""
        self._children = children
        self._grammar = grammar
        self._slots = grammar.slots
        self._classifier = Classifier(folder) if folder is not None else None
        self._reader = reader

    def understand(self, text: str | None, asr_confidence: float = 1.0) -> Understanding:
        """The meaning of `text` (None: nothing was recognised)."""
        words = words_of(text or "")
        if not words:
            return Understanding(None, why="no words were heard")
        whole = normalise((text or "")[:_MAX_LETTERS])
        danger = _ruled(rules.CHILD if self._children else rules.DANGER, whole, asr_confidence)
        if danger:
            return danger
        parse = self._parse(words)
        if parse:
            return Understanding(parse.intent, parse.slots, asr_confidence, "rule: a sentence of the grammar")
        parse = corrected(words, self._grammar)
        if parse:
            return Understanding(parse.intent, parse.slots, asr_confidence, "rule: what was said last counts")
        truth = _ruled(rules.TRUTH, " ".join(words), asr_confidence)
        if truth:
            return truth
        if self._reader is None:
            return self._guess(words, asr_confidence)
        reading = self._reader.read(whole)
        if reading.danger * asr_confidence >= self._reader.threshold:
            why = f"reader: danger at {reading.danger:.2f}"
            return Understanding(CRISIS, {}, asr_confidence, why, guessed=True, feeling=reading.feeling)
        return replace(self._guess(words, asr_confidence), feeling=reading.sure_feeling)

    def _guess(self, words: list[str], asr_confidence: float) -> Understanding:
        if self._classifier is None:
            return Understanding(None, why="not a sentence of the grammar, and the pack has no classifier")
        return self._classify(self._classifier, words, asr_confidence)

    def _parse(self, words: list[str]) -> Parse | None:
        parse = self._grammar.parse(" ".join(words))
        if parse is None and len(words) > 2 and words[0] in _CALLS:  # "hey buddy sit down"
            parse = self._grammar.parse(" ".join(words[2:]))
        return parse

    def _classify(self, classifier: Classifier, words: list[str], asr_confidence: float) -> Understanding:
        card = classifier.card
        weighs = classifier.weighs and len(words) > 1
        without = [words[:i] + words[i + 1 :] for i in range(len(words))] if weighs else []
        rows = classifier.probabilities([words, *without])
        best = int(rows[0].argmax())
        label, probability = card.labels[best], float(rows[0, best])
        confidence = probability * asr_confidence
        weighed = _weightiest(words, rows, best)
        if not label:
            return Understanding(None, {}, confidence, f"classifier: out of scope; {weighed}")
        if probability < card.threshold:
            why = (
                f"classifier: nearest {label!r} at {probability:.2f} is below {card.threshold:.2f}; {weighed}"
            )
            return Understanding(None, {}, confidence, why)
        if NEGATIONS.intersection(words) and label not in card.negated:
            return Understanding(None, {}, confidence, f"classifier: {label!r}, but it is negated")
        if label == CRISIS and not rules.ALARMING.intersection(words):
            return Understanding(None, {}, confidence, f"classifier: {label!r}, but no word of danger")
        if words[0] in _ASKING - self._grammar.beginnings.get(label, set()):
            return Understanding(None, {}, confidence, f"classifier: {label!r}, but it is a question")
        if label in self._grammar.asked_of_you and words[0] in QUESTIONS and not YOU.intersection(words):
            return Understanding(
                None, {}, confidence, f"classifier: {label!r}, but it asks about something else"
            )
        slots = find_slots(words, self._slots.get(label, {}))
        return Understanding(
            label, slots, confidence, f"classifier: {label!r} at {probability:.2f}; {weighed}", guessed=True
        )


def _ruled(table: Sequence[Rule], normalised: str, asr_confidence: float) -> Understanding | None:
    found = rules.first(table, normalised)
    if found is None:
        return None
    rule, words = found
    return Understanding(rule.intent, {}, asr_confidence, f"rule: {rule.intent} ({words!r})", rule=rule)


def _weightiest(words: list[str], rows: npt.NDArray[np.float64], best: int) -> str:
    """The words whose absence costs the answer most; row 0 is the whole text, row i + 1 lacks word i."""
    if len(rows) == 1:
        return f"the only word: {words[0]!r}" if len(words) == 1 else "read as a whole"
    loss = rows[0, best] - rows[1:, best]
    order = [int(i) for i in np.argsort(-loss)[:2]]
    return "weighed most: " + ", ".join(f"{words[i]!r} ({loss[i]:+.2f})" for i in order)
