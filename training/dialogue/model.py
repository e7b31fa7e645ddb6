"""The starter's language model: a small Llama that is set up to copy, and its optimiser.

A robot's answer is mostly copied: names and facts stand in the prompt. Copying needs "induction heads", which
a network of this size finds only after millions of tokens. They are set by hand before the first step, in the
spirit of Trockman and Kolter, "Mimetic initialization of self-attention layers" (2023): a head of layer 0
looks one token back, heads of layer 1 look for the place where the present token stood before and raise what
came after it. Everything is learned further from there.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, PreTrainedModel

from runtime.contracts.errors import TrainingError
from runtime.mind.prompt import END

CONTEXT = 512
HEAD = 64
"""Width of one attention head"""
_SHARP, _FAST = 8.0, 10
"""Bias and number of the fast rotary pairs that find the token before"""
_SLOW = 20
"""Rotary pairs from this one on hardly turn within a prompt, so they can compare words far apart"""
_MATCH, _RAISE = 2.2, 2.0


@dataclass(frozen=True)
class Size:
    vocabulary: int = 2_560
    hidden: int = 192
    layers: int = 4
    inner: int = 512


SMOKE = Size(vocabulary=600, hidden=64, layers=2, inner=128)


def new_model(size: Size, end: int, pad: int) -> LlamaForCausalLM:
    """Ready to copy, otherwise untaught; input and output embedding are one."""
    config = LlamaConfig(
        vocab_size=size.vocabulary, hidden_size=size.hidden, intermediate_size=size.inner,
        num_hidden_layers=size.layers, num_attention_heads=size.hidden // HEAD,
        num_key_value_heads=size.hidden // HEAD, max_position_embeddings=CONTEXT, tie_word_embeddings=True,
        attention_bias=True, eos_token_id=end, bos_token_id=None, pad_token_id=pad, rope_theta=10_000.0,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    _prepare_copying(model)
    return model


def pretrained(folder: str, vocabulary: int) -> PreTrainedModel:
    """Any causal language model of a local folder or a hub, its embedding widened for the tags."""
    if not Path(folder).is_dir() and Path(folder).is_absolute():
        raise TrainingError(f"{folder} is no folder of a model; give one with config.json, or a hub's name")
    try:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise TrainingError(
            f"{folder} cannot be loaded as a causal model ({reason}); check the name"
        ) from error
    if vocabulary > model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(vocabulary)
    return model


@torch.no_grad()
def begin_tags(model: PreTrainedModel, tokenizer: Tokenizer, tags: Iterable[str]) -> None:
    """Give each of the new `tags` the mean of its words' embeddings ("<act:sit>": of "act" and "sit"), and
    END what the model ended its texts with; after Hewitt, "Initializing new word embeddings for pretrained
    language models" (2021)."""
    tables = {t.weight for t in (model.get_input_embeddings(), model.get_output_embeddings())}
    own_end = model.config.eos_token_id
    for tag in tags:
        words = " ".join(re.findall(r"[a-z]+", tag))
        pieces = tokenizer.encode(f" {words}", add_special_tokens=False).ids
        if tag == END and isinstance(own_end, int):
            pieces = [own_end]
        for table in tables if pieces else ():
            table[tokenizer.token_to_id(tag)] = table[pieces].mean(dim=0)


@torch.no_grad()
def _prepare_copying(model: LlamaForCausalLM) -> None:
    """One head that looks back, and heads that find and raise; see the module's text."""
    first, second = model.model.layers[0].self_attn, model.model.layers[1].self_attn
    hidden = model.config.hidden_size
    half = HEAD // 2
    slow = torch.cat([torch.arange(_SLOW, half), torch.arange(_SLOW, half) + half])
    reads = _orthogonal(hidden, HEAD)  # (HEAD, hidden): what is known of a token
    place = _orthogonal(hidden, HEAD)  # (HEAD, hidden): where the token before is noted
    turn = 10_000.0 ** (-torch.arange(_FAST) / half)
    first.q_proj.weight[:HEAD].mul_(0.1)
    first.k_proj.weight[:HEAD].mul_(0.1)
    first.q_proj.bias[:_FAST] = _SHARP * turn.cos()
    first.q_proj.bias[half : half + _FAST] = -_SHARP * turn.sin()
    first.k_proj.bias[:_FAST] = _SHARP
    first.v_proj.weight[:HEAD] = reads
    first.o_proj.weight[:, :HEAD] = place.T * model.config.initializer_range
    for head in range(1 if hidden == HEAD else 2):
        rows = head * HEAD + slow
        chosen = slice(head * len(slow), (head + 1) * len(slow))
        second.q_proj.weight[rows] = _MATCH * reads[chosen]
        second.k_proj.weight[rows] = _MATCH * place[chosen]
        copied = _orthogonal(hidden, HEAD)
        block = slice(head * HEAD, (head + 1) * HEAD)
        second.v_proj.weight[block] = copied
        second.o_proj.weight[:, block] = copied.T * _RAISE * model.config.initializer_range


def _orthogonal(hidden: int, rows: int) -> torch.Tensor:
    return nn.init.orthogonal_(torch.empty(hidden, hidden))[:rows]


def optimiser_of(model: nn.Module, rate: float) -> torch.optim.Optimizer:
    """AdamW; only matrices decay."""
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    inner = [p for name, p in named if p.ndim == 2 and "embed" not in name]
    chosen = {id(p) for p in inner}
    rest = [p for _, p in named if id(p) not in chosen]
    groups = [{"params": inner, "weight_decay": 0.05}, {"params": rest, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.97), fused=True)
