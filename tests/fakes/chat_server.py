"""A chat server on this machine that answers as it is told, over real HTTP."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Keeps what was asked and lets the test's function answer."""

    protocol_version = "HTTP/1.1"
    server: "ChatServer"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, dict(self.headers), body))
        self.server.answer(self)

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers), None))
        self.whole({"data": [{"id": "small-one"}]})

    def whole(self, answer: Any, status: int = 200, **headers: str) -> None:
        """`answer` as JSON (bytes as they are), and the connection ends."""
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Connection": "close", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def begin_events(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def events(self, *pieces: str, ends: bool = True, wait_s: float = 0.0) -> None:
        """A stream as vLLM sends it."""
        self.begin_events()
        for piece in pieces:
            time.sleep(wait_s)
            self.event({"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]})
        if ends:
            self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
            self.raw(b"data: [DONE]\n\n")

    def event(self, answer: Any) -> None:
        self.raw(b"data: " + json.dumps(answer).encode() + b"\n\n")

    def raw(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()

    def log_message(self, *words: object) -> None:
        """Nothing on stderr."""

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.server.hung_up.set()  # the client left in the middle, which some tests want


class ChatServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.hung_up = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def chat_server(answer: Answer) -> Iterator[ChatServer]:
    server = ChatServer(answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
