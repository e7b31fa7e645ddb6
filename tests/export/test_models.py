"""From checkpoints of real architectures to files that a robot without torch runs."""

import json
import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile

pytest.importorskip("optimum.exporters.onnx", reason="needs the extra: pip install 'everpaw[export]'")

import torch
from peft import LoraConfig, get_peft_model
from transformers import WhisperFeatureExtractor

from export.models import graph, precision, samples, variants
from export.models.checkpoint import load
from export.models.command import main
from export.models.metrics import figures
from export.models.parity import Parity, compare, metric_misses, misses
from runtime.contracts.errors import ExportError
from runtime.engines import Engine
from tests import robot_venv
from tests.export import checkpoints
from training import provenance

_ON_THE_ROBOT = """
import sys
from pathlib import Path
import numpy as np
from runtime.engines import Engine
from runtime.mind.language_model import LanguageModel
from runtime.mind.prompt import Prompt
for family in sys.argv[2:]:
    folder = Path(sys.argv[1]) / family
    if family in ("gpt2", "llama", "qwen2"):
        print(family, len("".join(LanguageModel(folder).stream(Prompt("Buddy", "hello"), seed=1))))
    else:
        engine = Engine(folder / "model.onnx")
        given = {"input_values": np.ones((1, 8000), np.float32)}
        tokens = np.ones((1, 5), np.int64)
        given = given if engine.inputs == ["input_values"] else dict.fromkeys(engine.inputs, tokens)
        [answer] = engine.run(given).values()
        print(family, answer.shape, engine.metadata.get("labels", "")[:9])
try:
    import torch
except ModuleNotFoundError:
    print("no torch here")
"""


RNG = np.random.default_rng(6)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sound with some shape to it: tones that glide, in noise."""
    folder, rng = tmp_path_factory.mktemp("sound"), np.random.default_rng(0)
    for n in range(64):
        glide = np.cumsum(np.linspace(*rng.uniform(100, 3_000, 2), 8_000)) / 16_000
        wave = 0.3 * np.sin(2 * np.pi * glide) + 0.02 * rng.normal(size=8_000)
        soundfile.write(folder / f"{n:02}.wav", wave.astype(np.float32), 16_000)
    return folder


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, recordings: Path) -> Path:
    """A folder a family, float32."""
    out = tmp_path_factory.mktemp("exported")
    for family in checkpoints.FAMILIES:
        checkpoints.make(family, out / "checkpoint" / family)
        provenance.write_in(out / "checkpoint" / family, {"code": Path(__file__)}, "train it")
        words = [str(out / "checkpoint" / family), "--out", str(out / family), "--precision", "fp32"]
        assert main([*words, *_given(family, recordings)]) == 0
    return out


def _given(family: str, recordings: Path) -> list[str]:
    return ["--samples", str(recordings)] if family in checkpoints.HEARING else []


@pytest.mark.parametrize("family", checkpoints.FAMILIES)
def test_onnx_says_what_torch_says_for_any_length_and_carries_its_facts(
    family: str, exported: Path, recordings: Path
) -> None:
    checkpoint, engine = load(exported / "checkpoint" / family), Engine(exported / family / "model.onnx")
    proof = samples.gather(checkpoint, recordings if checkpoint.task.sound else None).prove
    longest = max(proof, key=lambda one: next(iter(one.values())).size)
    pair = [{name: np.repeat(value, 2, axis=0) for name, value in longest.items()}]
    answers = samples.of_engine(engine, checkpoint.task.output, [*proof, *pair])
    found = compare(samples.of_torch(checkpoint, [*proof, *pair]), answers)
    assert misses(found, "fp32") == []
    assert engine.metadata["family"] == family
    assert engine.metadata["checkpoint_sha256"] == checkpoint.sha256
    if checkpoint.task.sound:
        front_end = json.loads(engine.metadata["front_end"])
        assert front_end["do_normalize"] == (family != "whisper")
    if checkpoint.task.name == "asr":
        assert json.loads(engine.metadata["labels"])[4] == "|"
    if not checkpoint.task.sound:
        assert engine.metadata["tokenizer"] == (exported / family / "tokenizer.json").read_text()
    told = provenance.read(exported / family / "model.onnx")
    assert told is not None
    assert told.parity["n"] == 32
    assert told.command == "train it"
    assert told.datasets == {"code": provenance.sha256_of(Path(__file__))}


def test_a_robot_without_torch_runs_all_of_them(exported: Path, tmp_path: Path) -> None:
    python = robot_venv.make(tmp_path / "robot")
    command = [python, "-c", _ON_THE_ROBOT, exported, *checkpoints.FAMILIES]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.split()[0] for line in lines] == [*checkpoints.FAMILIES, "no"]


def test_the_log_mel_in_whisper_s_graph_is_that_of_transformers(exported: Path) -> None:
    ears = load(exported / "checkpoint" / "whisper").model
    for count in (8_000, 480_000, 500_000):
        wave = np.random.default_rng(count).normal(0, 0.1, count).astype(np.float32)
        meant = WhisperFeatureExtractor()(wave, sampling_rate=16_000, return_tensors="pt").input_features
        assert float((ears.log_mel(torch.from_numpy(wave)[None]) - meant).abs().max()) < 1e-4


def test_a_cache_gives_what_the_whole_sentence_gives(exported: Path) -> None:
    engine = Engine(exported / "llama" / "model.onnx")
    tokens = np.arange(20, 30, dtype=np.int64)[None]
    whole = engine.run(samples.feeds_for(engine, {"input_ids": tokens}))
    before = engine.run(samples.feeds_for(engine, {"input_ids": tokens[:, :6]}))
    past = {n.replace("present", "past_key_values"): value for n, value in before.items() if "." in n}
    then = {"input_ids": tokens[:, 6:], "position_ids": np.arange(6, 10, dtype=np.int64)[None]}
    after = engine.run(then | {"attention_mask": np.ones((1, 10), np.int64)} | past)
    assert np.allclose(after["logits"], whole["logits"][:, 6:], atol=1e-4)


def test_optimum_alone_is_measured_beside_ours(exported: Path, tmp_path: Path) -> None:
    words = [str(exported / "checkpoint" / "llama"), "--out", str(tmp_path / "out"), "--precision", "fp32"]
    assert main([*words, "--peer"]) == 0
    report = json.loads((tmp_path / "out" / "export.json").read_text())
    (ours,), theirs = report["variants"], report["peer"]
    assert theirs["parity"]["max_abs"] < 1e-3
    assert 0.9 < theirs["bytes"] / ours["bytes"] < 1.1


def test_an_adapter_is_merged_into_its_base(tmp_path: Path) -> None:
    model = checkpoints.make("llama", tmp_path / "base")
    adapted = get_peft_model(
        model, LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    )
    adapted.save_pretrained(tmp_path / "adapter")
    settings = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    settings["base_model_name_or_path"] = "base"
    (tmp_path / "adapter" / "adapter_config.json").write_text(json.dumps(settings))
    assert main([str(tmp_path / "adapter"), "--out", str(tmp_path / "out"), "--precision", "fp32"]) == 0
    tokens = np.arange(4, 24, dtype=np.int64)[None]
    with torch.no_grad():
        meant = adapted.eval()(input_ids=torch.from_numpy(tokens)).logits.numpy()
    [found] = samples.of_engine(Engine(tmp_path / "out" / "model.onnx"), "logits", [{"input_ids": tokens}])
    [bare] = samples.of_torch(load(tmp_path / "base"), [{"input_ids": tokens}])
    assert np.allclose(found, meant, atol=1e-4)
    assert not np.allclose(found, bare, atol=1e-2)


def test_smaller_variants_are_measured_and_one_is_chosen_by_the_rule(tmp_path: Path) -> None:
    checkpoints.make("gpt2", tmp_path / "checkpoint")
    words = [
        str(tmp_path / "checkpoint"),
        "--out",
        str(tmp_path / "out"),
        "--precision",
        "fp32,fp16,int8,int4",
    ]
    assert main(words) == 0
    report = json.loads((tmp_path / "out" / "export.json").read_text())
    sizes = {row["precision"]: row["bytes"] for row in report["variants"]}
    assert sizes["fp32"] > max(sizes["fp16"], sizes["int8"])
    assert sizes["int8"] > sizes["int4"]
    chosen = next(row for row in report["variants"] if row["precision"] == report["chosen"])
    assert chosen["misses"] == []
    files = {path.stem for path in (tmp_path / "out" / "variants").glob("*.onnx")}
    assert files == {"fp32", "fp16", "int8", "int4"} - {report["chosen"]}


def test_ears_become_smaller_too(tmp_path: Path, recordings: Path) -> None:
    words = [str(_made("wav2vec2", tmp_path)), "--out", str(tmp_path / "out"), "--precision", "fp32,int8"]
    assert main([*words, "--samples", str(recordings), "--accept-miss"]) == 0
    report = json.loads((tmp_path / "out" / "export.json").read_text())
    [row] = [row for row in report["variants"] if row["precision"] == "int8"]
    assert row["bytes"] < report["variants"][0]["bytes"]


@pytest.mark.parametrize("target", ["cpu", "tensorrt"])
def test_no_convolution_is_quantised_on_the_fly(tmp_path: Path, recordings: Path, target: str) -> None:
    checkpoint = load(_made("wav2vec2", tmp_path))
    inputs = samples.gather(checkpoint, recordings)
    graph.write(checkpoint, tmp_path / "float.onnx")
    precision.ways(target, "int8")[0](tmp_path / "float.onnx", tmp_path / "int8.onnx", inputs.calibrate)
    kinds = {node.op_type for node in onnx.load(str(tmp_path / "int8.onnx")).graph.node}
    assert "QuantizeLinear" in kinds
    assert "ConvInteger" not in kinds
    assert ("MatMulInteger" in kinds) == (target == "cpu")
    found = samples.of_engine(Engine(tmp_path / "int8.onnx"), "logits", inputs.prove)
    assert compare(samples.of_torch(checkpoint, inputs.prove), found).cosine > 0.9


def _made(family: str, tmp_path: Path) -> Path:
    checkpoints.make(family, tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


def _variant(precision: str, size: int, latency_ms: float, *missed: str) -> variants.Variant:
    return variants.Variant(precision, "", Path(), size, Parity(32, 0, 1, 1), {}, missed, latency_ms)


def test_the_rule_takes_the_smallest_of_the_quick_ones_that_pass() -> None:
    table = [_variant("fp32", 100, 1.0), _variant("fp16", 50, 1.05), _variant("int8", 25, 2.0)]
    assert variants.choose(table).precision == "fp16"
    assert variants.choose([*table, _variant("int4", 10, 0.9, "cosine")]).precision == "fp16"


def test_where_nothing_passes_nothing_is_shipped_unless_said_aloud() -> None:
    table = [_variant("int8", 25, 1.0, "cosine", "agreement"), _variant("int4", 10, 1.0, "cosine")]
    with pytest.raises(ExportError, match="--accept-miss"):
        variants.choose(table)
    assert variants.choose(table, accept_miss=True).precision == "int4"


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (Parity(31, 0, 1, 1), "golden inputs"),
        (Parity(32, 9, 1, 1), "largest difference"),
        (Parity(32, float("nan"), 1, 1), "largest difference"),
        (Parity(32, 0, 0.5, 1), "cosine"),
        (Parity(32, 0, 1, 0.5), "agreement"),
    ],
)
def test_each_threshold_can_be_missed(found: Parity, word: str) -> None:
    assert word in " ".join(misses(found, "int8"))


def test_a_worse_perplexity_is_a_miss(tmp_path: Path) -> None:
    checkpoint = load(_made("gpt2", tmp_path))
    given: list[samples.Inputs] = [{"input_ids": np.arange(4, 24, dtype=np.int64)[None]}]
    answers = samples.of_torch(checkpoint, given)
    meant = figures(checkpoint, given, answers, answers)
    worse = {name: value + 2.5 for name, value in meant.items()}
    assert metric_misses("dialogue", meant, meant) == []
    assert metric_misses("dialogue", meant, worse)


def test_a_processor_gets_no_kernel_that_unpacks_at_every_call(tmp_path: Path) -> None:
    checkpoint = load(_made("llama", tmp_path))
    graph.write(checkpoint, tmp_path / "float.onnx")
    given: list[samples.Inputs] = [{"input_ids": np.arange(4, 24, dtype=np.int64)[None]}]
    meant = samples.of_torch(checkpoint, given)
    for way in precision.ways("cpu", "int8"):
        way(tmp_path / "float.onnx", tmp_path / "int8.onnx", given)
        kinds = {node.op_type for node in onnx.load(str(tmp_path / "int8.onnx")).graph.node}
        assert "MatMulNBits" not in kinds
        found = samples.of_engine(Engine(tmp_path / "int8.onnx"), "logits", given)
        assert compare(meant, found).cosine > 0.99


def test_a_dialogue_model_of_ours_is_proved_with_its_own_prompts(tmp_path: Path) -> None:
    checkpoint = load(_made("llama", tmp_path))
    given = samples.gather(checkpoint, None)
    assert given.source == "the pet's held-out prompts"
    answers = samples.of_torch(checkpoint, given.prove)
    meant = figures(checkpoint, given.prove, answers, answers)
    for one, logits in zip(given.prove, answers, strict=True):
        reply = int(one[samples.COUNTED][0, 0])
        logits[0, : -reply - 1] += RNG.normal(size=logits[0, : -reply - 1].shape)
    assert figures(checkpoint, given.prove, answers, answers) == meant
    answers[0][0, -2] += 9 * RNG.normal(size=answers[0].shape[-1])
    assert figures(checkpoint, given.prove, answers, answers) != meant
    (checkpoint.folder / "dialogue.json").unlink()
    assert samples.gather(checkpoint, None).source == "everyday sentences and orders"


def test_what_cannot_be_exported_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ExportError, match="no checkpoint"):
        load(tmp_path)
    checkpoints.make("bert", tmp_path / "bert")
    whole = load(tmp_path / "bert")
    (tmp_path / "sounds.txt").write_bytes(b"\x80")
    with pytest.raises(ExportError, match="is not UTF-8"):
        samples.gather(whole, tmp_path / "sounds.txt")
    (tmp_path / "bert/tokenizer.json").write_text("{}")
    with pytest.raises(ExportError, match="is no tokenizer"):
        samples.gather(whole, None)
    (tmp_path / "bert/model.safetensors").write_bytes(b"half of the weights")
    with pytest.raises(ExportError, match="cannot be loaded"):
        load(tmp_path / "bert")
    for wrong in (("--threads", "0"), ("--heal", "-1")):
        with pytest.raises(SystemExit):
            main([str(tmp_path), "--out", str(tmp_path / "out"), *wrong])
        assert "give 1 or more, 0 or more" in capsys.readouterr().err
    assert main(["--families", "--json"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert "llama" in table["dialogue"]["can"]
    assert table["asr"]["cannot"]
