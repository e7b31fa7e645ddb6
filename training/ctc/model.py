"""Any CTC network of transformers as a start, what of it may learn, and how it reads raw sound."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import AutoModelForCTC, PreTrainedModel
from transformers.utils import logging

from runtime.contracts.errors import TrainingError
from training.ctc.alphabet import Alphabet

Freeze = Literal["none", "features", "all_but_top", "head"]
_EPSILON = 1e-7
"""Of the feature extractors' own normalisation"""


def opened(
    start: str, alphabet: Alphabet, dropout: float, mask_time: float, mask_mels: float
) -> PreTrainedModel:
    """The start with a head for `alphabet`: its own where it has learned as many labels in the same order."""
    settings = {
        "vocab_size": len(alphabet.labels), "pad_token_id": alphabet.blank, "ctc_loss_reduction": "mean",
        "ctc_zero_infinity": True, "layerdrop": 0.0, "hidden_dropout": dropout, "attention_dropout": dropout,
        "final_dropout": dropout, "mask_time_prob": mask_time, "mask_feature_prob": mask_mels,
        "apply_spec_augment": mask_time > 0 or mask_mels > 0,
    }  # fmt: skip
    loud = logging.get_verbosity()
    logging.set_verbosity_error()  # a fresh head is what is wanted, not a warning
    try:
        return AutoModelForCTC.from_pretrained(start, ignore_mismatched_sizes=True, **settings)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise TrainingError(
            f"{start} cannot be loaded as a CTC model ({reason}); give a folder of wav2vec2 or HuBERT"
        ) from error
    finally:
        logging.set_verbosity(loud)


def steps_of(model: PreTrainedModel, samples: int) -> int:
    """How many answers `samples` give."""
    return int(model._get_feat_extract_output_lengths(torch.tensor(samples)))


def freeze(model: PreTrainedModel, policy: Freeze, top: int) -> int:
    """Keep what should not learn as it is; how many weights do learn."""
    base = model.base_model
    if policy != "none":
        base.feature_extractor._freeze_parameters()
    if policy == "head":
        base.requires_grad_(False)
    elif policy == "all_but_top":
        layers = base.encoder.layers
        if not 0 < top <= len(layers):
            raise TrainingError(f"{top} top layers of {len(layers)}; give 1 to {len(layers)}")
        base.requires_grad_(False)
        for layer in layers[len(layers) - top :]:
            layer.requires_grad_(True)
    return learning(model)


def adapted(model: PreTrainedModel, rank: int) -> nn.Module:
    """Low-rank adapters (Hu et al., 2021) at the attention's projections; the head learns as it is."""
    from peft import LoraConfig, get_peft_model

    wanted = LoraConfig(
        r=rank, lora_alpha=2 * rank, target_modules=["q_proj", "k_proj", "v_proj", "out_proj"],
        modules_to_save=["lm_head"],
    )  # fmt: skip
    return get_peft_model(model, wanted)


def merged(model: nn.Module) -> PreTrainedModel:
    """One plain network again, with the adapters in its weights."""
    unload = getattr(model, "merge_and_unload", None)
    return unload() if unload else model


def learning(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


class FromSound(nn.Module):
    """Samples (B, N), full scale 1.0 -> log-probabilities (B, steps, labels) in the order of `columns`.

    The normalisation of the feature extractor is part of it, so that what runs it feeds plain sound.
    """

    def __init__(self, model: PreTrainedModel, columns: Sequence[int]) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("columns", torch.tensor(columns))

    def forward(self, samples: Tensor) -> Tensor:
        logits = self.model(levelled(samples)).logits
        return logits.index_select(-1, self.columns).float().log_softmax(-1)


def levelled(samples: Tensor) -> Tensor:
    """Mean 0 and variance 1 of the whole clip, as every start has been trained."""
    middle = samples.mean(-1, keepdim=True)
    spread = ((samples - middle) ** 2).mean(-1, keepdim=True)
    return (samples - middle) / torch.sqrt(spread + _EPSILON)


def is_local(start: str) -> bool:
    return Path(start).is_dir()
