"""The starter's ears, to be compared on real recordings: recogniser, wake word, "stop"."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx

from export.models import rebuild
from export.models.part import Answer, Figure, Floats, Part, of_torch, restore
from runtime import starter
from runtime.audio.heads import HeadSettings, Trigger, read_settings
from runtime.audio.soundfiles import read_audio
from runtime.engines import Engine
from runtime.intervals import Share
from runtime.mind.grammar import Grammar
from runtime.speech.asr import Recogniser
from runtime.speech.features import log_mel, normalise
from training.asr import export as asr_export
from training.asr.rebuild import recogniser
from training.asr.score import forced
from training.wake import export as wake_export
from training.wake.clips import Clip, make, real_orders, split_orders
from training.wake.plan import STOP, WAKE
from training.wake.real import real_negatives
from training.wake.texts import words_for

ORDERS = 63
"""Real orders, a third of all"""
CLIPS = 96
GOLDEN = 32


def asr(data: Path, own: Path = starter.FOLDER / "asr") -> Part:
    """People ordering coffee; the same beam, grammar, words and senones around each of the three networks."""
    folder = data / "commands"
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    names = sorted(labels)[:: max(1, len(labels) // ORDERS)][:ORDERS]
    sounds = [read_audio(folder / name) for name in names]
    wanted = [{slot: value.strip() for slot, value in labels[name]["slots"].items()} for name in names]
    grammar = Grammar.load(folder / "grammar.yaml")
    heard = Recogniser(own, grammar)
    hear = heard._hear
    network = recogniser(own / "model.onnx")
    restore(network.acoustic, own)

    def judge(answer: Answer) -> Figure:
        heard._hear = lambda samples: (answer(normalise(log_mel(samples))[None])[0], hear(samples)[1])  # type: ignore[method-assign]
        parses = [grammar.parse(forced(heard, samples)) for samples in sounds]
        good = [p is not None and p.slots == w for p, w in zip(parses, wanted, strict=True)]
        right = Share(sum(good), len(good))
        return {"orders_missed_points": 100 * (1 - right.right / right.n)}, f"real orders right {right}"

    inputs = [normalise(log_mel(s))[None] for s in sounds]
    return Part(
        "asr", own / "model.onnx", inputs[:GOLDEN], of_torch(network),
        lambda path: asr_export.write_onnx(network.acoustic, path, {}, half=False), judge, "fp16",
        spare=inputs[GOLDEN:],
    )  # fmt: skip


def wake(data: Path) -> Part:
    return head(data, next((starter.FOLDER / "wake").glob("*.onnx")))


def stop(data: Path) -> Part:
    return head(data, starter.FOLDER / "stop" / "stop.onnx")


def head(data: Path, file: Path) -> Part:
    """Held-out voices saying the name, and real recordings that do not hold it."""
    settings = read_settings(file, Engine(file).metadata)
    name, windows = ("stop", STOP.windows) if settings.name == "stop" else ("wake", WAKE.windows)
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

    def judge(answer: Answer) -> Figure:
        missed = Share(len(said) - hits(answer, said), len(said))
        fired = Share(hits(answer, real), len(real))
        figures = {
            "missed_points": 100 * missed.right / missed.n,
            "fired_points": 100 * fired.right / fired.n,
        }
        return figures, f"missed {missed}; fired at {fired} real clips without it"

    return Part(
        name, file, [row[len(row) // 2][None] for row in rows], of_torch(rebuild.head_module(source)),
        lambda path: onnx.save(wake_export.graph_of(source, {}, small=False), str(path)), judge, "fp16",
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
