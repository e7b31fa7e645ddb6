"""Danger to a person: the play stops and help is named. The words themselves stand in `rules.toml`.

A toy must not answer "I want to die" with a trick. These rules come before grammar and classifier, err on the
side of help, and cannot be switched off by a pack.
"""

from runtime.mind import rules

CRISIS, UNSAFE = "crisis", "unsafe"
"""The intents that the rules of danger yield"""
_CRISES = tuple(rule for rule in rules.DANGER if rule.intent == CRISIS)
HELP = _CRISES[0].answer
"""Said where danger is only guessed"""


def is_crisis(normalised: str) -> str | None:
    """The words that speak of danger to a person, or None. `normalised` as by runtime.mind.grammar."""
    found = rules.first(_CRISES, normalised)
    return found[1] if found else None
