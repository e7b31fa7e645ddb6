"""A classifier of the school on the robot: exported, packed, and asked by the mind."""

import json
from pathlib import Path

import pytest

pytest.importorskip("optimum.exporters.onnx", reason="needs the extra: pip install 'everpaw[export]'")

import torch
from tokenizers import Tokenizer

from export import pack
from export.models.checkpoint import load
from export.models.command import main
from runtime import starter
from runtime.contracts.errors import PackError
from runtime.mind.behaviour import Behaviour, Classifier
from runtime.mind.grammar import Grammar
from tests.export import checkpoints

SCHOOL = {"labels": ["oos", "sit", "walk", "bark", "spin"], "temperature": 2.0, "threshold": 0.0}
WORDS = ["would", "you", "kindly", "have", "a", "rest", "on", "the", "floor"]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("school")
    checkpoints.make("bert", folder / "checkpoint")
    (folder / "checkpoint" / "school.json").write_text(json.dumps(SCHOOL))
    words = [str(folder / "checkpoint"), "--out", str(folder / "behaviour"), "--precision", "fp32"]
    assert main(words) == 0
    return folder / "behaviour"


def test_the_robot_reads_what_torch_reads(exported: Path) -> None:
    checkpoint = load(exported.parent / "checkpoint")
    ids = Tokenizer.from_file(str(exported / "tokenizer.json")).encode(" ".join(WORDS)).ids
    with torch.no_grad():
        meant = torch.softmax(checkpoint.model(torch.tensor([ids])).logits[0] / SCHOOL["temperature"], -1)
    classifier = Classifier(exported)
    assert classifier.card.labels == ["", "sit", "walk", "bark", "spin"]
    assert classifier.probabilities([WORDS, WORDS[:3]])[0] == pytest.approx(meant.numpy(), abs=1e-5)
    best = int(meant.argmax())
    found = Behaviour(exported, Grammar.load(starter.FOLDER / "grammar.yaml")).understand(" ".join(WORDS))
    assert "read as a whole" in found.why
    assert (found.intent or "") in ("", classifier.card.labels[best])


def test_a_pack_takes_it_and_a_lost_tokenizer_is_said(exported: Path, tmp_path: Path) -> None:
    made = pack.build(
        tmp_path / "pack", grammar=starter.FOLDER / "grammar.yaml", asr=None, wake=None, name="Pip",
        behaviour=exported,
    )  # fmt: skip
    assert made.manifest.models["behaviour/model"].inputs.keys() >= {"input_ids"}
    assert Classifier(made.part("behaviour")).card.labels[1] == "sit"
    (exported / "tokenizer.json").rename(tmp_path / "away")
    with pytest.raises(PackError, match="export the classifier again"):
        Classifier(exported)
    (tmp_path / "away").rename(exported / "tokenizer.json")
