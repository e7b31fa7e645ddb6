"""A language model behind a server, over real HTTP: what it is told and says, and all the ways to fail."""

import logging
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime import addresses, starter
from runtime.contracts.config import DialogueSettings
from runtime.contracts.errors import ConfigError, TalkerError
from runtime.mind.conversation import Conversation
from runtime.mind.dialogue import Reply
from runtime.mind.prompt import Prompt
from runtime.mind.replying import Speaking
from runtime.mind.server import MAX_LINE_BYTES, ServerTalker
from tests.fakes.chat_server import Answer, Handler, chat_server

PROMPT = Prompt(
    name="Buddy",
    heard="what do you like",
    card=("I love my red ball.",),
    facts=("my sister is called Anna",),
    history=(("hello", "Hi there!"),),
    mood="happy",
    act="shake_paw",
)
LINE = "Hm?"
OPEN_TALK = "my grandmother bought three green umbrellas"


def replied(
    answer: Answer, prompt: Prompt = PROMPT, path: str = "", **settings: Any
) -> tuple[str, list[Any]]:
    with chat_server(answer) as server:
        chosen = DialogueSettings(server=server.url + path, model=settings.pop("model", "one"), **settings)
        return "".join(ServerTalker(chosen).stream(prompt, seed=3)), server.asked


def test_a_streamed_reply() -> None:
    text, [(path, headers, body)] = replied(lambda h: h.events("I love ", "my red ", "ball."))
    assert text == "I love my red ball."
    assert path == "/v1/chat/completions"
    assert "Authorization" not in headers
    assert body["model"] == "one"
    assert (body["stream"], body["seed"], body["max_tokens"], body["temperature"]) == (True, 3, 120, 0.7)


def test_what_the_model_is_told() -> None:
    _, [(_, _, body)] = replied(lambda h: h.events("Hi."))
    system, *turns = body["messages"]
    assert turns == [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": "Hi there!"},
        {"role": "user", "content": "what do you like"},
    ]
    assert system["role"] == "system"
    for words in (
        "Buddy",
        "I love my red ball.",
        "my sister is called Anna.",
        "happy",
        "shake paw",
        "40 words",
    ):
        assert words in system["content"]


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("", "/v1/chat/completions"),
        ("/", "/v1/chat/completions"),
        ("/v1", "/v1/chat/completions"),
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/api/openai/", "/api/openai/chat/completions"),
    ],
)
def test_where_it_is_asked(path: str, asked: str) -> None:
    assert replied(lambda h: h.events("Hi."), path=path)[1][0][0] == asked


def test_the_first_model_where_none_is_named() -> None:
    _, [listed, talked] = replied(lambda h: h.events("Hi."), model="")
    assert (listed[0], talked[2]["model"]) == ("/v1/models", "small-one")


def test_key_and_further_fields(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("secret\n")
    key.chmod(0o600)
    extra = {"top_p": 0.5, "max_tokens": 9}
    _, [(_, headers, body)] = replied(lambda h: h.events("Hi."), api_key_file=key, extra=extra)
    assert headers["Authorization"] == "Bearer secret"
    assert (body["top_p"], body["max_tokens"]) == (0.5, 9)


@pytest.mark.parametrize("content", ["", " ", "two words", "späßchen", None])
def test_a_key_that_is_none(tmp_path: Path, content: str | None) -> None:
    key = tmp_path / "key"
    if content is not None:
        key.write_text(content, "utf-8")
        key.chmod(0o600)
    with pytest.raises(ConfigError, match="api_key_file"):
        ServerTalker(DialogueSettings(server="http://127.0.0.1:1", api_key_file=key))


def test_a_key_that_others_can_read(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("secret")
    key.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        ServerTalker(DialogueSettings(server="http://127.0.0.1:1", api_key_file=key))


def whole(h: Handler) -> None:
    h.whole({"choices": [{"message": {"content": "I love my ball."}, "finish_reason": "stop"}]})


def without_done(h: Handler) -> None:
    h.begin_events()
    h.event({"choices": [{"delta": {"role": "assistant", "content": None}}]})
    h.event({"choices": [{"delta": {"content": "I love my ball."}, "finish_reason": "length"}]})
    time.sleep(0.3)


def loosely(h: Handler) -> None:
    h.begin_events()
    h.raw(b": a comment\r\n\r\nevent: message\r\nid: 1\r\n")
    h.raw(b'data:{"choices":[],"usage":{"total_tokens":3}}\r\n\r\ndata: \r\n\r\n')
    for part in (
        b'data: {"choices":[{"delta":{"con',
        b'tent":"I love ',
        b'my ball."}}]}\n\ndata: [DONE]\n\n',
    ):
        h.raw(part)
        time.sleep(0.02)


def thinking(h: Handler) -> None:
    h.begin_events()
    h.event({"choices": [{"delta": {"reasoning_content": "They ask what I love."}}]})
    for piece in ("<thi", "nk>Well, ", "a ball</", "think>I love", " my ball.", "<"):
        h.event({"choices": [{"delta": {"content": piece}}]})
    h.raw(b"data: [DONE]\n\n")


@pytest.mark.parametrize("answer", [whole, without_done, loosely])
def test_servers_differ(answer: Answer) -> None:
    assert replied(answer)[0] == "I love my ball."


def test_thoughts_are_not_said() -> None:
    assert replied(thinking)[0] == "I love my ball.<"


def speaking(settings: DialogueSettings) -> Speaking:
    return Speaking(settings, lambda what, mood: "", ServerTalker(settings))


def told_by(pet: Speaking) -> tuple[str, str]:
    telling = pet.begin(Reply(LINE, by="model", prompt=PROMPT), "calm")
    return " ".join(telling), telling.by


def status(code: int, body: Any = b"", **headers: str) -> Answer:
    return lambda h: h.whole(body, code, **headers)


def cut_off(h: Handler) -> None:
    h.events("I love my ball. And al", ends=False)


def error_event(h: Handler) -> None:
    h.begin_events()
    h.event({"error": {"message": "out of memory"}})


def malformed(h: Handler) -> None:
    h.begin_events()
    h.raw(b'data: {"choices": [{"delta": {"content": "I lo\n\n')


def strange(h: Handler) -> None:
    h.begin_events()
    h.event({"choices": [7]})


def endless_line(h: Handler) -> None:
    h.begin_events()
    h.raw(b"data: " + b"x" * (MAX_LINE_BYTES + 10) + b"\n\n")


def reset(h: Handler) -> None:
    h.close_connection = True
    h.connection.shutdown(socket.SHUT_RDWR)


def filtered(h: Handler) -> None:
    h.begin_events()
    h.event({"choices": [{"delta": {}, "finish_reason": "content_filter"}]})


FAILURES: list[tuple[Answer, str]] = [
    (status(401, {"error": {"message": "bad key"}}), r"401 .*bad key.*api_key_file"),
    (status(403), r"403 .*api_key_file"),
    (status(404, b"model not found"), r"404 .*model not found.*dialogue\.model"),
    (status(400, b"unknown field seed"), r"400 .*unknown field.*dialogue\.extra"),
    (status(429), r"429 .*too much to do"),
    (status(500, b"<html>oh\nno</html>"), r"500 .*<html>oh no</html>; see its own log"),
    (status(307, Location="http://127.0.0.1:1/"), "sends elsewhere .*not followed"),
    (status(200, b"no json"), "no JSON"),
    (status(200, b"[1]"), "form that is none"),
    (cut_off, "in the middle"),
    (error_event, "reports .*out of memory"),
    (malformed, "no JSON"),
    (strange, "form that is none"),
    (endless_line, "too much"),
    (reset, "breaks off"),
    (filtered, "held its own answer back"),
]


@pytest.mark.parametrize(("answer", "told"), FAILURES)
def test_every_failure_is_told_and_a_line_is_said_instead(
    answer: Answer, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(TalkerError, match=told):
        replied(answer)
    with chat_server(answer) as server, caplog.at_level(logging.WARNING):
        said, by = told_by(speaking(DialogueSettings(server=server.url, model="one")))
    # What came before the break stands.
    assert (said, by) == (("I love my ball.", "model") if answer is cut_off else (LINE, "lines"))
    assert len(caplog.records) == 1


def test_a_server_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings = DialogueSettings(server=f"http://127.0.0.1:{port}", model="one")
    with pytest.raises(TalkerError, match="does not answer"):
        list(ServerTalker(settings).stream(PROMPT, seed=1))
    assert told_by(speaking(settings)) == (LINE, "lines")


def silent(h: Handler) -> None:
    time.sleep(1.5)


def trickling(h: Handler) -> None:
    h.begin_events()
    for _ in range(200):
        h.raw(b":")
        time.sleep(0.02)


def slow_words(h: Handler) -> None:
    h.events(*["word "] * 60, wait_s=0.05)


@pytest.mark.parametrize("answer", [silent, trickling, slow_words])
def test_a_slow_server_is_not_waited_for(answer: Answer) -> None:
    others = _talkers()  # of conversations that nobody listened to to their end
    with chat_server(answer) as server:
        settings = DialogueSettings(server=server.url, model="one", first_sentence_s=0.3, reply_s=0.6)
        began = time.monotonic()
        assert told_by(speaking(settings)) == (LINE, "lines")
        assert time.monotonic() - began < 1.2
        deadline = time.monotonic() + 3
        while set(_talkers()) - set(others) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not set(_talkers()) - set(others)


def _talkers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "talker"]


def test_hanging_up_in_the_middle_ends_the_servers_work() -> None:
    with chat_server(lambda h: h.events(*["I like balls. "] * 10_000, wait_s=0.001)) as server:
        stream = ServerTalker(DialogueSettings(server=server.url, model="one")).stream(PROMPT, seed=1)
        assert next(stream) == "I like balls. "
        stream.close()  # type: ignore[attr-defined]
        assert server.hung_up.wait(5)


def test_unsafe_words_of_a_server_are_not_said() -> None:
    with chat_server(lambda h: h.events("I am alive! ", "Please stay.")) as server:
        settings = DialogueSettings(server=server.url, model="one")
        turn = Conversation(starter.load_pack(), settings=settings).read(OPEN_TALK)
    assert turn.reply.by == "rule"
    assert "robot" in turn.reply.text or "machine" in turn.reply.text


def lookup_of(*found: str) -> Callable[[str, int], list[tuple[Any, ...]]]:
    return lambda host, port: [(0, 0, 0, "", (address, port)) for address in found]


@pytest.mark.parametrize(
    ("server", "consent", "told"),
    [
        ("https://api.example.com/v1", "", r"93\.184\.216\.34, outside .*consent = \"api\.example\.com\""),
        ("https://api.example.com/v1", "other.example.com", "outside"),
        ("https://api.example.com/v1", "example.com", "outside"),
        ("http://api.example.com/v1", "api.example.com", "https"),
        ("http://93.184.216.34", "", "outside"),
        ("http://8.8.8.8:11434", "", "outside"),
    ],
)
def test_nothing_leaves_the_house_without_consent(
    server: str, consent: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        addresses.socket, "getaddrinfo", lambda host, port, **_: lookup_of("93.184.216.34")(host, port)
    )
    with pytest.raises(ConfigError, match=told):
        ServerTalker(DialogueSettings(server=server, consent=consent))


def test_with_consent_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        addresses.socket, "getaddrinfo", lambda host, port, **_: lookup_of("93.184.216.34")(host, port)
    )
    ServerTalker(DialogueSettings(server="https://api.example.com", consent="api.example.com"))


def test_a_name_that_moves_out_after_the_start_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = ["127.0.0.1"]
    monkeypatch.setattr(
        addresses.socket, "getaddrinfo", lambda host, port, **_: lookup_of(*found)(host, port)
    )
    dialled: list[Any] = []
    monkeypatch.setattr(addresses.socket, "create_connection", lambda to, _: dialled.append(to))
    talker = ServerTalker(DialogueSettings(server="http://pet.home:80", model="one"))
    found[:] = ["93.184.216.34"]
    with pytest.raises(TalkerError, match="outside of the house"):
        list(talker.stream(PROMPT, seed=1))
    assert dialled == []


@pytest.mark.parametrize(
    "server",
    ["http://:80", "http://x:99999", "http://user:pw@pet", "http://pet/?a=b", "http://pet/#x", "http://[::1"],
)
def test_an_address_that_is_none(server: str) -> None:
    with pytest.raises(ConfigError, match=r"dialogue\.server"):
        ServerTalker(DialogueSettings(server=server))
