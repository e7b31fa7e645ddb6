"""The dialogue recipe: its split, its trees, its resuming, and any architecture on the robot's own code."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra: pip install 'everpaw[training]'")
pytest.importorskip("transformers", reason="needs the extra: pip install 'everpaw[training]'")

import torch
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from runtime.contracts.errors import TrainingError
from runtime.engines import Engine
from runtime.mind.language_model import LanguageModel
from runtime.mind.prompt import END, render
from runtime.starter import FOLDER
from training import provenance
from training.data import facts, orders
from training.data.conversations import Corpus
from training.data.phrases import HELD_OUT_WORDS, Words, is_held_out, lists, read, share
from training.data.turns import Check
from training.dialogue import adapters, measuring
from training.dialogue import export as dialogue_export
from training.dialogue import fit as dialogue_fit
from training.dialogue import recipe as dialogue
from training.dialogue import score as dialogue_score
from training.dialogue.model import SMOKE, new_model
from training.dialogue.text import PAD, batch_of, encode_turn, make_tokenizer, pack, texts_of


@pytest.fixture(scope="module")
def tokenizer():
    corpus = Corpus("train", 3)
    return make_tokenizer((t for _ in range(40) for t in texts_of(corpus.scene(8))), orders.acts(), 600)


@pytest.mark.parametrize(
    ("told", "back"),
    [
        ("my sister is called anna", "your sister is called anna"),
        ("i am afraid of bees", "you are afraid of bees"),
        ("you were born in may", "i was born in may"),
        ("anna gave you your ball", "anna gave me my ball"),
        ("we have a dog", "you have a dog"),
        ("i'm tom", "you're tom"),
    ],
)
def test_what_an_owner_tells_is_turned_round(told: str, back: str) -> None:
    assert facts.turned(told) == back


def test_no_word_or_wording_is_both_taught_and_held_out() -> None:
    for kind, taught in lists("train").items():
        held = lists("held_out")[kind]
        assert set(taught) == set(held) or not set(taught) & set(held), kind
    for file in ("talk", "care", "echo"):
        for name, row in read(file).items():
            wordings = row["heard"].split("\n")
            assert not set(share(wordings, "train")) & set(share(wordings, "held_out")), name
    for part in ("train", "held_out"):
        names = {Words(part, random.Random(seed)).value("town") for seed in range(200)}
        assert len(names) > 150
        assert {is_held_out(name, HELD_OUT_WORDS) for name in names} == {part == "held_out"}


def test_strange_words_stand_where_a_list_ends_while_learning_and_nowhere_else() -> None:
    for part, strange in (("train", True), ("held_out", False)):
        drawn = {Words(part, random.Random(seed)).value("food") for seed in range(100)}
        assert bool(drawn - {*lists(part)["food"]}) == strange


def test_a_leak_is_found() -> None:
    held = dialogue_score.held_out()
    turns = [turn for turns in held.values() for turn in turns]
    assert held.keys() >= dialogue_score.SETS.keys() - {"remarks"}
    assert all(len(found) == dialogue_score.SETS[name][0] for name, found in held.items())
    assert dialogue_score.leaks(turns, 40) == []
    taught = Corpus("train", 5).scene(8).turns[0]
    assert dialogue_score.leaks([*turns, taught], 10) == [taught.prompt.heard]


def test_written_replies_pass_their_own_checks_and_wrong_ones_do_not() -> None:
    turns = [turn for found in dialogue_score.held_out(2).values() for turn in found]
    faults = [
        (turn.prompt.heard, turn.reply, wrong)
        for turn in turns
        if (wrong := dialogue_score.faults_of(turn.reply, turn.check, turn.prompt.heard))
    ]
    assert faults == []
    strangers = [
        dialogue_score.faults_of(a.reply, b.check, "") for a, b in zip(turns, turns[400:], strict=False)
    ]
    assert sum(map(bool, strangers)) > 0.9 * len(strangers)


@pytest.mark.parametrize(
    ("reply", "check", "fault"),
    [
        ("Your sister is Ben.", Check("taught:x", all_of=("anna",)), "lacks the answer"),
        ("I don't know about Anna.", Check("taught:x", all_of=("anna",)), "claims ignorance"),
        ("She is in May.", Check("untaught", admits=True), "does not admit ignorance"),
        ("I'm alive!", Check("care", never=r"i'm alive"), "says what it must not"),
        ("I sit down on the", Check("command"), "no end"),
        ("I sit and I am here I sit and I am here.", Check("command"), "repeats itself"),
        ("so " * 30 + ".", Check("command"), "long"),
        ("Rain.", Check("talk:x", any_of=("ball",)), "off the topic"),
    ],
)
def test_each_fault_has_its_name(reply: str, check: Check, fault: str) -> None:
    assert fault in dialogue_score.faults_of(reply, check, "")


def test_a_real_robot_is_no_claim_of_life() -> None:
    never = read("care")["alive"]["never"]
    assert "says what it must not" in dialogue_score.faults_of("I'm a real dog.", Check("x", never=never), "")
    assert not dialogue_score.faults_of("I'm a real robot, not a real dog.", Check("x", never=never), "")


def test_a_branch_of_a_tree_sees_what_it_would_see_alone(tokenizer) -> None:
    torch.manual_seed(0)
    model = new_model(SMOKE, tokenizer.token_to_id(END), tokenizer.token_to_id(PAD)).eval()
    scene = Corpus("train", 9).scene(5)
    row = pack(tokenizer, scene, 400)
    batch = batch_of([row], tokenizer.token_to_id(PAD))
    with torch.no_grad():
        tree = model(input_ids=batch.tokens, attention_mask=batch.sees, position_ids=batch.positions).logits[
            0
        ]
        for number, turn in enumerate(scene.turns, start=1):
            head, own, reply = encode_turn(tokenizer, turn)
            assert head + own == tokenizer.encode(render(turn.prompt), add_special_tokens=False).ids
            alone = model(input_ids=torch.tensor([head + own + reply])).logits[0, len(head) :]
            inside = tree[[i for i, branch in enumerate(row.branches) if branch == number]]
            assert torch.allclose(inside, alone, atol=1e-4)


def test_a_killed_run_goes_on_as_if_nothing_had_been(tokenizer, tmp_path: Path) -> None:
    def run(folder: Path, *stops: int) -> torch.Tensor:
        folder.mkdir()
        for steps in stops:
            torch.manual_seed(1)
            model = new_model(SMOKE, tokenizer.token_to_id(END), tokenizer.token_to_id(PAD))
            plan = dialogue_fit.Plan(steps, 0, 2, 1e-3, 4)
            # the pace depends on the whole plan, so the interrupted run is given the same plan and a kill
            if steps != stops[-1]:
                _run_until(steps, model, tokenizer, replace(plan, steps=stops[-1]), folder)
            else:
                dialogue_fit.fit(model, tokenizer, plan, folder)
        return torch.cat([p.detach().flatten() for p in model.parameters()])

    assert torch.equal(run(tmp_path / "whole", 6), run(tmp_path / "killed", 3, 6))


def _run_until(step: int, model, tokenizer, plan, folder: Path) -> None:
    """Kill the loop after `step` steps; it saves at every one."""
    ticks = iter(range(0, 10_000, 61))

    class KilledError(Exception):
        pass

    def clock() -> float:
        now = next(ticks)
        if now > 61 * (step + 1):
            raise KilledError
        return float(now)

    with pytest.raises(KilledError):
        dialogue_fit.fit(model, tokenizer, plan, folder, clock)


def test_a_checkpoint_of_another_run_is_named(tokenizer, tmp_path: Path) -> None:
    model = new_model(SMOKE, tokenizer.token_to_id(END), tokenizer.token_to_id(PAD))
    (tmp_path / "checkpoint.pt").write_bytes(b"nothing of the kind")
    with pytest.raises(TrainingError, match=r"checkpoint\.pt is of another run"):
        dialogue_fit.fit(model, tokenizer, dialogue_fit.Plan(1, 0, 1, 1e-3, 4), tmp_path)


ARCHITECTURES = {
    "llama": lambda v: LlamaForCausalLM(LlamaConfig(vocab_size=v, hidden_size=32, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, intermediate_size=48, max_position_embeddings=600)),
    "gpt2": lambda v: GPT2LMHeadModel(GPT2Config(vocab_size=v, n_embd=32, n_layer=2, n_head=4,
        n_positions=600)),
    "qwen2": lambda v: Qwen2ForCausalLM(Qwen2Config(vocab_size=v, hidden_size=32, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, intermediate_size=48, max_position_embeddings=600)),
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(ARCHITECTURES))
def test_any_architecture_learns_and_talks_on_the_robot(kind: str, tokenizer, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = ARCHITECTURES[kind](tokenizer.get_vocab_size())
    model.save_pretrained(tmp_path / "hub")
    further = dialogue.dialogue_model.pretrained(str(tmp_path / "hub"), tokenizer.get_vocab_size() + 3)
    assert further.get_input_embeddings().num_embeddings == tokenizer.get_vocab_size() + 3
    dialogue_fit.fit(model, tokenizer, dialogue_fit.Plan(2, 0, 1, 1e-3, 4), tmp_path)
    dialogue_export.export(model, tmp_path / "float.onnx")
    golden = measuring.golden_of(tokenizer)[:4]
    assert dialogue_export.quantise(tmp_path / "float.onnx", tmp_path / "model.onnx", golden)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    dialogue.write(tmp_path, dialogue.Card(acts=tuple(orders.acts()), most=8, cased=False))
    turn = Corpus("held_out", 1).scene(1).turns[0]
    tokens = [t for part in encode_turn(tokenizer, turn) for t in part]
    same = dialogue_export.compare(
        [dialogue_export.torch_logits(model, tokens)],
        [dialogue_export.logits_of(Engine(tmp_path / "float.onnx"), tokens)],
    )
    assert same.agreeing == 1
    assert same.largest < 1e-4
    talker = LanguageModel(tmp_path)
    assert "".join(talker.stream(turn.prompt, seed=0)) == "".join(talker.stream(turn.prompt, seed=0))


@pytest.mark.parametrize("kind", sorted(ARCHITECTURES))
def test_adapters_learn_beside_the_model_and_are_merged_into_it(kind: str, tokenizer, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = ARCHITECTURES[kind](tokenizer.get_vocab_size())
    start = {name: value.clone() for name, value in model.state_dict().items()}
    plan = dialogue_fit.Plan(12, 0, 1, 1e-2, 4)
    golden = batch_of(dialogue_fit.rows_of(tokenizer, replace(plan, rows=4), 999), tokenizer.token_to_id(PAD))
    before = float(dialogue_fit.loss_of(model.eval(), golden).detach())
    adapted = adapters.attach(model, 4, tokenizer, orders.acts())
    learning = sum(p.numel() for p in model.parameters() if p.requires_grad)
    dialogue_fit.fit(model, tokenizer, plan, tmp_path)
    tokens = measuring.golden_of(tokenizer)[0]
    meant = dialogue_export.torch_logits(model, tokens)
    merged = adapters.merge(adapted)
    found = merged.state_dict()
    assert found.keys() == start.keys()
    assert learning < sum(value.numel() for value in start.values())
    same = dialogue_export.compare([meant], [dialogue_export.torch_logits(merged, tokens)])
    assert same.largest < 1e-4
    moved = {name for name, value in found.items() if not torch.equal(value, start[name])}
    assert any("attn" in name for name in moved)
    assert not any("bias" in name or "norm" in name or "ln_" in name for name in moved)
    assert float(dialogue_fit.loss_of(merged.eval(), golden).detach()) < before


def test_the_card_tells_what_adapters_changed() -> None:
    metrics = json.loads((FOLDER / "dialogue" / "dialogue.json").read_text())["metrics"]
    made = dialogue.dialogue_card.Made(new_model(SMOKE, 0, 0), "", dialogue_fit.Progress(), "smol", (), 4)
    assert "by adapters of rank 4" in dialogue.dialogue_card.text(made, metrics)
    assert "| the start |" not in dialogue.dialogue_card.text(made, metrics)
    told = dialogue.dialogue_card.text(made, metrics | {f"before_{n}": 0.0 for n in metrics} | {
        "before_perplexity": 9.5, "perplexity": 2.25,
    })  # fmt: skip
    assert "| held-out prompts | the start | right |" in told
    assert "| 9.5 | 2.25 |" in told


def test_adapters_need_a_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--lora", "4"], ["--model", "x", "--lora", "-1"]):
        with pytest.raises(SystemExit):
            dialogue.main(["--out", str(tmp_path / "out"), *words])
        assert "give a rank of 1 or more, and --model START" in capsys.readouterr().err


def test_a_start_is_measured_before_it_learns(
    tokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("EVERPAW_DATA", raising=False)
    ARCHITECTURES["llama"](tokenizer.get_vocab_size()).save_pretrained(tmp_path / "hub")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=PAD).save_pretrained(tmp_path / "hub")
    argv = ["--out", str(tmp_path / "out"), "--model", str(tmp_path / "hub"), "--lora", "2", "--smoke"]
    assert dialogue.main([*argv, "--steps", "2", "--rows", "1"]) == 0
    metrics = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert metrics["before_perplexity"] > metrics["perplexity"]
    assert {name.removeprefix("before_") for name in metrics if name.startswith("before_")} <= metrics.keys()
    told = (tmp_path / "cards/dialogue.md").read_text()
    assert "| the start |" in told
    assert "--lora 2 --steps 2 --rows 1" in told


def test_smoke_makes_a_model_the_robot_can_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("EVERPAW_DATA", raising=False)
    out = tmp_path / "dialogue"
    assert dialogue.main(["--out", str(out), "--smoke", "--bf16"]) == 0
    metrics = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert metrics["float_agreement"] == 1
    assert metrics["tokens_a_second"] > 0
    files = ["dialogue.json", "model.onnx", "model.provenance.json", "tokenizer.json"]
    assert sorted(path.name for path in out.iterdir()) == files
    told = provenance.read(out / "model.onnx")
    assert told is not None
    assert told.datasets["talk"] == provenance.sha256_of(provenance.own("talk")["talk"])
    checkpoint = tmp_path / "dialogue.work" / "model"
    assert told.checkpoint_sha256 == provenance.sha256_of(checkpoint)
    kept = provenance.read_in(checkpoint)
    assert kept is not None
    assert (kept.datasets, kept.command) == (told.datasets, told.command)
    assert LanguageModel(out).card.metrics == metrics
    assert "held-out prompts" in (tmp_path / "cards/dialogue.md").read_text()
