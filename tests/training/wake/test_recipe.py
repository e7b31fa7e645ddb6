"""The wake recipe at its smallest: it runs, it writes a head, and bad input is refused before any work."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("torch", reason="pip install 'everpaw[training]'")
pytest.importorskip("onnx", reason="pip install 'everpaw[training]'")
pytest.importorskip("tflite", reason="pip install 'everpaw[training]'")

import torch

from runtime.audio.heads import WakeHead
from runtime.contracts.errors import TrainingError
from training import provenance
from training.data import voices
from training.wake import clips as wake_clips
from training.wake import head as wake_head
from training.wake import plan as wake_plan
from training.wake import real as wake_real
from training.wake import recipe as wake
from training.wake import texts as wake_texts
from training.wake import threshold as wake_threshold
from training.wake.clips import Clip
from training.wake.export import onnx_scores, save_head, tflite_scores

needs_a_voice = pytest.mark.skipif(
    not voices.all_voices(), reason="no synthesiser: pip install 'everpaw[voice]'"
)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVERPAW_CACHE", str(tmp_path / "cache"))


def trained_a_little(width: int = 8, windows: int = 6, seed: int = 0) -> wake_head.Net:
    """A net whose batch norms have seen data, so that folding has something to fold."""
    torch.manual_seed(seed)
    rows = np.random.default_rng(seed).normal(3, 7, (4000, 96)).astype(np.float32)
    net = wake_head.Net(windows, width, rows)
    for start in range(0, 3600, 60 * windows):
        net(torch.from_numpy(rows[start : start + 40 * windows].reshape(40, windows, 96)))
    return net.eval()


@needs_a_voice
def test_smoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib", reason="pip install 'everpaw[training]'")
    monkeypatch.delenv("EVERPAW_DATA", raising=False)
    path = wake.train("Stop", tmp_path / "stop", seed=1, smoke=True, workers=0)
    head = WakeHead(path)
    described = json.loads(path.with_suffix(".json").read_text())
    assert head.settings.name == described["name"] == "stop"
    assert head.settings.threshold == pytest.approx(described["threshold"])
    assert head.settings.patience == described["patience"]
    assert head.windows == wake_plan.STOP.windows
    assert b"/training/" not in path.read_bytes()
    told = provenance.read(path)
    assert told is not None
    assert told.datasets["words.txt"]
    kept = tmp_path / "stop.work" / "stop" / "checkpoint.safetensors"
    assert told.checkpoint_sha256 == provenance.sha256_of(kept)
    assert "training.wake" in (tmp_path / "cards" / "stop.md").read_text()
    picture = (tmp_path / "cards" / "stop.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 100_000
    assert "a poor name" in capsys.readouterr().err
    windows = np.random.default_rng(1).normal(0, 12, (40, head.windows, 96)).astype(np.float32)
    twins = onnx_scores(path, windows), tflite_scores(path.with_suffix(".tflite"), windows)
    np.testing.assert_allclose(*twins, atol=1e-4)


@pytest.mark.parametrize("name", ["", "   ", "42", "?!", "x" * 60])
def test_bad_names_are_refused(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert wake.main(["--name", name, "--out", str(tmp_path), "--smoke"]) == 1
    assert "give one to four words with letters" in capsys.readouterr().err


@needs_a_voice
def test_a_name_without_english_sounds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wake.wake_words.lexicon, "guess", lambda word: ())
    with pytest.raises(TrainingError, match="spell it as it sounds"):
        wake.train("qzxvom", tmp_path, seed=1, smoke=True)


def test_without_a_synthesiser_the_cure_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voices, "all_voices", lambda: ())
    with pytest.raises(TrainingError, match="no speech synthesiser"):
        wake.train("rex", tmp_path, seed=1, smoke=True)


def test_windows_just_after_the_name_are_positive() -> None:
    clip = Clip(np.zeros((30, 96), np.float32), 1.0, "name", "rex")
    labels = wake_head.label(clip, wake_plan.WAKE)
    times = (np.arange(30) + 1) * 0.08
    assert (labels[(times >= 1.0) & (times <= 1.3)] == 1).all()
    assert (labels[times < 0.7] == 0).all()
    assert -1 in labels


def test_folding_changes_nothing() -> None:
    net = trained_a_little()
    windows = np.random.default_rng(5).normal(3, 7, (20, 6, 96)).astype(np.float32)
    expected = torch.sigmoid(net(torch.from_numpy(windows))).detach().numpy()
    assert expected.std() > 1e-3
    np.testing.assert_allclose(wake_head.merged([net])(windows), expected, atol=1e-5)


def test_merged_networks_answer_with_the_mean_of_their_logits() -> None:
    nets = [trained_a_little(seed=seed) for seed in range(3)]
    windows = torch.from_numpy(np.random.default_rng(5).normal(3, 7, (20, 6, 96)).astype(np.float32))
    logits = torch.stack([net(windows) for net in nets]).detach()
    assert float(logits.std(0).min()) > 0
    head = wake_head.merged(nets)
    np.testing.assert_allclose(head(windows.numpy()), torch.sigmoid(logits.mean(0)).numpy(), atol=1e-5)


def test_halves_are_stored_in_half_the_bytes_and_only_where_nothing_is_lost(tmp_path: Path) -> None:
    trained = wake_head.merged([trained_a_little(seed=seed) for seed in range(2)])
    windows = np.random.default_rng(1).normal(3, 7, (50, 6, 96)).astype(np.float32)
    np.testing.assert_allclose(trained.halved()(windows), trained(windows), atol=1e-2)
    sizes = []
    for name, head in (("whole", trained), ("half", trained.halved())):
        path = save_head(head, tmp_path, name, 0.7, wake_plan.WAKE, {})
        np.testing.assert_allclose(onnx_scores(path, windows), head(windows), atol=1e-5)
        sizes.append((path.stat().st_size, path.with_suffix(".tflite").stat().st_size))
    for whole, half in zip(*sizes, strict=True):
        assert half < 0.55 * whole


@pytest.mark.parametrize("small", [False, True])
def test_a_head_is_the_same_in_both_formats_and_loads_where_it_must(tmp_path: Path, small: bool) -> None:
    from pyopen_wakeword import OpenWakeWord

    head = wake_head.merged([trained_a_little(seed=seed) for seed in range(2)])
    head = head.halved() if small else head
    path = save_head(head, tmp_path, "rex", 0.7, wake_plan.WAKE, {})
    windows = np.random.default_rng(1).normal(3, 7, (50, 6, 96)).astype(np.float32)
    expected = head(windows)
    assert expected.std() > 1e-3
    np.testing.assert_allclose(onnx_scores(path, windows), expected, atol=1e-4)
    np.testing.assert_allclose(tflite_scores(path.with_suffix(".tflite"), windows), expected, atol=1e-4)

    # as Home Assistant streams it
    word = OpenWakeWord.from_model(path.with_suffix(".tflite"))
    stream = np.random.default_rng(2).normal(3, 7, (20, 96)).astype(np.float32)
    streamed = [score for row in stream for score in word.process_streaming(row.reshape(1, 1, 1, 96))]
    assert word.input_windows == 6
    whole = np.lib.stride_tricks.sliding_window_view(stream, 6, axis=0).transpose(0, 2, 1)
    np.testing.assert_allclose(streamed, head(np.ascontiguousarray(whole)), atol=1e-4)


def test_a_head_loads_in_the_openwakeword_library(tmp_path: Path) -> None:
    openwakeword = pytest.importorskip("openwakeword", reason="pip install 'everpaw[openwakeword]'")
    root = os.environ.get("EVERPAW_DATA")
    if not root:
        pytest.skip("EVERPAW_DATA is not set: it holds the library's feature networks")
    head = wake_head.merged([trained_a_little(windows=16)])
    path = save_head(head, tmp_path, "rex", 0.7, wake_plan.WAKE, {})
    networks = Path(root) / "openwakeword"
    model = openwakeword.Model(
        wakeword_models=[str(path)],
        inference_framework="onnx",
        melspec_model_path=str(networks / "melspectrogram.onnx"),
        embedding_model_path=str(networks / "embedding_model.onnx"),
    )
    sound = np.random.default_rng(0).integers(-9000, 9000, 32_000).astype(np.int16)
    scores = [model.predict(sound[i : i + 1280])["rex"] for i in range(0, 32_000, 1280)]
    features = model.preprocessor.get_features(16)  # (1, 16, 96)
    assert scores[-1] == pytest.approx(float(head(features)[0]), abs=1e-4)


@needs_a_voice
def test_negatives_never_hold_the_name() -> None:
    words = wake_texts.words_for("hey buddy")
    assert {"hey bunny", "buddy hey"} <= set(words.near)
    assert not {"hey buddy", "hay buddy", "hi buddy"} & set(words.near)
    assert all("stop" not in text.split() for text in wake_texts.words_for("stop").near)
    said = ["they say hey buddy to me", "hey buddies", "hey body", "a bunny", "hay, buddy"]
    assert wake_texts.alike("hey buddy", said) == [True, True, True, False, True]


def test_the_split_is_by_speaker_and_leaves_out_the_word_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for word in ("stop", "go"):
        (tmp_path / "keywords" / word).mkdir(parents=True)
        for speaker in range(40):
            (tmp_path / "keywords" / word / f"{speaker:08x}_nohash_0.flac").touch()
    monkeypatch.setenv("EVERPAW_DATA", str(tmp_path))
    parts = [set(wake_real.real_negatives(part, "stop")) for part in ("train", "choose", "report")]
    assert sum(map(len, parts)) == len(set().union(*parts)) == 40
    assert all(parts)
    assert not any("/stop/" in path for part in parts for path in part)


@pytest.mark.data
def test_the_committed_split_names_every_speaker() -> None:
    root = os.environ.get("EVERPAW_DATA")
    if not root:
        pytest.skip("EVERPAW_DATA is not set")
    files = [p for folder in ("negatives", "keywords") for p in (Path(root) / folder).rglob("*.flac")]
    assert {wake_real.speaker(path) for path in files} == set(wake_real.split())


def test_the_threshold_lies_over_every_stranger_and_finds_the_names_over_it() -> None:
    plan = wake_plan.Plan(2, 1, 1.0, sentence_fires=0.0, real_fires=0.0, early_s=0.04, late_s=0.32)

    def clip(height: float, kind: str, end_s: float = np.nan) -> Clip:
        rows = np.full((20, 96), -50.0, np.float32)
        rows[10] = height
        return Clip(rows, end_s, kind, "")  # type: ignore[arg-type]

    weight = np.zeros((1, 192), np.float32)
    weight[0, 96:] = 1 / 96  # the last embedding's mean is the logit
    one = np.ones((1, 1), np.float32)
    zero = np.zeros(1, np.float32)
    head = wake_head.Head(((weight, zero + 60), (one, zero), (one, zero - 60)))
    clips = [clip(h, "name", 0.8) for h in (3.0, 1.0, 3.0, -1.0)]  # two clean, two in noise
    clips += [clip(h, kind) for kind, h in [("real", 2.0), ("talk", 1.5), ("animal", 0.0), ("order", 0.0)]]
    threshold, shares, curve = wake_threshold.choose(head, clips, plan)
    assert threshold == pytest.approx(1 / (1 + np.exp(-2.0)) + 1e-3, abs=1e-3)
    assert (shares["missed_clean"], shares["missed_10db"], shares["fired_real"]) == (0.5, 0.5, 0.0)
    assert curve.fires_an_hour[0] > 0 == curve.fires_an_hour[-1]
    late = [clip(3.0, "name", 0.01), *clips[1:]]  # the same peak 0.8 s after the name's end is no hit
    assert wake_threshold.choose(head, [*late], plan)[1]["missed_clean"] == 0.5
    far = [clip(3.0, "name", -0.5), *clips[1:]]
    assert wake_threshold.choose(head, [*far], plan)[1]["missed_clean"] == 1.0


def tone(path: Path, length_s: float, rate_hz: int = 44_100, level: float = 0.3) -> None:
    wave = level * np.sin(2 * np.pi * 300 * np.arange(int(length_s * rate_hz)) / rate_hz)
    soundfile.write(path, np.pad(wave, rate_hz // 2), rate_hz)


def test_the_owners_recordings_come_at_our_rate_without_their_silence(tmp_path: Path) -> None:
    tone(tmp_path / "a.wav", 0.8)
    tone(tmp_path / "b.flac", 1.2, rate_hz=8_000)
    lengths_s = [len(sound) / 16_000 for sound in wake_real.owners_recordings(tmp_path)]
    assert lengths_s == pytest.approx([0.86, 1.26], abs=0.05)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: None, "holds no recordings"),
        (lambda folder: (folder / "a.wav").write_bytes(b"hello"), "cannot be read"),
        (lambda folder: tone(folder / "a.wav", 1.0, level=1e-5), "is silent"),
        (lambda folder: tone(folder / "a.wav", 9.0), "one recording is one name"),
        (lambda folder: soundfile.write(folder / "a.wav", np.zeros(0), 16_000), "is silent"),
    ],
)
def test_recordings_that_cannot_help_are_named(tmp_path: Path, make, message: str) -> None:
    folder = tmp_path / "owner"
    folder.mkdir()
    make(folder)
    with pytest.raises(TrainingError, match=message):
        wake_real.owners_recordings(folder)


def test_every_fourth_recording_of_the_owner_is_kept_aside(tmp_path: Path) -> None:
    folder = tmp_path / "owner"
    folder.mkdir()
    for number in range(5):
        tone(folder / f"{number}.wav", 0.6 + 0.1 * number)
    words = wake_texts.Words("rex", ("rex",), (), (), (), ())
    orders = [*wake.owner_orders(folder, 3, 1, False), *wake.owner_orders(folder, 1, 1, True)]
    trained, aside = (wake_clips.make(words, order) for order in orders)
    assert [len(trained), len(aside)] == [4 * 3, 1]
    assert all(0.6 < clip.end_s < len(clip.embeddings) * 0.08 for clip in [*trained, *aside])


@needs_a_voice
def test_clips_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVERPAW_DATA", raising=False)
    words = wake_texts.words_for("marvin")
    order = wake_clips.Order("name", 2, 5)
    first = wake_clips.make(words, order)
    monkeypatch.setattr(wake_clips, "_one", lambda *_: pytest.fail("made again"))
    again = wake_clips.make(words, order)
    assert [(c.end_s, c.kind, c.text) for c in first] == [(c.end_s, c.kind, c.text) for c in again]
    np.testing.assert_allclose(first[0].embeddings, again[0].embeddings, atol=0.05)
    other = wake_texts.words_for("sheila")
    with pytest.raises(pytest.fail.Exception, match="made again"):
        wake_clips.make(other, order)
