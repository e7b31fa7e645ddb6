"""The recogniser's recipe: its parts, and the whole of it in seconds with a tiny network."""

import json
from pathlib import Path

import numpy as np
import pytest

from runtime.mind.grammar import Grammar

torch = pytest.importorskip("torch", reason="torch is not installed; pip install 'everpaw[training]'")
pytest.importorskip("onnxscript", reason="onnxscript is not installed; pip install 'everpaw[training]'")

from runtime.engines import Engine  # noqa: E402
from runtime.speech.asr import Recogniser  # noqa: E402
from runtime.speech.features import MELS  # noqa: E402
from runtime.speech.units import UNITS  # noqa: E402
from training import asr, asr_export, asr_score, sphinx  # noqa: E402
from training.acoustic import Acoustic, output_lengths  # noqa: E402
from training.asr_clips import Clip  # noqa: E402
from training.asr_texts import draw_texts, vocabulary  # noqa: E402
from training.data.voices import all_voices  # noqa: E402

STARTER = Path(__file__).parents[2] / "runtime" / "starter" / "grammar.yaml"


@pytest.fixture
def tiny() -> Acoustic:
    torch.manual_seed(3)
    return Acoustic(MELS, len(UNITS), dim=32, layers=2).eval()


@pytest.mark.parametrize("frames", [8, 57, 203])
def test_two_answers_for_every_fourth_frame(tiny: Acoustic, frames: int) -> None:
    with torch.no_grad():
        log_probs = tiny(torch.randn(2, frames, MELS))
    assert log_probs.shape == (2, int(output_lengths(torch.tensor(frames))), len(UNITS))
    np.testing.assert_allclose(log_probs.exp().sum(-1).numpy(), 1.0, atol=1e-4)


def test_the_shipped_file_is_the_trained_network(tiny: Acoustic, tmp_path: Path) -> None:
    asr_export.write_onnx(tiny, tmp_path / "model.onnx", {"task": "asr"})
    engine = Engine(tmp_path / "model.onnx")
    assert engine.metadata["task"] == "asr"
    for frames in (8, 99, 400):
        clip = torch.randn(1, frames, MELS)
        with torch.no_grad():
            wanted = tiny(clip).numpy()
        np.testing.assert_allclose(engine.run({"features": clip.numpy()})["log_probs"], wanted, atol=0.05)


def test_texts_are_mixed_seeded_and_speakable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVERPAW_DATA", raising=False)
    grammar = Grammar.load(STARTER)
    texts = draw_texts(grammar, ["roll on your back"], 400, seed=1)
    assert texts == draw_texts(grammar, ["roll on your back"], 400, seed=1)
    assert all(set(text) <= set(UNITS) for text in texts)
    assert 40 < sum(grammar.parse(text) is not None for text in texts) < 300
    assert any(text.startswith("hey buddy ") for text in texts)
    assert len(vocabulary([])) > 500


def test_masking_keeps_the_shape_and_the_original() -> None:
    frames = np.ones((150, MELS), np.float32)
    masked = asr.mask(frames, np.random.default_rng(2))
    assert masked.shape == frames.shape
    assert (masked == 0).any()
    assert (frames == 1).all()


def test_a_batch_holds_each_clip_at_its_length() -> None:
    clips = [Clip(np.ones((n, MELS), np.float16), text, "v") for n, text in ((40, "sit"), (60, "good boy"))]
    features, counts, targets, lengths = asr.collate(clips, np.random.default_rng(0))
    assert features.shape == (2, 60, MELS)
    assert counts.tolist() == [40, 60]
    assert lengths.tolist() == [3, 8]
    assert len(targets) == 11
    assert (features[0, 40:] == asr.PAD).all()


def test_the_rate_rises_and_falls_with_the_clock() -> None:
    settings = asr.Settings()
    rates = [asr.rate_at(p, settings) for p in np.linspace(0, 1, 50)]
    assert max(rates) <= settings.learning_rate
    assert rates[0] < rates[2] > rates[-1]


def test_lessons_go_on_when_learned_or_when_time_runs_out() -> None:
    lessons = asr.Lessons()
    for _ in range(400):
        lessons.take(0.5, progress=0.1)
    assert lessons.longest == 1_000
    late = asr.Lessons()
    for _ in range(10):
        late.take(3.0, progress=0.7)
    assert late.longest == 1_000


def test_a_run_is_resumed_only_with_its_own_settings(tmp_path: Path) -> None:
    settings = asr.Settings(dim=32, layers=1)
    run = asr.Run(settings)
    run.step, run.elapsed_s, run.lessons.lesson = 12, 34.0, 2
    run.save(tmp_path / "checkpoint.pt")
    again = asr.Run(settings)
    again.resume(tmp_path / "checkpoint.pt")
    assert (again.step, again.elapsed_s, again.lessons.lesson) == (12, 34.0, 2)
    other = asr.Run(asr.Settings(dim=32, layers=1, seed=8))
    other.resume(tmp_path / "checkpoint.pt")
    assert other.step == 0


def test_figures() -> None:
    assert asr.edits(["sit", "down"], ["sit", "town", "now"]) == 2
    assert asr_score.share([True] * 9 + [False])["percent"] == 90.0
    assert asr_score.word_errors([("a b", "a c"), ("d e", "d e")])["percent"] == 25.0
    weights, bias = asr_export.logistic(
        np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([1.0, 1.0, 0.0, 0.0]), 0.01
    )
    assert weights[0] < 0 < bias


def test_pocketsphinx_gets_the_same_sentences() -> None:
    automaton = Grammar.load("context: {expressions: {a: ['sit (down)']}}").automaton()
    lines = sphinx.state_file(automaton).splitlines()
    assert lines[1] == f"NUM_STATES {automaton.states + 1}"
    assert "TRANSITION 0 1 1.000000 sit" in lines
    assert sum(line.startswith("TRANSITION") for line in lines) == 4


@pytest.mark.skipif(not all_voices(), reason="no speech synthesiser; pip install 'everpaw[voice]'")
def test_smoke_from_text_to_a_folder_that_recognises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVERPAW_DATA", raising=False)
    assert asr.main(["--smoke", "--minutes", "0.05", "--out", str(tmp_path / "asr")]) == 0
    settings = json.loads((tmp_path / "asr" / "asr.json").read_text())
    assert len(settings["weights"]) == len(asr_export.EVIDENCE)
    recogniser = Recogniser(tmp_path / "asr", Grammar.load(STARTER), prefixes=["hey buddy"])
    noise = (np.random.default_rng(0).standard_normal(16_000) * 1_000).astype(np.int16)
    assert isinstance(recogniser.recognise(noise), list)
