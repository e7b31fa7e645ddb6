"""What a visitor must know: the password, or a code that is good once. The state behind the forms."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from runtime.contracts.errors import TrustError
from runtime.security.pairing import Code, new_code
from runtime.visitors.password import Password, weakness
from runtime.visitors.sessions import Guest, Sessions
from runtime.visitors.throttle import Throttle

MOST_WAITING = 4
"""Visitors whose password is looked at one after the other; whoever comes then is told to come again"""


class RefusedError(Exception):
    """`why` is a word of [visitors] in words.toml; `wait_s` tells when to come again."""

    def __init__(self, why: str, wait_s: float = 0.0) -> None:
        super().__init__(why)
        self.why, self.wait_s = why, wait_s


@dataclass(slots=True)
class Lock:
    """`tell` reaches the owner at the terminal: with the code of the first visit. One event loop."""

    folder: Path
    tell: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    password: Password = field(init=False)
    sessions: Sessions = field(init=False)
    throttle: Throttle = field(init=False)
    phone_code: Code | None = None
    refused: int = 0
    """Wrong passwords and codes since the start; the page shows them to whoever is in"""
    _first: Code | None = None
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)
    _waiting: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.password = Password(self.folder / "password.json")
        self.sessions = Sessions(self.folder / "phones.json", self.wall)
        self.throttle = Throttle(self.clock)

    def open(self) -> None:
        """Show the code of the first visit, where nobody has set a password."""
        if not self.password.is_set and (self._first is None or self._first.over):
            self._first = Code(new_code(), self.clock)
            self.tell(f"the code of the first visit: {self._first.code[:4]} {self._first.code[4:]}")

    def forget(self) -> None:
        """No password, no phones, nobody in."""
        self.password.file.unlink(missing_ok=True)
        self.sessions.end_all()

    async def begin(self, address: str, code: str, password: str, again: str) -> str:
        """The first visit sets the password; a session's token."""
        if self.password.is_set:
            raise RefusedError("is_set")
        self._patience(address)
        # What can be seen to be wrong costs no try of the code.
        if why := "differ" if password != again else weakness(password):
            raise RefusedError(why)
        first = self._first
        if first is None or not first.typed(code):
            self._wrong(address)
            raise RefusedError("wrong_code" if first and not first.over else "code_over")
        async with self._one:
            try:
                await asyncio.to_thread(self.password.set, password)
            except TrustError as error:
                raise RefusedError("is_set") from error
        return self.sessions.begin()

    async def enter(self, address: str, password: str) -> str:
        """A session's token for the password."""
        self._patience(address)
        if self._waiting >= MOST_WAITING:
            raise RefusedError("busy", 2.0)
        self._waiting += 1
        try:
            async with self._one:
                self._patience(address)  # those before may have been wrong
                right = await asyncio.to_thread(self._holds, password)
                if not right:
                    self._wrong(address)
        finally:
            self._waiting -= 1
        if not right:
            raise RefusedError("wrong_password")
        self.throttle.right(address)
        return self.sessions.begin()

    def offer(self) -> Code:
        """A code for one phone, in the place of the one before."""
        self.phone_code = Code(new_code(), self.clock)
        return self.phone_code

    def pair(self, address: str, code: str, name: str) -> str:
        """A phone's token for the code that the page shows."""
        self._patience(address)
        offered = self.phone_code
        if offered is None or not offered.typed(code):
            self._wrong(address)
            raise RefusedError("wrong_code" if offered and not offered.over else "code_over")
        self.phone_code = None
        return self.sessions.pair(name)

    def guest(self, token: str) -> Guest | None:
        return self.sessions.guest(token)

    def _wrong(self, address: str) -> None:
        before = self.throttle.wait_s(address)
        self.throttle.wrong(address)
        self.refused += 1
        if not before and self.throttle.wait_s(address):
            self.tell(f"somebody at {address} guesses: {self.refused} wrong answers, and each waits now")

    def _holds(self, password: str) -> bool:
        try:
            return self.password.holds(password)
        except TrustError as error:
            self.tell(str(error))
            raise RefusedError("damaged") from error

    def _patience(self, address: str) -> None:
        if (wait_s := self.throttle.wait_s(address)) > 0:
            raise RefusedError("wait", wait_s)
