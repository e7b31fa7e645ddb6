"""The owner's verifier: who says the name, at the head's hits and only there."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from runtime.audio.heads import LOOSE, WakeHead
from runtime.audio.stop import StopDetector
from runtime.audio.verifier import SUFFIX, Verifier, beside, packed
from runtime.contracts.errors import PackError
from runtime.starter import FOLDER

HEAD = FOLDER / "wake" / "hey_buddy.onnx"


def verifier(bias: float = 0.0, windows: int = 16, threshold: float = 0.5) -> Verifier:
    """Owner where the last embedding's first number is over -bias."""
    weights = np.zeros(windows * 96, np.float32)
    weights[-96] = 1.0
    return Verifier(name="rex", windows=windows, weights=packed(weights), bias=bias, threshold=threshold)


def test_probabilities_as_openwakeword_asks_for_them() -> None:
    windows = np.zeros((3, 16, 96), np.float32)
    windows[:, -1, 0] = (-5.0, 0.0, 5.0)
    found = pickle.loads(pickle.dumps(verifier())).predict_proba(windows)
    assert found.shape == (3, 2)
    np.testing.assert_allclose(found[:, 1], 1 / (1 + np.exp([5.0, 0.0, -5.0])), atol=1e-6)
    np.testing.assert_allclose(found.sum(1), 1.0, atol=1e-6)


def head_with(found: Verifier | None, folder: Path) -> Path:
    path = folder / "rex.onnx"
    path.write_bytes(HEAD.read_bytes())
    if found:
        path.with_name("rex" + SUFFIX).write_text(found.model_dump_json())
    return path


def scores_of(head: WakeHead) -> list[float]:
    rows = np.random.default_rng(3).normal(0, 14, (400, 96)).astype(np.float32)
    return [head.step(row) for row in rows]


def test_hits_of_others_score_nothing_and_what_is_no_hit_is_left_as_it_is(tmp_path: Path) -> None:
    plain = WakeHead(head_with(None, tmp_path))
    scores = scores_of(plain)
    hits = [score >= LOOSE for score in scores]
    assert 0 < sum(hits) < 400
    guarded = scores_of(WakeHead(head_with(verifier(bias=-1e4), tmp_path)))
    assert all(now == (0.0 if hit else was) for was, now, hit in zip(scores, guarded, hits, strict=True))
    assert scores_of(WakeHead(head_with(verifier(bias=1e4), tmp_path))) == scores
    assert scores_of(WakeHead(head_with(verifier(bias=-1e4), tmp_path), anybody=True)) == scores


def test_the_stop_word_is_everybodys(tmp_path: Path) -> None:
    head = head_with(verifier(bias=-1e4), tmp_path)
    assert StopDetector([head])._scorer._heads[0].verifier is None


def test_a_verifier_of_another_head_or_a_damaged_one_is_named(tmp_path: Path) -> None:
    head = head_with(verifier(windows=10), tmp_path)
    with pytest.raises(PackError, match=r"looks at 10 steps, rex\.onnx at 16"):
        beside(head, 16)
    path = head.with_name("rex" + SUFFIX)
    fields = json.loads(verifier().model_dump_json())
    for damage in ({"weights": "AAAA"}, {"weights": "no base64 !"}, {"threshold": 1.5}, {"more": 1}):
        path.write_text(json.dumps(fields | damage))
        with pytest.raises(PackError, match="train it again or remove it"):
            Verifier.load(path)
    path.write_text("{")
    with pytest.raises(PackError, match="train it again or remove it"):
        WakeHead(head)
