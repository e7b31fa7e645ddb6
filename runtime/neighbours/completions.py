"""`everpaw openai`: talk with the pet for whatever speaks the OpenAI API, as chat programs do.

Each request brings its whole conversation along, and nothing of it stays. The pet answers as its pack's
persona; a client's system prompt makes no other animal of it. It has neither memory nor body here: what it is
told is not remembered, what it remembers is not told, and nothing moves.
"""

import argparse
import asyncio
import hmac
import json
import sys
import threading
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

import uvicorn
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from runtime import starter
from runtime.actions import text_of
from runtime.broker import require_free
from runtime.contracts.errors import ConfigError
from runtime.mind.conversation import Conversation, Turn
from runtime.typed import typed

HOST, PORT = "127.0.0.1", 8435
MAX_BODY_BYTES = 1_000_000
MAX_WAITING = 8
"""Requests at a time; the pet answers one after another"""
LEAST_KEY = 16


class Part(BaseModel):
    """A piece of a message; what is no text is left out."""

    type: str = "text"
    text: str = ""


class Said(BaseModel):
    model_config = ConfigDict(extra="ignore")
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return typed(" ".join(part.text for part in self.content if part.type == "text"))
        return typed(self.content or "")


class Asked(BaseModel):
    """The part of the API's request that a pet heeds."""

    model_config = ConfigDict(extra="ignore")
    messages: Annotated[list[Said], Field(min_length=1, max_length=400)]
    stream: bool = False


class Talk:
    """One pet for all who ask, one after another."""

    def __init__(self, pet: Conversation) -> None:
        self.pet = pet
        self.waiting = 0
        self._lock = threading.Lock()

    async def answer(self, messages: Sequence[Said]) -> AsyncIterator[str | Turn]:
        """The reply's sentences as they are found, and the turn at the end."""
        loop, found = asyncio.get_running_loop(), asyncio.Queue[str | Turn | Exception]()
        self.waiting += 1

        def work() -> None:
            try:
                with self._lock:
                    self._answer(messages, lambda one: loop.call_soon_threadsafe(found.put_nowait, one))
            except Exception as error:  # told to whoever waits for it
                loop.call_soon_threadsafe(found.put_nowait, error)

        working = loop.run_in_executor(None, work)
        try:
            while True:
                one = await found.get()
                if isinstance(one, Exception):
                    raise one
                yield one
                if isinstance(one, Turn):
                    return
        finally:
            await working
            self.waiting -= 1

    def _answer(self, messages: Sequence[Said], tell: Any) -> None:
        self.pet.reset()
        heard: str | None = None
        for before in messages[:-1]:
            if before.role == "user":
                heard = before.text
            elif before.role == "assistant" and heard is not None:
                self.pet.history.add(heard, before.text, lambda: 1.0)
                heard = None
        turn = self.pet.take(messages[-1].text, 1.0)
        telling = self.pet.speak(turn)
        for sentence in telling:
            tell(sentence)
        tell(turn.told(telling))
        self.pet.reset()


def application(talk: Talk, hosts: Sequence[str], key: str = "") -> Starlette:
    """`hosts` are the names it is reached by; with a `key` whoever asks must bear it."""
    name = talk.pet.name.lower()

    def refused(request: Request) -> Response | None:
        if (request.url.hostname or "") not in hosts:
            return _error(421, "it is not served under this name")  # a site of the web whose name leads here
        given = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
        if key and not hmac.compare_digest(given, key.encode()):
            return _error(401, "the key is not the one it was started with")
        return None

    async def models(request: Request) -> Response:
        told = {"id": name, "object": "model", "created": 0, "owned_by": "everpaw"}
        return refused(request) or JSONResponse({"object": "list", "data": [told]})

    async def completions(request: Request) -> Response:
        if no := refused(request):
            return no
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return _error(415, "send application/json")  # what a foreign page's form cannot
        try:
            asked = Asked.model_validate_json(await _body(request))
        except (ValidationError, ValueError) as error:
            first = error.errors()[0] if isinstance(error, ValidationError) else {"msg": str(error)}
            where = ".".join(map(str, first.get("loc", ())))
            return _error(400, f"{where}: {first['msg']}" if where else str(first["msg"]))
        if asked.messages[-1].role != "user":
            return _error(400, "messages: the last one must be the user's")
        if talk.waiting >= MAX_WAITING:
            return _error(429, "others are talking with it; try again in a moment")
        if asked.stream:
            return StreamingResponse(_stream(talk, asked, name), media_type="text/event-stream")
        return JSONResponse(await _whole(talk, asked, name))

    return Starlette(
        routes=[
            Route("/v1/models", models),
            Route("/v1/chat/completions", completions, methods=["POST"]),
        ]
    )


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise ValueError(f"more than {MAX_BODY_BYTES} bytes")
    return body


async def _whole(talk: Talk, asked: Asked, name: str) -> dict[str, Any]:
    text, more = "", {}
    async for one in talk.answer(asked.messages):
        if isinstance(one, Turn):
            more = _told(one)
        else:
            text = f"{text} {one}".strip()
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    return {**_head(name, "chat.completion"), "choices": [choice], "everpaw": more}


async def _stream(talk: Talk, asked: Asked, name: str) -> AsyncIterator[str]:
    head, first = _head(name, "chat.completion.chunk"), True

    def line(delta: dict[str, str], finish: str | None = None, **more: object) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return f"data: {json.dumps({**head, 'choices': [choice], **more}, ensure_ascii=False)}\n\n"

    yield line({"role": "assistant", "content": ""})
    async for one in talk.answer(asked.messages):
        if isinstance(one, Turn):
            yield line({}, "stop", everpaw=_told(one))
        else:
            yield line({"content": one if first else f" {one}"})
            first = False
    yield "data: [DONE]\n\n"


def _head(name: str, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": name}


def _told(turn: Turn) -> dict[str, str | None]:
    """What else a turn was, beside the API's own fields: what a body would have done, and how it felt."""
    act, understood = turn.reply.act, turn.understanding.intent
    return {"intent": understood, "act": act.name if act else None, "mood": turn.mood, "by": turn.reply.by}


def _error(status: int, message: str) -> Response:
    kind = "invalid_request_error" if status < 500 else "server_error"
    return JSONResponse({"error": {"message": message, "type": kind, "param": None, "code": None}}, status)


def main(argv: list[str]) -> int:
    """`everpaw openai`."""
    parser = argparse.ArgumentParser(
        prog="everpaw openai", description="Talk with the pet by the OpenAI API, for chat programs."
    )
    parser.add_argument("--host", default=HOST, type=_address, help="where it listens; beyond this computer")
    parser.add_argument("--port", default=PORT, type=int)
    parser.add_argument("--name", action="append", default=[], help="a name under which it is reached")
    parser.add_argument(
        "--key-file", type=Path, help="the key that whoever asks must bear; needed with --host"
    )
    parser.add_argument("--pack", type=Path, help="folder of a pack; the starter where not given")
    args = parser.parse_args(argv)
    key = _key(args.key_file)
    if not key and not ip_address(args.host).is_loopback:
        raise ConfigError(
            f"--host {args.host} is open to others; write a key into a file and name it: --key-file FILE"
        )
    require_free(args.port, args.host)
    pet = Conversation(starter.load_pack(args.pack))
    hosts = ("localhost", "127.0.0.1", "::1", args.host, *args.name)
    print(
        f"everpaw: {pet.name} talks at http://{args.host}:{args.port}/v1 ; Ctrl-C ends",
        file=sys.stderr,
        flush=True,
    )
    uvicorn.run(
        application(Talk(pet), hosts, key),
        host=args.host,
        port=args.port,
        log_level="error",
        server_header=False,
    )
    return 0


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no address; give one, as 192.168.1.20") from None


def _key(file: Path | None) -> str:
    key = text_of(file).strip() if file else ""
    if file and len(key) < LEAST_KEY:
        raise ConfigError(f"the key in {file} has {len(key)} letters; {LEAST_KEY} at least")
    return key
