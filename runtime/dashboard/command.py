"""`everpaw dashboard`: the owner's page, served on this computer alone."""

import argparse
import logging
import sys
from pathlib import Path

from runtime.broker import free_port, require_free
from runtime.contracts.errors import MessageError
from runtime.contracts.topics import check_robot_id
from runtime.eyes.watcher import add_broker, watcher_of

DEFAULT_PORT = 8420
HOST = "127.0.0.1"


def main(argv: list[str]) -> int:
    """Serve until Ctrl-C."""
    args = _parse(argv)
    require_free(args.port)
    from nicegui import Client, app, ui  # a second of loading, which `--help` need not wait for
    from starlette.requests import Request

    from runtime.dashboard.avatar import Avatars
    from runtime.dashboard.page import build
    from runtime.dashboard.words import chosen

    watcher = watcher_of(args, args.events)
    avatars = Avatars(args.pack)
    if avatars.file is not None:
        app.add_static_file(local_file=avatars.file, url_path=avatars.ADDRESS)

    @ui.page("/", title="everpaw")
    async def page(request: Request, client: Client, lang: str = "", robot: str = "") -> None:
        language = chosen(lang, request.headers.get("accept-language", ""))
        build(watcher, language, _asked(robot) or args.robot, avatars.of, client)

    page_port = args.port or free_port()
    print(
        f"everpaw: the dashboard is at http://{HOST}:{page_port}/ ; Ctrl-C ends", file=sys.stderr, flush=True
    )
    logging.getLogger("nicegui").setLevel(logging.ERROR)
    app.config.quasar_config["loadingBar"] = {"skipHijack": True}
    try:
        ui.run(
            host=HOST,
            port=page_port,
            title="everpaw",
            show=args.show,
            reload=False,
            tailwind=False,
            dark=None,
            show_welcome_message=False,
            reconnect_timeout=30.0,  # a phone that looks away for a moment keeps its page
            favicon="🐾",
        )
    finally:
        watcher.close()
    return 0


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
    return parser.parse_args(argv)


def _robot(text: str) -> str:
    return check_robot_id(text) if text else ""


def _asked(text: str) -> str:
    """The robot that the page's address names; what can be no robot's id names none."""
    try:
        return _robot(text)
    except MessageError:
        return ""
