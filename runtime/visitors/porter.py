"""What stands before every request to the page (ASGI): for which host, from which page, and by whom.

- A name under which the page is not served gets nothing: a site of the web whose name is made to lead here
  (DNS rebinding) has such a name. That holds on the loopback too.
- What another site's page sends here is refused by its Origin: forms and sockets, so nobody's browser is made
  to click for them.
- Where there is a `lock`, nothing but the forms at the door answers whoever does not hold a token, and a
  socket ends with its token.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request, cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse

from runtime.visitors.doors import COOKIE, DOORS, Doors
from runtime.visitors.lock import Lock

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_READING = ("GET", "HEAD")
# The page's framework compiles its templates in the browser; all it loads comes from here.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; "
    "connect-src 'self' blob: data:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)
# No Strict-Transport-Security: it would reach every port of this name, and another program of the house may
# speak plain HTTP there. The cookie is `Secure`, and this port speaks TLS alone.
HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # with "no-referrer" a browser sends our own forms with Origin: null
    "permissions-policy": "camera=(), microphone=(), geolocation=(), usb=(), payment=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@dataclass(slots=True)
class Porter:
    """Around `app`; `hosts` are names and addresses without ports, `secure` says that it is served by TLS."""

    app: App
    hosts: Iterable[str]
    secure: bool = False
    lock: Lock | None = None
    authority: bytes = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if why := self._stranger(scope, headers):
            await _refuse(scope, receive, _with_headers(send), 421 if why == "host" else 403, why)
        elif self.lock is None:
            await self.app(scope, receive, _with_headers(send))
        else:
            await self._locked(self.lock, scope, headers, receive, _with_headers(send))

    def _stranger(self, scope: Scope, headers: Headers) -> str:
        """`host` or `origin` where the request is none of this page's own; else empty."""
        host = headers.get("host", "")
        if _bare(host) not in {name.lower() for name in self.hosts}:
            return "host"
        origin = headers.get("origin")
        if origin is None:
            needed = scope["type"] == "websocket" or scope["method"] not in _READING
            return "origin" if needed else ""
        return "" if origin.lower() == f"{'https' if self.secure else 'http'}://{host.lower()}" else "origin"

    async def _locked(self, lock: Lock, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        token = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
        guest = lock.guest(token)
        if scope["type"] == "http" and scope["path"] in DOORS:
            doors = Doors(lock, guest, self.authority)
            await (await doors.answer(Request(scope, receive)))(scope, receive, send)
        elif guest is None:
            if scope["type"] == "http" and "text/html" in headers.get("accept", ""):
                await RedirectResponse("/enter", 303)(scope, receive, send)
            else:
                await _refuse(scope, receive, send, 401, "nobody is in")
        else:
            scope["everpaw_guest"] = guest
            here = _while(lambda: lock.guest(token) is not None, receive, send)
            await self.app(scope, *(here if scope["type"] == "websocket" else (receive, send)))


def _bare(host: str) -> str:
    """The host of a Host header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if headers.get("content-type", "").startswith("text/html"):
                headers["cache-control"] = "no-store"
        await send(message)

    return sent


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, why: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 4000 + status, "reason": why})
    else:
        await PlainTextResponse(f"refused: {why}\n", status)(scope, receive, send)


def _while(valid: Callable[[], bool], receive: Receive, send: Send) -> tuple[Receive, Send]:
    """A socket's two ends, which close as soon as `valid` is not true any more."""
    ended = False

    async def received() -> Message:
        nonlocal ended
        message = await receive()
        if message["type"] == "websocket.disconnect" or valid():
            return message
        if not ended:
            ended = True
            await send({"type": "websocket.close", "code": 4401, "reason": "nobody is in"})
        return {"type": "websocket.disconnect", "code": 4401}

    async def sent(message: Message) -> None:
        nonlocal ended
        if ended or valid():
            if not ended:
                await send(message)
        else:
            ended = True
            await send({"type": "websocket.close", "code": 4401, "reason": "nobody is in"})

    return received, sent
