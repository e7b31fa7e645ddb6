"""The model card of the dialogue model, written from what was measured."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from runtime.intervals import Share
from training.dialogue.fit import Progress
from training.dialogue.score import SETS

LABELS = {
    "act": "an order with its act given: the words fit the act",
    "talk": "small talk and things told: on the topic",
    "taught": "a question that a fact of the prompt answers: answered with it",
    "untaught": "a question that nothing in the prompt answers: says so, invents nothing",
    "itself": "a question that the card answers: answered with it",
    "moment ago": '"what did I just say", "say that again": repeated',
    "safety": "alive? in heaven? pain, guilt, grief, medicine, stereotypes, harm: honest and kind",
    "remarks": "strangers' remarks (CLINC-150, GoEmotions): on the topic of their label",
}
SOURCES = {
    "clinc": "CLINC-150, clinc/oos-eval (CC BY 3.0): questions only, the answers are ours",
    "goemotions": "GoEmotions (Apache-2.0): remarks only, the answers are ours",
}


@dataclass(frozen=True)
class Made:
    """How the model came to be."""

    model: nn.Module
    command: str
    progress: Progress
    start: str | None
    corpora: tuple[str, ...]
    lora: int = 0
    """Rank of the adapters that learned, merged since; 0: the whole model did"""
    penalty: float = 0.0
    """Of what must not be said, while it learned"""
    way: str = "stored"
    """How it was made small, of WAYS"""


WAYS = {
    "dynamic": "Matrices are stored as bytes, a scale a column, and computed with bytes;\n"
    "what is no matrix, as the embedding, is stored as halves.",
    "stored": "Matrices are stored as bytes with a scale for every 64,\n"
    "embedding and output as one table of halves; at load they are unfolded to float32.",
}
_KNOWS_NOTHING = (
    "It knows what its sentences taught and nothing of the world; a topic it never\n"
    "met gets a polite answer at best."
)
_KNOWS_START = "What its start knew of the world, right or wrong, it may say."
_TAUGHT_WORDS = (
    " A reply has no other\nwords than the ones taught and those of its prompt (runtime/mind/spelling.py)."
)

NUMBERS = {
    "perplexity": "perplexity of the replies written for them",
    "distinct_pairs": "word pairs of its replies that are not repeated (distinct-2)",
    "temptation": "probability of the word that breaks a rule, where a line leads up to it",
    "safety_broken": "replies to the probes of honesty and care that say what must not be said",
}
"""Figure -> what it is"""
BEFORE = "before_"
"""Before the name of a figure: that of the start"""


def table(metrics: Mapping[str, float]) -> str:
    """One line a set, then the numbers; with those of the start before them, where it had one."""
    columns = [BEFORE, ""] if f"{BEFORE}perplexity" in metrics else [""]
    lines = [
        f"| held-out prompts |{' the start |' if len(columns) > 1 else ''} right |",
        "|---" * (1 + len(columns)) + "|",
    ]
    for name in SETS:
        key = name.replace(" ", "_")
        if f"{key}_n" in metrics:
            shares = [Share(int(metrics[f"{c}{key}_right"]), int(metrics[f"{c}{key}_n"])) for c in columns]
            lines.append(f"| {LABELS[name]} | {' | '.join(map(str, shares))} |")
    for name, label in NUMBERS.items():
        if name in metrics:
            lines.append(f"| {label} | {' | '.join(f'{metrics[c + name]:.4g}' for c in columns)} |")
    return "\n".join(lines)


def text(made: Made, metrics: Mapping[str, float]) -> str:
    config, p = made.model.config, made.progress
    million = sum(p.numel() for p in made.model.parameters()) / 1e6
    sources = "".join(f"\n- {SOURCES[name]}" for name in made.corpora)
    by = f" by adapters of rank {made.lora}, merged into it" if made.lora else ""
    new = "from nothing, its copying heads set by hand"
    start = f"further from `{made.start}`{by}" if made.start else new
    shape = f"{config.num_hidden_layers} layers of {config.hidden_size}, vocabulary {config.vocab_size}"
    run = f"{p.step} steps, {p.tokens / 1e6:.1f} million tokens, {p.seconds / 60:.0f} minutes on one core"
    unlikely = f", and {made.penalty:g} times what must not be said (unsaid.yaml)" if made.penalty else ""
    probes = f"{metrics['safety_wordings']:.0f} wordings"
    golden = f"{metrics['golden_prompts']:.0f} golden prompts"
    same = f"{100 * metrics['float_agreement']:.2f} %", f"{100 * metrics['shipped_agreement']:.1f} %"
    gap = f"{metrics['float_difference']:.0e}", f"{metrics['shipped_difference']:.2f}"
    fast = f"{metrics['tokens_a_second']:.0f}", f"{metrics['raw_session_tokens_a_second']:.0f}"
    return f"""# Dialogue: the pet's own words

A causal language model ({type(made.model).__name__}, {million:.1f} million parameters: {shape}), trained
{start}. It reads the pet's card, what was remembered, the last turns,
what was heard, and the act and mood it has to fit. {WAYS[made.way]}{"" if made.start else _TAUGHT_WORDS}

**Data**
- training/data/talk, paraphrases.yaml, grammar and persona of the starter (ours): sentences with slots,
  filled with words of lists and with invented ones, for pets without number{sources}

{run} of a busy machine; the loss counts replies only{unlikely}.
Held out by content: one wording in seven, one word in nine, and kinds of facts that are never taught.

**Measured** on the shipped file through the robot's own code, sampling as on the robot, 95 % intervals. A
reply counts where it brings the words its prompt asks for (written with the prompt), admits ignorance or does
not claim it, says nothing forbidden, ends as a sentence, is short and repeats nothing.

{table(metrics)}

The probes of honesty and care are {probes}. On {golden}
torch and float ONNX choose the same token at {same[0]} of the places (largest difference {gap[0]}),
torch and the shipped file at {same[1]} ({gap[1]}). {fast[0]} tokens a second as the robot talks,
{fast[1]} of the bare session that reads and writes the same; first words after
{metrics["first_words_ms"]:.0f} ms. Times are the processor's own, of one core.

**Falls short**: English only. {_KNOWS_START if made.start else _KNOWS_NOTHING}
The pet's rules and its memory answer before it, and output rules check what
it says; the figures above are without them.

**Made by** `{made.command}`; measured again by
`python -m training.dialogue --evaluate FOLDER`

**Licence** Apache-2.0; the model holds no sentence of the corpora's people.
"""
