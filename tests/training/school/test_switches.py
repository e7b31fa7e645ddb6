"""Each switch of a lesson does something, and what is frozen does not learn."""

from pathlib import Path

import pytest
import torch

from tests.training.school.lessons import lesson_of
from training.school import course
from training.school import model as school_model
from training.school.settings import Freeze, Lesson

SWITCHES = """
    switches.label_smoothing=0.2 switches.class_balance=1 switches.fgm=1 switches.r_drop=1
    switches.dropout=0.4 switches.speech_noise=1 switches.start_pull=1 optimiser.name=sgd
    optimiser.name=adafactor optimiser.clip=0.01 optimiser.schedule=cosine optimiser.weight_decay=0.5
    freeze.policy=embeddings freeze.policy=all_but_top freeze.policy=head length.accumulation=2
    machine.precision=bf16 lora.rank=2 seed=8
"""


def learned(start: Path, table: Path, work: Path, *more: str) -> torch.Tensor:
    """All weights after a few steps, as one vector."""
    lesson = lesson_of(start, table, "freeze.top=1", "length.steps=5", *more)
    made = course.learn(lesson, course.parts_of(lesson), work).model
    model = made.merge_and_unload() if hasattr(made, "merge_and_unload") else made
    return torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.fixture(scope="module")
def plain(starts: dict[str, Path], table: Path, tmp_path_factory: pytest.TempPathFactory) -> torch.Tensor:
    return learned(starts["bert"], table, tmp_path_factory.mktemp("plain"))


def test_the_same_lesson_gives_the_same_weights(
    plain: torch.Tensor, starts: dict[str, Path], table: Path, tmp_path: Path
) -> None:
    assert torch.equal(plain, learned(starts["bert"], table, tmp_path))


@pytest.mark.parametrize("pair", SWITCHES.split())
def test_each_switch_changes_what_is_learned(
    pair: str, plain: torch.Tensor, starts: dict[str, Path], table: Path, tmp_path: Path
) -> None:
    assert not torch.allclose(plain, learned(starts["bert"], table, tmp_path, pair), atol=1e-7)


def test_checkpointed_gradients_are_the_same(starts: dict[str, Path], table: Path, tmp_path: Path) -> None:
    sgd = "optimiser.name=sgd"
    plain = learned(starts["bert"], table, tmp_path / "plain", sgd)
    saving = learned(starts["bert"], table, tmp_path / "saving", sgd, "machine.gradient_checkpointing=true")
    assert torch.allclose(plain, saving, atol=1e-6)


@pytest.mark.parametrize(
    ("policy", "top", "learning"),
    [("none", 1, {"embeddings", "0", "1", "head"}), ("embeddings", 1, {"0", "1", "head"}),
     ("all_but_top", 1, {"1", "head"}), ("head", 1, {"head"})],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["bert", "gpt2", "qwen2"])
def test_what_is_frozen_does_not_learn(
    kind: str, policy: str, top: int, learning: set[str], starts: dict[str, Path]
) -> None:
    lesson = Lesson(start=str(starts[kind]), freeze=Freeze(policy=policy, top=top))
    model = school_model.classifier(lesson, ["a", "b"], False, 0)
    stack = school_model.layers_of(model)
    parts = {"embeddings": model.get_input_embeddings(), "0": stack[0], "1": stack[1]}
    found = {name for name, part in parts.items() if any(p.requires_grad for p in part.parameters())}
    head = {id(p) for p in model.parameters()} - {id(p) for p in model.base_model.parameters()}
    found |= {"head"} if any(id(p) in head for p in school_model.learning(model)) else set()
    assert found == learning
