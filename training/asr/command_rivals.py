"""The benches' commands beside pocketsphinx: `python -m training.asr.command_rivals [--voices 3]`.

Both know the same grammar and hear the same clips of runtime.demo.people, whole, one after the other; counted
are the intents that come out right and the time it takes, in multiples of the sound's own length.
pocketsphinx decodes with the acoustic model of its own distribution; its start is in its time.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import yaml

from runtime import starter
from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.contracts.errors import TrainingError
from runtime.demo.people import VARIANTS, load_lines, people
from runtime.mind.grammar import Grammar
from runtime.speech.asr import Recogniser
from training.asr import sphinx

_SIGNS = re.compile(r"[$@]\S+|[\[\](),]")
"""Of a grammar's line, what is no word"""


def narrowed(path: Path, intents: set[str | None]) -> Grammar:
    """The grammar of these intents alone, without the lines that pocketsphinx has no words for."""
    context = yaml.safe_load(path.read_text("utf-8"))["context"]
    kept = {
        intent: [line for line in lines if sphinx.knows(_SIGNS.sub(" ", line))]
        for intent, lines in context["expressions"].items()
        if intent in intents
    }
    return Grammar.load(yaml.safe_dump({"context": {**context, "expressions": kept}}))


def intents(grammar: Grammar, texts: Sequence[str | None]) -> list[str | None]:
    parses = [grammar.parse(text) if text else None for text in texts]
    return [parse.intent if parse else None for parse in parses]


def figures(
    meant: Sequence[str | None], heard: Sequence[str | None], real_time: float
) -> dict[str, float | int]:
    right = sum(one == other for one, other in zip(meant, heard, strict=True))
    return {"right": right, "of": len(meant), "real_time": round(real_time, 4)}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("--voices", type=int, default=len(VARIANTS), choices=range(1, len(VARIANTS) + 1))
    args = parser.parse_args(argv)
    if not sphinx.installed():
        raise TrainingError(
            "pocketsphinx is not installed; type: apt install pocketsphinx pocketsphinx-en-us"
        )
    pack = starter.load_pack()
    grammar = narrowed(pack.path("grammar.yaml"), {line.meant for line in load_lines().command})
    clips: list[Samples] = []
    meant: list[str | None] = []
    with people() as persons:
        for number, line in enumerate(load_lines().command * args.voices):
            persons.begin_with(number)
            clips.append(persons.say(line).samples)
            meant.append(line.meant)
    recogniser = Recogniser(pack.part("asr"), grammar)
    sound_s = sum(map(len, clips)) / SAMPLE_RATE_HZ
    began_s = time.monotonic()
    ours = [hypotheses[0].text if (hypotheses := recogniser.recognise(clip)) else None for clip in clips]
    taken = (time.monotonic() - began_s) / sound_s
    told = {"everpaw": figures(meant, intents(grammar, ours), taken)}
    heard, taken = sphinx.transcribe(grammar.automaton(), clips)
    told["pocketsphinx"] = figures(meant, intents(grammar, heard), taken)
    told["ours_as_multiple"] = {
        name: round(told["everpaw"][name] / (told["pocketsphinx"][name] or float("nan")), 3)
        for name in ("right", "real_time")
    }
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
