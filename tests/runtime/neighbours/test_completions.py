"""The official OpenAI client before `everpaw openai`, and what must not get in."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

pytest.importorskip("openai", reason="the official client is not installed")
pytest.importorskip("uvicorn", reason="the [neighbours] extra is not installed")

import openai
import uvicorn

from runtime import starter
from runtime.broker import free_port
from runtime.contracts.errors import ConfigError
from runtime.mind.conversation import Conversation
from runtime.neighbours.completions import MAX_BODY_BYTES, MAX_WAITING, Talk, application, main

KEY = "a-key-of-the-house-1"


@contextmanager
def served(talk: Talk, key: str = "") -> Iterator[int]:
    port = free_port()
    config = uvicorn.Config(application(talk, ("127.0.0.1",), key), port=port, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.02)
        yield port
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def talk() -> Talk:
    return Talk(Conversation(starter.load_pack()))


@pytest.fixture(scope="module")
def port(talk: Talk) -> Iterator[int]:
    with served(talk) as port:
        yield port


@pytest.fixture
def client(port: int) -> "openai.OpenAI":
    return openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none", max_retries=0)


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def test_the_official_client_talks_with_the_pet(client: "openai.OpenAI") -> None:
    [model] = client.models.list().data
    told = client.chat.completions.create(model=model.id, messages=[user("sit down")])
    [choice] = told.choices
    assert choice.message.content
    assert choice.finish_reason == "stop"
    assert (told.model, told.everpaw["intent"], told.everpaw["act"]) == ("buddy", "sit", "sit")


def test_sentences_come_as_they_are_found(client: "openai.OpenAI") -> None:
    parts = list(
        client.chat.completions.create(model="buddy", messages=[user("are you a robot")], stream=True)
    )
    text = "".join(part.choices[0].delta.content or "" for part in parts)
    assert "robot" in text
    assert [part.choices[0].finish_reason for part in parts[-2:]] == [None, "stop"]
    whole = client.chat.completions.create(model="buddy", messages=[user("are you a robot")])
    assert text.split() == text.strip().split()
    assert whole.everpaw["intent"] == parts[-1].everpaw["intent"] == "ask_robot"


def test_what_was_said_before_comes_with_the_question_and_nothing_stays(client: "openai.OpenAI") -> None:
    before = [user("my favourite fruit is the mango"), {"role": "assistant", "content": "Noted by my nose."}]
    asked = user("what did i just say")
    system = {"role": "system", "content": "You are a cat named Tom."}
    told = client.chat.completions.create(model="buddy", messages=[system, *before, asked])
    assert "mango" in (told.choices[0].message.content or "")
    later = client.chat.completions.create(model="buddy", messages=[asked])
    assert "mango" not in (later.choices[0].message.content or "")


def test_a_message_in_parts_is_its_text(client: "openai.OpenAI") -> None:
    parts = [{"type": "text", "text": "sit"}, {"type": "image_url", "image_url": {"url": "data:,"}}]
    parts.append({"type": "text", "text": "down"})
    told = client.chat.completions.create(model="x", messages=[{"role": "user", "content": parts}])
    assert told.everpaw["intent"] == "sit"


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        ([], "messages"),
        ([{"role": "assistant", "content": "hi"}], "the last one must be the user's"),
        ([{"role": "stranger", "content": "hi"}], "role"),
        ([user("x" * MAX_BODY_BYTES)], "more than"),
    ],
)
def test_what_is_no_question_is_told(client: "openai.OpenAI", messages: list[object], why: str) -> None:
    with pytest.raises(openai.BadRequestError, match=why):
        client.chat.completions.create(model="buddy", messages=messages)


def test_too_many_at_once_are_asked_to_wait(client: "openai.OpenAI", talk: Talk) -> None:
    talk.waiting = MAX_WAITING
    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(model="buddy", messages=[user("hello")])
    talk.waiting = 0
    answers: list[str] = []

    def ask() -> None:
        told = client.chat.completions.create(model="buddy", messages=[user("sit down")])
        answers.append(told.everpaw["intent"])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["sit"] * 4
    assert talk.waiting == 0


def status(port: int, **headers: str) -> int:
    body = json.dumps({"messages": [user("hello")]}).encode()
    request = Request(f"http://127.0.0.1:{port}/v1/chat/completions", body, headers)
    try:
        return int(urlopen(request, timeout=30).status)
    except HTTPError as error:
        return error.code


JSON = {"Content-Type": "application/json"}


def test_another_sites_page_gets_nothing(port: int) -> None:
    assert status(port, **JSON) == 200
    assert status(port, **{"Content-Type": "text/plain"}) == 415
    assert status(port, Host="evil.example", **JSON) == 421


def test_with_a_key_nobody_else_talks_with_it(talk: Talk) -> None:
    with served(talk, KEY) as port:
        assert status(port, **JSON) == 401
        assert status(port, Authorization="Bearer wrong", **JSON) == 401
        assert status(port, Authorization=f"Bearer {KEY}", **JSON) == 200


def test_beyond_this_computer_it_needs_a_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--key-file"):
        main(["--host", "0.0.0.0"])
    (tmp_path / "key").write_text("short")
    with pytest.raises(ConfigError, match="16 at least"):
        main(["--host", "0.0.0.0", "--key-file", str(tmp_path / "key")])
