"""Fine-tuning of CTC networks: the parts, and the whole with a network of random weights."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch", reason="torch is not installed; pip install 'everpaw[training]'")
transformers = pytest.importorskip("transformers", reason="pip install 'everpaw[training]'")
pytest.importorskip("peft", reason="peft is not installed; pip install 'everpaw[training]'")

from runtime.contracts.errors import TrainingError  # noqa: E402
from runtime.engines import Engine  # noqa: E402
from runtime.mind.grammar import Grammar  # noqa: E402
from runtime.speech.asr import Recogniser  # noqa: E402
from training.asr.error_rates import rate  # noqa: E402
from training.asr.gaussians import MODEL  # noqa: E402
from training.asr.recipe import main  # noqa: E402
from training.ctc import alphabet, speech  # noqa: E402
from training.ctc import model as networks  # noqa: E402
from training.ctc.export import write_onnx  # noqa: E402
from training.ctc.fit import Length, fit  # noqa: E402
from training.ctc.score import errors, listener  # noqa: E402

pytestmark = pytest.mark.skipif(not MODEL.is_dir(), reason="no dictionary; apt install pocketsphinx-en-us")
torch.set_num_threads(1)  # two would wait for each other on a busy machine
TONES = {"sit": 300.0, "stay": 900.0, "come": 2500.0}
GRAMMAR = "context: {expressions: {sit: [sit], stay: [stay], come: [come]}}"


def start(folder: Path, kind: str, labels: int = 40) -> Path:
    """A CTC network of random weights, small enough for a test."""
    shape = {
        "vocab_size": labels, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 64, "conv_dim": (16,) * 7, "num_conv_pos_embeddings": 16,
        "num_conv_pos_embedding_groups": 2, "pad_token_id": 0,
    }  # fmt: skip
    torch.manual_seed(1)
    classes = {
        "wav2vec2": (transformers.Wav2Vec2Config, transformers.Wav2Vec2ForCTC),
        "hubert": (transformers.HubertConfig, transformers.HubertForCTC),
    }
    config, network = classes[kind]
    network(config(**shape)).save_pretrained(folder)
    return folder


def tone(word: str, seconds: float = 0.6) -> np.ndarray:
    n = int(16_000 * seconds)
    noise = np.random.default_rng(n).standard_normal(n)
    return (0.4 * np.sin(np.arange(n) * 2 * np.pi * TONES[word] / 16_000) + 0.02 * noise).astype(np.float32)


def recordings(folder: Path, rate_hz: int = 16_000, stereo: bool = False) -> Path:
    folder.mkdir()
    rows = []
    for number, word in enumerate([*TONES] * 4):
        sound = tone(word, 0.5 + 0.02 * number)
        sound = np.repeat(sound[:, None], 2, 1) if stereo else sound
        name = f"speaker{number % 4}_{number}.wav"
        soundfile.write(folder / name, sound, rate_hz)
        rows.append(f"{name}\t{word.upper()}!\n")
    (folder / "transcripts.tsv").write_text("".join(rows))
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the whole recipe made of three words by four speakers."""
    folder = tmp_path_factory.mktemp("ctc")
    base, heard = start(folder / "start", "wav2vec2"), recordings(folder / "mine")
    out = folder / "asr"
    assert main(["--model", str(base), "--speech", str(heard), "--out", str(out), "--smoke"]) == 0
    return out


def test_the_robot_loads_what_recordings_made(trained: Path) -> None:
    report = json.loads((trained / "report.json").read_text())
    assert report["after"]["sounds wrong"]["n"] == 3
    assert report["onnx_gap_nats"] < 0.01
    robot = Recogniser(trained, Grammar.load(GRAMMAR))
    samples = (tone("sit", 1.0) * 32_767).astype(np.int16)
    log_probs = robot.log_probs(samples)
    assert log_probs.shape == (49, 40)
    np.testing.assert_allclose(np.exp(log_probs).sum(1), 1.0, atol=1e-3)
    assert robot.log_probs(samples[:100]).shape == (0, 40)
    network = transformers.AutoModelForCTC.from_pretrained(trained / "checkpoint").eval()
    with torch.no_grad():
        wanted = network(networks.levelled(torch.from_numpy(samples / np.float32(32_768))[None])).logits
    np.testing.assert_allclose(log_probs, wanted.log_softmax(-1)[0].numpy(), atol=0.01)


@pytest.mark.parametrize("kind", ["wav2vec2", "hubert"])
def test_file_and_torch_agree_at_every_length(kind: str, tmp_path: Path) -> None:
    network = networks.opened(str(start(tmp_path / "s", kind)), alphabet.sounds(), 0.0, 0.0, 0.0)
    clips = [tone("sit", seconds) for seconds in (0.05, 0.4, 3.1)]
    assert write_onnx(network, range(40), tmp_path / "model.onnx", clips) < 1e-4


def test_it_learns_what_is_said(tmp_path: Path) -> None:
    """Three tones, three words: a network that learns nothing gets none of them."""
    letters = alphabet.letters_of(TONES)
    takes = [speech.Spoken(tone(word, 0.3), word, word) for word in TONES]
    network = networks.opened(str(start(tmp_path / "start", "wav2vec2")), letters, 0.0, 0.0, 0.0)
    unlearned = errors(listener(network), letters, takes)["words"].percent
    fit(network, network, letters, takes, [], Length(steps=150, batch=3, rate=4e-3), tmp_path / "work")
    found = errors(listener(network), letters, takes)
    assert unlearned > 90
    assert found["words"].percent < 20
    assert found["letters"].percent <= found["words"].percent


def test_adapters_leave_the_start_alone_and_show_what_is_forgotten(trained: Path, tmp_path: Path) -> None:
    mine, second = recordings(tmp_path / "mine"), tmp_path / "two"
    again = ["--model", str(trained / "checkpoint"), "--speech", str(mine), "--out", str(second)]
    more = ["--lora", "2", "--remember", str(mine), "--steps", "2", "--freeze", "head"]
    assert main([*again, *more]) == 0
    report = json.loads((second / "report.json").read_text())
    assert report["before"].keys() == report["after"].keys() == {"sounds wrong", "sounds wrong, others"}
    assert report["before"]["sounds wrong, others"]["n"] == 12
    weights = [
        transformers.AutoModelForCTC.from_pretrained(folder / "checkpoint").state_dict()
        for folder in (trained, second)
    ]
    changed = {name for name in weights[0] if not torch.equal(weights[0][name], weights[1][name])}
    assert changed
    assert all("_proj.weight" in name or "lm_head" in name for name in changed), changed


def test_a_run_goes_on_where_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    letters = alphabet.letters_of(TONES)
    takes = [speech.Spoken(tone(word), word, word) for word in TONES]
    base = str(start(tmp_path / "start", "wav2vec2"))
    network = networks.opened(base, letters, 0.0, 0.0, 0.0)
    fit(network, network, letters, takes, takes, Length(steps=2, batch=3), tmp_path / "work")
    fit(network, network, letters, takes, takes, Length(steps=4, batch=3), tmp_path / "work")
    assert "going on at step 2 of 4" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("policy", "learns"),
    [("none", "feature_extractor"), ("features", "encoder.layers.0"), ("all_but_top", "encoder.layers.1")],
)
def test_what_is_frozen(policy: networks.Freeze, learns: str, tmp_path: Path) -> None:
    order = ["feature_extractor", "encoder.layers.0", "encoder.layers.1"]
    network = networks.opened(str(start(tmp_path / "s", "wav2vec2")), alphabet.sounds(), 0.1, 0.05, 0.0)
    networks.freeze(network, policy, 1)
    free = {
        part for part in order if any(part in n for n, p in network.named_parameters() if p.requires_grad)
    }
    assert free == set(order[order.index(learns) :])
    assert network.lm_head.weight.requires_grad
    with pytest.raises(TrainingError, match="3 top layers of 2"):
        networks.freeze(network, "all_but_top", 3)


def test_a_file_that_answers_otherwise_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = networks.opened(str(start(tmp_path / "s", "wav2vec2")), alphabet.sounds(), 0.0, 0.0, 0.0)
    true = Engine.run
    monkeypatch.setattr(Engine, "run", lambda s, feeds: {k: v + 0.5 for k, v in true(s, feeds).items()})
    with pytest.raises(TrainingError, match="answers otherwise"):
        write_onnx(network, range(40), tmp_path / "model.onnx", [tone("sit")])
    assert not (tmp_path / "model.onnx").exists()


def test_other_rates_and_channels_are_heard_alike(tmp_path: Path) -> None:
    plain = speech.recorded(recordings(tmp_path / "one"))
    stereo = speech.recorded(recordings(tmp_path / "two", stereo=True))
    assert [t.text for t in plain] == ["sit", "stay", "come"] * 4
    np.testing.assert_allclose(plain[3].samples, stereo[3].samples, atol=1e-4)
    fast = speech.recorded(recordings(tmp_path / "three", rate_hz=32_000))
    assert len(fast[3].samples) == pytest.approx(len(plain[3].samples) / 2, abs=2)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("", "names no recording"),
        ("a.wav sit\n", "needs a file, a tab and words"),
        ("a.wav\t...\n", "needs a file, a tab and words"),
        ("b.wav\tsit\n", "b.wav is not there"),
        ("silent.wav\tsit\n", "silent.wav is silent"),
        ("torn.wav\tsit\n", "torn.wav cannot be read"),
        ("long.wav\tsit\n", "lasts 25 s; cut it"),
        ("a.wav\t" + "this was said in no time at all " * 3 + "\n", "right transcript"),
    ],
)
def test_recordings_that_cannot_be_right_are_named(rows: str, told: str, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone("sit"), 16_000)
    soundfile.write(tmp_path / "silent.wav", np.zeros(16_000), 16_000)
    soundfile.write(tmp_path / "long.wav", tone("sit", 25.0), 16_000)
    (tmp_path / "torn.wav").write_bytes(b"RIFF")
    (tmp_path / "transcripts.tsv").write_text(rows)
    with pytest.raises(TrainingError, match=told):
        speech.recorded(tmp_path)


def test_a_folder_without_transcripts_and_a_start_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"transcripts\.tsv is not there"):
        speech.recorded(tmp_path)
    with pytest.raises(TrainingError, match="cannot be loaded as a CTC model"):
        networks.opened(str(tmp_path), alphabet.sounds(), 0.0, 0.0, 0.0)


def test_letters_of_other_languages_and_of_a_start(tmp_path: Path) -> None:
    letters = alphabet.letters_of(["坐下 吧", "Straße"])
    assert letters.decode([c for c in letters.encode("straße") for c in (c, 0)]) == "straße"
    assert letters.decode(letters.encode("坐下 吧")) == "坐下 吧"
    (tmp_path / "vocab.json").write_text(json.dumps({"<pad>": 0, "<s>": 1, "|": 2, "S": 3, "I": 4, "T": 5}))
    own = alphabet.letters_of_start(tmp_path, 0)
    assert own.encode("sit it") == [3, 4, 5, 2, 4, 5]
    assert own.decode([0, 3, 3, 0, 4, 1, 5, 2, 2, 4, 5]) == "sit it"
    with pytest.raises(TrainingError, match="which the model's letters lack"):
        own.encode("stay")
    with pytest.raises(TrainingError, match="no letter to learn"):
        alphabet.letters_of(["123", "?"])


def test_speakers_stand_on_one_side_of_the_split() -> None:
    takes = [speech.Spoken(tone("sit"), "sit", f"speaker{i % 5}") for i in range(20)]
    learn, aside = speech.split(takes, 0.2, 1)
    assert aside
    assert not {t.source for t in learn} & {t.source for t in aside}
    with pytest.raises(TrainingError, match="cannot be split"):
        speech.split(takes[:1], 0.2, 1)


def test_error_rates_have_intervals_around_them() -> None:
    found = rate([(["a", "b"], ["a", "b"]), (["a", "b"], ["b"])] * 20)
    assert found.percent == pytest.approx(25.0)
    assert found.low < 25.0 < found.high
