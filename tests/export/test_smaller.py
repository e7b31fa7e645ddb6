"""Pruned, healed, taught: less of the model, and what is lost is learned again."""

import argparse
import copy
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("optimum.exporters.onnx", reason="needs the extra: pip install 'everpaw[export]'")

import torch
from tokenizers import Tokenizer

from export.models import plan, prune, samples, smaller, teach, vocabulary
from export.models.checkpoint import Checkpoint, load
from export.models.command import main
from export.models.plan import Plan
from runtime.contracts.errors import ExportError
from runtime.engines import Engine
from runtime.mind.language_model import LanguageModel
from runtime.mind.prompt import Prompt
from tests.export import checkpoints


def _checkpoint(family: str, tmp_path: Path) -> Checkpoint:
    checkpoints.make(family, tmp_path / family)
    return load(tmp_path / family)


def _size(checkpoint: Checkpoint) -> int:
    return sum(p.numel() for p in checkpoint.model.parameters())


@pytest.mark.parametrize("family", ["llama", "qwen2", "bert", "distilbert"])
def test_heads_and_layers_are_taken_out_and_the_rest_still_exports(family: str, tmp_path: Path) -> None:
    before = _checkpoint(family, tmp_path)
    words = [str(before.folder), "--out", str(tmp_path / "out"), "--precision", "fp32", "--heal", "0"]
    assert main([*words, "--prune", "heads=1,layers=1", "--accept-miss"]) == 0
    report = json.loads((tmp_path / "out" / "export.json").read_text())
    was, is_now = report["parameters"]
    assert is_now < 0.75 * was or family in ("bert", "distilbert")
    assert is_now < was
    [row] = report["variants"]
    assert row["parity"]["max_abs"] < 1e-3
    engine = Engine(tmp_path / "out" / "model.onnx")
    if family in ("llama", "qwen2"):
        assert [n for n in engine.inputs if n.endswith(".key")] == ["past_key_values.0.key"]
        assert engine.input_shapes["past_key_values.0.key"][1] == 1


def test_gpt2_loses_layers_but_says_that_its_heads_cannot_go(tmp_path: Path) -> None:
    before = _checkpoint("gpt2", tmp_path)
    inputs = samples.gather(before, None).calibrate[:4]
    assert len(prune.layers_of(prune.shrink(before, Plan(layers=1), inputs).model)) == 1
    with pytest.raises(ExportError, match="heads of a gpt2 cannot be pruned"):
        prune.shrink(before, Plan(heads=1), inputs)


def test_the_least_needed_group_goes_and_the_answers_stay(tmp_path: Path) -> None:
    """A group that adds nothing may be taken out without any answer changing."""
    before = _checkpoint("llama", tmp_path)
    with torch.no_grad():
        for layer in prune.layers_of(before.model):
            layer.self_attn.o_proj.weight[:, :32] = 0
    inputs = samples.gather(before, None).calibrate[:8]
    after = prune.shrink(before, Plan(heads=1), inputs)
    for one, two in zip(samples.of_torch(before, inputs), samples.of_torch(after, inputs), strict=True):
        assert np.allclose(one, two, atol=1e-5)


def test_the_layer_that_turns_nothing_goes(tmp_path: Path) -> None:
    before = _checkpoint("llama", tmp_path)
    first, inputs = prune.layers_of(before.model)[0], samples.gather(before, None).calibrate[:8]
    with torch.no_grad():
        first.self_attn.o_proj.weight.zero_()
        first.mlp.down_proj.weight.zero_()
    model = copy.deepcopy(before.model)
    assert prune.drop_layers(model, 1, inputs) == [0]
    for one in inputs:
        given = torch.from_numpy(one["input_ids"])
        assert torch.allclose(model(given).logits, before.model(given).logits, atol=1e-5)


@pytest.mark.parametrize("what", ["heads=4", "layers=2"])
def test_something_must_stay(what: str, tmp_path: Path) -> None:
    before = _checkpoint("llama", tmp_path)
    with pytest.raises(ExportError, match="at least one must stay"):
        prune.shrink(before, plan.parse(what), samples.gather(before, None).calibrate[:2])


def test_a_smaller_vocabulary_reads_the_same_texts_alike_and_can_still_spell(tmp_path: Path) -> None:
    before = _checkpoint("llama", tmp_path)
    texts = ["sit down please", "walk to the door"]
    after, numbers = vocabulary.shrink(before, texts, tmp_path / "less")
    old, new = (Tokenizer.from_file(str(one.folder / "tokenizer.json")) for one in (before, after))
    assert new.get_vocab_size() < 0.6 * old.get_vocab_size()
    for text in texts:
        assert new.encode(text).tokens == old.encode(text).tokens
        assert [numbers[n] for n in old.encode(text).ids] == new.encode(text).ids
    strange = "violet umbrellas hum"
    assert new.decode(new.encode(strange).ids) == old.decode(old.encode(strange).ids)
    assert len(new.encode(strange).ids) > len(old.encode(strange).ids)
    inputs = [{"input_ids": np.array([old.encode(text).ids], np.int64)} for text in texts]
    [meant, _], [found, _] = (
        samples.of_torch(before, inputs), samples.of_torch(after, vocabulary.renumber(inputs, numbers))
    )  # fmt: skip
    assert np.allclose(found, meant[..., sorted(numbers)], atol=1e-5)


def test_a_pruned_pet_still_talks(tmp_path: Path) -> None:
    before = _checkpoint("llama", tmp_path)
    words = [str(before.folder), "--out", str(tmp_path / "out"), "--precision", "fp32"]
    assert main([*words, "--prune", "heads=1,vocabulary", "--heal", "5", "--accept-miss"]) == 0
    model = LanguageModel(tmp_path / "out")
    assert isinstance("".join(model.stream(Prompt("Buddy", "hello"), seed=1)), str)


def test_healing_brings_it_nearer_to_what_it_was(tmp_path: Path) -> None:
    before = _checkpoint("qwen2", tmp_path)
    given = samples.gather(before, None)
    hurt = prune.shrink(before, Plan(heads=1, layers=1), given.calibrate)

    def apart(one: Checkpoint) -> float:
        pairs = zip(samples.of_torch(before, given.prove), samples.of_torch(one, given.prove), strict=True)
        return float(np.mean([np.abs(a - b).mean() for a, b in pairs]))

    was = apart(hurt)
    teach.teach(hurt, before, given.teach, 60)
    assert apart(hurt) < 0.95 * was


def test_a_student_learns_from_a_larger_teacher_of_the_same_words_only(tmp_path: Path) -> None:
    student, teacher = _checkpoint("gpt2", tmp_path), _checkpoint("llama", tmp_path)
    given = samples.gather(student, None)
    first = teach.teach(smaller.prune.shrink(student, Plan(), []), teacher, given.teach, 1)
    made = smaller.make(student, given, Plan(), 60, teacher, tmp_path)
    assert made.facts["taught_loss"] < first
    assert _size(made.checkpoint) == _size(student)
    (teacher.folder / "tokenizer.json").write_text("{}")
    with pytest.raises(ExportError, match="another tokenizer"):
        smaller.make(student, given, Plan(), 1, teacher, tmp_path)


def test_nothing_is_learned_from_what_proves_or_calibrates(tmp_path: Path) -> None:
    given = samples.gather(_checkpoint("gpt2", tmp_path), None)
    golden = {one["input_ids"].tobytes() for one in (*given.prove, *given.calibrate)}
    assert given.teach
    assert not {one["input_ids"].tobytes() for one in given.teach} & golden


def test_what_is_typed_is_read() -> None:
    assert plan.parse("heads=2,layers=1,vocabulary") == Plan(2, 1, True)
    for wrong in ("head=2", "heads=x", "heads"):
        with pytest.raises(argparse.ArgumentTypeError):
            plan.parse(wrong)


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    before = _checkpoint("bert", tmp_path)
    words = [str(before.folder), "--out", str(tmp_path / "out"), "--plot", str(tmp_path / "pareto.png")]
    assert main([*words, "--precision", "fp32,fp16,int8", "--accept-miss"]) == 0
    assert (tmp_path / "pareto.png").stat().st_size > 5_000
