"""What the starter understands and says with, to be compared on sentences: behaviour, reader, dialogue."""

import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer

from export.models import rebuild
from export.models.part import Answer, Figure, Floats, Part, of_torch, restore
from runtime import starter
from runtime.engines import Engine
from runtime.intervals import Share
from runtime.mind.behaviour import Behaviour
from runtime.mind.grammar import Grammar
from runtime.mind.reader import MAX_TOKENS, Reader
from runtime.mind.wording import vectors, words_of
from training.behaviour import starter as behaviour_recipe
from training.data.wordings import gather
from training.dialogue import export as dialogue_export
from training.dialogue.measuring import golden_turns
from training.dialogue.text import encode_turn
from training.reader import examples
from training.reader import export as reader_export

SENTENCES = 600


def behaviour(data: Path, own: Path = starter.FOLDER / "behaviour") -> Part:
    """Held-out wordings, and what strangers wrote."""
    grammar = Grammar.load(starter.FOLDER / "grammar.yaml")
    file = own / "model.onnx"
    net = rebuild.behaviour(file)
    restore(net, own)
    wordings = gather(grammar, data, np.random.default_rng(7))
    texts = [text for text, _ in wordings.held_out]
    texts += wordings.held_out_oos[:: max(1, len(wordings.held_out_oos) // SENTENCES)]
    mind = Behaviour(file.parent, grammar)
    meant: dict[str, str | None] = dict(wordings.held_out)

    def understood(answer: Answer) -> list[str | None]:
        class Ask:
            inputs, outputs = ("features",), ("logits",)

            def run(self, feeds: dict[str, Floats]) -> dict[str, Floats]:
                return {"logits": answer(feeds["features"])}

        mind._classifier._engine = Ask()  # type: ignore[union-attr]
        return [mind.understand(text).intent for text in texts]

    first = understood(of_torch(net))

    def judge(answer: Answer) -> Figure:
        got = understood(answer)
        other = sum(a != b for a, b in zip(first, got, strict=True))
        right = [meant[text] == found for text, found in zip(texts, got, strict=True) if text in meant]
        told = f"held-out wordings right {Share(sum(right), len(right))}"
        return {
            "other_action_points": 100 * other / len(texts)
        }, f"{told}, other acts {Share(other, len(texts))}"

    rows = vectors([words_of(text) for text in texts[:: len(texts) // 64][:64]], behaviour_recipe.SIZE)
    return Part(
        "behaviour", file, [row[None] for row in rows], of_torch(net),
        lambda path: behaviour_recipe.export(net, path, {}), judge,
    )  # fmt: skip


def reader(data: Path, folder: Path = starter.FOLDER / "reader") -> Part:
    """Words of danger that were kept aside, sentences that only sound so, and everyday questions.

    An answer is (2, 7): danger's logit before zeros, so that its largest place is the decision at one half;
    the logits of the feelings.
    """
    net, robots = rebuild.reader(folder / "model.onnx"), Reader(folder)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    own, others = examples.own("validation"), examples.everyday("val")
    texts = [e.text for e in (*own, *others[:: max(1, len(others) // SENTENCES)])]
    inputs = [np.array(tokenizer.encode(text).ids[:MAX_TOKENS], np.float32) for text in texts]
    limit = np.log(robots.threshold / (1 - robots.threshold))

    def dangerous(answer: Answer) -> list[bool]:
        return [bool(answer(one)[0, 0] >= limit) for one in inputs]

    first = dangerous(_reading(net))

    def judge(answer: Answer) -> Figure:
        got = dangerous(answer)
        other = Share(sum(a != b for a, b in zip(first, got, strict=True)), len(got))
        pairs = list(zip(own, got, strict=False))
        missed = [not found for e, found in pairs if e.danger]
        fired = [found for e, found in pairs if not e.danger]
        told = f"danger missed {Share(sum(missed), len(missed))}, look-alikes taken for it "
        told += f"{Share(sum(fired), len(fired))}, decided otherwise {other}"
        return {"other_action_points": 100 * other.right / other.n}, told

    return Part(
        "reader", folder / "model.onnx", inputs[:: len(inputs) // 64][:64], _reading(net),
        lambda path: reader_export.write_float(net, tokenizer, path), judge, "int4", _read_by,
        tokens=True,
    )  # fmt: skip


def _reading(net: torch.nn.Module) -> Answer:
    @torch.no_grad()
    def answer(one: Floats) -> Floats:
        ids = torch.from_numpy(one.astype(np.int64))[None]
        danger, feelings = net(ids, torch.ones_like(ids))
        return _rows(danger.numpy(), feelings.numpy())

    return answer


def _read_by(engine: Engine) -> Answer:
    def answer(one: Floats) -> Floats:
        ids = one.astype(np.int64)[None]
        found = engine.run({"input_ids": ids, "attention_mask": np.ones_like(ids)})
        return _rows(found["danger"], found["feelings"])

    return answer


def _rows(danger: npt.NDArray[np.generic], feelings: npt.NDArray[np.generic]) -> Floats:
    found = np.zeros((2, feelings.shape[1]), np.float32)
    found[0, 0], found[1] = danger[0], feelings[0]
    return found


def dialogue(data: Path) -> Part:
    """Held-out prompts with the replies written for them."""
    folder = starter.FOLDER / "dialogue"
    model = rebuild.dialogue(folder / "model.onnx")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    turns = [encode_turn(tokenizer, turn) for turn in golden_turns()]
    inputs = [np.array([*head, *own, *reply], np.float32) for head, own, reply in turns]

    def judge(answer: Answer) -> Figure:
        surprises = []
        for tokens, (_, _, reply) in zip(inputs, turns, strict=True):
            rows = answer(tokens)[-len(reply) - 1 : -1].astype(np.float64)
            rows -= rows.max(axis=1, keepdims=True)
            surprises.append(np.log(np.exp(rows).sum(axis=1)) - rows[np.arange(len(reply)), reply])
        mean = float(np.concatenate(surprises).mean())
        return {
            "log_perplexity_percent": 100 * mean
        }, f"perplexity {np.exp(mean):.4f} of {len(turns)} replies"

    def checkpoint(target: Path) -> None:
        model.save_pretrained(target)
        for name in ("tokenizer.json", "dialogue.json"):
            shutil.copyfile(folder / name, target / name)

    return Part(
        "dialogue", folder / "model.onnx", inputs,
        lambda one: dialogue_export.torch_logits(model, [int(n) for n in one]),
        lambda path: dialogue_export.export(model, path), judge, "int8", _logits, tokens=True,
        checkpoint=checkpoint,
    )  # fmt: skip


def _logits(engine: Engine) -> Answer:
    return lambda one: dialogue_export.logits_of(engine, [int(n) for n in one])
