"""What a checkpoint is: a folder of transformers, a LoRA adapter on one, and which task it is for."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError
from transformers import AutoConfig, PreTrainedModel

from export.models import whisper
from runtime.contracts.errors import ExportError
from training import provenance
from training.provenance import sha256_of

ADAPTER = "adapter_config.json"
TOKENIZER = "tokenizer.json"
FRONT_END = "preprocessor_config.json"


@dataclass(frozen=True, slots=True)
class Task:
    """What is exported of an architecture."""

    name: str
    """Of the pack: what it does on the robot"""
    optimum: str
    """As optimum's exporter calls it"""
    loader: str
    """Class of transformers that reads it"""
    output: str
    """The output that is compared"""
    sound: bool = False
    """It hears samples; else it reads tokens"""


_WHISPER = Task("embedding", "feature-extraction", "AutoModel", "last_hidden_state", sound=True)
TASKS = {
    "ForCausalLM": Task("dialogue", "text-generation-with-past", "AutoModelForCausalLM", "logits"),
    "LMHeadModel": Task("dialogue", "text-generation-with-past", "AutoModelForCausalLM", "logits"),
    "ForCTC": Task("asr", "automatic-speech-recognition", "AutoModelForCTC", "logits", sound=True),
    "ForSequenceClassification": Task(
        "behaviour", "text-classification", "AutoModelForSequenceClassification", "logits"
    ),
    "WhisperModel": _WHISPER,
    "WhisperForConditionalGeneration": _WHISPER,
    "Model": Task("embedding", "feature-extraction", "AutoModel", "last_hidden_state"),
}
"""How an architecture's name ends -> what it is for; the first that fits"""


@dataclass(frozen=True)
class Checkpoint:
    """A trained model, ready to be read."""

    folder: Path
    task: Task
    model: PreTrainedModel
    sha256: str
    """Of every file it was read from, an adapter's base included"""
    facts: dict[str, Any] = field(default_factory=dict)
    """What its recipe said of it: data sets, licence, command"""

    @property
    def family(self) -> str:
        return str(self.model.config.model_type)

    @property
    def tokenizer(self) -> Path | None:
        path = self.folder / TOKENIZER
        return path if path.is_file() else None

    @property
    def front_end(self) -> dict[str, Any]:
        if self.family == whisper.FAMILY:
            return dict(whisper.FRONT_END)
        path = self.folder / FRONT_END
        return dict(json.loads(path.read_text())) if path.is_file() else {}


def load(folder: Path) -> Checkpoint:
    """The checkpoint of a folder, in float32, at rest; a LoRA adapter is merged into its base.

    ExportError names what is wrong with the folder.
    """
    if (folder / ADAPTER).is_file():
        return _merged(folder)
    if not (folder / "config.json").is_file():
        raise ExportError(f"{folder} is no checkpoint: it has neither config.json nor {ADAPTER}")
    try:
        config = AutoConfig.from_pretrained(folder)
        task = task_of(config.architectures or [], folder)
        loader = getattr(transformers, task.loader)
        model = loader.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ExportError(
            f"{folder} cannot be loaded ({str(error).splitlines()[0]}); copy it again"
        ) from error
    if config.model_type == whisper.FAMILY:
        model = whisper.Ears(model.get_encoder())
    return Checkpoint(folder, task, model.eval(), sha256_of(folder), _facts(folder))


def task_of(architectures: list[str], folder: Path) -> Task:
    for name in architectures:
        for end, task in TASKS.items():
            if name.endswith(end):
                return task
    known = ", ".join(TASKS)
    raise ExportError(
        f"{folder} holds {architectures or 'no architecture'}; known are names that end in {known}"
    )


def _merged(folder: Path) -> Checkpoint:
    from peft import PeftModel

    settings = json.loads((folder / ADAPTER).read_text())
    base = load(_base_of(settings, folder))
    adapted = PeftModel.from_pretrained(base.model, str(folder))
    model = adapted.merge_and_unload()
    digest = hashlib.sha256(f"{base.sha256} {sha256_of(folder)}".encode()).hexdigest()
    home = folder if (folder / TOKENIZER).is_file() else base.folder
    return Checkpoint(home, base.task, model.eval(), digest, {**base.facts, **_facts(folder)})


def _base_of(settings: dict[str, Any], folder: Path) -> Path:
    """Where the adapter says its base is, or beside it."""
    named = Path(str(settings.get("base_model_name_or_path", "")))
    for place in (named, folder / named, folder.parent / named.name):
        if (place / "config.json").is_file():
            return place
    raise ExportError(f"{folder} adapts {named}, which is not here; put that folder beside it")


def _facts(folder: Path) -> dict[str, Any]:
    """What its recipe wrote into the folder."""
    told = provenance.read_in(folder)
    return told.model_dump(exclude_unset=True) if told else {}
