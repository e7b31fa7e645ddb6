"""The page off the loopback, as a phone meets it: the real process, TLS, a real browser, raw requests."""

import hashlib
import os
import socket
import ssl
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

pytest.importorskip("nicegui", reason="the [dashboard] extra is not installed")

from runtime.broker import available_kind, free_port, run_broker
from runtime.contracts import messages as m
from runtime.contracts.errors import BusError, TrustError
from runtime.dashboard.command import main
from runtime.security.house import House
from runtime.security.register import Register
from runtime.visitors.certificate import credentials
from runtime.visitors.porter import HEADERS
from tests.runtime.dashboard.browser import browser
from tests.runtime.dashboard.puppet import Puppet

if available_kind() is None:
    pytest.skip("no broker is installed", allow_module_level=True)
GOOD = "correct horse"


class Beyond:
    """`everpaw dashboard --host 0.0.0.0` with what it told its terminal."""

    def __init__(self, folder: Path, port: int, process: "subprocess.Popen[str]") -> None:
        self.folder, self.port, self.process = folder, port, process
        assert process.stderr is not None
        self.told = [process.stderr.readline() for _ in range(3)]
        self.tls = ssl.create_default_context(cafile=folder / "broker" / "ca.crt")

    @property
    def code(self) -> str:
        return self.told[-1].rpartition(": ")[2].strip()

    def ask(self, line: str, *headers: str) -> tuple[int, dict[str, str], bytes]:
        """A request as it is written, which no client library puts right first."""
        with (
            closing(socket.create_connection(("127.0.0.1", self.port), 20)) as plain,
            closing(self.tls.wrap_socket(plain, server_hostname="localhost")) as tls,
        ):
            head = [f"{line} HTTP/1.1", f"Host: localhost:{self.port}", "Connection: close", *headers, "", ""]
            tls.sendall("\r\n".join(head).encode())
            raw = b"".join(iter(lambda: tls.recv(65_536), b""))
        top, _, body = raw.partition(b"\r\n\r\n")
        first, *rest = top.decode("latin-1").split("\r\n")
        rows = (row.partition(": ") for row in rest)
        return int(first.split()[1]), {name.lower(): value for name, _, value in rows}, body


@contextmanager
def serving(folder: Path, broker: int) -> Iterator[Beyond]:
    port = free_port()
    words = ("--broker", f"127.0.0.1:{broker}", "--host", "0.0.0.0", "--port", str(port))
    env = {n: v for n, v in os.environ.items() if n != "PYTEST_CURRENT_TEST"}
    command = [sys.executable, "-m", "runtime.cli", "dashboard", *words]
    env["EVERPAW_KEYS"] = str(folder / "keys")
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env)
    try:
        found = Beyond(folder, port, process)
        give_up_s = time.monotonic() + 60
        while True:
            try:
                found.ask("GET /enter")
                break
            except OSError:
                assert time.monotonic() < give_up_s, found.told
                time.sleep(0.2)
        yield found
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def beyond(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Beyond, Puppet]]:
    folder = tmp_path_factory.mktemp("house")
    House.make(folder / "broker", Register(), datetime.now(UTC))
    with ExitStack() as stack:
        broker = stack.enter_context(run_broker())
        puppet = stack.enter_context(closing(Puppet(broker.port, folder / "memory")))
        yield stack.enter_context(serving(folder, broker.port)), puppet


def test_it_speaks_tls_1_3_with_the_houses_certificate_alone(beyond: tuple[Beyond, Puppet]) -> None:
    page, _ = beyond
    status, headers, body = page.ask("GET /enter")
    assert status == 200
    assert b"first visit" in body
    assert set(HEADERS) <= set(headers)
    assert "server" not in headers
    old = ssl.create_default_context(cafile=page.folder / "broker" / "ca.crt")
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    for tls in (old, ssl.create_default_context()):
        with (
            closing(socket.create_connection(("127.0.0.1", page.port), 20)) as plain,
            pytest.raises(ssl.SSLError),
        ):
            tls.wrap_socket(plain, server_hostname="localhost")
    with closing(socket.create_connection(("127.0.0.1", page.port), 20)) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with suppress(ConnectionResetError):
            assert plain.recv(100) == b"", "no word in clear"
    for name in ("page.key", "phones.json"):
        path = page.folder / "page" / name
        assert not path.exists() or path.stat().st_mode & 0o077 == 0


PLACES = (
    "/../../../../etc/passwd",
    "/_nicegui/3.18.0/static/../../../../../../etc/passwd",
    "/_nicegui/3.18.0/static/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/_nicegui/3.18.0/static/..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/_nicegui/3.18.0/resources/nicegui-scene/..%2f..%2f..%2fetc/passwd",
    "/_nicegui/3.18.0/esm/nicegui-scene/%2e%2e/%2e%2e/%2e%2e/nicegui.py",
    "/_nicegui/3.18.0/libraries/%2fetc%2fpasswd",
    "/avatar.glb/../etc/passwd",
    "//etc/passwd",
    "/ca.crt/../page.key",
    "/enter/../page/password.json",
)


@pytest.mark.parametrize("place", PLACES)
def test_no_path_leads_out_of_the_page(beyond: tuple[Beyond, Puppet], place: str) -> None:
    page, _ = beyond
    inside = f"Cookie: {_cookie(page)}"
    for headers in ((), (inside,)):
        status, _, body = page.ask(f"GET {place}", "Accept: */*", *headers)
        assert status in (307, 400, 401, 403, 404), (place, status)
        assert b"root:" not in body
        assert b"import asyncio" not in body
        assert b"PRIVATE" not in body


_COOKIES: dict[int, str] = {}


def _cookie(page: Beyond) -> str:
    """Of somebody who is in; the first to ask sets the password."""
    if page.port not in _COOKIES:
        form = f"code={page.code.replace(' ', '')}&password={GOOD}&again={GOOD}".replace("t h", "t+h")
        headers = (f"Origin: https://localhost:{page.port}", f"Content-Length: {len(form)}")
        with (
            closing(socket.create_connection(("127.0.0.1", page.port), 20)) as plain,
            closing(page.tls.wrap_socket(plain, server_hostname="localhost")) as tls,
        ):
            head = [
                "POST /enter HTTP/1.1",
                f"Host: localhost:{page.port}",
                "Connection: close",
                *headers,
                "",
                form,
            ]
            tls.sendall("\r\n".join(head).encode())
            raw = b"".join(iter(lambda: tls.recv(65_536), b"")).decode()
        assert " 303 " in raw.splitlines()[0], raw[:300]
        row = next(row for row in raw.splitlines() if row.lower().startswith("set-cookie:"))
        _COOKIES[page.port] = row.partition(": ")[2].partition(";")[0]
    return _COOKIES[page.port]


def test_who_is_in_gets_the_page_and_a_stranger_no_byte_of_it(beyond: tuple[Beyond, Puppet]) -> None:
    page, _ = beyond
    status, headers, body = page.ask("GET /", f"Cookie: {_cookie(page)}")
    assert status == 200
    assert b"nicegui" in body
    assert headers["cache-control"] == "no-store"
    upgrade = (
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: eA==",
    )
    socket_ = "GET /_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    ours = f"Origin: https://localhost:{page.port}"
    polling = "GET /_nicegui_ws/socket.io/?EIO=4&transport=polling"
    assert page.ask(socket_, ours, *upgrade)[0] == 403
    assert page.ask(socket_, "Origin: https://evil.example", f"Cookie: {_cookie(page)}", *upgrade)[0] == 403
    assert page.ask(polling)[0] == 401
    assert page.ask(polling, f"Cookie: {_cookie(page)}", "Origin: https://evil.example")[0] == 403
    for place in ("/openapi.json", "/docs", "/redoc"):
        assert page.ask(f"GET {place}", f"Cookie: {_cookie(page)}")[0] == 404, "no description of an API"


def spki(page: Beyond) -> str:
    """Of the page's key: a browser that is told of it takes this one certificate and no other."""
    certificate = x509.load_pem_x509_certificate((page.folder / "page" / "page.crt").read_bytes())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b64encode(hashlib.sha256(key).digest()).decode()


IS_IN = "return !!window.everpawTwin && !!window.socket?.connected"


def test_a_phone_is_paired_stops_the_robot_and_is_sent_away(beyond: tuple[Beyond, Puppet]) -> None:
    page, puppet = beyond
    _cookie(page)
    here, there = (f"https://{host}:{page.port}/" for host in ("localhost", "127.0.0.1"))  # a cookie each
    with browser(here, f"--ignore-certificate-errors-spki-list={spki(page)}") as window:
        window.driver.get(here)
        window.wait(lambda: window.driver.current_url.endswith("/enter"))
        window.element("#password").send_keys("wrong horse")
        window.element("form button").click()
        window.wait(lambda: "Not the password" in window.body)
        window.element("#password").send_keys(GOOD)
        window.element("form button").click()
        window.wait(lambda: window.run(IS_IN), 90)
        window.part("robots")
        window.do("let-in")
        window.wait(lambda: window.see("code"))
        code, owner = window.see("code"), window.driver.current_window_handle

        window.driver.switch_to.new_window("tab")
        phone = window.driver.current_window_handle
        window.driver.get(f"{there}pair")
        window.element("#code").send_keys(code)
        window.element("#name").send_keys("Anna's phone")
        window.element("form button").click()
        window.wait(lambda: window.run(IS_IN), 90)
        puppet.asked.clear()
        window.do("stop")
        window.wait(lambda: bool(puppet.of(m.StopCommand)))

        window.driver.switch_to.window(owner)
        window.wait(lambda: "Anna's phone" in window.body)
        window.do("send-away-1")
        window.wait(lambda: "Anna's phone" not in window.body)
        window.driver.switch_to.window(phone)
        puppet.asked.clear()
        window.wait(lambda: not window.run("return window.socket?.connected"), 60)
        window.run("document.querySelector('[data-do=stop]').click()")
        window.driver.get(there)
        window.wait(lambda: window.driver.current_url.endswith("/enter"))
        assert puppet.of(m.StopCommand) == []


def test_the_certificate_is_renewed_where_it_must_be_and_else_kept(tmp_path: Path) -> None:
    house = House.make(tmp_path / "broker", Register(), datetime.now(UTC))
    first = credentials(tmp_path / "broker", tmp_path / "page", "0.0.0.0", [])
    kept = first.certificate.read_bytes()
    certificate = x509.load_pem_x509_certificate(kept)
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days <= 398
    assert first.key.stat().st_mode & 0o077 == 0
    credentials(tmp_path / "broker", tmp_path / "page", "0.0.0.0", [])
    assert first.certificate.read_bytes() == kept
    named = credentials(tmp_path / "broker", tmp_path / "page", "0.0.0.0", ["pets.local"])
    assert "pets.local" in named.hosts
    assert (renewed := first.certificate.read_bytes()) != kept
    house.rotate_authority(datetime.now(UTC))
    credentials(tmp_path / "broker", tmp_path / "page", "0.0.0.0", ["pets.local"])
    assert first.certificate.read_bytes() != renewed


def test_without_a_house_or_an_address_nothing_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVERPAW_KEYS", str(tmp_path / "keys"))
    with pytest.raises(TrustError, match="everpaw security init"):
        main(["--host", "0.0.0.0", "--port", "0"])
    with pytest.raises(SystemExit):
        main(["--host", "pets.local"])
    with pytest.raises(BusError, match=r"of 192\.0\.2\.1 cannot be used"):
        main(["--host", "192.0.2.1"])
    assert not (tmp_path / "page").exists()
