"""Wake and stop detectors: same samples, same hits; settings come from the head; errors are clear."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from runtime.audio.embeddings import STEP_SAMPLES, WakeFeatures
from runtime.audio.heads import HeadSettings, Trigger, WakeHead, read_settings
from runtime.audio.stop import StopDetector
from runtime.audio.wake import WakeDetector, WakeHit
from runtime.contracts.audio import AudioBlock, Samples
from runtime.contracts.errors import ConfigError, PackError

onnx = pytest.importorskip(
    "onnx", reason="heads for the tests are built with onnx: pip install 'everpaw[export]'"
)


def head(
    path: Path, metadata: dict[str, str], shape: tuple[int, ...] = (1, 16, 96), outputs: int = 1
) -> Path:
    """A head that scores high where the last embedding differs from silence: it hears any loud sound."""
    from onnx import TensorProto, helper, numpy_helper

    silence = WakeFeatures().silence
    constants = [
        numpy_helper.from_array(silence.astype(np.float32), "silence"),
        numpy_helper.from_array(np.array([-1], np.int64), "start"),
        numpy_helper.from_array(np.array([2**31], np.int64), "end"),
        numpy_helper.from_array(np.array([1], np.int64), "time"),
        numpy_helper.from_array(np.array(-8.0, np.float32), "bias"),
        numpy_helper.from_array(np.array([1, 1, outputs], np.int64), "copies"),
        numpy_helper.from_array(np.array([1, outputs], np.int64), "form"),
    ]
    nodes = [
        helper.make_node("Slice", ["x", "start", "end", "time"], ["last"]),
        helper.make_node("Sub", ["last", "silence"], ["change"]),
        helper.make_node("ReduceL1", ["change"], ["size"], axes=[2], keepdims=1),
        helper.make_node("Mul", ["size", "gain"], ["logit"]),
        helper.make_node("Add", ["logit", "bias"], ["biased"]),
        helper.make_node("Sigmoid", ["biased"], ["one"]),
        helper.make_node("Tile", ["one", "copies"], ["many"]),
        helper.make_node("Reshape", ["many", "form"], ["y"]),
    ]
    constants.append(numpy_helper.from_array(np.array(0.05, np.float32), "gain"))
    graph = helper.make_graph(
        nodes,
        "head",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, outputs))],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)
    onnx.save(model, path)
    return path


def bursts(*at_s: float, length_s: float = 4.0) -> Samples:
    """Silence with 0.3 s of loud noise at the given times."""
    rng = np.random.default_rng(0)
    sound = np.zeros(int(length_s * 16_000), np.int16)
    for start in at_s:
        place = slice(int(start * 16_000), int((start + 0.3) * 16_000))
        sound[place] = rng.integers(-12_000, 12_000, place.stop - place.start)
    return sound


def hits(detector: WakeDetector, sound: Samples, block: int = 320) -> list[WakeHit]:
    found = []
    for start in range(0, len(sound), block):
        found += detector.step(AudioBlock(sound[start : start + block], start))
    return found


def test_embeddings_do_not_depend_on_the_blocks_and_steps_end_on_the_grid() -> None:
    sound = bursts(0.5, 1.7)
    features = WakeFeatures()
    whole = features.step(sound)
    features.reset()
    pieces = [step for i in range(0, len(sound), 777) for step in features.step(sound[i : i + 777])]
    assert [end for end, _ in whole] == [STEP_SAMPLES * (i + 1) for i in range(len(sound) // STEP_SAMPLES)]
    np.testing.assert_array_equal([e for _, e in whole], [e for _, e in pieces])


def test_silence_is_the_past_before_the_stream() -> None:
    features = WakeFeatures()
    (_, first), *_ = features.step(np.zeros(STEP_SAMPLES, np.int16))
    np.testing.assert_allclose(first, features.silence, atol=1e-4)


def test_a_block_is_computed_once_for_all_detectors() -> None:
    features = WakeFeatures()
    block = AudioBlock(np.zeros(2000, np.int16), 16_000)
    assert features.hear(block) is features.hear(block)
    assert features.hear(block)[0][0] == 16_000 + STEP_SAMPLES


@pytest.mark.parametrize("block", [100, 320, 1280, 5000, 64_000])
def test_the_same_samples_give_the_same_hits(tmp_path: Path, block: int) -> None:
    path = head(
        tmp_path / "noise.onnx", {"name": "noise", "threshold": "0.6", "patience": "2", "refractory_s": "0.5"}
    )
    detector = WakeDetector([path])
    expected = hits(detector, bursts(0.5, 2.5))
    detector.reset()
    assert hits(detector, bursts(0.5, 2.5), block) == expected
    assert [hit.name for hit in expected] == ["noise", "noise"]
    assert 0.5 < expected[0].t_s < 1.3


def test_refractory_time_swallows_the_second_burst(tmp_path: Path) -> None:
    path = head(tmp_path / "noise.onnx", {"threshold": "0.6", "refractory_s": "3"})
    assert len(hits(WakeDetector([path]), bursts(0.5, 2.5))) == 1


def test_a_trigger_waits_for_patience_and_for_the_score_to_fall() -> None:
    trigger = Trigger(HeadSettings("x", threshold=0.5, patience=2, refractory_s=0.0))
    scores = [0.9, 0.1, 0.9, 0.9, 0.9, 0.9, 0.1, 0.5, 0.5]
    assert [trigger.step(i * 1280, s) for i, s in enumerate(scores)] == [i in (3, 8) for i in range(9)]


def test_two_names_on_one_stream_and_a_stop_beside_them(tmp_path: Path) -> None:
    features = WakeFeatures()
    paths = [head(tmp_path / f"{name}.onnx", {"threshold": "0.6"}) for name in ("hey_one_v0.1", "hey_two")]
    detector, stop = WakeDetector(paths, features=features), StopDetector(paths[:1], features=features)
    blocks = [AudioBlock(bursts(0.5)[i : i + 320], i) for i in range(0, 32_000, 320)]
    heard, stops = [], []
    for block in blocks:
        heard += detector.step(block)
        stops += stop.step(block)
    assert [hit.name for hit in heard] == ["hey one", "hey two"]
    assert [s.t_s for s in stops] == [heard[0].t_s]


def test_no_heads_hear_nothing() -> None:
    assert hits(WakeDetector([]), bursts(0.5)) == []


def test_a_head_without_metadata_gets_the_defaults(tmp_path: Path) -> None:
    assert WakeHead(head(tmp_path / "hey_jarvis_v0.1.onnx", {})).settings == HeadSettings(
        "hey jarvis", 0.5, 1, 2.0
    )


@pytest.mark.parametrize(
    "metadata", [{"threshold": "high"}, {"threshold": "1.5"}, {"patience": "0"}, {"refractory_s": "nan"}]
)
def test_settings_out_of_range_are_refused(metadata: dict[str, str]) -> None:
    with pytest.raises(PackError, match="train it again"):
        read_settings(Path("a.onnx"), metadata)


@pytest.mark.parametrize(
    ("shape", "outputs", "message"),
    [
        ((1, 16, 40), 1, "not an openWakeWord head"),
        ((1, 500, 96), 1, "1 to 128"),
        ((1, 16, 96), 3, "not one score"),
    ],
)
def test_heads_of_a_wrong_shape_are_refused(
    tmp_path: Path, shape: tuple[int, ...], outputs: int, message: str
) -> None:
    path = tmp_path / "odd.onnx"
    if shape[2] != 96:
        plain = onnx.load(head(path, {}))
        plain.graph.input[0].type.tensor_type.shape.dim[2].dim_value = shape[2]
        del plain.graph.node[:]
        plain.graph.node.append(onnx.helper.make_node("ReduceMean", ["x"], ["y"], keepdims=0))
        del plain.graph.initializer[:]
        plain.graph.output[0].type.tensor_type.ClearField("shape")
        onnx.save(plain, path)
    else:
        head(path, {}, shape, outputs)
    with pytest.raises(PackError, match=message):
        WakeHead(path)


def test_a_file_that_is_no_model_and_a_name_given_twice_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"hello")
    with pytest.raises(PackError, match="not a usable ONNX model"):
        WakeDetector([tmp_path / "a.onnx"])
    path = head(tmp_path / "b.onnx", {})
    with pytest.raises(ConfigError, match="one name"):
        WakeDetector([path, path])


@pytest.mark.data
@pytest.mark.parametrize("backend", ["pyopen-wakeword", "openwakeword"])
def test_official_heads_fire_on_their_own_clip_alone(backend: str) -> None:
    root = Path(os.environ.get("EVERPAW_DATA", ""))
    if not os.environ.get("EVERPAW_DATA"):
        pytest.skip("EVERPAW_DATA is not set")
    if backend == "openwakeword":
        pytest.importorskip("openwakeword", reason="pip install 'everpaw[openwakeword]'")
    folder = root / "openwakeword"
    detector = WakeDetector(
        [folder / "alexa_v0.1.onnx", folder / "hey_jarvis_v0.1.onnx"],
        backend=backend,  # type: ignore[arg-type]
        networks=folder,
    )
    found = {}
    for path in sorted((root / "wake_fixtures").glob("*.flac")):
        detector.reset()
        sound = soundfile.read(path, dtype="int16")[0]
        found[path.stem] = [hit.name for hit in hits(detector, np.pad(sound, 16_000))]
    assert len(found) == 7
    assert {name: names for name, names in found.items() if names} == {
        "alexa": ["alexa"],
        "hey_jarvis": ["hey jarvis"],
    }


def test_the_library_backend_says_what_it_lacks(tmp_path: Path) -> None:
    pytest.importorskip("openwakeword", reason="pip install 'everpaw[openwakeword]'")
    with pytest.raises(PackError, match=r"melspectrogram\.onnx is missing"):
        WakeDetector([], backend="openwakeword", networks=tmp_path)
