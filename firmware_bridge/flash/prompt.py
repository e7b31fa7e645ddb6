"""MicroPython's prompt on a board: files, hashes, identity. The only importer of mpremote."""

import ast
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from io import StringIO
from types import ModuleType
from typing import Any

from firmware_bridge.flash.plan import Identity
from firmware_bridge.port import cannot_open
from runtime.contracts.errors import LinkError, MissingExtraError

CHUNK, PACED_CHUNK = 256, 128
PIECE, PIECE_S = 16, 0.002
"""Without flow control: so many bytes, then so long a pause; the emulated board loses more"""
SETTLE_S, SETTLE_TRIES = 8.0, 6
"""Both must be over: on a busy computer one try alone may take so long"""
ASK_TRIES = 2
SLOWEST_S = 0.016
ANSWER_S = 10.0
"""A board that is silent for so long is given up"""
START_S = 15.0
"""A board that starts may take so long to its prompt"""
WHO = """
import sys, os, machine
try:
    u = os.uname()
except AttributeError:
    u = ("", "", "", "", "")
print(repr((sys.platform, u[4], u[2], machine.unique_id())))
"""
LIST = """
import os
def walk(folder):
    for name in os.listdir(folder) if folder else os.listdir():
        path = folder + '/' + name if folder else name
        try:
            walk(path)
        except Exception:
            print(repr(path))
walk('')
"""


def _mpremote() -> tuple[ModuleType, type[Exception]]:
    try:
        from mpremote import transport, transport_serial
    except ModuleNotFoundError as error:
        raise MissingExtraError("mpremote", "flash") from error
    return transport_serial, transport.TransportError


class Prompt:
    """An interrupted board at its prompt. Every failure is a LinkError that says what to do."""

    def __init__(self, transport: Any, path: str) -> None:
        self._transport, self.path = transport, path
        self._pause_s = PIECE_S
        self._pace()
        self._settle()
        self._chunk = PACED_CHUNK
        if transport.use_raw_paste:  # the board tells when it has room
            transport.serial.write = self._write
            self._chunk = CHUNK

    def recover(self) -> None:
        """After a failure: back to a clean prompt, and slower from here on."""
        self._pause_s = min(2 * self._pause_s, SLOWEST_S)
        self._settle()

    def _settle(self) -> None:
        """An interrupt that comes late ends our first words, not the board's program: say them again."""
        _, error = _mpremote()
        give_up_s, tries = time.monotonic() + SETTLE_S, 0
        while tries < SETTLE_TRIES or time.monotonic() < give_up_s:
            tries += 1
            with suppress(error, OSError):
                self._transport.exec("import gc\ngc.collect()")
                return
            with suppress(error, OSError, LinkError):
                _enter(self._transport, self.path)
            time.sleep(0.2)
        raise LinkError(
            f"{self.path}: the board does not obey its prompt; press its reset button, then try again"
        )

    def _pace(self) -> None:
        """No faster than a board without flow control can take it."""
        self._write = write = self._transport.serial.write

        def slowly(data: bytes) -> int:
            for at in range(0, len(data), PIECE):
                write(data[at : at + PIECE])
                time.sleep(self._pause_s)
            return len(data)

        self._transport.serial.write = slowly
        self._chunk = PACED_CHUNK

    def who(self) -> Identity:
        platform, machine, release, unique_id = ast.literal_eval(self._exec(WHO))
        return Identity(platform, machine, release, unique_id.hex())

    def names(self) -> list[str]:
        """Paths of all files."""
        return [ast.literal_eval(line) for line in self._exec(LIST).splitlines() if line.strip()]

    def sha256(self, name: str) -> str:
        """Hash of a file as the board reads it; empty where there is none."""
        if name not in self.names():
            return ""
        with self._words(f"read {name} back"):
            digest: bytes = self._transport.fs_hashfile(name, "sha256", self._chunk)
        return digest.hex()

    def read(self, name: str) -> bytes:
        with self._words(f"read {name}"):
            return bytes(self._transport.fs_readfile(name, self._chunk))

    def write(self, name: str, data: bytes, progress: Callable[[int], None]) -> None:
        """Write in small pieces; `progress` gets the bytes written so far."""
        folder, _, _ = name.rpartition("/")
        with self._words(f"write {name}"):
            if folder:
                self._make(folder)
            if not data:
                self._transport.fs_writefile(name, data)
            self._transport.exec(f"f=open({name!r},'wb')\nw=f.write")
            for at in range(0, len(data), self._chunk):
                self._transport.exec(f"w({data[at : at + self._chunk]!r})")
                progress(min(at + self._chunk, len(data)))
            self._transport.exec("f.close()")

    def remove(self, name: str) -> None:
        with self._words(f"remove {name}"):
            self._transport.fs_rmfile(name)

    def reset(self) -> None:
        """Start the board anew; the prompt is gone after it."""
        with self._words("reset"):
            self._transport.exec_raw_no_follow("import machine\nmachine.reset()")
        time.sleep(0.3)

    def _make(self, folder: str) -> None:
        _, error = _mpremote()
        with suppress(error, OSError):
            self._transport.exec(f"import os\nos.mkdir({folder!r})")

    def _exec(self, code: str) -> str:
        """Ask, and ask again where the question was garbled on a line without flow control."""
        _, error = _mpremote()
        for _ in range(ASK_TRIES):
            with suppress(error, OSError):
                return bytes(self._transport.exec(code)).decode()
            self.recover()
        with self._words("ask"):
            return bytes(self._transport.exec(code)).decode()
        raise AssertionError("unreachable")

    @contextmanager
    def _words(self, what: str) -> Iterator[None]:
        _, error = _mpremote()
        try:
            yield
        except (error, OSError, ValueError, SyntaxError) as failure:
            last = str(failure).strip().splitlines()[-1:] or ["it fell silent"]
            raise LinkError(
                f"{self.path}: could not {what} ({last[0]}); look at the cable and type the same line again:"
                " what is there already is kept"
            ) from failure


@contextmanager
def open_prompt(path: str) -> Iterator[Prompt]:
    """The prompt of the board at `path`, its program interrupted; closed on every way out."""
    module, error = _mpremote()
    try:
        transport = module.SerialTransport(path, baudrate=115_200, timeout=ANSWER_S)
    except (error, OSError) as failure:
        raise cannot_open(path, failure) from failure
    try:
        _enter(transport, path)
        yield Prompt(transport, path)
    finally:
        with suppress(error, OSError):
            transport.close()


def _enter(transport: Any, path: str) -> None:
    """Interrupt what runs; a board that is just starting gets time for it."""
    _, error = _mpremote()
    give_up_s = time.monotonic() + START_S
    while True:
        try:
            with redirect_stdout(StringIO()):  # mpremote prints what it did not expect
                transport.enter_raw_repl(soft_reset=False, timeout_overall=2)
            return
        except (error, OSError) as failure:
            if time.monotonic() > give_up_s:
                raise LinkError(
                    f"no MicroPython prompt at {path}; if the board is new, give --micropython FILE, else"
                    " press its reset button and type the same line again"
                ) from failure
