"""What must not be said breaks its rule, and a penalty makes it less likely."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra: pip install 'everpaw[training]'")

import numpy as np
import torch

from runtime.mind.prompt import END
from training.data.conversations import Corpus
from training.data.phrases import read
from training.data.turns import Turn
from training.dialogue import fit, recipe, unsaid
from training.dialogue.model import SMOKE, new_model
from training.dialogue.text import PAD, Batch, batch_of, make_tokenizer, texts_of

PLAN = fit.Plan(steps=3, minutes=0, rows=2, rate=1e-2, seed=4)


@pytest.fixture(scope="module")
def tokenizer():
    corpus = Corpus("train", 3)
    return make_tokenizer((t for _ in range(40) for t in texts_of(corpus.scene(8))), ["none"], 600)


def test_every_line_breaks_its_topic_s_rule_and_every_rule_has_lines() -> None:
    rules = {name: row["never"] for name, row in read("care").items() if row.get("never")}
    for part in ("train", "held_out"):
        assert unsaid.wrongs(part).keys() == rules.keys()
        for topic, lines in unsaid.wrongs(part).items():
            rule = rules[topic].replace(r"\$pet", "rex")
            assert all(re.search(rule, line.lower().replace("$pet", "rex")) for line in lines), topic
    assert sum(map(len, unsaid.wrongs("held_out").values())) >= 8


def care(topic: str) -> Turn:
    corpus = Corpus("train", 8)
    return next(
        turn
        for _ in range(500)
        for turn in corpus.scene(1, "care").turns
        if turn.check.kind == f"care:{topic}"
    )


def test_the_word_that_breaks_a_rule_is_marked_and_nothing_after_it_is_read(tokenizer) -> None:
    tokens, breaks = unsaid.encode(tokenizer, care("alive"), "Look, I am a living being.")
    marked = [token for token, broke in zip(tokens, breaks, strict=True) if broke]
    assert tokenizer.decode(marked).strip() == "living"
    assert tokenizer.decode(tokens).strip() == "look, i am a living"


def test_it_costs_more_the_likelier_it_is() -> None:
    logits = torch.tensor([[0.0, 3.0], [0.0, -3.0]])
    sure, unsure = (unsaid.cost(logits[[row]], torch.tensor([1])) for row in (0, 1))
    assert float(sure) == pytest.approx(-np.log(1 - 1 / (1 + np.exp(-3))), rel=1e-4)
    assert float(unsure) < 0.1 < 3 < float(sure)
    assert float(unsaid.cost(logits[:0], torch.tensor([], dtype=torch.long))) == 0


def test_a_penalty_makes_it_less_likely(tokenizer, tmp_path: Path) -> None:
    pad = tokenizer.token_to_id(PAD)
    batch = batch_of(fit.rows_of(tokenizer, replace(PLAN, rows=6, penalty=1.0), 999), pad)
    assert batch.unsaid.any()
    assert not (batch.unsaid & batch.learned).any()
    plain = batch_of(fit.rows_of(tokenizer, replace(PLAN, rows=6), 999), pad)
    assert not plain.unsaid.any()
    torch.manual_seed(0)
    model = new_model(SMOKE, tokenizer.token_to_id(END), pad)

    def cost_after(batch: Batch, penalty: float) -> float:
        optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
        for _ in range(25):
            optimiser.zero_grad()
            fit.loss_of(model, batch, penalty).backward()
            optimiser.step()
        with torch.no_grad():
            return float(fit.loss_of(model, said, 1.0) - fit.loss_of(model, said))

    said = replace(batch, learned=batch.unsaid)
    tempted = cost_after(said, 0.0)
    assert cost_after(batch, 5.0) < 0.2 * tempted


def test_the_penalty_of_a_plan_changes_what_is_learned(tokenizer, tmp_path: Path) -> None:
    weights = []
    for penalty in (0.0, 5.0):
        torch.manual_seed(0)
        model = new_model(SMOKE, tokenizer.token_to_id(END), tokenizer.token_to_id(PAD))
        (tmp_path / str(penalty)).mkdir()
        fit.fit(model, tokenizer, replace(PLAN, penalty=penalty), tmp_path / str(penalty))
        weights.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    assert not torch.allclose(*weights, atol=1e-6)


def test_how_tempting_it_is_lies_between_never_and_always(tokenizer) -> None:
    size = tokenizer.get_vocab_size()
    even = unsaid.temptation(lambda tokens: np.zeros((len(tokens), size)), tokenizer)
    assert 0 <= even < 2 / size

    def always(tokens: list[int]) -> np.ndarray:
        return 50.0 * np.eye(size)[[*tokens[1:], 0]]

    assert unsaid.temptation(always, tokenizer) > 0.99


def test_a_penalty_is_no_reward(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        recipe.main(["--out", str(tmp_path), "--penalty", "-1"])
    assert "--penalty -1: give a weight of 0 or more" in capsys.readouterr().err
