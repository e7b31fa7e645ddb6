"""What a shipped file says of itself: labels, tokenizer, front end and rate stand in its metadata."""

import json
from pathlib import Path

from export.models.checkpoint import Checkpoint
from export.models.metrics import vocabulary

RATE_HZ = 16_000


def facts(checkpoint: Checkpoint, precision: str, target: str) -> dict[str, str]:
    """Everything needed to feed the model without the checkpoint's folder."""
    config = checkpoint.model.config
    found = {
        "task": checkpoint.task.name,
        "family": checkpoint.family,
        "precision": precision,
        "target": target,
        "checkpoint_sha256": checkpoint.sha256,
    }
    if checkpoint.task.name == "behaviour":
        names = config.id2label or {}
        found["labels"] = json.dumps([names[n] for n in range(config.num_labels)])
    if checkpoint.task.sound:
        front_end = {"sampling_rate": RATE_HZ, "do_normalize": True, **checkpoint.front_end}
        found["sample_rate_hz"] = str(front_end["sampling_rate"])
        found["front_end"] = json.dumps(front_end, sort_keys=True)
    if checkpoint.task.name == "asr":
        found["labels"] = json.dumps(_labels(checkpoint.folder, config.vocab_size))
        found["blank"] = str(config.pad_token_id)
    if checkpoint.tokenizer:
        found["tokenizer"] = checkpoint.tokenizer.read_text(encoding="utf-8")
    return found


def _labels(folder: Path, size: int) -> list[str]:
    symbols = vocabulary(folder)
    return [symbols.get(number, "") for number in range(size)] if symbols else []
