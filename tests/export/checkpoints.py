"""Checkpoints of real architectures, tiny and untrained, as a recipe would leave them."""

import json
from pathlib import Path

import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    HubertConfig,
    HubertForCTC,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Wav2Vec2Config,
    Wav2Vec2ForCTC,
    WhisperConfig,
    WhisperModel,
)

from runtime.mind.language_model import Card
from training.data import orders
from training.data.sentences import EVERYDAY
from training.dialogue.text import make_tokenizer

_TOKENS = 600
_WIDE = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
_SYMBOLS = ["<pad>", "<s>", "</s>", "<unk>", "|", *"abcdefghijklmnopqrstuvwxyz'"]
_SOUND = {**_WIDE, "vocab_size": len(_SYMBOLS), "conv_dim": (32,) * 7, "pad_token_id": 0}
_GQA = {**_WIDE, "num_key_value_heads": 2, "max_position_embeddings": 512, "vocab_size": _TOKENS}
_MAKERS = {
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(vocab_size=_TOKENS, n_embd=64, n_layer=2, n_head=4)),
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**_GQA)),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**_GQA)),
    "bert": lambda: BertForSequenceClassification(BertConfig(**_WIDE, vocab_size=_TOKENS, num_labels=5)),
    "distilbert": lambda: DistilBertForSequenceClassification(
        DistilBertConfig(vocab_size=_TOKENS, dim=64, hidden_dim=128, n_layers=2, n_heads=4, num_labels=5)
    ),
    "wav2vec2": lambda: Wav2Vec2ForCTC(Wav2Vec2Config(**_SOUND)),
    "hubert": lambda: HubertForCTC(HubertConfig(**_SOUND)),
    "whisper": lambda: WhisperModel(
        WhisperConfig(
            vocab_size=_TOKENS,
            d_model=64,
            encoder_layers=2,
            decoder_layers=1,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            encoder_ffn_dim=128,
            decoder_ffn_dim=128,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
            decoder_start_token_id=3,
        )
    ),
}
FAMILIES = tuple(_MAKERS)
HEARING = ("wav2vec2", "hubert", "whisper")


def make(family: str, folder: Path) -> PreTrainedModel:
    """Its weights are wide enough that it has opinions; the tokenizer is one of the house's own."""
    torch.manual_seed(3)
    model = _MAKERS[family]().eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim == 2:
                weight.mul_(3)
    model.save_pretrained(folder)
    if family in HEARING:
        (folder / "vocab.json").write_text(json.dumps({s: n for n, s in enumerate(_SYMBOLS)}))
        (folder / "preprocessor_config.json").write_text(
            json.dumps({"sampling_rate": 16_000, "do_normalize": True})
        )
    else:
        make_tokenizer(iter(EVERYDAY), orders.acts(), _TOKENS).save(str(folder / "tokenizer.json"))
        card = Card(acts=tuple(orders.acts()), context=256)
        (folder / "dialogue.json").write_text(card.model_dump_json())
    return model
