"""`everpaw memory`, typed."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from runtime.cli import main
from runtime.mind.memory import consent, proof
from runtime.mind.memory.store import DATABASE, Store


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*words: str) -> list[dict[str, Any]]:
        where = ["--json", "--set", f'memory.path="{tmp_path / "memory"}"']
        assert main(["memory", words[0], *where, *words[1:]]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return call


def failing(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["memory", words[0], "--set", f'memory.path="{folder}"', *words[1:]]) == 1
    error = capsys.readouterr().err
    assert error.startswith("everpaw: ")
    assert error.count("\n") == 1
    return error


def test_from_consent_to_erasure(run: Any, tmp_path: Path) -> None:
    assert run("list") == []
    assert not (tmp_path / "memory").exists()
    assert run("allow")[0]["allowed"] is True
    [row] = run("add", "my sister is called Anna")
    assert (row["text"], row["outcome"]) == ("my sister is called Anna", "new")
    assert run("add", "my sister is Hanna")[0]["outcome"] == "replaced"
    run("add", "I like Zwetschgenkuchen", "--person", "Tom")
    rows = run("list")
    assert [(r["person"], r["text"]) for r in rows] == [
        ("owner", "my sister is called Hanna"),
        ("tom", "I like Zwetschgenkuchen"),
    ]
    assert len(run("list", "--person", "tom")) == 1
    assert run("correct", str(rows[0]["number"]), "Johanna")[0]["text"] == "my sister is called Johanna"
    [shown] = run("show", str(rows[1]["number"]))
    assert (shown["subject"], shown["relation"], shown["value"]) == ("I", "like", "Zwetschgenkuchen")
    assert run("rotate") == [{"sealed": 2}]
    assert len(run("export")[0]["facts"]) == 2
    assert run("forget", "--about", "my sister") == [{"forgotten": 1}]
    assert len(run("list")) == 1
    rows_before = {path.read_bytes() for path in (tmp_path / "memory").glob(DATABASE)}
    assert rows_before
    [erased] = run("erase", "--yes")
    assert (erased["erased"], erased["hits"]) == (1, 0)
    assert erased["searched_for"] > 1
    assert run("list") == []


def test_an_export_is_whole_and_reads_back(run: Any, tmp_path: Path) -> None:
    run("allow")
    for sentence in ("my sister is called Anna", "we live in Kiel", "the key is under the mat"):
        run("add", sentence)
    exported = run("export")[0]
    file = tmp_path / "facts.json"
    file.write_text(json.dumps(exported))
    assert run("import", str(file)) == [{"imported": 0, "known": 3}]
    run("erase", "--yes")
    assert run("import", str(file)) == [{"imported": 3, "known": 0}]
    assert run("export")[0] == exported


def test_an_erasure_that_finds_something_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A copy that somebody laid beside: the proof must see it."""
    folder = tmp_path / "memory"
    main(["memory", "allow", "--set", f'memory.path="{folder}"'])
    main(["memory", "add", "I like Zwetschgenkuchen", "--set", f'memory.path="{folder}"'])
    (folder / "copy").write_bytes((folder / DATABASE).read_bytes())
    capsys.readouterr()
    assert "traces are left" in failing(folder, capsys, "erase", "--yes")
    (folder / "copy").write_text("somebody likes zwetschgenkuchen")
    assert proof.search(folder, [b"zwetschgenkuchen"]).hits == 1


def test_erasing_asks_first(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run("allow")
    run("add", "I like tea")
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    assert run("erase") == [{"erased": 0}]
    assert len(run("list")) == 1


def test_what_was_spoilt_can_still_be_erased(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Store(tmp_path)
    (tmp_path / DATABASE).write_bytes(b"noise")
    assert "damaged" in failing(tmp_path, capsys, "list")
    assert main(["memory", "erase", "--yes", "--set", f'memory.path="{tmp_path}"']) == 0
    assert not (tmp_path / DATABASE).exists()


def test_a_spoilt_consent_is_mended_as_its_error_says(
    run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("allow")
    run("add", "I like tea")
    (tmp_path / "memory" / consent.FILE).write_text("{")
    assert "type: everpaw memory allow" in failing(tmp_path / "memory", capsys, "add", "I like soup")
    run("allow")
    assert run("add", "I like soup")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["add", "I like tea"], "memory allow"),
        (["show", "7"], "memory list"),
        (["correct", "7", "tea"], "memory list"),
        (["forget", "7"], "memory list"),
        (["forget"], "--about"),
        (["correct", "1", ""], "is no value"),
        (["correct", "1", "a" * 300], "1 to 240 letters"),
        (["add", "I like tea", "--person", "a" * 41], "at most 40 letters"),
        (["import", "nowhere.json"], "nothing was changed"),
    ],
)
def test_what_is_wrong_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], expected: str
) -> None:
    where = ["--set", f'memory.path="{tmp_path}"']
    if words[0] == "import" or words[:2] == ["correct", "1"] or "--person" in words:
        main(["memory", "allow", *where])
        main(["memory", "add", "I like soup", *where])
        capsys.readouterr()
    assert expected in failing(tmp_path, capsys, *words)


@pytest.mark.parametrize("text", ["{}", "[]", '{"facts": [{"subject": ""}]}', '{"facts": 3}', "\x00"])
def test_a_bad_import_changes_nothing(
    run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    run("allow")
    run("add", "I like tea")
    (tmp_path / "bad.json").write_text(text)
    assert "no export" in failing(tmp_path / "memory", capsys, "import", str(tmp_path / "bad.json"))
    assert len(run("list")) == 1


@pytest.mark.parametrize("sentence", ["my pin is 1234", "the password is swordfish"])
def test_secrets_are_refused(
    run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], sentence: str
) -> None:
    run("allow")
    assert "secrets" in failing(tmp_path / "memory", capsys, "add", sentence)


def test_say_uses_the_same_memory(run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("allow")
    where = ["--json", "--set", f'memory.path="{tmp_path / "memory"}"']
    for text in ("remember that my sister is called Anna", "what is my sister called"):
        assert main(["say", text, *where]) == 0
        row = json.loads(capsys.readouterr().out)
        assert "your sister is called Anna" in row["reply"].replace("Your", "your")
    assert (row["intent"], row["action"]) == ("recall", "perk_up")
