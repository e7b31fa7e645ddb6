"""The starter's networks made in torch again say what the shipped files say."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("optimum.exporters.onnx", reason="needs the extra: pip install 'everpaw[export]'")

import torch

from export.models import reading, rebuild, starter
from export.models.parity import compare, misses
from runtime.engines import Engine
from runtime.speech.features import MELS
from runtime.starter import FOLDER
from training.asr.rebuild import recogniser
from training.dialogue.export import logits_of, torch_logits

RNG = np.random.default_rng(5)


def _runs(path: Path, network: torch.nn.Module, inputs: list[np.ndarray]) -> list[str]:
    engine = Engine(path)
    with torch.no_grad():
        meant = [network(torch.from_numpy(one)).numpy() for one in inputs]
    found = [np.asarray(engine.run({engine.inputs[0]: one})[engine.outputs[0]], np.float32) for one in inputs]
    return misses(compare(meant, found), "fp32", least=len(inputs))


@pytest.mark.parametrize("path", [*(FOLDER / "wake").glob("*.onnx"), FOLDER / "stop" / "stop.onnx"])
def test_heads(path: Path) -> None:
    head = rebuild.head(path)
    inputs = [RNG.normal(0, 12, (1, head.windows, 96)).astype(np.float32) for _ in range(8)]
    assert _runs(path, rebuild.head_module(head), inputs) == []


def test_behaviour() -> None:
    path = FOLDER / "behaviour" / "model.onnx"
    network = rebuild.behaviour(path)
    inputs = [RNG.normal(0, 0.05, (1, 2_048)).astype(np.float32) for _ in range(8)]
    assert _runs(path, network, inputs) == []
    with torch.no_grad():
        network.layers[1].weight.mul_(1.5)
    assert _runs(path, network, inputs)


def test_recogniser() -> None:
    path = FOLDER / "asr" / "model.onnx"
    inputs = [RNG.normal(0, 3, (1, frames, MELS)).astype(np.float32) for frames in (50, 203)]
    network = recogniser(path)
    assert _runs(path, network, inputs) == []  # the tables of its ears are made anew, in full precision
    with torch.no_grad():
        network.acoustic.head.weight.mul_(1.5)
    assert _runs(path, network, inputs)


def test_dialogue() -> None:
    path = FOLDER / "dialogue" / "model.onnx"
    model, engine = rebuild.dialogue(path), Engine(path)
    sentences = [RNG.integers(0, 2_000, n).tolist() for n in (3, 40)]
    meant, found = (
        [say(one, s) for s in sentences] for say, one in ((torch_logits, model), (logits_of, engine))
    )
    assert misses(compare(meant, found), "fp32", least=2) == []


def test_reader() -> None:
    path = FOLDER / "reader" / "model.onnx"
    net, engine = rebuild.reader(path), Engine(path)
    inputs = [RNG.integers(4, 5_000, n).astype(np.float32) for n in (5, 12, 40)]
    meant = [reading._reading(net)(one) for one in inputs]
    found = [reading._read_by(engine)(one) for one in inputs]
    # the shipped kernel rounds what flows through it; the weights are the same
    assert compare(meant, found).max_abs < 0.1
    assert misses(compare(meant, found), "int4", least=3) == []
    with torch.no_grad():
        net.encoder.encoder.layer[2].attention.self.key.weight.zero_()
    assert compare([reading._reading(net)(one) for one in inputs], found).max_abs > 0.1


def test_files_of_one_model_are_compared_timed_and_set_beside_optimum_s() -> None:
    part = reading.dialogue(Path())
    row = starter.measure(
        replace(part, inputs=part.inputs[:4], judge=lambda answer: ({}, "")), with_peer=True
    )
    few = "4 golden inputs, at least 32 are needed"
    assert row["misses"] == [f"onnx: {few}", f"shipped: {few}"]
    assert row["shipped"]["bytes"] < 0.5 * row[starter.PEER]["bytes"]
    assert row[starter.PEER]["parity"]["max_abs"] < 1e-3
    assert all(row[name]["ms"] > 0 for name in ("onnx", "shipped", starter.PEER))


def test_without_recordings_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVERPAW_DATA", raising=False)
    with pytest.raises(Exception, match="EVERPAW_DATA"):
        starter.main([])
