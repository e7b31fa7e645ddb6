"""The recogniser's recipe: its parts, and the whole of it in seconds with a tiny network."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from runtime.mind.grammar import Grammar

torch = pytest.importorskip("torch", reason="torch is not installed; pip install 'everpaw[training]'")
pytest.importorskip("onnxscript", reason="onnxscript is not installed; pip install 'everpaw[training]'")

from runtime.engines import Engine  # noqa: E402
from runtime.speech.asr import Recogniser  # noqa: E402
from runtime.speech.evidence import EVIDENCE  # noqa: E402
from runtime.speech.features import MELS  # noqa: E402
from runtime.speech.senones import GAUSSIANS, STREAMS  # noqa: E402
from runtime.speech.units import UNITS, encode  # noqa: E402
from training import provenance  # noqa: E402
from training.asr import batches as asr_batches  # noqa: E402
from training.asr import calibrate, sphinx  # noqa: E402
from training.asr import export as asr_export  # noqa: E402
from training.asr import recipe as asr  # noqa: E402
from training.asr import score as asr_score  # noqa: E402
from training.asr.acoustic import HEARD, Acoustic, output_lengths  # noqa: E402
from training.asr.acoustic import Recogniser as Network  # noqa: E402
from training.asr.align import align  # noqa: E402
from training.asr.clips import Clip, hear, sounds  # noqa: E402
from training.asr.error_rates import edits  # noqa: E402
from training.asr.gaussians import MODEL, ORDER  # noqa: E402
from training.asr.lexicon import pronouncer  # noqa: E402
from training.asr.texts import draw_texts, vocabulary  # noqa: E402
from training.data.voices import all_voices  # noqa: E402

pytestmark = pytest.mark.skipif(
    not MODEL.is_dir(), reason="no Gaussians to listen with; apt install pocketsphinx-en-us"
)
STARTER = Path(__file__).parents[3] / "runtime" / "starter" / "grammar.yaml"


@pytest.fixture
def tiny() -> Acoustic:
    torch.manual_seed(3)
    return Acoustic(len(UNITS), dim=32, layers=2).eval()


@pytest.mark.parametrize("frames", [8, 57, 203])
def test_two_answers_for_every_fourth_frame(tiny: Acoustic, frames: int) -> None:
    with torch.no_grad():
        log_probs = tiny(torch.randn(2, frames, HEARD))
    assert log_probs.shape == (2, int(output_lengths(torch.tensor(frames))), len(UNITS))
    np.testing.assert_allclose(log_probs.exp().sum(-1).numpy(), 1.0, atol=1e-4)


def test_the_shipped_file_is_the_trained_network(tiny: Acoustic, tmp_path: Path) -> None:
    asr_export.write_onnx(tiny, tmp_path / "model.onnx", {"task": "asr"})
    engine = Engine(tmp_path / "model.onnx")
    assert engine.metadata["task"] == "asr"
    for frames in (8, 99, 400):
        clip = torch.randn(1, frames, MELS)
        with torch.no_grad():
            wanted = Network(tiny).eval()(clip).numpy()
        told = engine.run({"features": clip.numpy()})
        np.testing.assert_allclose(told["log_probs"], wanted, atol=0.05)
        for stream in range(STREAMS):
            densities = told[f"densities_{stream}"]
            assert densities.shape == (1, frames, len(ORDER), GAUSSIANS)
            np.testing.assert_allclose(densities.max(axis=-1), 1.0)


def test_a_shipped_recogniser_goes_on_learning_from_where_it_was(tiny: Acoustic, tmp_path: Path) -> None:
    with torch.no_grad():
        for weights in tiny.parameters():  # no two alike, as after some training
            weights += 0.01 * torch.randn_like(weights)
    asr_export.write_onnx(tiny, tmp_path / "model.onnx", {"task": "asr"})
    run = asr.Run(replace(asr.SMOKE, start=str(tmp_path)))
    heard = torch.randn(1, 57, HEARD)
    with torch.no_grad():
        np.testing.assert_allclose(run.model.eval()(heard), tiny(heard), atol=0.02)


def test_texts_are_mixed_seeded_and_speakable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVERPAW_DATA", raising=False)
    grammar = Grammar.load(STARTER)
    texts = draw_texts(grammar, ["roll on your back"], 400, seed=1)
    assert texts == draw_texts(grammar, ["roll on your back"], 400, seed=1)
    assert all(pronouncer().ways(word) for text in texts for word in text.split())
    assert 40 < sum(grammar.parse(text) is not None for text in texts) < 300
    assert any(text.startswith("hey buddy ") for text in texts)
    assert len(vocabulary([])) > 500


def test_masking_keeps_the_shape_and_the_original() -> None:
    frames = np.ones((150, HEARD), np.float32)
    masked = asr_batches.mask(frames, np.random.default_rng(2))
    assert masked.shape == frames.shape
    assert (masked == 0).any()
    assert (frames == 1).all()


def test_a_batch_holds_each_clip_at_its_length() -> None:
    clips = [
        Clip(np.ones((n, HEARD), np.float16), sounds(text), np.zeros(n, np.int8), text, "v")
        for n, text in ((40, "sit"), (60, "good boy"))
    ]
    features, counts = asr_batches.collate(clips, np.random.default_rng(0))
    assert features.shape == (2, 60, HEARD)
    assert counts.tolist() == [40, 60]
    assert (features[0, 40:] == asr_batches.PAD).all()
    targets = asr_batches.frame_targets(clips, 30)
    assert (targets[0, 20:] == -1).all()
    assert (targets[1] == 0).all()


def test_alignment_finds_the_sounds_where_they_are() -> None:
    likelihoods = np.full((60, 126), -3.0, np.float32)

    def say(phone: str, first: int, last: int) -> None:
        state = 3 * ORDER.index(phone)
        likelihoods[first:last, state : state + 3] = 0.0

    say("SIL", 0, 10)
    say("S", 10, 25)
    say("IH", 25, 35)
    say("SIL", 35, 42)
    say("T", 42, 50)
    say("SIL", 50, 60)
    found = [UNITS[unit] for unit in align(likelihoods, encode(["S", "IH", "T"]))]
    assert found[:10] == [""] * 10
    assert found[10:25] == ["S"] * 15
    assert found[25:35] == ["IH"] * 10
    assert found[36:41] == [""] * 5
    assert found[42:50] == ["T"] * 8
    assert found[51:] == [""] * 9
    assert not align(likelihoods[:5], encode(["S", "IH"])).any()


def test_the_gaussians_know_a_silence_from_a_vowel() -> None:
    time = np.arange(16_000) / 16_000
    # a voice at 120 Hz with the formants of "ah"
    voice = sum(
        np.sin(2 * np.pi * 120 * k * time) * np.exp(-(((120 * k - 700) / 150) ** 2))
        + 0.7 * np.sin(2 * np.pi * 120 * k * time) * np.exp(-(((120 * k - 1150) / 150) ** 2))
        for k in range(1, 30)
    )
    samples = np.concatenate([np.zeros(8_000), 8_000 * voice / np.abs(voice).max()]).astype(np.int16)
    noise = np.random.default_rng(0).normal(0, 4, len(samples)).astype(np.int16)
    heard = hear(samples + noise)[:, MELS:].reshape(-1, 42, 3).max(axis=2)
    assert ORDER[int(heard[5:40].mean(axis=0).argmax())] in ("SIL", "+NSN+", "+SPN+")
    vowels = {"AA", "AH", "AO", "AW", "AY", "AE", "OW"}
    assert ORDER[int(heard[70:130].mean(axis=0).argmax())] in vowels


def test_the_rate_rises_and_falls_with_the_clock() -> None:
    settings = asr.Settings()
    rates = [asr.rate_at(p, settings) for p in np.linspace(0, 1, 50)]
    assert max(rates) <= settings.learning_rate
    assert rates[0] < rates[2] > rates[-1]


def test_a_run_is_resumed_only_with_its_own_settings(tmp_path: Path) -> None:
    settings = asr.Settings(dim=32, layers=1)
    run = asr.Run(settings)
    run.step, run.elapsed_s = 12, 34.0
    run.save(tmp_path / "checkpoint.pt")
    again = asr.Run(settings)
    again.resume(tmp_path / "checkpoint.pt")
    assert (again.step, again.elapsed_s) == (12, 34.0)
    other = asr.Run(asr.Settings(dim=32, layers=1, seed=8))
    other.resume(tmp_path / "checkpoint.pt")
    assert other.step == 0


def test_figures() -> None:
    assert edits(["sit", "down"], ["sit", "town", "now"]) == 2
    assert asr_score.share([True] * 9 + [False])["percent"] == 90.0
    assert asr_score.word_errors([("a b", "a c"), ("d e", "d e")])["percent"] == 25.0
    weights, bias = calibrate.logistic(
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
    assert len(settings["weights"]) == len(EVIDENCE)
    told = provenance.read(tmp_path / "asr" / "model.onnx")
    assert told is not None
    kept = tmp_path / "asr.work" / "checkpoint.safetensors"
    assert told.checkpoint_sha256 == provenance.sha256_of(kept)
    calibrate.main([str(tmp_path / "asr"), "--clips", "8"])
    again = json.loads((tmp_path / "asr" / "asr.json").read_text())
    assert again["weights"] != settings["weights"]
    assert {**again, "weights": 0, "bias": 0} == {**settings, "weights": 0, "bias": 0}
    recogniser = Recogniser(tmp_path / "asr", Grammar.load(STARTER), prefixes=["hey buddy"])
    noise = (np.random.default_rng(0).standard_normal(16_000) * 1_000).astype(np.int16)
    assert isinstance(recogniser.recognise(noise), list)
