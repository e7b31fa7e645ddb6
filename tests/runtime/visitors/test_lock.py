"""Password, throttle and sessions, each by itself."""

import json
from pathlib import Path

import pytest

from runtime.contracts.errors import TrustError
from runtime.visitors.password import LONGEST, Password, weakness
from runtime.visitors.sessions import MOST_SESSIONS, PHONE_S, SESSION_S, Sessions
from runtime.visitors.throttle import FORGET_S, FREE, FREE_OF_ALL, LONGEST_S, MOST_ADDRESSES, Throttle

GOOD = "correct horse"


class Clock:
    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def test_the_password_is_kept_as_a_salted_hash_that_only_its_owner_reads(tmp_path: Path) -> None:
    first, second = Password(tmp_path / "a"), Password(tmp_path / "b")
    first.set(GOOD)
    second.set(GOOD)
    assert first.holds(GOOD)
    assert not first.holds(GOOD + " ")
    assert not first.holds("")
    kept = first.file.read_bytes()
    assert GOOD.encode() not in kept
    assert json.loads(kept)["hash"] != json.loads(second.file.read_bytes())["hash"]
    assert json.loads(kept)["n"] >= 2**15
    assert first.file.stat().st_mode & 0o077 == 0


def test_a_password_is_set_once(tmp_path: Path) -> None:
    password = Password(tmp_path / "p")
    password.set(GOOD)
    with pytest.raises(TrustError, match="set already"):
        password.set("another horse")
    assert password.holds(GOOD)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ninechars", "short"),
        ("x" * (LONGEST + 1), "long"),
        ("abababababab", "plain"),
        (GOOD, ""),
        ("密码是小狗很可爱的呀", ""),
    ],
)
def test_weak_passwords_are_told_apart(text: str, why: str, tmp_path: Path) -> None:
    assert weakness(text) == why
    if why:
        with pytest.raises(TrustError):
            Password(tmp_path / "p").set(text)
        assert not (tmp_path / "p").exists()


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"salt": "", "hash": "", "n": 3, "r": 1, "p": 1}'])
def test_a_damaged_file_lets_nobody_in_and_says_the_cure(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "p").write_bytes(data)
    with pytest.raises(TrustError, match="--new-password"):
        Password(tmp_path / "p").holds(GOOD)


def test_wrong_answers_wait_twice_as_long_each_time() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    waits = []
    for _ in range(FREE + 12):
        throttle.wrong("10.0.0.1")
        waits.append(throttle.wait_s("10.0.0.1"))
    assert waits[: FREE - 1] == [0.0] * (FREE - 1)
    assert waits[FREE - 1 : FREE + 3] == [1, 2, 4, 8]
    assert waits[-1] == LONGEST_S
    assert throttle.wait_s("10.0.0.2") == 0
    clock.now_s += LONGEST_S
    assert throttle.wait_s("10.0.0.1") == 0
    throttle.right("10.0.0.1")
    throttle.wrong("10.0.0.1")
    assert throttle.wait_s("10.0.0.1") == 0


def test_many_addresses_are_no_way_around() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    for number in range(FREE_OF_ALL + 3):
        throttle.wrong(f"10.0.{number}.1")
    assert throttle.wait_s("10.9.9.9") > 0
    clock.now_s += FORGET_S
    assert throttle.wait_s("10.9.9.9") == 0
    for number in range(FREE):
        throttle.wrong(f"fd00::{number + 1}")
    assert throttle.wait_s("fd00::ffff") > 0, "one house's own addresses"
    assert throttle.wait_s("fd00:1::1") == 0


def test_the_table_of_wrong_answers_is_bounded() -> None:
    throttle = Throttle(Clock())
    for number in range(3 * MOST_ADDRESSES):
        throttle.wrong(f"10.{number >> 8}.{number & 255}.1")
    assert len(throttle._wrong) <= MOST_ADDRESSES
    assert throttle.wait_s("another") > 0


def test_sessions_end_and_phones_outlive_a_restart_as_hashes(tmp_path: Path) -> None:
    wall = Clock()
    sessions = Sessions(tmp_path / "phones.json", wall)
    mine, phone = sessions.begin(), sessions.pair("  Anna's\nphone " + "x" * 99)
    found = sessions.guest(phone)
    assert found is not None
    assert found.name.startswith("Anna's phone x")
    assert len(found.name) == 40
    kept = (tmp_path / "phones.json").read_text()
    assert phone not in kept
    assert found.hash in kept
    assert (tmp_path / "phones.json").stat().st_mode & 0o077 == 0
    again = Sessions(tmp_path / "phones.json", wall)
    assert again.guest(phone) is not None
    assert again.guest(mine) is None
    wall.now_s += SESSION_S
    assert sessions.guest(mine) is None
    wall.now_s += PHONE_S
    assert sessions.guest(phone) is None
    assert sessions.phones == []


def test_who_is_sent_away_is_out_and_sessions_are_bounded(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path / "phones.json", Clock())
    phone = sessions.pair("phone")
    found = sessions.guest(phone)
    assert found is not None
    sessions.end(found.hash)
    assert sessions.guest(phone) is None
    assert Sessions(tmp_path / "phones.json", Clock()).phones == []
    first = sessions.begin()
    tokens = [sessions.begin() for _ in range(MOST_SESSIONS)]
    assert sessions.guest(first) is None
    assert all(sessions.guest(token) for token in tokens)
    for token in ("", "x", found.hash, "é"):
        assert sessions.guest(token) is None


@pytest.mark.parametrize("data", [b"", b"{}", b'[{"x": 1}]', b"[7]", b"\xff"])
def test_a_damaged_list_of_phones_lets_nobody_in(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "phones.json").write_bytes(data)
    assert Sessions(tmp_path / "phones.json", Clock()).phones == []
