"""Small random starts of several architectures, and sentences that can be learned in a few steps."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra: pip install 'everpaw[training]'")
pytest.importorskip("transformers", reason="needs the extra: pip install 'everpaw[training]'")
pytest.importorskip("accelerate", reason="needs the extra: pip install 'everpaw[training]'")
pytest.importorskip("sklearn", reason="needs the extra: pip install 'everpaw[training]'")

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import (
    AutoModel,
    BertConfig,
    DistilBertConfig,
    GPT2Config,
    LlamaConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
)

WORDS = {
    "sit": ("sit down", "take a seat", "down on the floor", "please sit"),
    "walk": ("walk on", "go for a walk", "march ahead", "step forward"),
    "bark": ("bark loud", "make a noise", "speak up", "say woof"),
    "oos": ("what is the weather", "order a pizza", "play the radio", "who won the game"),
}
_FRAMES = (
    "{}",
    "{} now",
    "hey you {}",
    "{} my friend",
    "well {} then",
    "oh {}",
    "so {}",
    "{} again",
    "just {}",
)
CONFIGS = {
    "bert": lambda v: BertConfig(vocab_size=v, hidden_size=24, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=64),
    "distilbert": lambda v: DistilBertConfig(vocab_size=v, dim=24, n_layers=2, n_heads=2, hidden_dim=32,
        max_position_embeddings=64),
    "gpt2": lambda v: GPT2Config(vocab_size=v, n_embd=24, n_layer=2, n_head=2, n_positions=64),
    "llama": lambda v: LlamaConfig(vocab_size=v, hidden_size=24, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, intermediate_size=32, max_position_embeddings=64),
    "qwen2": lambda v: Qwen2Config(vocab_size=v, hidden_size=24, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, intermediate_size=32, max_position_embeddings=64),
}  # fmt: skip


def sentences() -> list[tuple[str, str]]:
    return [
        (frame.format(text), label) for label, texts in WORDS.items() for text in texts for frame in _FRAMES
    ]


@pytest.fixture(scope="session")
def starts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Architecture -> folder of a start with random weights."""
    folder = tmp_path_factory.mktemp("starts")
    words = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.train_from_iterator(
        [text for text, _ in sentences()],
        trainers.WordLevelTrainer(special_tokens=["[PAD]", "[UNK]", "[CLS]"]),
    )
    for name, config in CONFIGS.items():
        torch.manual_seed(1)
        AutoModel.from_config(config(words.get_vocab_size())).save_pretrained(folder / name)
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]", pad_token="[PAD]")
        tokenizer.save_pretrained(folder / name)
    return {name: folder / name for name in CONFIGS}


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of texts and labels."""
    path = tmp_path_factory.mktemp("data") / "orders.tsv"
    path.write_text("".join(f"{text}\t{label}\n" for text, label in sentences()), encoding="utf-8")
    return path
