"""The rule before every other: words of crisis stop the play and give help.

A toy must not answer "I want to die" with a trick. The rule works on plain words, before grammar and
classifier, errs on the side of help, and cannot be switched off by a pack.
"""

import re

CRISIS = "crisis"
"""The intent this rule yields"""
HELP = (
    "I am only a robot pet, so I cannot help with this. You matter. Please talk to a person you trust now, "
    "or call your local emergency number. In Europe that is 112, in America 911, or 988 to talk."
)
_WANT = (
    r"\b(?:want|wanna|going|gonna|like|rather|ready|plan|planning|think|thinking|thought) (?:to |of |about )?"
)
_SOMEONE = r"\b(?:someone|somebody|he|she|they|dad|daddy|mom|mum|mummy|my \w+) (?:is|are|keeps?|was) "
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b(?:kill|hurt|harm|cut|hang|shoot|drown|burn)(?:ing)? my ?self\b",
        _WANT + r"(?:die|dying|be dead)\b",
        _WANT + r"(?:end|ending) (?:it all|my life|everything)\b",
        r"\b(?:wish|wished) (?:i|that i) (?:was|were) (?:dead|never born)\b",
        r"\b(?:don't|dont|do not) (?:want|wanna) (?:to )?(?:live|be alive|exist)\b(?! (?:with|in|here|at))",
        r"\b(?:no|not a) (?:reason|point) (?:to|in) (?:live|living|go on|going on)\b",
        r"\b(?:life is|it's|it is) not worth (?:living|it anymore)\b",
        r"\b(?:suicide|suicidal|self harm|overdose|overdosed)\b",
        r"\btook (?:too many|all (?:my|the)) pills\b",
        r"\bbetter off (?:without me|dead|if i was dead)\b",
        r"\bi can(?:'t|not| not) (?:go on|take it anymore|breathe)\b",
        _SOMEONE + r"(?:hurting|beating|hitting|touching) (?:myself|my self|me)\b",
        r"\b(?:call|need|get) (?:me )?(?:an? |the )?(?:ambulance|police|doctor now|for help|emergency)\b",
        r"\bhelp me i(?:'m| am) (?:hurt|dying|bleeding|injured)\b",
        r"\bi(?:'m| am) (?:dying|bleeding badly|bleeding to death)\b(?! (?:to|of|for) )",
    )
)


def is_crisis(normalised: str) -> str | None:
    """The words that speak of danger to a person, or None. `normalised` as by runtime.mind.grammar."""
    for pattern in _PATTERNS:
        found = pattern.search(normalised)
        if found:
            return found.group()
    return None
