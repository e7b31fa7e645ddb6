"""What a pet must not be told: it keeps no PINs, passwords, card or account numbers, whoever asks for it."""

import re

_WORDS = re.compile(
    r"\b(?:pins?|pin (?:code|number)|pass ?words?|pass ?codes?|pass ?phrases?|cvv|cvc|iban|tan|"
    r"(?:credit|debit|bank) ?cards? (?:number|code)|card number|account number|social security|"
    r"(?:alarm|door|safe|security|access|unlock|entry|recovery|login) (?:code|number|key)|"
    r"code (?:of|for|to) (?:the|my|our) (?:safe|alarm|door|phone|card)|private key|secret key)\b",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"(?:\d[ -]?){13,19}")
_IBAN = re.compile(r"\b[a-z]{2}\d{2}(?: ?[a-z0-9]{4}){3,7}\b", re.IGNORECASE)
_CARD_LETTERS = 10


def is_secret(text: str) -> bool:
    """It speaks of a secret, or holds a number that is one."""
    return bool(_WORDS.search(text) or _IBAN.search(text) or any(map(_is_card, _DIGITS.findall(text))))


def _is_card(text: str) -> bool:
    """Luhn's check, which every card number passes."""
    digits = [int(c) for c in text if c.isdigit()]
    doubled = [d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(reversed(digits))]
    return sum(doubled) % _CARD_LETTERS == 0
