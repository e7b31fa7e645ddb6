"""The reader's recipe: smaller keeps what it should, and the whole way from a start folder to the robot."""

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="pip install 'everpaw[training]'")

from tokenizers import Tokenizer  # noqa: E402
from tokenizers.models import WordPiece  # noqa: E402
from tokenizers.normalizers import BertNormalizer  # noqa: E402
from tokenizers.pre_tokenizers import BertPreTokenizer  # noqa: E402
from transformers import BertConfig, BertModel  # noqa: E402

from runtime.contracts.errors import PackError, TrainingError  # noqa: E402
from runtime.mind.reader import Reader, Reading  # noqa: E402
from training.reader import examples, network, recipe  # noqa: E402
from training.reader.fit import Plan, _loss, fit  # noqa: E402

REMARKS = {
    "i am so angry": "0", "that is gross": "1", "i am afraid": "2", "i love it": "3", "it is tuesday": "4",
    "i am so sad": "5", "oh wow": "6", "nice and odd": "3,6",
    **{f"it is day {'x' * n} of the week": "4" for n in range(1, 60)},
}  # fmt: skip


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like the one EVERPAW_DATA names, very small."""
    for name in ("train", "dev"):
        path = tmp_path / "data/text/goemotions" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{text}\t{labels}\tsomebody\n" for text, labels in REMARKS.items()))
    clinc = tmp_path / "data/text/clinc/train_val.json"
    clinc.parent.mkdir(parents=True)
    rows = [["what time is it", "time"], ["set an alarm", "alarm"]]
    clinc.write_text(json.dumps({"train": rows, "oos_train": rows, "val": rows, "oos_val": rows}))
    monkeypatch.setenv("EVERPAW_DATA", str(tmp_path / "data"))
    examples.feelings.cache_clear()
    examples.everyday.cache_clear()
    yield tmp_path
    examples.feelings.cache_clear()
    examples.everyday.cache_clear()


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """An encoder of random weights whose tokenizer knows letters only."""
    folder = tmp_path / "start"
    letters = "abcdefghijklmnopqrstuvwxyz0123456789'"
    pieces = [*network.SPECIAL, *letters, *(f"##{c}" for c in letters), "the", "you", "die"]
    tokenizer = Tokenizer(WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = BertNormalizer(), BertPreTokenizer()
    tokenizer.post_processor = network.ends(pieces)
    config = BertConfig(
        vocab_size=len(pieces), hidden_size=32, num_hidden_layers=3, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=96,
    )  # fmt: skip
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def test_fewer_words_keeps_the_commonest_and_every_letter(data: Path, start: Path) -> None:
    net, tokenizer = network.start(start)
    fewer, pieces = network.fewer_words(net, tokenizer, ["die"], ["the the you you you"], words=80)
    assert "the" not in pieces.get_vocab()
    assert pieces.encode("you die").tokens == ["[CLS]", "you", "die", "[SEP]"]
    assert pieces.encode("the").tokens == ["[CLS]", "t", "##h", "##e", "[SEP]"]
    with torch.no_grad():
        before = net.eval()(*network.encode(tokenizer, ["you die"]))
        after = fewer.eval()(*network.encode(pieces, ["you die"]))
    assert torch.allclose(before[1], after[1], atol=1e-6)


def test_only_the_last_part_is_rounded(
    data: Path, start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net, tokenizer = network.start(start)
    seen: list[torch.nn.Module] = []
    monkeypatch.setattr("training.reader.fit.rounded", lambda net: seen.append(net) or net)
    fit(net, tokenizer, Plan(10, 1e-3, batch=4), examples.Drawing(1), tmp_path / "checkpoint.pt")
    assert len(seen) == 3


def test_it_learns(data: Path, start: Path, tmp_path: Path) -> None:
    net, tokenizer = network.start(start)
    fit(net, tokenizer, Plan(60, 3e-3, batch=16), examples.Drawing(1), tmp_path / "checkpoint.pt")
    with torch.no_grad():
        danger = [e.text for e in examples.own("train") if e.danger][:60]
        plain = [e.text for e in examples.everyday("train")][:60]
        found, false = (net(*network.encode(tokenizer, texts))[0].mean() for texts in (danger, plain))
    assert found > false


def test_a_killed_run_ends_as_an_unbroken_one(
    data: Path, start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.reader.fit.SAVE_EVERY", 2)

    def run(name: str, stop_after: int | None = None) -> dict[str, torch.Tensor]:
        class Killed(examples.Drawing):
            def batch(self, step: int, size: int) -> list[examples.Example]:
                if step == stop_after:
                    raise KeyboardInterrupt
                return super().batch(step, size)

        net, tokenizer = network.start(start)
        torch.manual_seed(1)
        for head in (net.danger, net.feelings):
            head.reset_parameters()
        return fit(net, tokenizer, Plan(6, 1e-3, batch=16), Killed(1), tmp_path / f"{name}.pt").state_dict()

    whole = run("whole")
    with pytest.raises(KeyboardInterrupt):
        run("broken", stop_after=3)
    again = run("broken")
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_nothing_kept_aside_is_drawn(data: Path) -> None:
    kept = {e.text for e in examples.own("validation")}
    assert len(kept) > 1_000
    assert not kept & {e.text for e in examples.own("train")}
    aside = {e.text for e in examples.feelings("threshold")}
    assert aside
    assert not aside & {e.text for e in examples.feelings("train")}


def test_danger_beside_a_harmless_sentence_stays_danger(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, share in {"DRESSED": 0.0, "CONFUSED": 0.0, "JOINED": 1.0, "DANGER_SHARE": 1.0}.items():
        monkeypatch.setattr(examples, name, share)
    danger = {e.text for e in examples.own("train") if e.danger}
    drawn = examples.Drawing(1).batch(0, 8)[:8]
    assert all(e.danger == 1 and e.text not in danger for e in drawn)
    assert all(any(text in e.text for text in danger) for e in drawn)


def test_a_batch_is_read_in_parts_of_like_length_and_loses_none(
    data: Path, start: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net, tokenizer = network.start(start)
    batch = examples.Drawing(1).batch(0, 22)
    in_parts = _loss(net.eval(), tokenizer, batch)
    monkeypatch.setattr("training.reader.fit.PARTS", 1)
    assert torch.allclose(in_parts, _loss(net, tokenizer, batch), atol=1e-5)


def test_the_threshold_keeps_both_kinds_of_false_alarms(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alike = [e.text for e in examples.own("validation") if not e.danger]
    loud = set(alike[: len(alike) // 10])

    class Loud:
        def read(self, text: str) -> Reading:
            return Reading(0.8 if text in loud else 0.1, {})

    assert recipe.threshold_of(Loud()) == pytest.approx(0.8)  # type: ignore[arg-type]
    monkeypatch.setattr(recipe, "ALIKE_ALARMS", 0.2)
    assert recipe.threshold_of(Loud()) == pytest.approx(0.2)  # type: ignore[arg-type]


def test_from_a_start_folder_to_a_reader_of_the_robot(data: Path, start: Path, tmp_path: Path) -> None:
    assert recipe.main(["--start", str(start), "--out", str(tmp_path / "out"), "--smoke"]) == 0
    reader = Reader(tmp_path / "out")
    for text in ("hello", "", "\x00", "\U0001f642", "a" * 10_000, "[MASK] [SEP]", "word " * 900):
        reading = reader.read(text)
        assert 0 <= reading.danger <= 1
        assert sum(reading.feelings.values()) == pytest.approx(1.0)
    (tmp_path / "out/tokenizer.json").write_text("{}")
    with pytest.raises(PackError, match="holds no usable reader"):
        Reader(tmp_path / "out")
    card = (tmp_path / "out/card.md").read_text()
    assert f"one in {examples.THRESHOLD_ONE_IN} of GoEmotions' train part" in " ".join(card.split())
    assert "The encoder of `start`" in card


def test_without_the_corpora_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVERPAW_DATA", raising=False)
    examples.feelings.cache_clear()
    with pytest.raises(TrainingError, match="EVERPAW_DATA"):
        examples.feelings("train")


def test_an_empty_start_folder_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no encoder to start from"):
        network.start(tmp_path)


def test_macro_f1_counts_a_raters_label_as_right() -> None:
    assert recipe.macro_f1([3, 0], [(3, 6), (0,)]) == pytest.approx(2 / 7)
