"""Typed conversations: what is shown, what the slash words do, and a server's model in it."""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime import starter
from runtime.chat import COMMANDS, Chat, converse
from runtime.cli import main
from runtime.mind.conversation import Conversation
from tests.fakes.chat_server import chat_server
from tests.fakes.talkers import ScriptedTalker

OPEN_TALK = "my grandmother bought three green umbrellas"


def chat(*texts: str, **options: bool) -> tuple[Chat, ScriptedTalker]:
    talker, facts = ScriptedTalker(*texts), []
    pet = Conversation(starter.load_pack(), talker=talker, recall=lambda heard: facts)
    return Chat(pet, "Buddy", facts, **options), talker


def test_words_to_stdout_and_remarks_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    talk, _ = chat("I like balls. And sticks.")
    converse(talk, iter([f"{OPEN_TALK}\n", "\n", "stop\n"]))
    said, remarks = capsys.readouterr()
    first, second = said.splitlines()
    assert first == "Buddy: I like balls. And sticks."
    assert second.startswith("Buddy: ")
    assert "words by model, open talk" in remarks
    assert "does halt; words by lines, the body is to hold" in remarks


def test_the_model_hears_what_was_said_before_and_the_facts(capsys: pytest.CaptureFixture[str]) -> None:
    talk, talker = chat("I like balls.", "I like sticks.")
    converse(talk, iter([OPEN_TALK, "/fact my sister is called anna", OPEN_TALK, "/prompt"]))
    assert talker.prompts[1].history == ((OPEN_TALK, "I like balls."),)
    assert talker.prompts[1].facts == ("my sister is called anna",)
    assert "<fact>my sister is called anna" in capsys.readouterr().err


@pytest.mark.parametrize("word", [*COMMANDS, "nonsense"])
def test_every_slash_word_works_before_and_after_a_turn(
    word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    talk, _ = chat("I like balls.")
    converse(talk, iter([f"/{word}"]))
    talk.open = True
    converse(talk, iter(["hello", f"/{word}"]))
    assert "Buddy: " in capsys.readouterr().out


def test_reset_forgets(capsys: pytest.CaptureFixture[str]) -> None:
    talk, talker = chat("I like balls.", "I like sticks.")
    converse(talk, iter([OPEN_TALK, "/fact x", "/reset", OPEN_TALK]))
    assert (talker.prompts[1].history, talker.prompts[1].facts) == ((), ())


def test_ctrl_c_interrupts_the_pet_and_not_the_conversation(capsys: pytest.CaptureFixture[str]) -> None:
    class Impatient(Conversation):
        def speak(self, turn):  # type: ignore[no-untyped-def]
            telling = super().speak(turn)

            class Interrupted:
                said, by, why = telling.said, telling.by, telling.why
                stop = telling.stop

                def __iter__(self) -> Iterator[str]:
                    yield next(iter(telling))
                    raise KeyboardInterrupt

            return Interrupted()

    pet = Impatient(starter.load_pack(), talker=ScriptedTalker("I like balls. And sticks."))
    converse(Chat(pet, "Buddy"), iter([OPEN_TALK, "/history"]))
    out, remarks = capsys.readouterr()
    assert out.strip() == "Buddy: I like balls."
    assert "Buddy: I like balls.\n" in remarks


def test_as_a_command_with_a_server(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{OPEN_TALK}\nsit down\n"))
    with chat_server(lambda h: h.events("I like ", "balls.")) as server:
        assert main(["chat", "--json", "--server", server.url, "--model", "one"]) == 0
    first, second = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (first["reply"], first["by"], first["intent"]) == ("I like balls.", "model", None)
    assert first["timings_ms"]["first_sentence_ms"] <= first["timings_ms"]["whole_ms"]
    assert (second["by"], second["action"]) == ("lines", "sit")


def test_bytes_that_are_no_text_stop_no_conversation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = b"remember that I like \xff\xfe tea\nremember that\x00 I like\x1b soup\nwhat do I like\n"
    stdin = io.TextIOWrapper(io.BytesIO(lines), "utf-8", errors="surrogateescape")
    monkeypatch.setattr(sys, "stdin", stdin)
    where = ["--set", "memory.enabled=true", "--set", f'memory.path="{tmp_path / "memory"}"']
    assert main(["chat", *where]) == 0
    said = capsys.readouterr().out
    assert "tea" in said.splitlines()[-1]
    assert "soup" in said.splitlines()[-1]
    assert "\x1b" not in said
    assert main(["memory", "add", "I like \udcff rain", *where]) == 0


def test_say_tells_who_answered(capsys: pytest.CaptureFixture[str]) -> None:
    with chat_server(lambda h: h.events("I like balls.")) as server:
        assert main(["say", OPEN_TALK, "--set", f"dialogue.server={server.url}"]) == 0
    assert "words by: model (open talk)" in capsys.readouterr().out


def test_a_server_outside_of_the_house_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["say", "hello", "--server", "http://8.8.8.8"]) == 1
    assert (
        "everpaw: dialogue.server: 8.8.8.8 leads to 8.8.8.8, outside of the house" in capsys.readouterr().err
    )
