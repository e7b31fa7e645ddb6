"""LoRA (Hu et al., 2021): a model learns by small matrices beside its own, merged into it at the end.

The model's own weights stay as they came. The tags' rows of its embedding learn whole: they were not there.
"""

from collections.abc import Sequence
from typing import Any, cast

from peft import LoraConfig, PeftModel, get_peft_model
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from training.dialogue.text import special_tokens


def attach(model: PreTrainedModel, rank: int, tokenizer: Tokenizer, acts: Sequence[str]) -> PeftModel:
    """Adapters on every linear layer of `model`, which itself goes on as the model to train."""
    tags = sorted({tokenizer.token_to_id(tag) for tag in special_tokens(acts)})
    plan = LoraConfig(
        r=rank, lora_alpha=2 * rank, lora_dropout=0.05, target_modules="all-linear",
        trainable_token_indices=tags,
    )  # fmt: skip
    return cast(PeftModel, get_peft_model(model, plan))


def merge(adapted: PeftModel) -> PreTrainedModel:
    """One plain model again, with what the adapters learned in its weights."""
    return cast(PreTrainedModel, cast(Any, adapted).merge_and_unload())
