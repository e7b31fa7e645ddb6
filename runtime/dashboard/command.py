"""`everpaw dashboard`: the owner's page, on this computer alone or, by choice, for phones of the house."""

import argparse
import logging
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runtime.broker import free_port, require_free
from runtime.contracts.errors import MessageError
from runtime.contracts.keys import keys_folder
from runtime.contracts.topics import check_robot_id
from runtime.eyes.watcher import Watcher, add_broker, watcher_of

if TYPE_CHECKING:
    from runtime.dashboard.devices import Door

DEFAULT_PORT = 8420
HOST = "127.0.0.1"
HERE = ("localhost", "127.0.0.1", "::1")


def main(argv: list[str]) -> int:
    """Serve until Ctrl-C."""
    args = _parse(argv)
    port = args.port or free_port()
    require_free(port, args.host)
    from nicegui import app, ui  # a second of loading, which `--help` need not wait for

    here = ip_address(args.host).is_loopback
    door, serving = (_on_loopback if here else _beyond)(args, port)
    watcher = watcher_of(args, args.events)
    _page(args, watcher, door)
    logging.getLogger("nicegui").setLevel(logging.ERROR)
    app.config.quasar_config["loadingBar"] = {"skipHijack": True}
    try:
        ui.run(
            host=args.host,
            port=port,
            title="everpaw",
            show=args.show,
            reload=False,
            tailwind=False,
            dark=None,
            show_welcome_message=False,
            reconnect_timeout=30.0,  # a phone that looks away for a moment keeps its page
            favicon="🐾",
            proxy_headers=False,
            server_header=False,
            **serving,
        )
    finally:
        watcher.close()
    return 0


def _page(args: argparse.Namespace, watcher: Watcher, door: "Door | None") -> None:
    from nicegui import Client, app, ui
    from starlette.requests import Request

    from runtime.dashboard.avatar import Avatars
    from runtime.dashboard.page import build
    from runtime.dashboard.words import chosen

    avatars = Avatars(args.pack)
    if avatars.file is not None:
        app.add_static_file(local_file=avatars.file, url_path=avatars.ADDRESS)

    @ui.page("/", title="everpaw")
    async def page(request: Request, client: Client, lang: str = "", robot: str = "") -> None:
        language = chosen(lang, request.headers.get("accept-language", ""))
        build(watcher, language, _asked(robot) or args.robot, avatars.of, client, door)


def _on_loopback(args: argparse.Namespace, port: int) -> tuple[None, dict[str, Any]]:
    from nicegui import app

    from runtime.visitors.porter import Porter

    app.add_middleware(Porter, hosts=(*HERE, args.host))
    _tell(f"the dashboard is at {_address('http', args.host, port)} ; Ctrl-C ends")
    return None, {}


def _beyond(args: argparse.Namespace, port: int) -> "tuple[Door, dict[str, Any]]":
    """TLS by the house's authority, a password, and phones that are let in."""
    from nicegui import app

    from runtime.dashboard.devices import Door
    from runtime.visitors import certificate
    from runtime.visitors.lock import Lock
    from runtime.visitors.porter import Porter

    folder = args.page_folder
    ours = certificate.credentials(args.broker_folder, folder, args.host, args.name)
    lock = Lock(folder, _tell)
    if args.new_password:
        lock.forget()
    app.add_middleware(Porter, hosts=ours.hosts, secure=True, lock=lock, authority=ours.authority)
    address = _address("https", ours.reached_at, port)
    _tell(f"the dashboard is at {address} ; Ctrl-C ends")
    _tell(f"its authority, {address}ca.crt, has the SHA-256 fingerprint {ours.fingerprint}")
    lock.open()
    tls = {
        "ssl_certfile": ours.certificate,
        "ssl_keyfile": ours.key,
        "ssl_context_factory": lambda _config, _default: certificate.context(ours),
    }
    return Door(lock, address), tls


def _address(scheme: str, host: str, port: int) -> str:
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/"


def _tell(text: str) -> None:
    print(f"everpaw: {text}", file=sys.stderr, flush=True)


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="everpaw dashboard",
        description="The owner's page: live twin, status, commands, talk, charts, events, memory, fleet.",
    )
    add_broker(parser)
    parser.add_argument("--robot", default="", metavar="ID", type=_robot, help="which robot it shows first")
    parser.add_argument("--port", default=DEFAULT_PORT, type=int, help="of the page; 0 takes a free one")
    parser.add_argument("--pack", type=Path, help="folder of the pet's pack, for its avatar.glb")
    parser.add_argument("--events", type=Path, metavar="FILE", help="keep events beyond this run (SQLite)")
    parser.add_argument("--show", action="store_true", help="open it in a browser")
    beyond = parser.add_argument_group("for phones of the house, with TLS and a password")
    beyond.add_argument(
        "--host", default=HOST, type=_host, metavar="ADDRESS", help="where it listens, as 0.0.0.0"
    )
    beyond.add_argument("--name", action="append", default=[], help="another name under which it is opened")
    beyond.add_argument("--new-password", action="store_true", help="forget the password and all phones")
    config = keys_folder().parent
    beyond.add_argument("--broker-folder", type=Path, default=config / "broker", help="of everpaw security")
    beyond.add_argument("--page-folder", type=Path, default=config / "page", help="password, phones, key")
    return parser.parse_args(argv)


def _host(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no address; give one, as 192.168.1.20") from None


def _robot(text: str) -> str:
    return check_robot_id(text) if text else ""


def _asked(text: str) -> str:
    """The robot that the page's address names; what can be no robot's id names none."""
    try:
        return _robot(text)
    except MessageError:
        return ""
