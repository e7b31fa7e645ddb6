"""The forms at the door: first visit, password, a phone's code, the way out. Plain HTML without a script."""

import base64
import hashlib
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from runtime.dashboard.words import Words, chosen
from runtime.visitors.lock import Lock, RefusedError
from runtime.visitors.sessions import PHONE_S, SESSION_S, Guest

COOKIE = "__Host-everpaw"
DOORS = ("/enter", "/pair", "/leave", "/ca.crt")
MAX_FORM_BYTES = 4_096
_STYLE = (Path(__file__).parent / "doors.css").read_text(encoding="utf-8")
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; img-src data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
Field = tuple[str, str, str]
"""(name, word, further attributes)"""
_CODE = 'inputmode="numeric" autocomplete="one-time-code" maxlength="12" pattern="[0-9 \\-]*"'
_FIRST: tuple[Field, ...] = (
    ("code", "first_code", _CODE),
    ("password", "new_password", 'type="password" autocomplete="new-password" maxlength="200"'),
    ("again", "again", 'type="password" autocomplete="new-password" maxlength="200"'),
)
_ENTER: tuple[Field, ...] = (
    ("password", "password", 'type="password" autocomplete="current-password" maxlength="200"'),
)
_PAIR: tuple[Field, ...] = (("code", "phone_code", _CODE), ("name", "phone_name", 'maxlength="40"'))


@dataclass(frozen=True, slots=True)
class Doors:
    """The answers to one visitor, who may be in already (`guest`)."""

    lock: Lock
    guest: Guest | None
    authority: bytes

    async def answer(self, request: Request) -> Response:
        path, reads = request.url.path, request.method in ("GET", "HEAD")
        if path == "/ca.crt":
            return Response(self.authority, media_type="application/x-x509-ca-cert")
        if not reads and request.method != "POST":
            return PlainTextResponse("refused: method\n", 405)
        if path == "/leave":
            return self._leave() if not reads else RedirectResponse("/", 303)
        if reads and self.guest is not None:
            return RedirectResponse("/", 303)
        return self._form(request, "") if reads else await self._taken(request)

    async def _taken(self, request: Request) -> Response:
        fields = await _fields(request)
        if fields is None:
            return PlainTextResponse("refused: too long\n", 413)
        address = request.client.host if request.client else ""
        try:
            if request.url.path == "/pair":
                token = self.lock.pair(address, fields.get("code", ""), fields.get("name", ""))
                return _in(token, PHONE_S)
            password = fields.get("password", "")
            if self.lock.password.is_set:
                token = await self.lock.enter(address, password)
            else:
                token = await self.lock.begin(
                    address, fields.get("code", ""), password, fields.get("again", "")
                )
        except RefusedError as refused:
            return self._form(request, refused.why, refused.wait_s)
        return _in(token, SESSION_S)

    def _leave(self) -> Response:
        if self.guest is not None:
            self.lock.sessions.end(self.guest.hash)
        out = RedirectResponse("/enter", 303)
        out.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")
        return out

    def _form(self, request: Request, why: str, wait_s: float = 0.0) -> Response:
        w = Words(chosen("", request.headers.get("accept-language", "")))
        pairs, first = request.url.path == "/pair", not self.lock.password.is_set
        if first and not why:
            self.lock.open()
        kind = "pair" if pairs else "first" if first else "enter"
        fields = {"pair": _PAIR, "first": _FIRST, "enter": _ENTER}[kind]
        page = _page(w, kind, fields, _reason(w, why, wait_s))
        status = 200 if not why else 429 if wait_s else 403
        headers = {"content-security-policy": _POLICY}
        if wait_s:
            headers["retry-after"] = f"{wait_s:.0f}"
        return HTMLResponse(page, status, headers)


def _in(token: str, life_s: float) -> Response:
    inside = RedirectResponse("/", 303)
    inside.set_cookie(COOKIE, token, int(life_s), path="/", secure=True, httponly=True, samesite="strict")
    return inside


async def _fields(request: Request) -> dict[str, str] | None:
    """The fields of a form; None where it is too long."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM_BYTES:
            return None
    text = body.decode("utf-8", "replace")
    try:
        found = parse_qs(text, keep_blank_values=True, max_num_fields=10)
    except ValueError:
        return {}
    return {name: values[-1] for name, values in found.items()}


def _reason(w: Words, why: str, wait_s: float) -> str:
    if not why:
        return ""
    told = w(f"visitors.{why}").replace("{wait}", f"{max(1, round(wait_s))}")
    return f'<p class="bad" role="alert">{escape(told)}</p>'


def _page(w: Words, kind: str, fields: tuple[Field, ...], reason: str) -> str:
    rows = "".join(
        f'<label for="{name}">{escape(w(f"visitors.{word}"))}</label>'
        f'<input id="{name}" name="{name}" {more}{" autofocus" if at == 0 else ""}>'
        for at, (name, word, more) in enumerate(fields)
    )
    action = "/pair" if kind == "pair" else "/enter"
    other = {"pair": "/enter", "enter": "/pair"}.get(kind)
    way = (
        f'<p><a href="{other}">{escape(w("visitors.to_" + ("enter" if kind == "pair" else "pair")))}</a></p>'
        if other
        else ""
    )
    return (
        f'<!doctype html><html lang="{w.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>everpaw</title><style>{_STYLE}</style></head><body><main><h1>everpaw</h1>"
        f"<p>{escape(w(f'visitors.{kind}'))}</p>{reason}"
        f'<form method="post" action="{action}">{rows}'
        f"<button>{escape(w(f'visitors.{kind}_do'))}</button></form>{way}</main></body></html>"
    )
