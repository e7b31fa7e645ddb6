"""How much of a model is taken out, as it is typed: `heads=2,layers=1,vocabulary`."""

import argparse
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    heads: int = 0
    """Groups of heads (with one key and value) of every layer"""
    layers: int = 0
    vocabulary: bool = False
    """Tokens that no text needs"""


def parse(text: str) -> Plan:
    """argparse.ArgumentTypeError for anything else."""
    counts, vocabulary = {"heads": 0, "layers": 0}, False
    for word in filter(None, text.split(",")):
        name, _, number = word.partition("=")
        if word == "vocabulary":
            vocabulary = True
        elif name in counts and number.isdigit():
            counts[name] = int(number)
        else:
            raise argparse.ArgumentTypeError(f"{word!r}; give heads=N, layers=N or vocabulary")
    return Plan(counts["heads"], counts["layers"], vocabulary)
