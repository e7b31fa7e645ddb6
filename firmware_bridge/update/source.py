"""Where updates come from: a web server, or a folder (a stick, a share). Bytes in pieces, bounded, resumed.

A source knows paths below the repository only. It bounds time; who reads bounds length.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import urllib3

from firmware_bridge.update.slots import Slots
from runtime.contracts.errors import UpdateError
from runtime.contracts.pack import file_sha256
from runtime.contracts.release import blob_path

PIECE = 1 << 17
CONNECT_S, SILENT_S = 5.0, 15.0
PATIENT_S, LEAST_BYTES_S = 60.0, 1_000
"""After PATIENT_S a transfer must have brought LEAST_BYTES_S a second all in all"""
TRIES = 4
"""Of a blob that is cut off without any progress"""
Progress = Callable[[int], None]
"""Called with each number of bytes that arrived"""


@dataclass(frozen=True, slots=True)
class Stream:
    """`pieces` begin at `start`, which may be before the offset that was asked for."""

    start: int
    pieces: Iterator[bytes]


class Source(Protocol):
    name: str
    is_remote: bool

    def open(self, path: str, offset: int = 0) -> Stream:
        """The file at `path` from `offset` on; UpdateError `missing` or `unreachable`."""


def open_source(text: str) -> Source:
    """An `http(s)://` address, a `file://` address or a folder."""
    parts = urlsplit(text)
    if parts.scheme in ("http", "https"):
        return Web(text)
    folder = Path(unquote(parts.path)) if parts.scheme == "file" else Path(text)
    if not folder.is_dir():
        raise UpdateError(
            "unreachable", f"{text} is no folder and no http(s):// address; is the stick plugged in?"
        )
    return Folder(folder)


class Folder:
    is_remote = False

    def __init__(self, folder: Path) -> None:
        self.name = str(folder)
        self._folder = folder

    def open(self, path: str, offset: int = 0) -> Stream:
        target = self._folder / path
        if not target.is_file():
            raise UpdateError("missing", f"{target} is missing; copy the repository again")
        return Stream(offset, self._read(target, offset))

    def _read(self, target: Path, offset: int) -> Iterator[bytes]:
        with target.open("rb") as file:
            file.seek(offset)
            while piece := file.read(PIECE):
                yield piece


class Web:
    is_remote = True

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = url
        self._base = url.rstrip("/")
        self._clock = clock
        timeout = urllib3.Timeout(connect=CONNECT_S, read=SILENT_S)
        self._pool = urllib3.PoolManager(timeout=timeout, retries=urllib3.Retry(2, read=0, redirect=3))

    def open(self, path: str, offset: int = 0) -> Stream:
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={offset}-"} if offset else {})
        url = f"{self._base}/{path}"
        try:
            response = self._pool.request("GET", url, headers=headers, preload_content=False)
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from error
        if response.status == 416:
            response.release_conn()
            return self.open(path)
        if response.status not in (200, 206):
            response.release_conn()
            code = "missing" if response.status in (403, 404) else "unreachable"
            raise UpdateError(code, f"{url}: the server answers {response.status}; look at the server")
        resumed = response.status == 206 and response.headers.get("Content-Range", "").startswith(
            f"bytes {offset}-"
        )
        if response.status == 206 and not resumed:
            response.release_conn()
            return self.open(path)
        return Stream(offset if resumed else 0, self._pieces(response))

    def _pieces(self, response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
        began_s, came = self._clock(), 0
        try:
            while piece := response.read1(PIECE):  # what came before a break is not lost
                came += len(piece)
                yield piece
                took_s = self._clock() - began_s
                if took_s > PATIENT_S and came < took_s * LEAST_BYTES_S:
                    raise UpdateError(
                        "slow", f"{self.name} sends {came / took_s:.0f} bytes a second; try later"
                    )
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from error
        finally:
            response.release_conn()

    def _unreachable(self, error: Exception) -> UpdateError:
        reason = str(error).splitlines()[0][:150]
        return UpdateError("unreachable", f"{self.name} does not answer ({reason}); is the network up?")


def fetch_blob(source: Source, sha256: str, size: int, slots: Slots, progress: Progress) -> Path:
    """The blob in `incoming`, whole and compared; goes on where it was cut off, now or another day."""
    whole, part = slots.incoming / sha256, slots.incoming / f"{sha256}.part"
    if whole.is_file():
        progress(size)
        return whole
    have = part.stat().st_size if part.is_file() else 0
    progress(have)
    tries = TRIES
    while have < size and tries:
        before = have
        try:
            have = _append(source, sha256, size, slots, progress)
        except UpdateError as error:
            have = part.stat().st_size if part.is_file() else 0
            if error.code != "unreachable" or tries == 1:
                raise
        tries = tries - 1 if have <= before else TRIES
    if have < size:
        raise UpdateError("cut_short", f"{source.name}: {sha256[:12]} ends after {have:,} of {size:,} bytes")
    if have > size or file_sha256(part) != sha256:
        slots.disk.remove(part)
        raise UpdateError(
            "altered", f"{source.name}: {sha256[:12]} was altered (sha256 differs); tell its maker"
        )
    slots.disk.sync(part)
    slots.disk.rename(part, whole)
    slots.disk.sync(slots.incoming)
    return whole


def _append(source: Source, sha256: str, size: int, slots: Slots, progress: Progress) -> int:
    """What one request brings; how many bytes are there now."""
    part = slots.incoming / f"{sha256}.part"
    have = part.stat().st_size if part.is_file() else 0
    stream = source.open(blob_path(sha256), have)
    if stream.start < have:
        slots.disk.remove(part)
        progress(-have)
        have = 0
    for piece in stream.pieces:
        if have + len(piece) > size:
            slots.disk.remove(part)
            raise UpdateError(
                "oversize", f"{source.name}: {sha256[:12]} goes on after its {size:,} bytes; it is refused"
            )
        slots.disk.append(part, piece)
        have += len(piece)
        progress(len(piece))
    return have
