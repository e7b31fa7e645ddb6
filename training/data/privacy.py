"""Private words out of a text before it is learned from or stored: names, phones, addresses, cards, mail.

Rules and lists, no model: what they miss stays, so people read what they share. Phones are judged by
libphonenumber's port, card numbers by their check digit (Luhn), first names by the lists of the US census and
by how people introduce themselves. Each becomes a word in brackets that says what stood there.
"""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import phonenumbers

REGIONS = ("US", "GB", "DE", "CN")
"""Countries whose numbers are known without their country code"""
NAME, PHONE, ADDRESS, CARD, MAIL = "[name]", "[phone]", "[address]", "[card]", "[mail]"
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_DIGITS = re.compile(r"(?<![\w-])(?:\d[ -]?){12,18}\d(?![\w-])")
_STREET = r"(?:street|avenue|ave|road|rd|lane|drive|boulevard|blvd|square|terrace|st(?=[.,]|$))"
_ADDRESS = re.compile(
    rf"\b\d{{1,5}}[a-z]?\s+(?:[a-z'.]+\s+){{1,3}}?{_STREET}\b\.?(?:\s*,?\s*\d{{5}}\b)?", re.IGNORECASE
)
_ADDRESS_ZH = re.compile(
    r"[\u4e00-\u9fff]{1,8}(?:路|街|大道|巷)\s*\d{1,5}\s*(?:号|弄)(?:\s*\d{1,4}\s*(?:室|楼|号楼))*"
)
_INTRODUCED = re.compile(
    r"\b(?P<cue>(?:my|his|her|their|our)\s+(?:\w+\s+){0,2}?name\s+is|(?:my|our)\s+\w+\s+is\s+(?:called|named)"
    r"|(?:i\s+am|i'm|he\s+is|she\s+is)\s+(?:called|named)|call\s+me|(?:mr|mrs|dr)\.?|(?-i:Miss|Ms\.?)(?=\s+(?-i:[A-Z])))"
    r"\s+(?P<name>[a-z][a-z'-]+(?:\s+(?-i:[A-Z])[a-z'-]+)?)\b",
    re.IGNORECASE,
)
_INTRODUCED_ZH = re.compile(
    r"(?P<cue>我叫|名叫|名字叫|名字是)(?P<name>(?![你您他她它])[\u4e00-\u9fff]{2,3}?)(?=[,。,.!?\s和的是]|$)"
)
_LEAST_DIGITS = 9
"""Of a phone number; a date has eight"""
_CAPITAL = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z][a-z]{2,}\b(?:\s+[A-Z][a-z]{2,}\b)?")


def scrub(text: str) -> str:
    """`text` with every private word that the rules find replaced; scrubbing twice changes nothing more."""
    for rule in _RULES:
        text = rule(text)
    return text


def _mail(text: str) -> str:
    return _MAIL.sub(MAIL, text)


def _cards(text: str) -> str:
    return _DIGITS.sub(lambda found: CARD if _luhn(found.group()) else found.group(), text)


def _phones(text: str) -> str:
    for region in REGIONS:
        matches = phonenumbers.PhoneNumberMatcher(text, region, leniency=phonenumbers.Leniency.POSSIBLE)
        for match in reversed(list(matches)):
            parted = any(not c.isdigit() for c in match.raw_string)
            many = sum(c.isdigit() for c in match.raw_string) >= _LEAST_DIGITS
            if many and (parted or phonenumbers.is_valid_number(match.number)):
                text = text[: match.start] + PHONE + text[match.end :]
    return text


def _addresses(text: str) -> str:
    return _ADDRESS_ZH.sub(ADDRESS, _ADDRESS.sub(ADDRESS, text))


def _introduced(text: str) -> str:
    def replaced(found: re.Match[str]) -> str:
        name = found.group("name")
        if name.split()[0].lower() in no_names():
            return found.group()
        return found.group()[: found.start("name") - found.start()] + NAME

    return _INTRODUCED_ZH.sub(replaced, _INTRODUCED.sub(replaced, text))


def _listed(text: str) -> str:
    def replaced(found: re.Match[str]) -> str:
        first, *rest = found.group().split(maxsplit=1)
        if first.lower() in first_names():
            return NAME
        if rest and rest[0].lower() in first_names():
            return f"{first} {NAME}"
        return found.group()

    return _CAPITAL.sub(replaced, text)


_RULES: tuple[Callable[[str], str], ...] = (_mail, _cards, _phones, _addresses, _introduced, _listed)
"""In this order: a card number would pass for a phone, and a house number for part of one"""


def _luhn(digits: str) -> bool:
    numbers = [int(c) for c in reversed(digits) if c.isdigit()]
    doubled = [n if i % 2 == 0 else 2 * n - 9 * (n > 4) for i, n in enumerate(numbers)]
    return 13 <= len(numbers) <= 19 and sum(doubled) % 10 == 0 and any(numbers)


@cache
def no_names() -> frozenset[str]:
    """Words that are more often something else, though the census or a sentence has them as a name."""
    return frozenset(Path(__file__).with_name("not_names.txt").read_text("utf-8").split())


@cache
def first_names() -> frozenset[str]:
    """First names of the US census of 1990 in lower case, without those that are more often other words."""
    import names

    folder = Path(names.__file__).parent
    found: set[str] = set()
    for file in ("dist.female.first", "dist.male.first"):
        found |= {line.split()[0].lower() for line in (folder / file).read_text("ascii").splitlines() if line}
    return frozenset(found - no_names())
