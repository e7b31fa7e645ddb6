"""What our own recipes left goes through `everpaw export` too, and a robot without torch runs it."""

import argparse
import json
import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest
from tokenizers import Tokenizer

pytest.importorskip("optimum.exporters.onnx", reason="needs the extra: pip install 'everpaw[export]'")

from export.models import house, reading, rebuild
from export.models.command import _parse, main
from export.models.part import Part, of_torch, restore
from runtime.contracts.errors import ConfigError, ExportError
from runtime.engines import Engine
from runtime.starter import FOLDER
from tests import robot_venv
from training import provenance, weights
from training.asr import export as asr_export
from training.asr.rebuild import recogniser
from training.behaviour import starter as behaviour_recipe
from training.reader import export as reader_export
from training.wake import export as wake_export

_ON_THE_ROBOT = """
import sys
from pathlib import Path
import numpy as np
from runtime.audio.heads import WakeHead
from runtime.mind.behaviour import Behaviour
from runtime.mind.grammar import Grammar
from runtime.mind.reader import Reader
from runtime.speech.asr import Recogniser
from runtime.starter import FOLDER
out, grammar = Path(sys.argv[1]), Grammar.load(FOLDER / "grammar.yaml")
print("asr", Recogniser(out / "asr", grammar).log_probs(np.zeros(16_000, np.int16)).shape)
print("wake", WakeHead(out / "wake" / "hey_buddy.onnx").step(np.zeros(96, np.float32)))
print("stop", WakeHead(out / "stop" / "stop.onnx").step(np.zeros(96, np.float32)))
print("behaviour", Behaviour(out / "behaviour", grammar).understand("would you kindly sit").intent)
print("reader", Reader(out / "reader").read("tonight is going to be my last night").danger)
try:
    import torch
except ModuleNotFoundError:
    print("no torch here")
"""
RNG = np.random.default_rng(4)
FILES = {
    "asr": FOLDER / "asr" / "model.onnx",
    "wake": FOLDER / "wake" / "hey_buddy.onnx",
    "stop": FOLDER / "stop" / "stop.onnx",
    "behaviour": FOLDER / "behaviour" / "model.onnx",
    "reader": FOLDER / "reader" / "model.onnx",
}


def _noise(count: int, *shape: int, size: float = 3.0) -> list[np.ndarray]:
    return [RNG.normal(0, size, (1, *shape)).astype(np.float32) for _ in range(count)]


def _part(name: str) -> Part:
    """On noise, judged by nothing: corpora are not needed."""
    file = FILES[name]
    if name == "asr":
        network = recogniser(file)
        return Part(name, file, _noise(32, 60, 25), of_torch(network),
                    lambda path: asr_export.write_onnx(network.acoustic, path, {}, half=False), _unjudged,
                    spare=_noise(4, 60, 25))  # fmt: skip
    if name == "behaviour":
        net = rebuild.behaviour(file)
        return Part(name, file, _noise(32, 2_048, size=0.05), of_torch(net),
                    lambda path: behaviour_recipe.export(net, path, {}), _unjudged)  # fmt: skip
    if name == "reader":
        net = rebuild.reader(file)
        words = Tokenizer.from_file(str(file.with_name("tokenizer.json")))
        ids = [RNG.integers(4, 5_000, 12).astype(np.float32) for _ in range(32)]
        return Part(name, file, ids, reading._reading(net),
                    lambda path: reader_export.write_float(net, words, path), _unjudged,
                    ask=reading._read_by, tokens=True)  # fmt: skip
    head = rebuild.head(file)
    return Part(name, file, _noise(32, head.windows, 96), of_torch(rebuild.head_module(head)),
                lambda path: onnx.save(wake_export.graph_of(head, {}, small=False), path),
                _unjudged)  # fmt: skip


def _unjudged(answer: object) -> tuple[dict[str, float], str]:
    return {}, ""


def _args(checkpoint: Path, out: Path, *words: str) -> argparse.Namespace:
    return _parse([str(checkpoint), "--out", str(out), *words])


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder a task: float32 beside halves, of which the smaller is chosen."""
    out = tmp_path_factory.mktemp("house")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVERPAW_DATA", str(out))
        for name in FILES:
            args = _args(FILES[name], out / name, "--precision", "fp32,fp16")
            report = house.run(args, lambda data, name=name: _part(name))
            assert not any(row["misses"] for row in report["variants"]), report
    return out


@pytest.mark.parametrize("name", FILES)
def test_what_is_exported_says_what_it_came_from_and_keeps_what_the_robot_reads(
    name: str, exported: Path
) -> None:
    folder, file = exported / name, exported / name / FILES[name].name
    report = json.loads((folder / "export.json").read_text())
    assert (report["task"], report["family"]) == (name, "everpaw")
    before, told = provenance.read(FILES[name]), provenance.read(file)
    assert told is not None
    assert before is not None
    assert (told.datasets, told.parity["n"]) == (before.datasets, 32)
    assert told.checkpoint_sha256 == before.checkpoint_sha256 or before.checkpoint_sha256 is None
    metadata = Engine(file).metadata
    assert metadata["precision"] == report["chosen"]
    assert (
        metadata.items()
        >= {k: v for k, v in Engine(FILES[name]).metadata.items() if k != "precision"}.items()
    )
    other = {"fp32": "fp16", "fp16": "fp32"}[report["chosen"]]
    assert (folder / "variants" / f"{other}.onnx").is_file()


def test_a_robot_without_torch_runs_them(exported: Path, tmp_path: Path) -> None:
    python = robot_venv.make(tmp_path / "robot")
    command = [python, "-c", _ON_THE_ROBOT, exported]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.split()[0] for line in lines] == [*FILES, "no"]


def test_a_twin_that_differs_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVERPAW_DATA", str(tmp_path))
    for precision, there in (("fp16", True), ("int4", False)):
        args = _args(FILES["stop"], tmp_path / precision, "--precision", precision, "--accept-miss")
        house.run(args, lambda data: _part("stop"))
        assert (tmp_path / precision / "stop.tflite").is_file() == there
        assert (tmp_path / precision / "stop.json").is_file()


def test_the_weights_as_trained_come_first(tmp_path: Path) -> None:
    net = rebuild.behaviour(FILES["behaviour"])
    trained = {name: value + 1 for name, value in net.state_dict().items()}
    restore(net, tmp_path / "mine")
    assert not any((value == trained[name]).any() for name, value in net.state_dict().items())
    weights.keep(trained, tmp_path / "mine.work")
    restore(net, tmp_path / "mine")
    assert all((value == trained[name]).all() for name, value in net.state_dict().items())


def test_what_does_not_fit_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVERPAW_DATA", raising=False)
    with pytest.raises(ConfigError, match="EVERPAW_DATA"):
        main([str(FILES["stop"]), "--out", str(tmp_path / "out")])
    for words in (["--prune", "layers=1"], ["--peer"], ["--samples", str(tmp_path)]):
        with pytest.raises(ExportError, match=f"{words[0]}: only for a checkpoint of transformers"):
            main([str(FILES["behaviour"].parent), "--out", str(tmp_path / "out"), *words])
    assert not (tmp_path / "out").exists()
