"""Sentences to learn intents from: the grammar's own, hand-written paraphrases, and what is out of scope.

`confuse` does to text what a recogniser does: letters and words mistaken, dropped, doubled.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import yaml

from runtime.contracts.errors import TrainingError
from runtime.mind.grammar import Grammar, normalise
from runtime.mind.wording import skeleton
from training.data import corpora

PARAPHRASES = Path(__file__).with_name("paraphrases.yaml")
OUT_OF_SCOPE = ""
"""The label of what a pet should not act on"""
CLINC_SAME = {
    "goodbye": "goodbye",
    "what_is_your_name": "ask_name",
    "are_you_a_bot": "ask_robot",
    "how_old_are_you": "ask_age",
    "thank_you": "thanks",
    "what_can_i_ask_you": "ask_abilities",
}
"""Intents of CLINC-150 that mean one of the starter's"""
CLINC_NEAR = frozenset({*CLINC_SAME, "greeting", "change_volume", "whisper_mode", "find_phone"})
"""Intents of CLINC-150 too near to the starter's to serve as out of scope"""
_POLITE = ("please {}", "{} please", "{} now", "buddy {}", "{} buddy", "hey buddy {}", "okay {}", "um {}")
_ASKING = ("can you {}", "could you {} for me", "would you {}", "i want you to {}", "i would like you to {}")
_DENYING = ("don't {}", "do not {}", "never {}", "please don't {}", "you should not {}")

Pair = tuple[str, str]
"""(text, label)"""


@dataclass(frozen=True, slots=True)
class Wordings:
    """Pairs (text, label) of the two halves; `sources` names every set used, for the card."""

    train: list[Pair] = field(default_factory=list)
    paraphrases: list[Pair] = field(default_factory=list)
    out_of_scope: list[str] = field(default_factory=list)
    held_out: list[Pair] = field(default_factory=list)
    held_out_oos: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)


def paraphrases(part: str) -> list[Pair]:
    """Hand-written pairs of `train` or `held_out`; out-of-scope sentences carry the label ""."""
    table = yaml.safe_load(PARAPHRASES.read_text(encoding="utf-8"))
    return [
        (normalise(text), OUT_OF_SCOPE if label == "out_of_scope" else label)
        for label, parts in table.items()
        for text in parts[part]
    ]


def gather(grammar: Grammar, data: Path | None, rng: np.random.Generator) -> Wordings:
    """All sentences; `data` is the folder EVERPAW_DATA names, or None for what the repository holds."""
    unknown = {label for _, label in paraphrases("train")} - {*grammar.intents, OUT_OF_SCOPE}
    if unknown:
        raise TrainingError(
            f"{PARAPHRASES.name} names {sorted(unknown)}, which the grammar does not; add them"
        )
    written = paraphrases("train")
    held = paraphrases("held_out")
    own = sorted({(text, intent) for text, intent, _ in grammar.sentences(rng, 8_000)})
    wordings = Wordings(
        train=own,
        paraphrases=[pair for pair in written if pair[1]],
        out_of_scope=[text for text, label in written if not label],
        held_out=[pair for pair in held if pair[1]],
        held_out_oos=[text for text, label in held if not label],
        sources=["grammar.yaml of the starter (ours)", "training/data/paraphrases.yaml (ours)"],
    )
    if data is not None:
        _add_clinc(wordings, data / corpora.CLINC)
        _add_goemotions(wordings, grammar, data / corpora.GOEMOTIONS / "train.tsv", rng)
    return wordings


def _add_clinc(wordings: Wordings, path: Path) -> None:
    if not path.is_file():
        return
    sets = corpora.clinc(path)
    for text, intent in sets["train"]:
        if intent in CLINC_SAME:
            wordings.paraphrases.append((normalise(text), CLINC_SAME[intent]))
    for part, target in (("train", wordings.out_of_scope), ("val", wordings.held_out_oos)):
        rows = [*sets[part], *sets[f"oos_{part}"]]
        target.extend(normalise(text) for text, intent in rows if intent not in CLINC_NEAR)
    wordings.sources.append("CLINC-150, clinc/oos-eval (CC BY 3.0)")


def _add_goemotions(wordings: Wordings, grammar: Grammar, path: Path, rng: np.random.Generator) -> None:
    """Longer sentences only: short ones ("thank you", "good dog") may well be meant for the pet."""
    if not path.is_file():
        return
    texts = [normalise(text) for text, _ in corpora.goemotions(path)]
    fit = [t for t in texts if 5 <= len(t.split()) <= 20 and grammar.parse(t) is None]
    chosen = rng.permutation(len(fit))[:6_000]
    wordings.out_of_scope.extend(fit[int(i)] for i in chosen)
    wordings.sources.append("GoEmotions (Apache-2.0)")


def negations(pairs: list[Pair], exempt: set[str], rng: np.random.Generator, n: int) -> list[str]:
    """Orders denied ("don't sit"): out of scope. Intents of `exempt` may be asked for that way."""
    orders = [text for text, label in pairs if label not in exempt and len(text.split()) <= 3]
    picks = rng.integers(len(orders), size=n)
    return [str(rng.choice(_DENYING)).format(orders[int(i)]) for i in picks]


def dress(text: str, rng: np.random.Generator) -> str:
    """Sometimes a polite or asking frame around it."""
    chance = rng.random()
    if chance < 0.25:
        return str(rng.choice(_POLITE)).format(text)
    if chance < 0.33 and len(text.split()) <= 4:
        return str(rng.choice(_ASKING)).format(text)
    return text


class Confuser:
    """Mistakes of a recogniser whose words are `vocabulary`: words that share a consonant skeleton swap."""

    def __init__(self, vocabulary: list[str]) -> None:
        self._alike: dict[str, list[str]] = {}
        for word in vocabulary:
            self._alike.setdefault(skeleton(word), []).append(word)

    def confuse(self, text: str, rng: np.random.Generator, level: float) -> str:
        """`level` 0 (none) to 1 (about every third word touched); never returns an empty text."""
        words = [w for word in text.split() if (w := self._word(word, rng, level))]
        return " ".join(words) or text

    def _word(self, word: str, rng: np.random.Generator, level: float) -> str:
        chance = rng.random() / max(level, 1e-9)
        if chance < 0.06:
            return ""
        if chance < 0.08:
            return f"{word} {word}"
        if chance < 0.20:
            return str(rng.choice(self._alike.get(skeleton(word), [word])))
        if chance < 0.36 and len(word) > 2:
            return _misspell(word, rng)
        return word


def _misspell(word: str, rng: np.random.Generator) -> str:
    at = int(rng.integers(len(word)))
    letter = str(rng.choice(list("aeioudtsnrlmk")))
    return (word[:at] + word[at + 1 :], word[:at] + letter + word[at + 1 :], word[:at] + letter + word[at:])[
        int(rng.integers(3))
    ]
