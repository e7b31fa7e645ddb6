"""Any encoder or decoder of a folder or hub as a classifier of sentences; what of it learns, how fast."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

from runtime.contracts.errors import ConfigError, TrainingError
from training.school.settings import Freeze, Lesson, Lora, Optimiser

_DROPOUTS = (
    "hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout", "dropout",
    "attention_dropout", "seq_classif_dropout", "resid_pdrop", "embd_pdrop", "attn_pdrop",
)  # fmt: skip
"""Names of a dropout in the configurations of transformers"""


def tokenizer_of(start: str) -> Any:
    """The start's own, with something to pad with; TrainingError where it has none."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(start)
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise TrainingError(_cannot(start, error)) from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    if tokenizer.pad_token is None:
        raise TrainingError(f"the tokenizer of {start} has neither padding nor an end; add a pad_token to it")
    tokenizer.padding_side = "right"
    tokenizer.model_input_names = [
        "input_ids",
        "attention_mask",
    ]  # token types are all alike, and not all know them
    return tokenizer


def classifier(lesson: Lesson, labels: list[str], several: bool, pad: int) -> nn.Module:
    """The start with a head of one column a label; a head that already has these labels is kept."""
    try:
        config = AutoConfig.from_pretrained(lesson.start)
        known = dict(config.label2id)
        config.id2label, config.label2id = dict(enumerate(labels)), {name: i for i, name in enumerate(labels)}
        config.problem_type = "multi_label_classification" if several else "single_label_classification"
        config.pad_token_id = pad
        for name in _DROPOUTS:
            if lesson.switches.dropout is not None and hasattr(config, name):
                setattr(config, name, lesson.switches.dropout)
        model = AutoModelForSequenceClassification.from_pretrained(
            lesson.start, config=config, ignore_mismatched_sizes=True
        )
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise TrainingError(_cannot(lesson.start, error)) from error
    if set(known) & set(labels) and known != config.label2id:
        carry_head(model, AutoModelForSequenceClassification.from_pretrained(lesson.start), known, labels)
    freeze(model, lesson.freeze)
    return adapted(model, lesson.lora) if lesson.lora.rank else model


def head_of(model: nn.Module, labels: int) -> nn.Linear:
    """The layer that gives a column a label."""
    inside = {id(module) for module in _body(model).modules()}
    heads = [
        module for module in model.modules()
        if isinstance(module, nn.Linear) and module.out_features == labels and id(module) not in inside
    ]  # fmt: skip
    return heads[-1]


def carry_head(model: nn.Module, before: nn.Module, known: dict[str, int], labels: list[str]) -> None:
    """Into the head of `model` the columns that `before` has learned, by their labels' names."""
    old, new = head_of(before, len(known)), head_of(model, len(labels))
    with torch.no_grad():
        for column, label in enumerate(labels):
            if label in known:
                new.weight[column] = old.weight[known[label]]
                if new.bias is not None and old.bias is not None:
                    new.bias[column] = old.bias[known[label]]


def _cannot(start: str, error: Exception) -> str:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    where = (
        "is no checkpoint that can be used"
        if Path(start).exists()
        else "is no folder here, nor could a hub give it"
    )
    return f"{start!r} {where} ({reason}); set `start` to a folder with config.json, weights and tokenizer"


def layers_of(model: nn.Module) -> nn.ModuleList:
    """The stack of like layers; the longest list of modules in any architecture of transformers."""
    stacks = [module for module in model.modules() if isinstance(module, nn.ModuleList) and len(module)]
    if not stacks:
        raise TrainingError(
            f"{type(model).__name__} has no stack of layers; set freeze.policy to none or head"
        )
    return max(stacks, key=lambda stack: (len(stack), sum(p.numel() for p in stack.parameters())))


def freeze(model: nn.Module, plan: Freeze) -> None:
    """Takes `requires_grad` from what the policy names."""
    model = getattr(model, "base_model", model)
    frozen: list[nn.Module] = []
    if plan.policy == "head":
        frozen = [model]
    elif plan.policy == "embeddings":
        frozen = [cast("Any", model).get_input_embeddings()]
    elif plan.policy == "all_but_top":
        stack = layers_of(model)
        if plan.top > len(stack):
            raise ConfigError(f"freeze.top = {plan.top}: the start has {len(stack)} layers; give no more")
        for parameter in model.parameters():
            parameter.requires_grad = False
        for parameter in stack[len(stack) - plan.top :].parameters():
            parameter.requires_grad = True
    for module in frozen:
        for parameter in module.parameters():
            parameter.requires_grad = False


def adapted(model: nn.Module, lora: Lora) -> nn.Module:
    """With low-rank adapters on every linear layer; the head learns whole."""
    import peft

    plan = peft.LoraConfig(
        task_type=peft.TaskType.SEQ_CLS, r=lora.rank, lora_alpha=lora.alpha, lora_dropout=lora.dropout,
        target_modules="all-linear",
    )  # fmt: skip
    return cast("nn.Module", peft.get_peft_model(cast("Any", model), plan))


def groups(model: nn.Module, plan: Optimiser) -> list[dict[str, Any]]:
    """What learns, in groups for an optimiser: the head faster, vectors (biases, norms) without decay."""
    table: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    inside = {id(p) for p in _body(model).parameters()}
    for parameter in learning(model):
        table.setdefault((id(parameter) not in inside, parameter.ndim > 1), []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": plan.rate * (plan.head_factor if head else 1),
            "weight_decay": plan.weight_decay if matrix else 0.0,
        }
        for (head, matrix), parameters in sorted(table.items(), key=lambda item: item[0])
    ]


def _body(model: nn.Module) -> nn.Module:
    whole = cast("Any", model).get_base_model() if hasattr(model, "get_base_model") else model
    return cast("nn.Module", getattr(whole, "base_model", whole))


def learning(model: nn.Module) -> Iterator[nn.Parameter]:
    return (p for p in model.parameters() if p.requires_grad)


def million(model: nn.Module) -> float:
    """Parameters."""
    return sum(p.numel() for p in model.parameters()) / 1e6


def logits_of(model: nn.Module, tokenizer: Any, texts: list[str], most: int, batch: int = 64) -> torch.Tensor:
    """Logits (N, labels) of the texts, in their order; short ones run together."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    device = next(model.parameters()).device
    rows: dict[int, torch.Tensor] = {}
    was = model.training
    model.eval()
    with torch.inference_mode():
        for at in range(0, len(order), batch):
            some = order[at : at + batch]
            inputs = tokenizer(
                [texts[i] for i in some], padding=True, truncation=True, max_length=most, return_tensors="pt"
            ).to(device)
            rows |= dict(zip(some, model(**inputs).logits.float().cpu(), strict=True))
    model.train(was)
    return torch.stack([rows[i] for i in range(len(texts))])
