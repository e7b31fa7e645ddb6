"""Engines that are built here: what TensorRT is told, and that no wrong one is ever used."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the extra: pip install 'everpaw[tensorrt]'")

import onnx
from onnx import TensorProto, helper, numpy_helper

from runtime import starter
from runtime.contracts.errors import ConfigError, EngineError, MissingExtraError
from runtime.engines import Engine, builder, by_onnxruntime, ladder
from runtime.engines.command import Maker, main
from runtime.engines.device import Device
from runtime.engines.session import ON_CPU
from runtime.engines.shapes import Profile, example, profiles
from runtime.engines.store import PLAN, RECORD, WRAPPER, Key, Store
from tests.fakes import fake_tensorrt

ORIN = Device(gpu="Orin (8.7)", driver="540.4", cuda="12.6", tensorrt="10.14.1")


@pytest.fixture(autouse=True)
def calls() -> list[tuple[object, ...]]:
    fake_tensorrt.calls.clear()
    fake_tensorrt.Builder.refuses = False
    return fake_tensorrt.calls


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return _model(tmp_path / "model.onnx", 1.0)


def _model(path: Path, weight: float) -> Path:
    """`features` (1, frames, 4) -> `y`, of one precision."""
    shape = [1, "frames", 4]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["features", "w"], ["y"])], "one",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(np.full((4, 4), weight, np.float32), "w")],
    )  # fmt: skip
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(made, {"precision": "fp32"})
    onnx.save(made, str(path))
    return path


def _maker(store: Store, device: Device = ORIN, apart: float = 1e-4) -> Maker:
    return Maker(
        store, device, 1 << 28, {}, lambda order: builder.build(order, fake_tensorrt), lambda model, it: apart
    )


def test_tensorrt_is_told_all_it_must_know(model: Path, tmp_path: Path, calls: list) -> None:
    told = []
    order = builder.Order(
        model, profiles(Engine(model, place=ON_CPU).input_shapes), tmp_path, tmp_path / "t", 1 << 28,
        lambda *progress: told.append(progress),
    )  # fmt: skip
    builder.build(order, fake_tensorrt)
    assert ("create_network", 1 << fake_tensorrt.NetworkDefinitionCreationFlag.STRONGLY_TYPED) in calls
    assert ("set_memory_pool_limit", "workspace", 1 << 28) in calls
    assert ("set_shape", "features", (1, 8, 4), (1, 200, 4), (1, 3_000, 4)) in calls
    assert told == [("Building", n, 3) for n in (1, 2, 3)]
    assert (tmp_path / "t").read_bytes() == b"cache of 10.14.1"


def test_timings_are_kept_from_build_to_build_and_those_of_another_version_are_not(
    model: Path, tmp_path: Path, calls: list
) -> None:
    order = builder.Order(model, profiles(Engine(model, place=ON_CPU).input_shapes), tmp_path, tmp_path / "t")
    (tmp_path / "t").write_bytes(b"cache of 10.14.1, much measured")
    builder.build(order, fake_tensorrt)
    assert (tmp_path / "t").read_bytes() == b"cache of 10.14.1, much measured"
    (tmp_path / "t").write_bytes(b"cache of 8.6")
    builder.build(order, fake_tensorrt)
    assert [call for call in calls if call[0] == "set_timing_cache"][-2:] == [
        ("set_timing_cache", False), ("set_timing_cache", True),
    ]  # fmt: skip
    assert (tmp_path / "t").read_bytes() == b"cache of 10.14.1"


def test_the_wrapper_has_the_model_s_inputs_outputs_and_facts(model: Path, tmp_path: Path) -> None:
    builder.wrap(model, tmp_path)
    made = onnx.load(str(tmp_path / WRAPPER))
    [node] = made.graph.node
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    assert (node.op_type, node.domain) == ("EPContext", "com.microsoft")
    assert (attributes["ep_cache_context"], attributes["embed_mode"]) == (PLAN.encode(), 0)
    assert (list(node.input), list(node.output)) == (["features"], ["y"])
    assert {entry.key: entry.value for entry in made.metadata_props} == {"precision": "fp32"}


def test_a_build_that_is_refused_or_cancelled_leaves_nothing(model: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "engines")
    fake_tensorrt.Builder.refuses = True
    with pytest.raises(EngineError, match="gave no engine"):
        _maker(store).make("one", model)
    order = builder.Order(model, profiles(Engine(model, place=ON_CPU).input_shapes), tmp_path, tmp_path / "t",
                          cancelled=lambda: True)  # fmt: skip
    with pytest.raises(EngineError, match="was cancelled"):
        builder.build(order, fake_tensorrt)
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    order = builder.Order(tmp_path / "broken.onnx", {}, tmp_path, tmp_path / "t")
    with pytest.raises(EngineError, match="no ONNX"):
        builder.build(order, fake_tensorrt)
    assert [path.name for path in (tmp_path / "engines").glob("*")] == []


def test_an_engine_with_other_answers_never_serves(model: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "engines")
    for apart in (0.5, float("nan")):
        with pytest.raises(EngineError, match="thrown away"):
            _maker(store, apart=apart).make("one", model)
    assert list(store.everything()) == []


def test_an_engine_is_built_once_and_found_again(model: Path, tmp_path: Path, calls: list) -> None:
    store = Store(tmp_path / "engines")
    made = _maker(store).make("one", model)
    calls.clear()
    assert _maker(store).make("one", model) == made
    assert calls == []
    assert made.state == "good"
    assert made.record is not None
    assert made.record.max_abs == 1e-4


def _key(model: Path, **changed: object) -> Key:
    device = ORIN.model_copy(update={k: v for k, v in changed.items() if k in Device.model_fields})
    key = ladder.key_of(model, Engine(model, place=ON_CPU), device)
    return key.model_copy(update={k: v for k, v in changed.items() if k in Key.model_fields})


@pytest.mark.parametrize(
    "changed",
    [
        {"tensorrt": "10.15.0"},
        {"cuda": "13.0"},
        {"driver": "550.1"},
        {"gpu": "Thor (10.1)"},
        {"precision": "fp16"},
        {"profiles": {"features": Profile(least=(1, 8, 4), usual=(1, 8, 4), most=(1, 9, 4))}},
        {"profiles": {}},
    ],
)
def test_a_changed_machine_precision_or_shape_finds_no_engine(
    model: Path, tmp_path: Path, changed: dict[str, object]
) -> None:
    store = Store(tmp_path / "engines")
    _maker(store).make("one", model)
    assert store.find(_key(model)).state == "good"
    assert store.find(_key(model, **changed)).state == "missing"


def test_one_changed_byte_of_the_model_finds_no_engine(model: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "engines")
    _maker(store).make("one", model)
    _model(model, 1.5)
    assert store.find(_key(model)).state == "missing"
    again = _maker(store).make("one", model)
    assert again.state == "good"
    assert len(list(store.everything())) == 2


def _cut(folder: Path) -> None:
    (folder / PLAN).write_bytes((folder / PLAN).read_bytes()[:-1])


def _flip(folder: Path) -> None:
    raw = bytearray((folder / PLAN).read_bytes())
    raw[len(raw) // 2] ^= 1
    (folder / PLAN).write_bytes(raw)


def _swap(folder: Path) -> None:
    facts = json.loads((folder / RECORD).read_text())
    facts["key"]["precision"] = "int8"
    (folder / RECORD).write_text(json.dumps(facts))


def _link(folder: Path) -> None:
    (folder / PLAN).rename(folder.parent / "elsewhere")
    (folder / PLAN).symlink_to(folder.parent / "elsewhere")


DAMAGES = {
    "cut short": (_cut, "damaged"),
    "a bit flipped": (_flip, "damaged"),
    "plan gone": (lambda folder: (folder / PLAN).unlink(), "damaged"),
    "wrapper gone": (lambda folder: (folder / WRAPPER).unlink(), "damaged"),
    "record of another": (_swap, "damaged"),
    "record is noise": (lambda folder: (folder / RECORD).write_bytes(b"\xff{"), "damaged"),
    "record is endless": (lambda folder: (folder / RECORD).write_bytes(b" " * 2_000_000), "damaged"),
    "record gone": (lambda folder: (folder / RECORD).unlink(), "unfinished"),
    "a link": (_link, "damaged"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_engine_is_seen_and_built_anew(model: Path, tmp_path: Path, name: str) -> None:
    store = Store(tmp_path / "engines")
    folder = _maker(store).make("one", model).folder
    damage, state = DAMAGES[name]
    damage(folder)
    assert store.find(_key(model)).state == state
    assert _maker(store).make("one", model).state == "good"


def test_an_engine_moved_under_another_key_is_not_taken(model: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "engines")
    folder = _maker(store).make("one", model).folder
    other = _key(model, tensorrt="10.15.0")
    shutil.copytree(folder, store.folder / other.digest)
    assert store.find(other).state == "damaged"


def test_list_names_what_is_of_another_machine_and_clear_removes_it(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(tmp_path / "engines")
    _maker(store).make("one", model)
    words = ["--set", f"engines.folder={store.folder}"]
    assert main(["list", *words]) == 0
    assert "stale" in (shown := capsys.readouterr().out)
    assert "gpu Orin (8.7), here" in shown
    assert main(["clear", *words]) == 0
    assert list(store.everything()) == []


def test_without_tensorrt_the_line_to_type_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(MissingExtraError, match=r"everpaw\[tensorrt\]"):
        main(["build", "--set", f"engines.folder={tmp_path}"])


def test_a_command_follows_where_something_was_built_and_only_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", fake_tensorrt)
    monkeypatch.setattr("runtime.engines.command._apart", lambda model, wrapper: 1e-4)
    words = [
        "build",
        "--set",
        f"engines.folder={tmp_path / 'engines'}",
        "--then",
        f"touch {tmp_path / 'then'}",
    ]
    assert main(words) == 0
    (tmp_path / "then").unlink()
    assert main(words) == 0
    assert not (tmp_path / "then").exists()
    [first, *_] = (tmp_path / "engines").glob("*/engine.plan")
    first.write_bytes(b"cut")
    assert main(words) == 0
    assert (tmp_path / "then").exists()


def test_verify_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--json", "--set", f"engines.folder={tmp_path}"]) == 1
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["model"] for row in rows} == set(starter.load_pack().manifest.models)
    assert {row["state"] for row in rows} == {"missing"}


def test_every_model_of_the_starter_has_a_span_for_each_open_axis_and_runs_on_its_example() -> None:
    pack = starter.load_pack()
    for entry in pack.manifest.models.values():
        engine = Engine(pack.path(entry.file), place=ON_CPU)
        found = profiles(engine.input_shapes)
        for name, shape in engine.input_shapes.items():
            assert (name in found) == any(not isinstance(n, int) for n in shape)
        assert engine.run(example(engine.input_shapes, engine.input_types))


def test_an_axis_without_a_span_is_an_error_that_names_the_cure() -> None:
    with pytest.raises(ConfigError, match="--span 'height=LEAST,USUAL,MOST'"):
        profiles({"picture": [1, "height", 3]})
    assert profiles({"picture": [1, "height", 3]}, {"height": (1, 2, 3)})["picture"].most == (1, 3, 3)


def test_onnxruntime_is_told_the_same_when_it_builds(model: Path, tmp_path: Path) -> None:
    order = builder.Order(
        model, profiles(Engine(model, place=ON_CPU).input_shapes), tmp_path, tmp_path / "t", 1 << 28
    )
    told = by_onnxruntime.options(order, "fp16")
    assert told["trt_profile_min_shapes"] == "features:1x8x4"
    assert told["trt_profile_opt_shapes"] == "features:1x200x4"
    assert told["trt_profile_max_shapes"] == "features:1x3000x4"
    assert told["trt_max_workspace_size"] == str(1 << 28)
    assert told["trt_fp16_enable"] == "1"
    assert told["trt_engine_cache_path"] == str(tmp_path)
    with pytest.raises(EngineError, match=r"everpaw\[gpu\]"):
        by_onnxruntime.build(order)


@pytest.mark.gpu
def test_a_real_engine_is_built_proved_and_served(tmp_path: Path) -> None:
    pytest.importorskip("tensorrt", reason="needs the extra: pip install 'everpaw[tensorrt]'")
    if not Device.here().gpu:
        pytest.skip("no CUDA device is here")
    path = starter.load_pack().files("stop", ".onnx")[0]
    store = Store(tmp_path / "engines")
    made = Maker(store, Device.here(), 1 << 28, {}).make("stop", path)
    assert made.state == "good"
    ladder.use("tensorrt", store)
    try:
        engine = Engine(path)
        assert engine.run(example(engine.input_shapes, engine.input_types))
        assert str(ladder.decisions()[path])
    finally:
        ladder.use("auto")
