"""The recipe runs, and its data keeps its promises."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra: pip install 'everpaw[training]'")
pytest.importorskip("onnxscript", reason="needs the extra: pip install 'everpaw[training]'")

from runtime.mind.behaviour import Behaviour
from runtime.mind.conversation import MEMORY_INTENTS
from runtime.mind.grammar import Grammar
from training import provenance
from training.behaviour import starter as recipe
from training.behaviour import tables
from training.data.wordings import Confuser, paraphrases
from training.school import examples

GRAMMAR = Path(__file__).parents[2] / "runtime/starter/grammar.yaml"


def test_paraphrases_are_many_outside_of_the_grammar_and_kept_apart() -> None:
    grammar = Grammar.load(GRAMMAR)
    train, held_out = paraphrases("train"), paraphrases("held_out")
    for pairs, least in ((train, 12), (held_out, 6)):
        counts = Counter(label for _, label in pairs)
        learned = set(grammar.intents) - MEMORY_INTENTS  # the memory reads its own sentences
        assert {intent: counts[intent] for intent in learned if counts[intent] < least} == {}
        parses = [(text, grammar.parse(text)) for text, _ in pairs]
        assert [text for text, parse in parses if parse and parse.intent in learned] == []
    assert {text for text, _ in train} & {text for text, _ in held_out} == set()


def test_confusion_is_seeded_and_never_empty() -> None:
    confuser = Confuser(["sit", "seat", "down"])

    def run() -> list[str]:
        rng = np.random.default_rng(3)
        return [confuser.confuse("sit down please", rng, 1.0) for _ in range(200)]

    assert run() == run()
    assert all(run())
    assert len(set(run())) > 20


def test_smoke_makes_a_model_the_robot_can_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("EVERPAW_DATA", raising=False)
    out = tmp_path / "behaviour"
    assert recipe.main(["--out", str(out), "--grammar", str(GRAMMAR), "--smoke"]) == 0
    metrics = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert metrics["classifier"]["paraphrase_top1"] > 0.7
    assert "training.behaviour" in (tmp_path / "cards/behaviour.md").read_text()
    told = provenance.read(out / "model.onnx")
    assert told is not None
    assert told.datasets["grammar.yaml"] == provenance.sha256_of(GRAMMAR)
    kept = tmp_path / "behaviour.work" / "checkpoint.safetensors"
    assert told.checkpoint_sha256 == provenance.sha256_of(kept)
    assert Behaviour(out, Grammar.load(GRAMMAR)).understand("let me see that tail wag").intent == "wag_tail"


def test_the_pet_s_own_sentences_become_tables_for_any_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EVERPAW_DATA", raising=False)
    assert tables.main(["--out", str(tmp_path)]) == 0
    learned, held = (examples.read(tmp_path / f"{name}.tsv", "train") for name in ("train", "held_out"))
    labels = {label for e in learned for label in e.labels}
    assert {"sit", examples.OUT_OF_SCOPE} < labels
    assert {label for e in held for label in e.labels} <= labels
    texts = {e.text for e in learned}
    assert sum(e.text in texts for e in held) < 0.02 * len(held)  # a frame may make one that is held out
    assert any(e.text.startswith(("don't ", "do not ", "never ")) and e.labels == ("oos",) for e in learned)
