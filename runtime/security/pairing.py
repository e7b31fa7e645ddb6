"""A phone or dashboard gets a certificate by a one-time code: what both sides say, without sockets.

    joiner                                     house
    {pake}                  ────────────▶
                            ◀────────────      {pake}
    {proof, sealed request} ────────────▶      wrong code: one of three tries is gone
                            ◀────────────      sealed {authority, certificate, port}

SPAKE2 turns the code into a key without telling anybody on the line anything of it: who does not know the
code can guess once a connection, and after three wrong guesses or five minutes the code is worth nothing.
The key of the certificate never leaves the joiner. Source: RFC 9382; the group is spake2's Ed25519.
"""

import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from runtime.contracts.errors import MissingExtraError, TrustError

TRIES = 3
CODE_LIFE_S = 300.0
CODE_DIGITS = 8
MAX_LINE_BYTES = 16_384
_NONCE_BYTES = 12
_JOINER, _HOUSE = b"everpaw joiner", b"everpaw house"
Certify = Callable[[bytes], dict[str, str]]
"""A request for a certificate, as PEM, into what the joiner needs to know"""


def new_code() -> str:
    """As many digits as a person reads off and types without a mistake."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def plain(code: str) -> bytes:
    """As it was typed: "1234 5678" and "1234-5678" are the same."""
    return "".join(c for c in code if c.isdigit()).encode()


@dataclass(frozen=True, slots=True)
class Keys:
    """What both sides derive from one agreement: one key for each direction, and the joiner's proof."""

    to_house: bytes
    to_joiner: bytes
    proof: bytes

    @classmethod
    def of(cls, shared: bytes) -> "Keys":
        parts = [
            HKDF(SHA256(), 32, None, b"everpaw pairing " + what).derive(shared)
            for what in (b"to house", b"to joiner", b"proof")
        ]
        return cls(*parts)


@dataclass(slots=True)
class Code:
    """One code that counts `TRIES` tries and `CODE_LIFE_S`. `clock`: seconds that never go back."""

    code: str
    clock: Callable[[], float]
    tries_left: int = field(default=TRIES, kw_only=True)
    taken: bool = field(default=False, kw_only=True)
    _until: float = field(init=False)

    def __post_init__(self) -> None:
        self._until = self.clock() + CODE_LIFE_S

    @property
    def over(self) -> str:
        """Why nobody may pair any more; empty while somebody may."""
        if self.taken:
            return "somebody paired"
        if self.tries_left <= 0:
            return f"{TRIES} wrong codes"
        return "" if self.clock() < self._until else f"nobody came in {CODE_LIFE_S:.0f} s"

    def typed(self, text: str) -> bool:
        """Whether it was the code, which is then taken; every answer costs a try."""
        if self.over:
            return False
        # Counted before anything is compared: no way out of here leaves a guess for free.
        self.tries_left -= 1
        self.taken = hmac.compare_digest(plain(text), plain(self.code))
        return self.taken


@dataclass(slots=True)
class Offer(Code):
    """A code that is worth a certificate."""

    certify: Certify


@dataclass(slots=True)
class Visit:
    """The house's side of one connection: `greet`, then `finish`."""

    offer: Offer
    _keys: Keys | None = None

    def greet(self, line: bytes) -> bytes:
        """The answer to a joiner's first line; TrustError where it is none or the offer is over."""
        self._insist()
        spake = _spake("SPAKE2_B", self.offer.code)
        ours = spake.start()
        self._keys = _agree(spake, _field(_read(line), "pake"))
        return _line(pake=ours.hex())

    def finish(self, line: bytes) -> bytes:
        """The sealed certificate; TrustError where the code was wrong, and a try is gone."""
        self._insist()
        assert self._keys is not None
        said = _read(line)
        # Counted before anything is compared: no way out of here leaves a guess for free.
        self.offer.tries_left -= 1
        if not hmac.compare_digest(_field(said, "proof"), self._keys.proof):
            raise TrustError(f"wrong code; {self.offer.tries_left} tries are left")
        asked = _unseal(self._keys.to_house, _field(said, "request"))
        answer = self.offer.certify(asked)
        self.offer.taken = True
        return _line(answer=_seal(self._keys.to_joiner, json.dumps(answer).encode()).hex())

    def _insist(self) -> None:
        if self.offer.over:
            raise TrustError(f"the code is worth nothing any more: {self.offer.over}; make another")


@dataclass(slots=True)
class Join:
    """The joiner's side: `hello`, then `ask`, then `take`."""

    code: str
    request: bytes
    """A request for a certificate, as PEM"""
    _spake: Any = None
    _keys: Keys | None = None

    def hello(self) -> bytes:
        self._spake = _spake("SPAKE2_A", self.code)
        return _line(pake=self._spake.start().hex())

    def ask(self, line: bytes) -> bytes:
        """The second line, from the house's first."""
        self._keys = _agree(self._spake, _field(_read(line), "pake"))
        return _line(proof=self._keys.proof.hex(), request=_seal(self._keys.to_house, self.request).hex())

    def take(self, line: bytes) -> dict[str, str]:
        """What the house answered; TrustError where the code was wrong, or the house does not know it."""
        assert self._keys is not None
        plain_text = _unseal(self._keys.to_joiner, _field(_read(line), "answer"))
        answer: dict[str, str] = json.loads(plain_text)
        return answer


def refusal(why: str) -> bytes:
    """The line that tells a joiner why there is no certificate."""
    return _line(error=why)


def _spake(side: str, code: str) -> Any:
    try:
        import spake2
    except ModuleNotFoundError as error:
        raise MissingExtraError("spake2", "pairing") from error
    return getattr(spake2, side)(plain(code), idA=_JOINER, idB=_HOUSE)


def _agree(spake: Any, theirs: bytes) -> Keys:
    try:
        return Keys.of(spake.finish(theirs))
    except Exception as error:  # the library has a dozen kinds; to us each is a line that is none
        raise TrustError(f"the other side does not speak the pairing ({type(error).__name__})") from error


def _line(**fields: str) -> bytes:
    return json.dumps(fields).encode() + b"\n"


def _read(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except ValueError as error:
        raise TrustError("the other side does not speak the pairing; is it an everpaw?") from error
    if not isinstance(said, dict):
        raise TrustError("the other side does not speak the pairing; is it an everpaw?")
    if "error" in said:
        raise TrustError(f"the house says: {str(said['error'])[:200]}")
    return said


def _field(said: dict[str, Any], name: str) -> bytes:
    try:
        return bytes.fromhex(said[name])
    except (KeyError, TypeError, ValueError) as error:
        raise TrustError(f"a line of the pairing lacks its {name!r}; pair again") from error


def _seal(key: bytes, text: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, text, None)


def _unseal(key: bytes, sealed: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
    except (InvalidTag, ValueError) as error:
        raise TrustError("what the other side sealed does not open; was the code the right one?") from error
