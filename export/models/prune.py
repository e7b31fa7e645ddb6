"""A smaller model of the same kind: whole layers, groups of heads and words that are not needed taken out.

What is least needed is measured on real inputs: a layer by how little it turns what flows through it (Men et
al., "ShortGPT", 2024), a group of heads by how much it adds to the sum (its output, times its part of the
output matrix).
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from export.models.checkpoint import Checkpoint
from export.models.plan import Plan
from export.models.samples import Inputs, tensors
from runtime.contracts.errors import ExportError

_PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj")
_OUTPUTS = {"bert": "attention.output.dense", "distilbert": "attention.out_lin"}
"""Families whose own `prune_heads` is used -> what a layer's heads speak into"""
Watch = Callable[[int, torch.Tensor, torch.Tensor], None]
"""(number of the module, what went in, what came out)"""


def shrink(checkpoint: Checkpoint, plan: Plan, inputs: Sequence[Inputs]) -> Checkpoint:
    """A copy without so many layers and groups of heads. ExportError where it cannot be."""
    model = copy.deepcopy(checkpoint.model)
    if plan.layers:
        drop_layers(model, plan.layers, inputs)
    if plan.heads:
        drop_heads(model, plan.heads, inputs)
    return replace(checkpoint, model=model)


def layers_of(model: PreTrainedModel) -> nn.ModuleList:
    count = model.config.num_hidden_layers
    found = [m for m in model.modules() if isinstance(m, nn.ModuleList) and len(m) == count]
    if not found:
        raise ExportError(f"no list of {count} layers is found in a {model.config.model_type}")
    return found[0]


def drop_layers(model: PreTrainedModel, count: int, inputs: Sequence[Inputs]) -> list[int]:
    """Take out the layers that turn their input least; which they were."""
    layers = layers_of(model)
    if count >= len(layers):
        raise ExportError(f"{count} of {len(layers)} layers cannot be pruned; at least one must stay")
    turned = [0.0] * len(layers)

    def watch(number: int, before: torch.Tensor, after: torch.Tensor) -> None:
        alike = torch.nn.functional.cosine_similarity(before, after, dim=-1)
        turned[number] += float((1 - alike).mean())

    with _watched(layers, watch):
        _run(model, inputs)
    gone = sorted(sorted(range(len(layers)), key=lambda number: turned[number])[:count])
    for number in reversed(gone):
        del layers[number]
    for number, layer in enumerate(layers):
        for part in layer.modules():
            if hasattr(part, "layer_idx"):
                part.layer_idx = number  # type: ignore[assignment]
    model.config.num_hidden_layers = len(layers)
    if getattr(model.config, "layer_types", None):
        model.config.layer_types = [t for n, t in enumerate(model.config.layer_types) if n not in gone]
    return gone


def drop_heads(model: PreTrainedModel, count: int, inputs: Sequence[Inputs]) -> None:
    """Take the `count` least needed groups out of every layer."""
    family = model.config.model_type
    if family in _OUTPUTS:
        _drop_plain_heads(model, count, inputs, _OUTPUTS[family])
        return
    first = layers_of(model)[0]
    attention = getattr(first, "self_attn", None)
    grouped = getattr(model.config, "num_key_value_heads", None)
    if not grouped or not all(hasattr(attention, name) for name in _PROJECTIONS):
        raise ExportError(f"heads of a {family} cannot be pruned; its layers and vocabulary can")
    if count >= grouped:
        raise ExportError(f"{count} of {grouped} groups of heads cannot be pruned; at least one must stay")
    each = model.config.num_attention_heads // grouped
    width = (
        getattr(model.config, "head_dim", None)
        or model.config.hidden_size // model.config.num_attention_heads
    )
    for attention, weight in zip(_attentions(model), _needs(model, inputs, grouped), strict=True):
        kept = sorted(weight.argsort(descending=True)[: grouped - count].tolist())
        _cut(attention, kept, each * width, width)
    model.config.num_attention_heads -= count * each
    model.config.num_key_value_heads -= count
    model.config.head_dim = width


def _attentions(model: PreTrainedModel) -> list[Any]:
    return [layer.self_attn for layer in layers_of(model)]


def _needs(model: PreTrainedModel, inputs: Sequence[Inputs], groups: int) -> list[torch.Tensor]:
    """Of each layer (groups,): mean length of what the group adds."""
    outputs = [attention.o_proj for attention in _attentions(model)]
    needs = [torch.zeros(groups) for _ in outputs]

    def watch(number: int, before: torch.Tensor, after: torch.Tensor) -> None:
        said = before.unflatten(-1, (groups, -1))  # (B, T, groups, width)
        matrix = outputs[number].weight.unflatten(1, (groups, -1))  # (H, groups, width)
        added = torch.einsum("btgw,hgw->btgh", said, matrix)
        needs[number] += added.norm(dim=-1).mean(dim=(0, 1))

    with _watched(outputs, watch):
        _run(model, inputs)
    return needs


def _cut(attention: Any, kept: list[int], query: int, key: int) -> None:
    """Keep the rows (o_proj: columns) of these groups."""
    for name, width in (("q_proj", query), ("k_proj", key), ("v_proj", key)):
        rows = torch.cat([torch.arange(g * width, (g + 1) * width) for g in kept])
        setattr(attention, name, _linear(getattr(attention, name), rows, 0))
    columns = torch.cat([torch.arange(g * query, (g + 1) * query) for g in kept])
    attention.o_proj = _linear(attention.o_proj, columns, 1)


def _linear(old: nn.Linear, index: torch.Tensor, axis: int) -> nn.Linear:
    weight = old.weight.detach().index_select(axis, index)
    new = nn.Linear(weight.shape[1], weight.shape[0], bias=old.bias is not None)
    new.weight = nn.Parameter(weight)
    if old.bias is not None:
        bias = old.bias.detach()
        new.bias = nn.Parameter(bias.index_select(0, index) if axis == 0 else bias.clone())
    return new


def _drop_plain_heads(model: PreTrainedModel, count: int, inputs: Sequence[Inputs], place: str) -> None:
    """By transformers' own way, least needed first: by the length of what a head says."""
    total = model.config.num_attention_heads
    if count >= total:
        raise ExportError(f"{count} of {total} heads cannot be pruned; at least one must stay")
    said = [torch.zeros(total) for _ in layers_of(model)]

    def watch(number: int, before: torch.Tensor, after: torch.Tensor) -> None:
        said[number] += before.unflatten(-1, (total, -1)).norm(dim=-1).mean(dim=(0, 1))

    with _watched([layer.get_submodule(place) for layer in layers_of(model)], watch):
        _run(model, inputs)
    model.prune_heads({n: row.argsort()[:count].tolist() for n, row in enumerate(said)})


@contextmanager
def _watched(modules: Iterable[nn.Module], watch: Watch) -> Iterator[None]:
    def hook(number: int) -> Callable[..., None]:
        def called(module: nn.Module, given: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> None:
            before = given[0] if given else kwargs["hidden_states"]
            after = out[0] if isinstance(out, tuple) else out
            watch(number, before, after)

        return called

    handles = [m.register_forward_hook(hook(n), with_kwargs=True) for n, m in enumerate(modules)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def _run(model: PreTrainedModel, inputs: Sequence[Inputs]) -> None:
    model.eval()
    for one in inputs:
        model(**tensors(one))
