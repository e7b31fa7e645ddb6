"""Losses, thresholds, figures and the report: each against what can be worked out by hand."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra: pip install 'everpaw[training]'")
pytest.importorskip("sklearn", reason="needs the extra: pip install 'everpaw[training]'")

import torch
from torch.nn import functional

from training.school import batches, confidence, judging, losses, report
from training.school.examples import Example
from training.school.settings import Lesson, Switches


def test_class_weights_have_mean_one_over_the_examples() -> None:
    targets = torch.tensor([0, 0, 0, 1])
    even = losses.class_weights(targets, 2, 0.0)
    balanced = losses.class_weights(targets, 2, 1.0)
    assert torch.allclose(even, torch.ones(2))
    assert torch.allclose(balanced, torch.tensor([2 / 3, 2.0]))
    assert balanced[targets].mean().item() == pytest.approx(1)


def test_losses_are_those_of_torch_where_no_switch_is_on() -> None:
    torch.manual_seed(0)
    logits, ones = torch.randn(5, 3), torch.ones(3)
    one, several = torch.tensor([0, 2, 1, 1, 0]), torch.randint(0, 2, (5, 3)).float()
    assert torch.allclose(losses.loss_of(logits, one, ones, 0), functional.cross_entropy(logits, one))
    whole = functional.binary_cross_entropy_with_logits(logits, several) * 3
    assert torch.allclose(losses.loss_of(logits, several, ones, 0), whole)
    assert losses.loss_of(logits, one, torch.tensor([2.0, 1, 1]), 0) > losses.loss_of(logits, one, ones, 0)


@pytest.mark.parametrize("several", [False, True])
def test_two_passes_diverge_by_nothing_only_where_they_agree(several: bool) -> None:
    one, other = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    assert losses.divergence(one, one, several).item() == pytest.approx(0, abs=1e-6)
    assert losses.divergence(one, other, several) > 0.3
    assert torch.allclose(losses.divergence(one, other, several), losses.divergence(other, one, several))


def test_the_adversarial_step_is_as_long_as_said_and_raises_the_loss() -> None:
    torch.manual_seed(0)
    table, head = torch.nn.Embedding(9, 4), torch.nn.Linear(4, 3)
    table.get_input_embeddings = lambda: table  # type: ignore[method-assign]
    words, targets, seen = torch.tensor([[1, 2, 3], [4, 5, 6]]), torch.tensor([0, 2]), losses.Seen()

    def loss() -> torch.Tensor:
        return functional.cross_entropy(head(table(words).mean(1)), targets)

    with losses.embeddings_of(table, seen):
        before = loss()
        before.backward()
    step = seen.step(0.7)
    assert torch.allclose(step.flatten(1).norm(dim=1), torch.full((2,), 0.7))
    with losses.embeddings_of(table, lambda output: output + step):
        assert loss() > before
    assert torch.allclose(loss(), before)


def test_the_pull_to_the_start_is_half_the_squared_distance() -> None:
    layer = torch.nn.Linear(2, 1, bias=False)
    start = {"weight": layer.weight.detach() - 2}
    assert losses.pull(layer, start).item() == pytest.approx(4)


def test_a_temperature_cools_what_is_too_sure() -> None:
    rng = np.random.default_rng(0)
    targets = torch.tensor(rng.integers(0, 3, 600))
    logits = torch.tensor(rng.normal(0, 1, (600, 3)), dtype=torch.float32) + functional.one_hot(targets, 3)
    assert confidence.temperature(logits * 4, targets) == pytest.approx(
        4 * confidence.temperature(logits, targets), rel=0.15
    )


def test_a_threshold_parts_what_can_be_parted() -> None:
    inside, outside = np.array([0.9, 0.8, 0.7, 0.95]), np.array([0.1, 0.3, 0.0])
    found = confidence.threshold(inside, np.array([True] * 4), outside)
    assert 0.3 < found <= 0.7
    assert confidence.threshold(inside, np.array([True] * 4), np.array([])) < 0.71


def test_what_is_taken() -> None:
    shares = np.array([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7], [0.3, 0.4, 0.3]])
    assert confidence.taken(shares, 0.5, True).tolist() == [0, 2, 0]
    assert confidence.taken(shares, 0.0, True).tolist() == [0, 2, 1]
    assert confidence.taken(shares, 0.9, False).tolist() == [0, 2, 1]


def test_figures_by_hand() -> None:
    judge = judging.Judge(
        [Example("a", ("oos",)), Example("b", ("x",)), Example("c", ("y",))], ["oos", "x", "y"], False
    )
    shares = np.array([[0.2, 0.4, 0.4], [0.0, 1.0, 0.0], [0.0, 0.9, 0.1]])
    figures = judge.single(shares, 0.5)
    assert figures["in_scope_accuracy"] | {"low": 0, "high": 0} == {
        "share": 0.5,
        "right": 1,
        "n": 2,
        "low": 0,
        "high": 0,
    }
    assert figures["out_of_scope_recall"]["right"] == 1
    assert figures["separation"] == 1
    assert figures["calibration_error"] == pytest.approx((0.4 + 0.9) / 3, abs=1e-4)
    assert judging.auroc(np.array([0.5, 0.5]), np.array([0.5])) == 0.5
    macro, each = confidence.macro_f1(np.array([[1, 0], [1, 1]], bool), np.array([[1, 0], [0, 1]], bool))
    assert each == [pytest.approx(2 / 3), 1]
    assert macro == pytest.approx(5 / 6)


def test_thresholds_a_label_are_those_of_the_best_f1() -> None:
    shares = np.array([[0.2, 0.8], [0.3, 0.7], [0.1, 0.9], [0.05, 0.6]])
    targets = np.array([[1, 0], [1, 0], [0, 1], [0, 0]], bool)
    thresholds = confidence.label_thresholds(shares, targets)
    assert confidence.macro_f1(shares >= np.array(thresholds), targets)[0] == 1


def test_words_are_misheard_about_as_often_as_asked() -> None:
    some = [Example(f"please walk over to the window number {i} and sit down", ("a",)) for i in range(200)]
    heard, rate = judging.misheard(some, 0.1, some)
    assert 0.05 < rate < 0.15
    assert judging.misheard(some, 0.1, some)[0] == heard


def test_batches_are_the_same_for_an_epoch_and_hold_everything_once() -> None:
    lengths = [int(n) for n in np.random.default_rng(0).integers(1, 90, 203)]
    sampler = batches.Shuffled(lengths, 8, 5)
    first = list(sampler)
    assert sorted(first) == list(range(203))
    assert list(batches.Shuffled(lengths, 8, 5)) == first
    sampler.set_epoch(1)
    assert list(sampler) != first
    spread = [
        max(lengths[i] for i in first[at : at + 8]) - min(lengths[i] for i in first[at : at + 8])
        for at in range(0, 200, 8)
    ]
    assert np.median(spread) < 15


def test_synonyms_take_the_place_of_words(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("happy glad\n", encoding="utf-8")
    switches = Switches(synonyms=1, synonym_file=path)
    some = batches.Sentences([Example("so happy now", ("a",))], torch.tensor([0]), None, 9, switches, 1)
    assert some.text(0) == "so glad now"
    with pytest.raises(ValueError, match="synonym_file"):
        Lesson(switches=Switches(synonyms=0.5))


def test_a_report_says_everything_and_needs_nothing(tmp_path: Path) -> None:
    rows = [("start", {"right": "1 %"}), ("this <model>", {"right": "9 %", "more": "2"})]
    history = [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}, {"step": 2, "eval_held_back": 0.5}]
    curves = report.curves_of(history)
    report.write(report.Report("t", rows, curves, {"seed": 7}, ["a.png"], ["n"]), tmp_path)
    page, told = (tmp_path / "report.html").read_text(), json.loads((tmp_path / "report.json").read_text())
    assert told["table"] == [
        {"who": "start", "right": "1 %"},
        {"who": "this <model>", "right": "9 %", "more": "2"},
    ]
    assert told["curves"]["loss while learning"] == [[1, 2.0], [2, 1.0]]
    assert "this &lt;model&gt;" in page
    assert page.count("<svg") == 1
    assert "http" not in page


def test_two_who_err_in_turn_are_right_together() -> None:
    held = [Example("a", ("x",)), Example("b", ("y",))] * 5
    judge = judging.Judge(held, ["x", "y"], several=False)
    right, wrong = np.array([[0.9, 0.1], [0.1, 0.9]] * 5), np.array([[0.4, 0.6], [0.1, 0.9]] * 5)
    other = right.copy()
    other[1::2] = [0.6, 0.4]
    voices = [judging.Voice(shares, shares) for shares in (wrong, other)]
    alone = [judging.vote(held, judge, voice)["in_scope_accuracy"]["share"] for voice in voices]
    assert alone == [0.5, 0.5]
    assert judging.vote(held, judge, *voices)["in_scope_accuracy"]["share"] == 1.0
