"""The recogniser: an utterance so far in, sentences out, best first.

A CTC network in ONNX turns log-mels, or plain sound, into phone probabilities; the pack's grammar is searched
exactly, and the best sentence is believed as far as it explains the sound as well as free phones do. What the
grammar does not explain comes back as free text. No state is kept between calls, so a growing utterance is
simply recognised again.
"""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.contracts.errors import PackError
from runtime.engines import Engine
from runtime.mind.grammar import Grammar, Parse, normalise
from runtime.speech import features, units
from runtime.speech.decoder import GrammarDecoder
from runtime.speech.decoder import Path as Sentence
from runtime.speech.evidence import EVIDENCE, clear_evidence, evidence, mean_phone, probability
from runtime.speech.free import Lexicon, Transcript, transcribe
from runtime.speech.graph import SpokenGrammar
from runtime.speech.pronounce import Pronouncer
from runtime.speech.senones import STREAMS, Densities, Floats, Senones
from runtime.speech.spotter import Spotter
from runtime.speech.units import LogProbs

MAX_STEPS = 1_500
"""30 s of sound; what is longer is cut, since no command is"""
STOP_WORD = "stop"
RAW_SOUND = {"sample_rate_hz": SAMPLE_RATE_HZ, "raw": 1}
"""Front end of a network that eats samples of full scale 1.0, as fine-tuned ones do"""
_SHORTEST = SAMPLE_RATE_HZ // 40
"""Samples from which such a network has an answer"""
_SURE_BLANK = math.log(0.99)
_NAME_WAYS = 8
"""Ways a name is looked for in; each costs a millisecond"""
_NAME_FILLER = 3
"""Steps; where more was swallowed beside a name, more than the name was said"""
RIVALS = 4
"""Sentences looked at for one that means something else than the best; each costs a millisecond"""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    text: str
    confidence: float
    """0..1, the probability that this is what was said"""
    in_grammar: bool
    unexplained_steps: int = 0
    """Steps of sound, 20 ms each, beside the sentence that its words do not account for"""
    clear: float = 1.0
    """0..1, the probability that nearly all words are right; for a sentence of the grammar its confidence"""


@dataclass(frozen=True, slots=True)
class Sounds:
    """What sentences are looked for in."""

    log_probs: LogProbs
    """Without long silence, blanks as dear as is set"""
    gains: Floats | None = None
    """What the grammar's sounds gain by their contexts; see `GrammarDecoder`"""
    silent: bool = False


class Settings(BaseModel):
    """asr.json, beside model.onnx."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    units: list[str]
    front_end: dict[str, float]
    filler_penalty: Annotated[float, Field(ge=0)] = 2.0
    """Nats a step"""
    blank_penalty: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Nats by which a step without a sound is made less likely: in noise the network hears too few sounds"""
    weights: Annotated[list[float], Field(min_length=len(EVIDENCE), max_length=len(EVIDENCE))]
    """Logistic weights of `evidence`"""
    bias: float
    clear_weights: list[float] = []
    """Logistic weights of `clear_evidence`; none: free words count as clear as their phones"""
    clear_bias: float = 0.0
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Confidence under which the grammar's sentence is not believed"""
    words: dict[str, float] = {}
    """How often the words of everyday English were seen"""
    pairs: dict[str, float] = {}
    """How often two of them stood side by side"""


class Recogniser:
    """`prefixes`: names that may be said before or after a command ("hey buddy"; "buddy" alone follows).
    `words`: more that are likely in free talk; those that nobody told how to say are passed over.

    Raises PackError for a folder that lacks something or was made for another front end, GrammarError where
    nobody told how a word of the grammar is said.
    """

    def __init__(
        self,
        asr_dir: Path,
        grammar: Grammar | None,
        *,
        prefixes: Sequence[str] = (),
        words: Iterable[str] = (),
    ) -> None:
        self.settings = _read_settings(asr_dir / "asr.json")
        self._engine = Engine(asr_dir / "model.onnx")
        self._grammar = grammar
        self._names = _with_last_words(prefixes)
        self._pronouncer = pronouncer = Pronouncer.load(asr_dir)
        own = [*grammar.words, *" ".join(self._names).split()] if grammar else []
        more = [word for word in words if word not in own]
        self._lexicon = Lexicon(self.settings.words, pronouncer, [*own, *more], self.settings.pairs)
        self._decoder: GrammarDecoder | None = None
        if grammar:
            spoken = SpokenGrammar(grammar.automaton(), pronouncer, self._names)
            self._decoder = GrammarDecoder(spoken, self.settings.filler_penalty, self._senones(asr_dir))

    def _senones(self, asr_dir: Path) -> Senones | None:
        """None for a folder of an older version or another kind of network."""
        found = Senones.load(asr_dir)
        if found and len(self._engine.outputs) != 1 + STREAMS:
            raise PackError(
                f"{asr_dir / 'model.onnx'} does not tell what the senones beside it need; "
                f"type: python -m training.asr.senones {asr_dir}"
            )
        return found

    def knows(self, word: str) -> bool:
        """It is an English word, or one of the pack's own: somebody told how it is said."""
        stems = (word, *(word.removesuffix(end) for end in ("'s", "s", "es", "ed", "ing")))
        return any(self._pronouncer.ways(stem) for stem in stems)

    def recognise(self, samples: Samples, n: int = 3) -> list[Hypothesis]:
        """Up to `n` sentences of the grammar or one free text, best first; [] for silence or a mere name."""
        sounds = self.sounds(samples)
        if sounds.silent:
            return []
        log_probs = sounds.log_probs
        sentences = self.sentences(sounds, max(RIVALS, n))
        if sentences:
            found = self._believed(sentences[:n], self.confidence(log_probs, sentences))
            if found is not None:
                return found
        free = self.transcribe(log_probs)
        text = self.without_names(free.text)
        if not text:
            return []
        belief, clear = mean_phone(log_probs), self._clear(log_probs, free)
        return [Hypothesis(text, belief, in_grammar=False, clear=clear)]

    def transcribe(self, log_probs: LogProbs) -> Transcript:
        """The likeliest words, whatever the grammar says."""
        return transcribe(log_probs, self._lexicon)

    def stop_spotter(self) -> Spotter:
        """These ears for the stop word alone, to be listened with at any time and from any thread."""
        return Spotter(self.log_probs, self._pronouncer.ways(STOP_WORD))

    def name_spotter(self, name: str) -> Spotter | None:
        """These ears for a name; None where nobody told how a word of it is said."""
        ways = [self._pronouncer.ways(word) for word in normalise(name).split()]
        if not ways or not all(ways):
            return None
        rows = [[phone for way in chosen for phone in way] for chosen in islice(product(*ways), _NAME_WAYS)]
        return Spotter(self.log_probs, rows)

    def log_probs(self, samples: Samples) -> LogProbs:
        """Phone probabilities of the whole of `samples`, 20 ms a step."""
        return self._hear(samples)[0]

    def _hear(self, samples: Samples) -> tuple[LogProbs, Densities]:
        """The same, and how likely every Gaussian is at each of the network's frames, where it tells."""
        heard = self._front_end(samples[: MAX_STEPS * 320])
        if len(heard) == 0:
            return np.zeros((0, len(units.UNITS)), np.float32), ()
        outputs = self._engine.run({self._engine.inputs[0]: heard[None]})
        log_probs, *densities = (np.asarray(outputs[name][0], np.float32) for name in self._engine.outputs)
        return log_probs, tuple(densities)

    def sounds(self, samples: Samples) -> Sounds:
        """What `sentences` are looked for in."""
        log_probs, densities = self._hear(samples)
        steps = np.flatnonzero(audible(log_probs))
        log_probs = log_probs[steps]
        if not units.greedy(log_probs):
            return Sounds(self._less_blank(log_probs), silent=True)
        log_probs = self._less_blank(log_probs)
        contexts = self._decoder.contexts if self._decoder else None
        gains = contexts.gains(densities, steps, log_probs) if contexts else None
        return Sounds(log_probs, gains)

    def _less_blank(self, log_probs: LogProbs) -> LogProbs:
        return units.less_blank(log_probs, self.settings.blank_penalty)

    def _front_end(self, samples: Samples) -> npt.NDArray[np.float32]:
        """Normalised log-mels (T, MELS), or (N,) samples where the network was trained on sound itself."""
        if self.settings.front_end != RAW_SOUND:
            return features.normalise(features.log_mel(samples))
        return samples.astype(np.float32) / 32768.0 if len(samples) >= _SHORTEST else np.zeros(0, np.float32)

    def sentences(self, sounds: Sounds, n: int) -> list[Sentence]:
        """The grammar's best sentences, names included; [] without a grammar."""
        return self._decoder.decode(sounds.log_probs, n, sounds.gains) if self._decoder else []

    def confidence(self, log_probs: LogProbs, sentences: Sequence[Sentence]) -> float:
        """Probability that the first of `sentences` means what was said."""
        found = evidence(log_probs, sentences[0], self.margin(sentences))
        return probability(self.settings.weights, found, self.settings.bias)

    def margin(self, sentences: Sequence[Sentence]) -> float:
        """Nats from the first of `sentences` to one that means something else, as far as they reach.

        By the network alone, so it may be the other that leads.
        """
        best, meant = sentences[0], self._meaning(sentences[0])
        rivals = (one for one in sentences[1:] if self._meaning(one) != meant)
        last = sentences[-1].plain if len(sentences) >= RIVALS else -math.inf
        return best.plain - next((one.plain for one in rivals), last)

    def _meaning(self, sentence: Sentence) -> Parse | str:
        text = self.without_names(sentence.text)
        return (self._grammar.parse(text) if self._grammar else None) or text

    def _clear(self, log_probs: LogProbs, free: Transcript) -> float:
        settings = self.settings
        if not settings.clear_weights:
            return mean_phone(log_probs)
        return probability(settings.clear_weights, clear_evidence(log_probs, free), settings.clear_bias)

    def _believed(self, sentences: Sequence[Sentence], confidence: float) -> list[Hypothesis] | None:
        """None: not convincing. [] : only a name was said."""
        if confidence < self.settings.threshold:
            return None
        found: dict[str, Hypothesis] = {}
        for sentence in sentences:
            text = self.without_names(sentence.text)
            if not text:
                if not found:
                    return [] if sentence.filler_steps <= _NAME_FILLER else None
                continue
            share = math.exp(max(-30.0, sentence.score - sentences[0].score))
            belief = confidence * share
            found.setdefault(text, Hypothesis(text, belief, True, sentence.filler_steps, belief))
        return list(found.values())

    def without_names(self, text: str) -> str:
        """Names before and after taken off, unless the grammar itself has them there."""
        if self._grammar and self._grammar.parse(text):
            return text
        starts = [text, *(text[len(n) :].strip() for n in self._names if f"{text} ".startswith(f"{n} "))]
        cuts = starts + [
            s[: -len(n)].strip() for s in starts for n in self._names if f" {s}".endswith(f" {n}")
        ]
        if self._grammar:
            for cut in cuts:
                if self._grammar.parse(cut):
                    return cut
        return min(starts, key=len)


def audible(log_probs: LogProbs) -> npt.NDArray[np.bool_]:
    """The steps that count: two of every stretch of sure silence, since nothing is decided in the others."""
    sure = log_probs[:, units.BLANK] > _SURE_BLANK
    inner = sure.copy()
    inner[:1] = inner[-1:] = False
    inner[1:-1] &= sure[:-2] & sure[2:]
    return ~inner


def _with_last_words(names: Sequence[str]) -> list[str]:
    """Longest first: "hey buddy" brings "buddy", since the first word is easily cut off."""
    plain = [text for name in names if (text := normalise(name))]
    return sorted({*plain, *(name.split()[-1] for name in plain)}, key=len, reverse=True)


def _read_settings(path: Path) -> Settings:
    try:
        settings = Settings.model_validate_json(path.read_bytes())
    except OSError as error:
        raise PackError(f"{path} cannot be read ({error.strerror}); rebuild or reinstall the pack") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise PackError(f"{path}: {where}: {first['msg']}; rebuild or reinstall the pack") from error
    if tuple(settings.units) != units.UNITS:
        raise PackError(
            f"{path}: made for {len(settings.units)} other units; train it again with this version"
        )
    if settings.front_end not in (RAW_SOUND, json.loads(json.dumps(features.describe()))):
        raise PackError(
            f"{path}: made for the front end {settings.front_end}; train it again with this version"
        )
    return settings
