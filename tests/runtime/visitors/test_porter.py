"""Who gets past the porter: hosts, origins, tokens, forms. The page behind it is a fake here."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("starlette", reason="the [dashboard] extra is not installed")

from runtime.security.pairing import CODE_LIFE_S, TRIES
from runtime.visitors import password
from runtime.visitors.doors import COOKIE, MAX_FORM_BYTES
from runtime.visitors.lock import Lock
from runtime.visitors.porter import HEADERS, Porter
from runtime.visitors.throttle import FREE
from tests.runtime.visitors.visit import HOST, Visitor, inner

GOOD = "correct horse"


class House:
    """A locked page, its owner's terminal and its clock."""

    def __init__(self, folder: Path) -> None:
        self.now_s, self.terminal = 1_000.0, list[str]()
        self.lock = Lock(folder, self.terminal.append, clock=lambda: self.now_s, wall=lambda: self.now_s)
        self.lock.open()
        self.app = Porter(inner, ("pets.local", "192.168.1.20", "fd00::2"), True, self.lock, b"authority")

    def visitor(self, address: str = "192.168.1.7") -> Visitor:
        return Visitor(self.app, address=address)

    def owner(self) -> Visitor:
        """Somebody who has set the password and is in."""
        visitor = self.visitor("192.168.1.2")
        self.lock.open()
        answer = visitor.post("/enter", code=self.terminal[-1], password=GOOD, again=GOOD)
        assert answer.status == 303, answer.body
        return visitor


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    # A real guess costs a processor a moment; test_lock.py holds that it does.
    monkeypatch.setattr(password, "_COST", {"n": 2, "r": 8, "p": 1})
    return House(tmp_path)


def test_before_the_password_nothing_but_the_forms_answers(house: House) -> None:
    stranger = house.visitor()
    for path in (
        "/",
        "/avatar.glb",
        "/_nicegui/3/static/nicegui.js",
        "/_nicegui_ws/",
        "/openapi.json",
        "//enter",
    ):
        answer = stranger.ask(path)
        assert (answer.status, answer.headers["location"], answer.body) == (303, "/enter", b""), path
        assert stranger.ask(path, accept="*/*").status == 401
        assert stranger.ask(path, "POST", origin=f"https://{HOST}", accept="*/*").status == 401
    assert stranger.socket("stop") == [{"type": "websocket.close", "code": 4401, "reason": "nobody is in"}]
    assert stranger.ask("/enter").status == 200
    assert stranger.ask("/ca.crt").body == b"authority"


@pytest.mark.parametrize(
    "cookie", ["x", f"{COOKIE}=", f"{COOKIE}=x", f"{COOKIE}={'a' * 43}", f"{COOKIE}=\xe9"]
)
def test_a_made_up_token_is_nobodys(house: House, cookie: str) -> None:
    house.owner()
    stranger = house.visitor()
    stranger.cookie = cookie
    assert stranger.ask("/").status == 303
    assert stranger.socket("stop")[0]["code"] == 4401


def test_the_first_visit_sets_the_password_with_the_terminals_code(house: House) -> None:
    visitor = house.visitor()
    assert b"first visit" in visitor.ask("/enter").body
    assert visitor.post("/enter", code="00000000", password=GOOD, again=GOOD).status == 403
    assert visitor.post("/enter", code=house.terminal[-1], password=GOOD, again="other").status == 403
    assert visitor.post("/enter", code=house.terminal[-1], password="short", again="short").status == 403
    assert not house.lock.password.is_set
    answer = visitor.post("/enter", code=house.terminal[-1], password=GOOD, again=GOOD)
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert visitor.ask("/").body == b"inside"
    late = house.visitor()
    assert (
        late.post("/enter", code=house.terminal[-1], password="another horse", again="another horse").status
        == 403
    )
    assert late.post("/enter", password=GOOD).status == 303


def test_the_cookie_is_for_this_page_alone(house: House) -> None:
    answer = house.visitor().post("/enter", code=house.terminal[-1], password=GOOD, again=GOOD)
    name, *flags = answer.headers["set-cookie"].split("; ")
    assert name.startswith("__Host-")
    assert len(name.partition("=")[2]) >= 43
    assert {flag.lower() for flag in flags} == {
        "secure",
        "httponly",
        "samesite=strict",
        "path=/",
        "max-age=43200",
    }


def test_three_wrong_codes_of_the_first_visit_ask_for_another(house: House) -> None:
    for number in range(TRIES):
        assert (
            house.visitor(f"10.0.0.{number}").post("/enter", code="0", password=GOOD, again=GOOD).status
            == 403
        )
    spent = house.terminal[-1]
    assert house.visitor().post("/enter", code=spent, password=GOOD, again=GOOD).status == 403
    assert len(house.terminal) == 1
    house.visitor().ask("/enter")
    assert len(house.terminal) == 2
    assert house.terminal[-1] != spent


def test_guessing_the_password_gets_slow_and_the_owner_stays_in(house: House) -> None:
    owner, thief = house.owner(), house.visitor("10.0.0.66")
    statuses = [thief.post("/enter", password=f"wrong horse {n}").status for n in range(FREE + 3)]
    assert statuses == [403] * FREE + [429] * 3
    assert house.lock.refused == FREE
    assert "10.0.0.66 guesses" in house.terminal[-1]
    answer = thief.post("/enter", password=GOOD)
    assert answer.status == 429, "the right one does not shorten the wait"
    assert int(answer.headers["retry-after"]) >= 1
    assert owner.ask("/").body == b"inside"
    assert house.visitor("10.0.0.67").post("/enter", password=GOOD).status == 303
    house.now_s += 5
    assert thief.post("/enter", password=GOOD).status == 303


def test_a_damaged_password_lets_nobody_in_and_the_owner_hears_of_it(house: House) -> None:
    house.owner()
    house.lock.password.file.write_bytes(b"{")
    assert house.visitor().post("/enter", password=GOOD).status == 403
    assert "--new-password" in house.terminal[-1]


def test_a_phone_pairs_by_the_code_that_the_page_shows_once(house: House) -> None:
    house.owner()
    phone = house.visitor()
    assert phone.post("/pair", code="12345678", name="mine").status == 403, "no code is on offer"
    code = house.lock.offer().code
    assert phone.post("/pair", code=f"{code[:4]} {code[4:]}", name="Anna's").status == 303
    assert phone.ask("/").body == b"inside"
    assert [guest.name for guest in house.lock.sessions.phones] == ["Anna's"]
    assert house.visitor().post("/pair", code=code, name="second").status == 403


def test_a_phones_code_has_three_tries_and_five_minutes(house: House) -> None:
    house.owner()
    code = house.lock.offer().code
    for _ in range(TRIES):
        assert house.visitor().post("/pair", code=f"{(int(code) + 1) % 10**8:08d}", name="x").status == 403
    assert house.visitor().post("/pair", code=code, name="x").status == 403
    code = house.lock.offer().code
    house.now_s += CODE_LIFE_S
    assert house.visitor().post("/pair", code=code, name="x").status == 403
    assert house.lock.sessions.phones == []


def test_who_leaves_or_is_sent_away_is_out_with_the_open_socket(house: House) -> None:
    owner = house.owner()
    assert [m.get("text") for m in owner.socket("a", "b")[1:]] == ["a", "b"]
    guest = house.lock.guest(owner.cookie.partition("=")[2])
    assert guest is not None
    sent = owner.socket("a", lambda: house.lock.sessions.end(guest.hash), "b", "c")
    assert [m["type"] for m in sent] == ["websocket.accept", "websocket.send", "websocket.close"]
    assert owner.ask("/").status == 303
    again = house.visitor()
    again.post("/enter", password=GOOD)
    cookie = again.cookie
    answer = again.post("/leave")
    assert "max-age=0" in answer.headers["set-cookie"].lower()
    again.cookie = cookie
    assert again.ask("/").status == 303


@pytest.mark.parametrize(
    "origin", [None, "null", "https://evil.example", f"http://{HOST}", "https://pets.local", ""]
)
def test_another_sites_page_clicks_nothing(house: House, origin: str | None) -> None:
    owner = house.owner()
    for path in ("/leave", "/enter", "/pair", "/"):
        assert owner.post(path, origin=origin, password=GOOD).status == 403, path
    sent = owner.socket("stop", origin=origin)
    assert [m["type"] for m in sent] == ["websocket.close"]
    assert owner.ask("/").body == b"inside", "and nobody was sent away"
    if origin is not None:
        assert owner.ask("/_nicegui_ws/", origin=origin).status == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8420", "", "pets.local.evil.example", "[::1", "127.0.0.1"]
)
def test_a_name_that_is_not_ours_gets_nothing(house: House, host: str) -> None:
    owner = house.owner()
    answer = owner.ask("/", host=host)
    assert answer.status == 421
    assert b"inside" not in answer.body
    assert owner.ask("/enter", host=host).status == 421


@pytest.mark.parametrize("host", ["PETS.local", "192.168.1.20:8420", "[fd00::2]:8420"])
def test_every_name_of_ours_is_served(house: House, host: str) -> None:
    assert house.owner().ask("/", host=host).body == b"inside"


def test_on_the_loopback_there_is_no_password_but_hosts_and_origins_count() -> None:
    local = Visitor(Porter(inner, ("localhost", "127.0.0.1")))
    mine = {"host": "127.0.0.1:8420"}
    assert local.ask("/", **mine).body == b"inside"
    assert local.ask("/").status == 421, "DNS rebinding"
    assert local.ask("/", "POST", origin="http://evil.example", **mine).status == 403
    assert local.ask("/", "POST", origin="http://127.0.0.1:8420", **mine).status == 200
    assert local.socket("x", origin="https://evil.example")[0]["type"] == "websocket.close"


def test_headers_stand_on_every_answer(house: House) -> None:
    owner = house.owner()
    for answer in (owner.ask("/"), house.visitor().ask("/enter"), house.visitor().ask("/", accept="*/*")):
        for name, value in HEADERS.items():
            assert name in answer.headers
            if name != "content-security-policy":
                assert answer.headers[name] == value
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert owner.ask("/").headers["cache-control"] == "no-store"
    assert "script-src" not in house.visitor().ask("/pair").headers["content-security-policy"], "none at all"


def test_a_form_that_is_too_long_or_none_changes_nothing(house: House) -> None:
    visitor = house.visitor()
    answer = visitor.ask("/enter", "POST", b"a" * (MAX_FORM_BYTES + 1), origin=f"https://{HOST}")
    assert answer.status == 413
    assert visitor.ask("/enter", "PUT", origin=f"https://{HOST}").status == 405
    assert not house.lock.password.is_set


@settings(max_examples=60, deadline=None)
@given(body=st.binary(max_size=300), path=st.sampled_from(["/enter", "/pair"]))
def test_no_bytes_open_the_door(house_of_all: House, body: bytes, path: str) -> None:
    house_of_all.now_s += 400
    answer = house_of_all.visitor().ask(path, "POST", body, origin=f"https://{HOST}")
    assert answer.status in (403, 413, 429)


@pytest.fixture(scope="module")
def house_of_all(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("house"))
