"""The figures of the recogniser's card: synthetic voices never trained on, and real people if there are any.

Nothing is tuned here. Intervals are 95 %: Wilson's for shares, a bootstrap over clips for word error rates.
"""

import json
import math
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.intervals import wilson
from runtime.mind.grammar import Grammar, normalise
from runtime.speech.asr import Recogniser
from training.asr import heard_speech, people, sphinx
from training.asr.calibrate import NAMES, mixed_clips
from training.asr.clips import held_out_clips
from training.asr.error_rates import rate
from training.asr.texts import draw_texts
from training.data import augment, noise
from training.data.speech import to_int16

Figure = dict[str, Any]
SPHINX_ORDERS = 60
ORDER_SNRS_DB = (24.0, 18.0, 12.0, 6.0)
_SEED = 202
"""Other than the calibration's"""


def share(right: Sequence[bool]) -> Figure:
    """Percentage with Wilson's interval."""
    n = len(right)
    percent, low, high = (100 * part for part in (sum(right) / max(1, n), *wilson(sum(right), n)))
    return {"percent": round(percent, 1), "from": round(low, 1), "to": round(high, 1), "n": n}


def word_errors(pairs: Sequence[tuple[str, str]]) -> Figure:
    """Word error rate of (said, heard), with a bootstrap over the clips."""
    found = rate([(said.split(), heard.split()) for said, heard in pairs])
    return {
        "percent": round(found.percent, 1), "from": round(found.low, 1), "to": round(found.high, 1),
        "n": found.n,
    }  # fmt: skip


def evaluate(asr_dir: Path, grammar: Grammar) -> Figure:
    """Everything that can be measured here."""
    figures = synthetic(asr_dir, grammar) | {"intent_by_accent": by_accent(asr_dir, grammar)}
    data = Path(os.environ["EVERPAW_DATA"]) if os.environ.get("EVERPAW_DATA") else None
    if data:
        figures |= {"keywords": keywords(asr_dir), "commands": commands(asr_dir, data / "commands")}
        figures["librispeech_wer"] = read_english(asr_dir, data / "speech")
    figures["ms_a_second"] = cost(asr_dir, grammar)
    return figures


def understood(recogniser: Recogniser, grammar: Grammar, samples: Samples) -> tuple[str, Any] | None:
    """(intent, slots) of the best sentence, or None where it was no command."""
    found = recogniser.recognise(samples)
    parse = grammar.parse(found[0].text) if found and found[0].in_grammar else None
    return (parse.intent, parse.slots) if parse else None


def synthetic(asr_dir: Path, grammar: Grammar, n: int = 400) -> Figure:
    """Intents of commands clean and roughened, refusal of other sentences, free word errors."""
    recogniser = Recogniser(asr_dir, grammar, prefixes=NAMES)
    drawn = grammar.sentences(np.random.default_rng(_SEED), n)
    figures: Figure = {}
    for name, rough in (("clean", 0.0), ("rough", 1.0)):
        clips = held_out_clips([text for text, _, _ in drawn], n, _SEED, rough)
        heard = [understood(recogniser, grammar, samples) for samples, _ in clips]
        wanted = [(intent, slots) for _, intent, slots in drawn]
        figures[f"intent_{name}"] = share(
            [h is not None and h[0] == w[0] for h, w in zip(heard, wanted, strict=True)]
        )
        figures[f"intent_and_slots_{name}"] = share([h == w for h, w in zip(heard, wanted, strict=True)])
    mixed = [clip for clip in mixed_clips(grammar, n, _SEED) if clip[2] is None]
    figures["out_of_grammar_refused"] = share(
        [understood(recogniser, grammar, s) is None for s, _, _ in mixed]
    )
    free = Recogniser(asr_dir, None)
    texts = [t for t in draw_texts(grammar, [], 4 * n, _SEED) if t.count(" ") > 2][: n // 2]
    figures["free_wer_clean"] = word_errors(
        [(text, first(free, samples)) for samples, text in held_out_clips(texts, len(texts), _SEED, 0.0)]
    )
    return figures


def by_accent(asr_dir: Path, grammar: Grammar, n: int = 40) -> Figure:
    """Intents of the same `n` commands in every accent there is, clean."""
    recogniser = Recogniser(asr_dir, grammar, prefixes=NAMES)
    meant = {text: intent for text, intent, _ in grammar.sentences(np.random.default_rng(_SEED), n)}
    accents, right = [], []
    for accent, text, samples in people.said_in_accents([*meant], _SEED):
        heard = understood(recogniser, grammar, samples)
        accents.append(accent)
        right.append(heard is not None and heard[0] == meant[text])
    return {accent: share(some) for accent, some in people.grouped(accents, right).items()}


def first(recogniser: Recogniser, samples: Samples) -> str:
    found = recogniser.recognise(samples)
    return found[0].text if found else ""


def forced(recogniser: Recogniser, samples: Samples) -> str:
    """The grammar's best sentence however little it is believed, as pocketsphinx gives it."""
    found = recogniser.sentences(recogniser.sounds(samples), 1)
    return found[0].text if found else ""


def keywords(asr_dir: Path) -> Figure:
    """Thirty single words by the speakers kept aside, ours and pocketsphinx's."""
    words = sorted({r.words[0].text for half in (False, True) for r in heard_speech.keywords(half)})
    grammar = Grammar.load(json.dumps({"context": {"expressions": {f"say_{w}": [w] for w in words}}}))
    takes = heard_speech.keywords(held_out=True)
    recogniser = Recogniser(asr_dir, grammar)
    figures = {"ours": share([forced(recogniser, t.samples) == t.words[0].text for t in takes])}
    if sphinx.installed():
        heard, _ = sphinx.transcribe(grammar.automaton(), [t.samples for t in takes])
        figures["pocketsphinx"] = share([h == t.words[0].text for h, t in zip(heard, takes, strict=True)])
    return figures


def commands(asr_dir: Path, folder: Path) -> Figure:
    """Orders whose slots are all right; both recognisers must answer with a sentence of the grammar.

    Clean, and at 24 to 6 dB in that part of the kitchen's recording that no training hears. pocketsphinx
    takes part in a fixed subset, on which ours is given again.
    """
    grammar = Grammar.load(folder / "grammar.yaml")
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    names = sorted(labels)
    clips = [soundfile.read(folder / name, dtype="int16")[0] for name in names]
    wanted = [{slot: value.strip() for slot, value in labels[name]["slots"].items()} for name in names]
    recogniser = Recogniser(asr_dir, grammar)
    kept_aside = noise.KITCHEN_TRAINED_S * SAMPLE_RATE_HZ
    kitchen = soundfile.read(folder.parent / "noise" / "kitchen.flac", dtype="float32", start=kept_aside)[0]
    heights = [people.height(samples) for samples in clips]
    rng = np.random.default_rng(_SEED)
    figures: Figure = {}
    for snr_db in (math.inf, *ORDER_SNRS_DB):
        row: Figure = {}
        sounds = [noisy(samples, kitchen, snr_db, rng) for samples in clips]
        heard = [forced(recogniser, samples) for samples in sounds]
        right = all_right(grammar, heard, wanted)
        row["ours"] = share(right)
        row["ours_slots"] = slots(grammar, heard, wanted)
        row["ours_by_pitch"] = {name: share(some) for name, some in people.grouped(heights, right).items()}
        if sphinx.installed():
            some = slice(0, None, max(1, len(names) // SPHINX_ORDERS))
            row["ours_on_subset"] = orders(grammar, heard[some], wanted[some])
            heard, ratio = sphinx.transcribe(grammar.automaton(), sounds[some])
            row["pocketsphinx_on_subset"] = orders(grammar, heard, wanted[some])
            row["pocketsphinx_ms_a_second"] = round(1000 * ratio)
        figures["clean" if math.isinf(snr_db) else f"{snr_db:.0f}_db"] = row
    return figures


def noisy(samples: Samples, sound: augment.Floats, snr_db: float, rng: np.random.Generator) -> Samples:
    """`samples` with a random stretch of `sound` under their loud part."""
    if math.isinf(snr_db):
        return samples
    start = int(rng.integers(0, len(sound) - len(samples)))
    clean = samples.astype(np.float32) / 32768.0
    return to_int16(augment.mix(clean, sound[start : start + len(samples)], snr_db))


def orders(grammar: Grammar, heard: Sequence[str], wanted: Sequence[dict[str, str]]) -> Figure:
    return share(all_right(grammar, heard, wanted))


def all_right(grammar: Grammar, heard: Sequence[str], wanted: Sequence[dict[str, str]]) -> list[bool]:
    parses = [grammar.parse(text) for text in heard]
    return [p is not None and p.slots == w for p, w in zip(parses, wanted, strict=True)]


def slots(grammar: Grammar, heard: Sequence[str], wanted: Sequence[dict[str, str]]) -> Figure:
    """Share of the labelled slots that are right."""
    parses = [grammar.parse(text) for text in heard]
    return share([
        p is not None and p.slots.get(slot) == value
        for p, w in zip(parses, wanted, strict=True)
        for slot, value in w.items()
    ])  # fmt: skip


def read_english(asr_dir: Path, folder: Path) -> Figure:
    free = Recogniser(asr_dir, None)
    pairs = []
    for line in (folder / "transcripts.tsv").read_text(encoding="utf-8").splitlines():
        name, text = line.split("\t")
        samples = soundfile.read(folder / f"{name.removesuffix('.flac')}.flac", dtype="int16")[0]
        pairs.append((normalise(text), first(free, samples)))
    return word_errors(pairs)


def cost(asr_dir: Path, grammar: Grammar, seconds: int = 3) -> Figure:
    """Processor milliseconds a second of sound: the network alone, and the whole of `recognise`."""
    recogniser = Recogniser(asr_dir, grammar, prefixes=NAMES)
    samples = held_out_clips(["please come over here and then lie down on the floor"], 1, 1, 0.5)[0][0]
    samples = np.resize(samples, seconds * SAMPLE_RATE_HZ)
    return {"network": _ms(lambda: recogniser.log_probs(samples), seconds),
            "whole": _ms(lambda: recogniser.recognise(samples), seconds)}  # fmt: skip


def _ms(work: Any, seconds: int, times: int = 10) -> float:
    work()
    begun = time.process_time()
    for _ in range(times):
        work()
    return round((time.process_time() - begun) / times / seconds * 1e3, 2)
