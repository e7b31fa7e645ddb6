"""A page to click on: where the animal is on a photo, and where it is not. Local, by mouse, finger or keys.

The server listens on 127.0.0.1 alone, behind a secret in its address; it answers no page of another site.
Every click is kept beside its photo at once, and the new outline comes back: what a build takes is seen.
One thread a request, one lock about GrabCut; `served` blocks until the owner is done.
"""

import json
import secrets
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runtime.contracts.errors import CloneError
from training.clone.looks import intake
from training.clone.looks.masks import Clicks, cut_out
from training.clone.steps import Pet

HOST = "127.0.0.1"
SHOWN = 1_024
"""Longest side of a photo on the page, in pixels"""
MAX_BYTES = 50_000
_PAGE = Path(__file__).with_name("clicking.html")
_SAFE = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'"
)


@dataclass(frozen=True, slots=True)
class Ask:
    """A photo on which clicks would help most; `at`: where mask and animal differ most, in shares of it."""

    photo: str
    why: str
    at: tuple[float, float] | None = None


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    photo: Annotated[int, Field(ge=0)]
    clicks: Clicks


@dataclass
class Page:
    """The photos of one pet and what is said about them; no socket in it."""

    pet: Pet
    asks: Sequence[Ask] = ()
    photos: list[intake.Photo] = field(init=False)
    changed: bool = False

    def __post_init__(self) -> None:
        usable = [photo for photo in intake.photos(self.pet) if photo.usable]
        asked = [ask.photo for ask in self.asks]
        self.photos = sorted(
            usable, key=lambda p: asked.index(p.path.name) if p.path.name in asked else len(asked)
        )
        if not self.photos:
            raise CloneError("no photo can be clicked on; everpaw clone check tells what is wrong with each")
        self._lock = threading.Lock()

    def told(self) -> dict[str, Any]:
        """All that the page shows but the pictures."""
        why = {ask.photo: ask for ask in self.asks}
        rows = []
        for photo in self.photos:
            ask = why.get(photo.path.name)
            row = {"name": photo.path.name, "why": ask.why if ask else "", "at": ask.at if ask else None}
            rows.append(row | self._outlined(photo, Clicks.beside(photo.path)))
        return {"name": self.pet.profile.name, "photos": rows}

    def clicked(self, data: bytes) -> dict[str, Any]:
        """Keep what was clicked, and tell the outline that comes of it; CloneError where it is no click."""
        try:
            told = _Told.model_validate_json(data)
            photo = self.photos[told.photo]
        except (ValidationError, IndexError) as error:
            raise CloneError(f"no clicks: {str(error)[:200]}") from error
        with self._lock:
            told.clicks.save(photo.path)
            self.changed = True
        return self._outlined(photo, told.clicks)

    def picture(self, number: int) -> bytes:
        """The photo upright, as JPEG."""
        raw = intake.read(self.photos[number].path)
        share = min(1.0, SHOWN / max(raw.shape[:2]))
        small = cv2.resize(raw, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        _, data = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
        return data.tobytes()

    def _outlined(self, photo: intake.Photo, clicks: Clicks) -> dict[str, Any]:
        """The clicks and the mask's edges, in shares of the photo."""
        assert photo.picture is not None
        with self._lock:
            mask = cut_out(photo.picture, photo.box, clicks)
        lines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_TC89_L1)
        x, y, width, height = photo.box
        size = np.array([width, height])
        edges = [((line[:, 0] + 0.5 - (x, y)) / size).round(4).tolist() for line in lines if len(line) > 2]
        return {"clicks": clicks.model_dump(mode="json"), "edges": edges}


def served(page: Page, port: int, say: Callable[[str], None]) -> bool:
    """Show the page until its owner is done; True: build again. Ctrl-C leaves all as it is."""
    secret, over = secrets.token_urlsafe(12), threading.Event()
    again = False

    def done(build: bool) -> None:
        nonlocal again
        again = build
        over.set()

    try:
        server = _Server((HOST, port), _handler(page, secret, done))
    except (OSError, OverflowError) as error:
        raise CloneError(f"port {port} cannot be had ({error}); give another with --port") from error
    with server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        say(f"http://{HOST}:{server.server_port}/{secret}/")
        try:
            over.wait()
        except KeyboardInterrupt:
            say("left as it is")
        finally:
            server.shutdown()
            thread.join()
    return again


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that left before its answer was over is no error of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def _handler(page: Page, secret: str, done: Callable[[bool], None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 30

        def do_GET(self) -> None:
            what = self._what()
            if what == "":
                self._answer(200, "text/html; charset=utf-8", _PAGE.read_bytes())
            elif what == "photos":
                self._json(page.told())
            elif what.isdecimal() and len(what) < 6 and int(what) < len(page.photos):
                self._answer(200, "image/jpeg", page.picture(int(what)))
            else:
                self._answer(404, "text/plain", b"not here")

        def do_POST(self) -> None:
            what, length = self._what(), self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > MAX_BYTES:
                self._answer(413, "text/plain", b"too much")
                return
            data = self.rfile.read(int(length))
            if what == "clicks":
                try:
                    self._json(page.clicked(data))
                except CloneError as error:
                    self._answer(400, "text/plain", str(error).encode())
            elif what in ("build", "leave"):
                self._json({})
                done(what == "build")
            else:
                self._answer(404, "text/plain", b"not here")

        def _what(self) -> str:
            """What is asked for; "?" for who does not know the secret or came by another name."""
            host = self.headers.get("Host", "").rpartition(":")[0]
            begin = f"/{secret}/"
            known = secrets.compare_digest(self.path[: len(begin)].encode(), begin.encode())
            return self.path[len(begin) :] if known and host == HOST else "?"

        def _json(self, data: dict[str, Any]) -> None:
            self._answer(200, "application/json", json.dumps(data).encode())

        def _answer(self, status: int, kind: str, data: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Content-Security-Policy", _SAFE)
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Nothing is logged: the address is a secret."""

    return Handler
