"""One visitor of a porter, without sockets: requests as ASGI scopes, what comes back as plain values."""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from runtime.visitors.porter import App, Message

HOST = "pets.local:8420"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


async def inner(scope: Any, receive: Any, send: Any) -> None:
    """The page itself, as far as a porter is concerned: says who came, and echoes a socket."""
    if scope["type"] == "http":
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]}
        )
        await send({"type": "http.response.body", "body": b"inside"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


@dataclass
class Visitor:
    """Sends what a browser on the page would, unless told otherwise; keeps the cookie that it is given."""

    app: App
    cookie: str = ""
    address: str = "192.168.1.7"
    sent: list[Message] = field(default_factory=list)

    def _scope(self, kind: str, path: str, headers: dict[str, str | None], **more: object) -> dict[str, Any]:
        told: dict[str, str | None] = {"host": HOST, "accept": "text/html", "cookie": self.cookie or None}
        told |= headers
        raw = [(name.encode(), value.encode()) for name, value in told.items() if value is not None]
        where = {"path": path, "raw_path": path.encode(), "query_string": b"", "root_path": ""}
        return {"type": kind, "headers": raw, "client": (self.address, 1), **where, **more}

    def ask(self, path: str, method: str = "GET", body: bytes = b"", **headers: str | None) -> Answer:
        scope = self._scope("http", path, headers, method=method, scheme="https", server=("x", 1))
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        if "set-cookie" in told:
            self.cookie = told["set-cookie"].partition(";")[0]
        return Answer(sent[0]["status"], told, b"".join(m.get("body", b"") for m in sent[1:]))

    def post(self, path: str, origin: str | None = f"https://{HOST}", **fields: str) -> Answer:
        return self.ask(path, "POST", urlencode(fields).encode(), origin=origin)

    def socket(self, *say: Any, origin: str | None = f"https://{HOST}") -> list[Message]:
        """What comes back over a socket that says each of `say`; a callable is done in its place."""
        sent: list[Message] = []
        waiting = [{"type": "websocket.connect"}, *say]

        async def receive() -> Message:
            if not waiting:
                return {"type": "websocket.disconnect", "code": 1000}
            following = waiting.pop(0)
            if callable(following):
                following()
                return await receive()
            return (
                following if isinstance(following, dict) else {"type": "websocket.receive", "text": following}
            )

        async def send(message: Message) -> None:
            sent.append(message)

        asyncio.run(self.app(self._scope("websocket", "/_nicegui_ws/", {"origin": origin}), receive, send))
        return sent
