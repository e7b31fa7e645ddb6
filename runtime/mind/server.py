"""A language model behind an OpenAI-compatible server: vLLM, Ollama, llama.cpp, TensorRT-LLM and their like.

HTTP from the standard library: the connection has to go to an address that was judged (runtime.addresses),
follow no redirect, use no proxy, and be dropped in the middle of an answer, which is little code here and a
fight with a client's pool elsewhere. One connection a reply. Words leave the house only to a host that the
setting `consent` names, and only with https.
"""

import json
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from runtime.addresses import connect, outside
from runtime.contracts.config import DialogueSettings
from runtime.contracts.errors import ConfigError, TalkerError
from runtime.mind.chat_messages import messages
from runtime.mind.prompt import Prompt
from runtime.mind.thinking import without_thoughts

MAX_LINE_BYTES, MAX_BYTES = 65_536, 1_000_000
_TOKENS_A_WORD = 3
_CURES = {
    400: "check dialogue.model and dialogue.extra",
    401: "check dialogue.api_key_file",
    403: "check dialogue.api_key_file",
    404: "check dialogue.server and dialogue.model",
    429: "it has too much to do",
}


class ServerTalker:
    """Asks for one reply at a time, each on a connection of its own.

    ConfigError for an address or key that cannot be used, and for one outside of the house without consent.
    """

    def __init__(self, settings: DialogueSettings) -> None:
        self._settings = settings
        try:
            parts = urlsplit(settings.server)
            host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as error:
            raise ConfigError(f"dialogue.server = {settings.server!r}: {error}") from error
        if not host or parts.username or parts.query or parts.fragment:
            raise ConfigError(
                f"dialogue.server = {settings.server!r}: give http(s)://HOST:PORT and a path alone"
            )
        self._host, self._port, self._tls = host, port, parts.scheme == "https"
        self._base = (parts.path.rstrip("/") or "/v1").removesuffix("/chat/completions")
        self._key = _read_key(settings.api_key_file)
        self._model = settings.model
        self._refuse_outside()

    @property
    def may_leave_house(self) -> bool:
        """`dialogue.consent` names its host, so what is said may go there wherever it is."""
        return self._settings.consent == self._host and self._tls

    def __str__(self) -> str:
        return f"{self._model or 'the first model'} at {self._settings.server}"

    def stream(self, prompt: Prompt, *, seed: int) -> Iterator[str]:
        """See `Talker`; TalkerError tells what the server did."""
        settings = self._settings
        request = {
            "model": self._named_model(),
            "messages": messages(prompt, settings.max_words),
            "stream": True,
            "max_tokens": settings.max_words * _TOKENS_A_WORD,
            "temperature": settings.temperature,
            "seed": seed,
            **settings.extra,
        }
        with self._asked("POST", "/chat/completions", request) as response:
            kind = response.headers.get_content_type()
            pieces = _whole(response) if kind == "application/json" else _streamed(response)
            yield from without_thoughts(pieces)

    def _refuse_outside(self) -> None:
        """Told when the robot starts; every connection is judged again."""
        if self._settings.consent == self._host:
            if not self._tls:
                raise ConfigError(f"dialogue.server: {self._host} needs https, so that nobody reads along")
            return
        try:
            public = outside(self._host, self._port)
        except TalkerError:
            return  # not to be found now; it may come up later
        if public:
            raise ConfigError(
                f"dialogue.server: {self._host} leads to {public[0]}, outside of the house: what is said "
                f'would leave it. If everybody at home agrees, set dialogue.consent = "{self._host}"'
            )

    def models(self) -> list[str]:
        """What the server offers; TalkerError where it cannot be asked."""
        with self._asked("GET", "/models", None) as response:
            offered = _json(response.read(MAX_BYTES)).get("data")
        rows = offered if isinstance(offered, list) else []
        return [str(row["id"]) for row in rows if isinstance(row, dict) and row.get("id")]

    def _named_model(self) -> str:
        if not self._model:
            offered = self.models()
            if not offered:
                raise TalkerError("the server offers no model; name one in dialogue.model")
            self._model = offered[0]
        return self._model

    @contextmanager
    def _asked(self, method: str, path: str, body: dict[str, Any] | None) -> Iterator[HTTPResponse]:
        """The server's answer to a request, 200 and nothing else."""
        connection = HTTPConnection(self._host, self._port, timeout=self._settings.reply_s)
        connection.auto_open = 0  # a second connection would not be judged
        headers = {"Accept": "text/event-stream, application/json", "Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        limit = None
        try:
            connection.sock = self._connect()
            limit = _shut_after(self._settings.reply_s, connection.sock)
            connection.request(method, self._base + path, json.dumps(body) if body else None, headers)
            response = connection.getresponse()
            if response.status != 200:
                raise TalkerError(_complaint(response))
            yield response
        except TimeoutError as error:
            raise TalkerError("the server says nothing more") from error
        except (OSError, HTTPException) as error:
            raise TalkerError(f"the server breaks off ({error or type(error).__name__})") from error
        finally:
            if limit is not None:
                limit.cancel()
            connection.close()

    def _connect(self) -> socket.socket:
        settings = self._settings
        plain = connect(self._host, self._port, settings.first_sentence_s, leave_house=self.may_leave_house)
        plain.settimeout(settings.reply_s)
        if not self._tls:
            return plain
        try:
            return ssl.create_default_context().wrap_socket(plain, server_hostname=self._host)
        except OSError:
            plain.close()
            raise


def _shut_after(limit_s: float, connection: socket.socket) -> threading.Timer:
    """Ends the connection then, however slowly something still trickles in."""

    def shut() -> None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(limit_s, shut)
    timer.daemon = True
    timer.start()
    return timer


def _streamed(response: HTTPResponse) -> Iterator[str]:
    """Pieces of a stream of server-sent events, up to its end; some servers never send their [DONE]."""
    read = 0
    while line := response.readline(MAX_LINE_BYTES + 1):
        read += len(line)
        if len(line) > MAX_LINE_BYTES or read > MAX_BYTES:
            raise TalkerError("the server sends too much")
        field, _, data = line.partition(b":")
        if field != b"data" or not data.strip():
            continue
        if data.strip() == b"[DONE]":
            return
        text, ended = _choice(_json(data), "delta")
        if text:
            yield text
        if ended:
            return
    raise TalkerError("the server broke off in the middle of its answer")


def _whole(response: HTTPResponse) -> Iterator[str]:
    """The answer of a server that does not stream."""
    yield _choice(_json(response.read(MAX_BYTES)), "message")[0]


def _choice(answer: dict[str, Any], part: str) -> tuple[str, bool]:
    """(text, whether that was the last of it); thoughts that a server keeps apart are passed over."""
    if answer.get("error"):
        raise TalkerError(f"the server reports {_short(answer['error'])}")
    choices = answer.get("choices")
    if not choices:
        return "", False  # usage figures, a sign of life
    try:
        content, reason = choices[0][part].get("content"), choices[0].get("finish_reason")
    except (TypeError, KeyError, IndexError, AttributeError) as error:
        raise TalkerError(f"the server answers in a form that is none ({_short(answer)})") from error
    if reason == "content_filter":
        raise TalkerError("the server held its own answer back")
    return content if isinstance(content, str) else "", bool(reason)


def _json(data: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(data)
    except ValueError as error:
        raise TalkerError(f"the server's answer is no JSON ({_short(data)})") from error
    if not isinstance(answer, dict):
        raise TalkerError(f"the server answers in a form that is none ({_short(answer)})")
    return answer


def _complaint(response: HTTPResponse) -> str:
    if 300 <= response.status < 400:
        return f"the server sends elsewhere ({response.status}), which is not followed; check dialogue.server"
    body = response.read(2_000)
    cure = _CURES.get(response.status, "see its own log")
    return f"the server answers {response.status} {response.reason}: {_short(body)}; {cure}"


def _short(what: object) -> str:
    text = what.decode(errors="replace") if isinstance(what, bytes) else str(what)
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:120]


def _read_key(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        key = path.expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"dialogue.api_key_file = {path}: cannot be read ({error})") from error
    if not key or not key.isascii() or len(key.split()) != 1:
        raise ConfigError(f"dialogue.api_key_file = {path}: holds no key, one word on one line")
    if os.name == "posix" and path.expanduser().stat().st_mode & 0o077:
        raise ConfigError(f"dialogue.api_key_file = {path}: others may read it; type: chmod 600 {path}")
    return key
