"""Facts on disk: a model of what must be there, spoilt files, several processes, and really forgetting."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.contracts.errors import FactError
from runtime.mind.memory import keys, proof, store
from runtime.mind.memory.facts import Fact
from runtime.mind.memory.knowledge import Knowledge
from runtime.mind.memory.questions import question_of
from runtime.mind.memory.store import DATABASE, Store

SECRET = "Kirschblütenweg"


def fact(value: str, subject: str = "my street", relation: str = "name") -> Fact:
    return Fact(subject=subject, relation=relation, value=value, text=f"{subject} is called {value}")


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=4)),
        st.tuples(st.just("correct"), st.tuples(st.integers(0, 30), st.text(min_size=1, max_size=60))),
        st.tuples(st.just("forget"), st.lists(st.integers(0, 30), max_size=4)),
        st.tuples(st.just("reopen"), st.none()),
        st.tuples(st.just("rotate"), st.none()),
    ),
    max_size=14,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_any_sequence_of_changes_leaves_what_a_dictionary_holds(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, object]]
) -> None:
    folder = tmp_path_factory.mktemp("memory")
    memory, model, used = Store(folder), dict[int, Fact](), set[int]()
    for what, how in steps:
        if what == "add":
            assert isinstance(how, list)
            numbers = memory.change([fact(value) for value in how])
            assert not used & {*numbers}
            used |= {*numbers}
            model |= dict(zip(numbers, map(fact, how), strict=True))
        elif what == "correct":
            assert isinstance(how, tuple)
            [number] = memory.change([fact(how[1])], [how[0]])
            used.add(number)
            model.pop(how[0], None)
            model[number] = fact(how[1])
        elif what == "forget":
            assert isinstance(how, list)
            memory.change(removing=how)
            model = {n: one for n, one in model.items() if n not in how}
        elif what == "rotate":
            memory.rotate()
        else:
            memory.close()
            memory = Store(folder)
        assert memory.facts() == model
        assert len(list(folder.glob("key-*"))) == 1
    memory.close()
    assert Store(folder).facts() == model


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    Store(tmp_path / "m").change([fact(SECRET)])
    assert [path.stat().st_mode & 0o077 for path in (tmp_path / "m").iterdir()] == [0, 0]
    assert (tmp_path / "m").stat().st_mode & 0o077 == 0


def test_the_files_alone_tell_nothing(tmp_path: Path) -> None:
    Store(tmp_path).change([fact(SECRET), fact("x" * 200)])
    found = proof.search(tmp_path, [*proof.needles_of([fact(SECRET)]), b"my street", b"x" * 8])
    assert found.hits == 0
    assert found.size > 0


def _flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def _swap(folder: Path) -> None:
    with sqlite3.connect(folder / DATABASE) as database:
        (a, one), (b, other) = database.execute("SELECT id, sealed FROM rows LIMIT 2").fetchall()
        database.execute("UPDATE rows SET sealed = ? WHERE id = ?", (other, a))
        database.execute("UPDATE rows SET sealed = ? WHERE id = ?", (one, b))


def _sql(text: str) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        with sqlite3.connect(folder / DATABASE) as database:
            database.execute(text)

    return run


SPOILT: dict[str, Callable[[Path], object]] = {
    "rows swapped": _swap,
    "a row taken away": _sql("DELETE FROM rows WHERE id = 1"),
    "a row doubled": _sql("INSERT INTO rows SELECT 77, sealed FROM rows WHERE id = 1"),
    "a row altered": _sql("UPDATE rows SET sealed = sealed || x'00' WHERE id = 2"),
    "a row emptied": _sql("UPDATE rows SET sealed = x'' WHERE id = 2"),
    "the list altered": _sql("UPDATE meta SET value = x'00' WHERE name = 'ids'"),
    "no layout": _sql("DELETE FROM meta WHERE name = 'layout'"),
    "a later layout": _sql("UPDATE meta SET value = x'39' WHERE name = 'layout'"),
    "another key named": _sql(
        "UPDATE meta SET value = CAST('0123456789abcdef' AS BLOB) WHERE name = 'key_id'"
    ),
    "a path as a key": _sql("UPDATE meta SET value = CAST('../../etc/passwd' AS BLOB) WHERE name = 'key_id'"),
    "the wrapped key altered": _sql("UPDATE meta SET value = zeroblob(40) WHERE name = 'data_key'"),
    "the database cut": lambda folder: os.truncate(folder / DATABASE, 5_000),
    "the database cut to nothing much": lambda folder: os.truncate(folder / DATABASE, 50),
    "noise for a database": lambda folder: (folder / DATABASE).write_bytes(os.urandom(9_000)),
    "the key gone": lambda folder: next(folder.glob("key-*")).unlink(),
    "the key altered": lambda folder: _flip(next(folder.glob("key-*")), 3),
    "the key cut": lambda folder: os.truncate(next(folder.glob("key-*")), 8),
    "the key open to others": lambda folder: next(folder.glob("key-*")).chmod(0o644),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
def test_what_was_spoilt_is_said_clearly_and_nothing_more_is_lost(
    tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    memory = Store(tmp_path)
    memory.change([fact(f"Value {n}") for n in range(40)])
    memory.close()
    spoil(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(FactError) as said:
        Store(tmp_path).facts()
    assert ";" in str(said.value)  # what happened; what to do
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_every_flipped_bit_of_a_row_is_noticed(tmp_path: Path) -> None:
    memory = Store(tmp_path)
    memory.change([fact(SECRET)])
    memory.close()
    with sqlite3.connect(tmp_path / DATABASE) as database:
        [(sealed,)] = database.execute("SELECT sealed FROM rows").fetchall()
    for at in range(0, len(sealed) * 8, 7):
        altered = bytearray(sealed)
        altered[at // 8] ^= 1 << at % 8
        with sqlite3.connect(tmp_path / DATABASE) as database:
            database.execute("UPDATE rows SET sealed = ?", (bytes(altered),))
        with pytest.raises(FactError, match="altered"):
            Store(tmp_path).facts()


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    memory = Store(tmp_path)
    memory.change([fact("kept")])
    memory._db.execute(f"PRAGMA max_page_count={memory._db.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(FactError, match="no room"):
        memory.change([fact("v" * 200) for _ in range(400)])
    assert [one.value for one in memory.facts().values()] == ["kept"]
    memory.close()
    again = Store(tmp_path)
    assert [one.value for one in again.facts().values()] == ["kept"]
    again.change([fact("and now")])
    assert len(again.facts()) == 2


def test_a_folder_that_cannot_be_written_is_one_clear_error() -> None:
    with pytest.raises(FactError, match="check"):
        Store(Path("/proc/nowhere/memory"))


def test_two_processes_see_each_other(tmp_path: Path) -> None:
    one, other = Store(tmp_path), Store(tmp_path)
    one.change([fact("first")])
    [number] = other.change([fact("second")])
    assert [f.value for f in one.facts().values()] == ["first", "second"]
    one.change(removing=[number])  # a new key, which the other has not seen
    assert [f.value for f in other.facts().values()] == ["first"]
    other.change([fact("third")])
    assert one.facts() == other.facts()


_WRITER = """
import sys
from pathlib import Path
from runtime.mind.memory.facts import Fact
from runtime.mind.memory.store import Store
folder, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
memory = Store(folder)
last = None
for n in range(count):
    new = Fact(subject="I", relation="note", value=f"{name} {n}", text=f"{name} {n}")
    [last] = memory.change([new], [] if last is None or n % 3 else [last])
    print(n, flush=True)
"""


def _written(name: str, last: int) -> set[str]:
    """What a writer leaves after its change number `last`."""
    return {f"{name} {n}" for n in range(last + 1) if (n + 1) % 3 or n == last}


def _writer(folder: Path, name: str, count: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", _WRITER, str(folder), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    writers = [_writer(tmp_path, name, 40) for name in ("one", "two")]
    for writer in writers:
        out, _ = writer.communicate(timeout=60)
        assert writer.returncode == 0
        assert out.split()[-1] == "39"
    kept = [f.value for f in Store(tmp_path).facts().values()]
    assert set(kept) == _written("one", 39) | _written("two", 39)


def test_killed_in_the_middle_of_a_change_all_or_nothing_is_there(tmp_path: Path) -> None:
    for round_ in range(12):
        writer = _writer(tmp_path, f"round {round_}", 1_000)
        assert writer.stdout is not None
        said = [writer.stdout.readline()]
        time.sleep(0.013 * round_)
        os.kill(writer.pid, signal.SIGKILL)
        said += writer.stdout.read().split("\n")
        writer.wait()
        done = max(int(line) for line in said if line.strip())
        kept = {f.value for f in Store(tmp_path).facts().values() if f.value.startswith(f"round {round_} ")}
        assert kept in [_written(f"round {round_}", last) for last in (done, done + 1)]
        assert len(list(tmp_path.glob("key-*"))) == 1


def _everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_a_forgotten_row_cannot_be_opened_from_any_earlier_copy(tmp_path: Path) -> None:
    memory = Store(tmp_path / "m")
    [number] = memory.change([fact(SECRET)])
    memory.change([fact(f"other {n}") for n in range(50)])
    old_database = (tmp_path / "m" / DATABASE).read_bytes()
    [sealed] = [row for row in store.sealed_rows(tmp_path / "m") if len(row) and row in old_database][:1]
    memory.change(removing=[number])
    assert sealed not in _everything(tmp_path / "m")
    memory.close()
    (tmp_path / "m" / DATABASE).write_bytes(old_database)  # as out of a backup or the blocks of the disk
    with pytest.raises(FactError, match="key"):
        Store(tmp_path / "m")


def test_without_the_destroyed_key_the_check_above_would_see_it(tmp_path: Path) -> None:
    """The same with the old key file kept: the old copy opens, so it is the key's end that forgets."""
    memory = Store(tmp_path)
    [number] = memory.change([fact(SECRET)])
    old = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    memory.change(removing=[number])
    memory.close()
    for name, content in old.items():
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(0o600)
    assert [f.value for f in Store(tmp_path).facts().values()] == [SECRET]


def test_erasing_leaves_no_key_and_no_row(tmp_path: Path) -> None:
    memory = Store(tmp_path)
    memory.change([fact(SECRET)])
    rows = store.sealed_rows(tmp_path)
    memory.close()
    store.erase(tmp_path)
    assert not list(tmp_path.glob("key-*"))
    assert proof.search(tmp_path, rows).hits == 0
    assert Store(tmp_path).facts() == {}


def test_an_interrupted_change_of_keys_leaves_no_stray_key(tmp_path: Path) -> None:
    memory = Store(tmp_path)
    memory.change([fact("kept")])
    keys.make(tmp_path)  # as a process that was killed before it could say which key counts
    memory.close()
    assert len(Store(tmp_path).facts()) == 1
    assert len(list(tmp_path.glob("key-*"))) == 1


def test_ten_thousand_facts(tmp_path: Path) -> None:
    """`pytest -s` shows processor seconds: read and indexed at the start, a question, a fact forgotten."""
    known = Knowledge(tmp_path)
    words = [
        f"{a}{b}" for a in ("ma", "lo", "ki", "ten", "ra", "so") for b in ("ra", "lin", "ko", "ber", "dan")
    ]
    known.add(
        [fact(f"{words[n % 30]} {words[n // 30 % 30]}", f"my {words[n % 29]} {n}") for n in range(10_000)]
    )
    known.close()
    times = [time.process_time()]
    known = Knowledge(tmp_path)
    assert len(known.entries()) == 10_000
    times.append(time.process_time())
    question = question_of(f"what is my {words[77 % 29]} 77 called")
    assert question is not None
    [found] = known.answer(question)
    times.append(time.process_time())
    known.forget([found])
    times.append(time.process_time())
    assert len(known.entries()) == 9_999
    start, ask, forget = (round(b - a, 2) for a, b in pairwise(times))
    print(f"10,000 facts, processor: start {start} s, question {ask} s, forget {forget} s")
    assert start < 20
