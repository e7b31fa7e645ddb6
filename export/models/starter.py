"""Each model of the starter as torch, as float ONNX and as it is shipped, side by side on real inputs.

    EVERPAW_DATA=... python -m export.models.starter [--only asr] [--json]

Golden inputs are real recordings and sentences that no training has seen. The task's own figure is counted by
the robot's own code. Exit 1 where a shipped file misses a threshold.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from export.models import graph, rebuild
from export.models.metrics import Figures
from export.models.parity import compare, metric_misses, misses
from runtime import starter
from runtime.audio.heads import HeadSettings, Trigger, read_settings
from runtime.audio.soundfiles import read_audio
from runtime.contracts.errors import ConfigError
from runtime.engines import Engine
from runtime.intervals import Share
from runtime.mind.behaviour import Behaviour
from runtime.mind.grammar import Grammar
from runtime.mind.wording import vectors, words_of
from runtime.speech.asr import Recogniser
from runtime.speech.features import log_mel, normalise
from training.asr import export as asr_export
from training.asr.rebuild import recogniser
from training.asr.score import forced
from training.behaviour import starter as behaviour_recipe
from training.data.wordings import gather
from training.dialogue import export as dialogue_export
from training.dialogue.measuring import golden_turns
from training.dialogue.text import encode_turn
from training.wake import export as wake_export
from training.wake.clips import Clip, make, real_orders, split_orders
from training.wake.plan import STOP, WAKE
from training.wake.real import real_negatives
from training.wake.texts import words_for

Floats = npt.NDArray[np.float32]
Answer = Callable[[Floats], Floats]
"""One input -> what the network makes of it"""
ORDERS = 63
"""Real orders, a third of all"""
CLIPS = 96
SENTENCES = 600


@dataclass(frozen=True)
class Part:
    """One model, ready to be compared."""

    name: str
    file: Path
    inputs: Sequence[Floats]
    torch: Answer
    write: Callable[[Path], None]
    """Float ONNX of the torch network"""
    judge: Callable[[Answer], tuple[Figures, str]]
    """The task's own figures of any of the three, and the same in words"""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m export.models.starter", description="Parity of the starter."
    )
    parser.add_argument("--only", choices=PARTS, help="one model")
    parser.add_argument("--json", action="store_true", help="one object a line")
    args = parser.parse_args(argv)
    if not os.environ.get("EVERPAW_DATA"):
        raise ConfigError("real recordings are needed: set EVERPAW_DATA")
    torch.set_num_threads(1)
    missed = 0
    for name in [args.only] if args.only else PARTS:
        row = measure(PARTS[name](Path(os.environ["EVERPAW_DATA"])))
        missed += bool(row["misses"])
        print(json.dumps(row) if args.json else _line(row), flush=True)
    return int(missed > 0)


def measure(part: Part) -> dict[str, object]:
    """Parity of float ONNX and of the shipped file with torch, and the three's own figures."""
    answers = [part.torch(one) for one in part.inputs]
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "float.onnx"
        with graph.quiet():
            part.write(path)
        engines = {"onnx": _answer(Engine(path)), "shipped": _answer(Engine(part.file))}
        row: dict[str, object] = {"model": part.name, "golden": len(part.inputs)}
        meant, words = part.judge(part.torch)
        row["torch"] = {"figures": meant, "told": words}
        said = []
        for name, answer in engines.items():
            found = compare(answers, [answer(one) for one in part.inputs])
            figures, words = part.judge(answer)
            precision = "fp32" if name == "onnx" else PRECISIONS.get(part.name, "fp32")
            said += [f"{name}: {miss}" for miss in misses(found, precision)]
            said += [f"{name}: {miss}" for miss in metric_misses(part.name, meant, figures)]
            row[name] = {"parity": found.figures, "figures": figures, "told": words}
        row["bytes"] = {"onnx": path.stat().st_size, "shipped": part.file.stat().st_size}
        return row | {"misses": said}


def _answer(engine: Engine) -> Answer:
    """By the engine's first output; a language model gets an empty past."""

    def answer(one: Floats) -> Floats:
        if "input_ids" in engine.inputs:
            return dialogue_export.logits_of(engine, [int(n) for n in one])
        return np.asarray(engine.run({engine.inputs[0]: one})[engine.outputs[0]], np.float32)

    return answer


def asr(data: Path) -> Part:
    """People ordering coffee; the same beam, grammar and words around each of the three networks."""
    folder = data / "commands"
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    names = sorted(labels)[:: max(1, len(labels) // ORDERS)][:ORDERS]
    sounds = [read_audio(folder / name) for name in names]
    wanted = [{slot: value.strip() for slot, value in labels[name]["slots"].items()} for name in names]
    grammar = Grammar.load(folder / "grammar.yaml")
    heard = Recogniser(starter.FOLDER / "asr", grammar)
    network = recogniser(starter.FOLDER / "asr" / "model.onnx")

    def judge(answer: Answer) -> tuple[Figures, str]:
        heard.log_probs = lambda samples: answer(normalise(log_mel(samples))[None])[0]  # type: ignore[method-assign]
        parses = [grammar.parse(forced(heard, samples)) for samples in sounds]
        good = [p is not None and p.slots == w for p, w in zip(parses, wanted, strict=True)]
        right = Share(sum(good), len(good))
        return {"orders_missed_points": 100 * (1 - right.right / right.n)}, f"real orders right {right}"

    return Part(
        "asr", starter.FOLDER / "asr" / "model.onnx", [normalise(log_mel(s))[None] for s in sounds[:32]],
        _torch(network), lambda path: asr_export.write_onnx(network.acoustic, path, {}, half=False), judge,
    )  # fmt: skip


def wake(data: Path) -> Part:
    return _head("wake", next((starter.FOLDER / "wake").glob("*.onnx")), WAKE.windows)


def stop(data: Path) -> Part:
    return _head("stop", starter.FOLDER / "stop" / "stop.onnx", STOP.windows)


def _head(name: str, file: Path, windows: int) -> Part:
    """Held-out voices saying the name, and real recordings that do not hold it."""
    settings = read_settings(file, Engine(file).metadata)
    words = words_for(settings.name, ())
    said = [clip for order in split_orders("name", CLIPS, 7, held_out=True, snr_db=float("inf"))
            for clip in make(words, order)]  # fmt: skip
    real = [
        clip
        for order in real_orders(real_negatives("choose", words.name), 1, 7)
        for clip in make(words, order)
    ]
    source = rebuild.head(file)
    rows = [_windows(clip, windows) for clip in (*said[:16], *real[:16])]

    def hits(answer: Answer, clips: Sequence[Clip]) -> int:
        return sum(_fires(answer, _windows(clip, windows), settings) for clip in clips)

    def judge(answer: Answer) -> tuple[Figures, str]:
        missed = Share(len(said) - hits(answer, said), len(said))
        fired = Share(hits(answer, real), len(real))
        figures = {
            "missed_points": 100 * missed.right / missed.n,
            "fired_points": 100 * fired.right / fired.n,
        }
        return figures, f"missed {missed}; fired at {fired} real clips without it"

    return Part(
        name, file, [row[len(row) // 2][None] for row in rows], _torch(rebuild.head_module(source)),
        lambda path: _save_head(source, path), judge,
    )  # fmt: skip


def _windows(clip: Clip, windows: int) -> Floats:
    """(steps, T, 96): what the head sees as the clip goes by."""
    from training.wake.clips import embed_silence

    past = np.repeat(embed_silence(), windows - 1, axis=0)
    whole = np.concatenate([past, clip.embeddings]).astype(np.float32)
    return np.lib.stride_tricks.sliding_window_view(whole, windows, axis=0).transpose(0, 2, 1).copy()


def _fires(answer: Answer, rows: Floats, settings: HeadSettings) -> bool:
    trigger = Trigger(settings)
    scores = (float(answer(row[None]).ravel()[0]) for row in rows)
    return any(trigger.step(1_280 * step, score) for step, score in enumerate(scores))


def _save_head(source: object, path: Path) -> None:
    import onnx

    onnx.save(wake_export._graph(source, {}), str(path))  # type: ignore[arg-type]


def behaviour(data: Path) -> Part:
    """Held-out wordings, and what strangers wrote."""
    grammar = Grammar.load(starter.FOLDER / "grammar.yaml")
    file = starter.FOLDER / "behaviour" / "model.onnx"
    net = rebuild.behaviour(file)
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

    first = understood(_torch(net))

    def judge(answer: Answer) -> tuple[Figures, str]:
        got = understood(answer)
        other = sum(a != b for a, b in zip(first, got, strict=True))
        right = [meant[text] == found for text, found in zip(texts, got, strict=True) if text in meant]
        told = f"held-out wordings right {Share(sum(right), len(right))}"
        return {
            "other_action_points": 100 * other / len(texts)
        }, f"{told}, other acts {Share(other, len(texts))}"

    rows = vectors([words_of(text) for text in texts[:: len(texts) // 64][:64]], behaviour_recipe.SIZE)
    return Part(
        "behaviour", file, [row[None] for row in rows], _torch(net),
        lambda path: behaviour_recipe.export(net, path, {}), judge,
    )  # fmt: skip


def dialogue(data: Path) -> Part:
    """Held-out prompts with the replies written for them."""
    from tokenizers import Tokenizer

    folder = starter.FOLDER / "dialogue"
    model = rebuild.dialogue(folder / "model.onnx")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    turns = [encode_turn(tokenizer, turn) for turn in golden_turns()]
    inputs = [np.array([*head, *own, *reply], np.float32) for head, own, reply in turns]

    def judge(answer: Answer) -> tuple[Figures, str]:
        surprises = []
        for tokens, (_, _, reply) in zip(inputs, turns, strict=True):
            rows = answer(tokens)[-len(reply) - 1 : -1].astype(np.float64)
            rows -= rows.max(axis=1, keepdims=True)
            surprises.append(np.log(np.exp(rows).sum(axis=1)) - rows[np.arange(len(reply)), reply])
        mean = float(np.concatenate(surprises).mean())
        return {
            "log_perplexity_percent": 100 * mean
        }, f"perplexity {np.exp(mean):.4f} of {len(turns)} replies"

    return Part(
        "dialogue", folder / "model.onnx", inputs,
        lambda one: dialogue_export.torch_logits(model, [int(n) for n in one]),
        lambda path: dialogue_export.export(model, path), judge,
    )  # fmt: skip


def _torch(network: torch.nn.Module) -> Answer:
    @torch.no_grad()
    def answer(one: Floats) -> Floats:
        return network(torch.from_numpy(np.ascontiguousarray(one))).numpy()

    return answer


PARTS: dict[str, Callable[[Path], Part]] = {
    "asr": asr, "wake": wake, "stop": stop, "behaviour": behaviour, "dialogue": dialogue,
}  # fmt: skip
PRECISIONS = {"asr": "fp16", "dialogue": "int8"}
"""Of the shipped files; the others are float32"""


def _line(row: dict[str, object]) -> str:
    lines = [f"{row['model']}, {row['golden']} golden inputs"]
    for name in ("torch", "onnx", "shipped"):
        found = row[name]
        parity = found.get("parity")  # type: ignore[attr-defined]
        alike = "the reference"
        if parity:
            same = f"cosine {parity['cosine']:.6f}, same {100 * parity['agreement']:.2f} %"
            alike = f"max abs {parity['max_abs']:.2g}, {same}"
        lines.append(f"  {name:<8} {alike}; {found['told']}")  # type: ignore[index]
    return "\n".join([*lines, *(f"  ✗ {miss}" for miss in row["misses"])])  # type: ignore[attr-defined]


if __name__ == "__main__":
    sys.exit(main())
