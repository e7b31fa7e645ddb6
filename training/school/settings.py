"""The settings of a fine-tuning run: one TOML file and `--set part.key=value`, into frozen models.

Each switch against overfitting is off by default, so that a plain run is a baseline for every one of them.
"""

import hashlib
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from runtime.contracts.config import Settings

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class SchoolSettings(Settings):
    page: ClassVar[str] = "docs/school.md"


class Data(SchoolSettings):
    train: Path | None = None
    """A file of texts and labels, or a folder of a corpus (docs/school.md names the forms)"""
    validation: Path | None = None
    """What is reported; never learned from nor tuned on. None: the corpus' own, else a part of `train`"""
    held_back: Annotated[float, Field(gt=0, lt=0.5)] = 0.1
    """Share of `train` kept for early stopping, temperature and thresholds"""
    limit: Annotated[int, Field(ge=0)] = 0
    """So many examples at most; 0: all"""
    clean: bool = True
    scrub: bool = True
    """Names, phones, addresses and card numbers out, before anything is learned or stored"""
    language: Annotated[str, Field(pattern=r"^([a-z]{2})?$")] = ""
    """Texts of other languages are left out; empty: no look at it"""


class Optimiser(SchoolSettings):
    name: Literal["adamw", "sgd", "adafactor"] = "adamw"
    rate: Annotated[float, Field(gt=0)] = 8e-5
    """Highest learning rate"""
    head_factor: Annotated[float, Field(gt=0)] = 5.0
    """The fresh head learns so many times faster"""
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    schedule: Literal["linear", "cosine", "constant", "constant_with_warmup", "polynomial"] = "linear"
    warm_up: Share = 0.06
    """Share of the run in which the rate rises"""
    clip: Annotated[float, Field(ge=0)] = 1.0
    """Longest gradient; 0: any"""


class Length(SchoolSettings):
    epochs: Annotated[float, Field(gt=0)] = 4.0
    steps: Annotated[int, Field(ge=0)] = 0
    """In place of epochs where more than 0"""
    batch: Count = 32
    """Sentences a step and process"""
    accumulation: Count = 1
    """Batches a step"""
    max_tokens: Annotated[int, Field(ge=4)] = 64
    patience: Annotated[int, Field(ge=0)] = 0
    """Looks at the held-back part without a gain after which it stops; 0: never"""
    looks: Count = 1
    """At the held-back part, an epoch"""
    save_steps: Annotated[int, Field(ge=0)] = 0
    """Steps between checkpoints; 0: at every look"""


class Switches(SchoolSettings):
    """Against overfitting; each can be measured alone (`everpaw train ablate`)."""

    dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
    """None: as the start has it"""
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    class_balance: Share = 0.0
    """Weight of a class: its count to the power of minus this; 0: all alike, 1: rare ones count as much"""
    fgm: Annotated[float, Field(ge=0)] = 0.0
    """Length of the adversarial step on the embeddings (Miyato et al., 2017); 0: off"""
    r_drop: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the divergence between two dropouts (Liang et al., 2021); 0: off"""
    average: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Decay of the running average of the weights, kept where better; 0: off"""
    speech_noise: Share = 0.0
    """How often a sentence is confused as a recogniser would"""
    synonyms: Share = 0.0
    """How often a word gives way to another of `synonym_file`"""
    synonym_file: Path | None = None
    """One line a group of words that may stand for each other"""
    start_pull: Annotated[float, Field(ge=0)] = 0.0
    """L2-SP (Li et al., 2018): pull of the weights back to the start; 0: off"""


class Freeze(SchoolSettings):
    policy: Literal["none", "embeddings", "all_but_top", "head"] = "none"
    """What does not learn: nothing, the embeddings, all but `top` layers and head, all but the head"""
    top: Count = 2


class Lora(SchoolSettings):
    rank: Annotated[int, Field(ge=0)] = 0
    """Of the adapters (Hu et al., 2021); 0: none, the weights themselves learn"""
    alpha: Count = 16
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.05


class Machine(SchoolSettings):
    precision: Literal["float32", "bf16", "fp16"] = "float32"
    gradient_checkpointing: bool = False
    threads: Annotated[int, Field(ge=0)] = 0
    """Of torch on a CPU; 0: its own choice"""
    tracker: Literal["tensorboard", "wandb", "none"] = "tensorboard"


class Keeping(SchoolSettings):
    """Of `everpaw train continue`: how much of the new counts for what, and what holds on to the old."""

    sure: Annotated[float, Field(gt=0.5, le=1)] = 0.9
    """A guess of the checkpoint at least so sure is learned as if it were known"""
    guess_weight: Annotated[float, Field(ge=0)] = 0.5
    """0: nothing is guessed, all is asked"""
    praise_weight: Annotated[float, Field(ge=0)] = 1.0
    owner_weight: Annotated[float, Field(gt=0)] = 3.0
    """Of corrections and answers; an example of the old data counts 1"""
    rounds: Count = 2
    """Guesses are made anew by what learned the round before"""
    least: Count = 3
    """A label that the checkpoint lacks needs so many examples by the owner"""
    replay: Annotated[float, Field(ge=0)] = 3.0
    """Old examples for each new one, at least `replay_least` of each old label"""
    replay_least: Annotated[int, Field(ge=0)] = 5
    ewc: Annotated[float, Field(ge=0)] = 0.01
    """Elastic weight consolidation (Kirkpatrick et al., 2017): hold on what matters for the old; 0: off"""
    fisher: Count = 300
    """Old examples that tell what matters"""
    ask: Annotated[int, Field(ge=0)] = 50
    """Questions to the owner at most"""


class Lesson(SchoolSettings):
    """One run: what to start from, what to learn, how."""

    start: str = ""
    """A local folder of a checkpoint, or a hub's name"""
    seed: int = 7
    data: Data = Data()
    optimiser: Optimiser = Optimiser()
    length: Length = Length()
    switches: Switches = Switches()
    freeze: Freeze = Freeze()
    lora: Lora = Lora()
    machine: Machine = Machine()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.switches.synonyms and self.switches.synonym_file is None:
            raise ValueError("switches.synonyms needs switches.synonym_file")
        return self

    @property
    def digest(self) -> str:
        """sha256 of everything that decides the result."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


class Continuing(Lesson):
    """A lesson on top of a checkpoint; whatever is not set is as that checkpoint learned."""

    keep: Keeping = Keeping()
