"""The owner's hands on the data: shown, taken along, put back, erased without a trace, verified."""

import json
import shutil
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runtime.contracts import messages as m
from runtime.contracts.errors import ConfigError, FactError
from runtime.data_folder import data_folder, in_use
from runtime.lessons.book import Book
from runtime.lessons.lesson import Lesson
from runtime.mind.memory import consent, proof
from runtime.mind.memory.command import main as forget_fact
from runtime.mind.memory.facts import Fact
from runtime.mind.memory.store import Store
from runtime.outbox import Outbox
from runtime.privacy.command import main
from tests.fakes.loopback import LoopbackBus

SECRET = "the attic key lies under the third flowerpot"
FACT = Fact(subject="the attic key", relation="place", value="under the third flowerpot", text=SECRET)
LESSON = Lesson(at=datetime.now(UTC), heard=SECRET, clear=0.9, belief=0.9, reply="I see, the flowerpot it is")


class Away(LoopbackBus):
    """A broker that does not answer."""

    connected = False

    def send(self, name: str, message: m.Message) -> None:
        return None


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Data of a robot with a fact, a lesson, events and a life."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    folder = data_folder("buddy")
    for what in ("memory", "lessons"):
        assert main(["allow", what]) == 0
    fill(folder)
    return folder


def fill(folder: Path) -> None:
    with closing(Store(folder / "memory")) as rows:
        rows.change([FACT])
    with closing(Book(folder / "lessons")) as book:
        book.add([LESSON])
    outbox = Outbox(Away(), folder, "mind", lambda: datetime.now(UTC).timestamp())
    outbox.publish("event/wake", m.WakeEvent(name="hey buddy", score=1.0, mono_ms=1))
    outbox.close()
    (folder / "life.json").write_text('{"kept": 1}')
    (folder / "persona.toml").write_text('name = "Rex"')
    for name in ("life.json", "persona.toml"):
        (folder / name).chmod(0o600)


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, object]]:
    capsys.readouterr()
    main([*words, "--json"])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def counts(capsys: pytest.CaptureFixture[str]) -> dict[object, object]:
    return {row["name"]: row["count"] for row in shown(capsys, "show")}


def test_show_counts_every_class(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = counts(capsys)
    assert {name: found[name] for name in ("memory", "lessons", "events", "life", "sound", "telemetry")} == {
        "memory": 1,
        "lessons": 1,
        "events": 1,
        "life": 1,
        "sound": "-",
        "telemetry": "-",
    }
    [lesson] = shown(capsys, "lessons")
    assert lesson["heard"] == SECRET
    assert [(row["what"], row["on"], row["how"]) for row in shown(capsys, "consents")] == [
        ("memory", True, "command"),
        ("lessons", True, "command"),
    ]


def test_looking_makes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "none"))
    assert main(["show"]) == main(["consents"]) == main(["lessons"]) == main(["verify"]) == 0
    assert not (tmp_path / "none").exists()


def test_an_export_is_complete_and_comes_back(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(tmp_path / "out")]) == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        *("manifest.json", "facts.json", "lessons.jsonl", "events-mind.jsonl", "life.json"),
        *("consents.json", "memory-consent.json", "persona.toml"),
    }
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "out").iterdir())
    before = counts(capsys)
    main(["erase", "--yes"])
    assert set(counts(capsys).values()) == {0, "-"}
    [added] = shown(capsys, "import", str(tmp_path / "out"))
    assert added == {"memory": 1, "lessons": 1, "persona": 1, "life": 1, "consents": 2}
    after = counts(capsys)
    assert {**before, "events": 0} == after
    with closing(Store(home / "memory")) as rows:
        assert list(rows.facts().values()) == [FACT]
    [again] = shown(capsys, "import", str(tmp_path / "out"))
    assert set(again.values()) == {0}


def test_lessons_for_a_recipe_hold_nothing_else(home: Path, tmp_path: Path) -> None:
    assert main(["export", str(tmp_path / "out"), "--training"]) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"manifest.json", "lessons.jsonl"}
    [line] = (tmp_path / "out" / "lessons.jsonl").read_text().splitlines()
    assert Lesson.model_validate_json(line) == LESSON
    assert json.loads(line)["schema"] == 1


def test_an_altered_export_changes_nothing(home: Path, tmp_path: Path) -> None:
    main(["export", str(tmp_path / "out")])
    (tmp_path / "out" / "facts.json").write_text("[]")
    with pytest.raises(FactError, match=r"facts.json was altered"):
        main(["import", str(tmp_path / "out")])


def test_after_erasing_nothing_is_found_and_copies_are_dead(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The copies are those that a backup of the databases would hold: all but the keys."""
    backup = tmp_path / "backup"
    shutil.copytree(home, backup, ignore=shutil.ignore_patterns("key-*"))
    [told] = shown(capsys, "erase", "--yes")
    assert told["hits"] == 0
    assert int(str(told["searched_for"])) >= 5
    left = [path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()]
    assert left == [".in-use"]
    needles = proof.needles_of([FACT]) | {SECRET.encode(), LESSON.reply.encode()}
    assert proof.search(home, needles).hits == proof.search(backup, needles).hits == 0
    for name, opened in (("memory", Store), ("lessons", Book)):
        with pytest.raises(FactError, match="key"):
            opened(backup / name)
    assert main(["verify"]) == 0


def test_a_life_elsewhere_goes_alone(home: Path, tmp_path: Path) -> None:
    """Files whose names only hold its name are somebody else's; what was set aside is its own."""
    elsewhere = tmp_path / "lives"
    elsewhere.mkdir()
    for name in ("a", "a.unreadable", ".a.17", "pasta", "a.txt", ".gitattributes"):
        (elsewhere / name).write_text("kept")
    main(["erase", "--only", "life", "--yes", "--set", f"life.path={elsewhere / 'a'}"])
    assert {path.name for path in elsewhere.iterdir()} == {"pasta", "a.txt", ".gitattributes"}


def test_a_file_that_is_no_text_is_one_line(home: Path, tmp_path: Path) -> None:
    (tmp_path / "absent").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"absent is no UTF-8 text"):
        main(["verify", "--absent", str(tmp_path / "absent")])


def test_one_class_alone_goes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["erase", "--only", "lessons", "--yes"])
    found = counts(capsys)
    assert (found["memory"], found["lessons"], found["events"]) == (1, 0, 1)


def test_a_fact_that_is_forgotten_leaves_the_lessons_too(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert forget_fact(["forget", "1"]) == 0
    found = counts(capsys)
    assert (found["memory"], found["lessons"]) == (0, 0)


def test_nothing_is_erased_under_a_robot_that_runs(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with in_use(home), pytest.raises(FactError, match="a robot runs"):
        main(["erase", "--yes"])
    assert counts(capsys)["memory"] == 1


def test_verify_notices(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def wrong(*words: str) -> list[object]:
        return [row["name"] for row in shown(capsys, "verify", *words) if not row["well"]]

    assert wrong() == []
    (home / "life.json").chmod(0o644)
    assert wrong() == ["rights"]
    (home / "life.json").chmod(0o600)
    leak = home / "memory" / "debug.txt"
    leak.write_text(f"heard: {SECRET}")
    leak.chmod(0o600)
    assert wrong() == ["sealed"]
    absent = tmp_path / "absent.txt"
    absent.write_text(f"nowhere else\n{SECRET}\n")
    assert wrong("--absent", str(absent)) == ["sealed", "absent"]
    leak.unlink()
    assert wrong("--absent", str(absent)) == []
    (home / "consents.json").unlink()
    (home / "memory" / consent.FILE).unlink()
    assert wrong() == ["consent"]


def test_old_events_are_deleted_for_good(home: Path) -> None:
    [journal] = home.glob("events-*.sqlite")
    now_s = [datetime.now(UTC).timestamp()]
    outbox = Outbox(Away(), home, "mind", lambda: now_s[0], 90 * 86_400.0)
    outbox.publish("event/wake", m.WakeEvent(name="hey buddy", score=1.0, mono_ms=2))
    assert held(journal).count(b"hey buddy") >= 2
    now_s[0] += 91 * 86_400
    outbox._sent = outbox._last
    outbox._tidy()
    assert b"hey buddy" not in held(journal)
    outbox.close()


def held(journal: Path) -> bytes:
    """The database and its log of changes."""
    return b"".join(path.read_bytes() for path in journal.parent.glob(f"{journal.name}*"))
