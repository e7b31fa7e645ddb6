"""The bridge between MQTT and the microcontroller: `everpaw bridge`.

    bus thread --Inbox--> main loop: gatekeeper -> player -> link ==serial==> guard
                                     errand <---- STATE, RESULT <----------'

Threads: the bus calls back on its own thread and only fills the inbox; everything else happens in the main
loop, which sleeps on the serial port, the inbox and the next of 50 setpoints a second.

Safety: setpoints flow only while the board is ARMED, the link agrees on every hash and the mind renews its
lease. From arming until the first lease the pose is held and nothing moves, for 10 s at most. When the lease
lapses or does not come the bridge falls silent and the board stops by its own clock. A stop is repeated until
the board confirms FAULT.
"""

import argparse
import logging
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from firmware_bridge import by_hand
from firmware_bridge.conductor import Conductor, monotonic_ms
from firmware_bridge.inbox import Inbox
from firmware_bridge.link import Link
from firmware_bridge.mcu import protocol as p
from firmware_bridge.player import PERIOD_S
from firmware_bridge.ports import resolve
from firmware_bridge.ranged import between
from firmware_bridge.sim import Ended
from firmware_bridge.skills import Library, skills_of
from firmware_bridge.urgency import be_urgent
from runtime import starter
from runtime.bus import Bus, Delivery
from runtime.contracts import messages as m
from runtime.contracts.body import Body, load_body
from runtime.contracts.body.tightening import tightened_by
from runtime.contracts.config import RobotConfig, load_config
from runtime.contracts.errors import EverpawError, LinkError, MessageError
from runtime.contracts.requirements import Here
from runtime.contracts.topics import PREFIX, check_robot_id
from runtime.data_folder import data_folder, in_use, wall_s
from runtime.outbox import Outbox

GOODBYE_S = 2.5
"""Longest wait for the board to reach its safe pose at the end"""


def serve(conductor: Conductor, link: Link, inbox: Inbox, ended: Ended) -> None:
    """The main loop, until `ended`; the board is left at rest on every way out."""
    try:
        while not ended.asked:
            _wait(link, inbox, conductor.next_stream_s - time.monotonic())
            conductor.hear(monotonic_ms())
            for delivery in inbox.take():
                _deliver(conductor, delivery)
            conductor.step(monotonic_ms())
    finally:
        give_up_s = time.monotonic() + GOODBYE_S
        while not conductor.farewell() and time.monotonic() < give_up_s:
            _wait(link, inbox, PERIOD_S)
            for _ in inbox.take():
                pass


def _wait(link: Link, inbox: Inbox, timeout_s: float) -> None:
    port = link.fileno()
    watched = [inbox.fileno()] if port is None else [inbox.fileno(), port]
    select.select(watched, [], [], min(max(timeout_s, 0.0), PERIOD_S))


def _deliver(conductor: Conductor, delivery: Delivery) -> None:
    if delivery.name == "request/view":
        if not delivery.retained:
            conductor.view(delivery.payload, monotonic_ms())
        return
    if delivery.name in by_hand.NAMES:
        with suppress(MessageError):
            conductor.command(*by_hand.command_of(delivery), delivery.retained, monotonic_ms())
        return
    topic = f"{PREFIX}/{delivery.robot_id}/{delivery.name}"
    conductor.command(topic, delivery.payload, delivery.retained, monotonic_ms())


@contextmanager
def simulator() -> Iterator[str]:
    """A simulated microcontroller of our own; its port."""
    with tempfile.TemporaryDirectory(prefix="everpaw-") as folder:
        port = Path(folder) / "mcu"
        command = [sys.executable, "-m", "firmware_bridge.sim", "--link", str(port)]
        # In its own session: Ctrl-C is for the bridge, which disarms before it ends the board.
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            give_up_s = time.monotonic() + 15
            while not port.exists():
                if process.poll() is not None or time.monotonic() > give_up_s:
                    raise LinkError("the simulated microcontroller did not come up; its words stand above")
                time.sleep(0.01)
            yield str(port)
        finally:
            process.terminate()
            process.wait()


def main(argv: list[str] | None = None) -> int:
    """`everpaw bridge`."""
    args = _parse(argv)
    body = load_body(args.body)
    config = settings(args)
    narrowed, library = moves(config, body)
    ended = Ended().listen()
    be_urgent()
    with ExitStack() as stack:
        port = stack.enter_context(simulator()) if args.port == "sim" else resolve(args.port)
        inbox = Inbox()
        stack.callback(inbox.close)
        presence = {alive: ("state/bridge", m.Presence(alive=alive)) for alive in (False, True)}
        mqtt = config.mqtt
        bus = Bus(
            config.robot_id,
            mqtt.host,
            mqtt.port,
            will=presence[False],
            birth=presence[True],
            certificates=mqtt.certificates,
        )
        link = Link(port, body, time.monotonic, narrowed)
        stack.callback(link.close)
        link.open()
        bus.connect(args.connect_s)
        stack.callback(bus.close)
        folder = args.events or data_folder(config.robot_id)
        stack.enter_context(in_use(folder))
        keep_s = config.privacy.keep_days * 86_400.0
        outbox = Outbox(bus, folder, "bridge", wall_s, keep_s).start()
        stack.callback(outbox.close)
        conductor = Conductor(outbox, link, narrowed, library, config.robot_id, arm=args.arm)
        for name in ("cmnd", "request/view", *by_hand.NAMES):
            bus.subscribe(name, inbox.put)
        serve(conductor, link, inbox, ended)
    return 0


def moves(config: RobotConfig, body: Body) -> tuple[Body, Library]:
    """The body as narrow as its pack wants it, and the pack's movements; PackError where it may not run."""
    pack = starter.trusted_pack(config.pack, Here.of(body, p.VERSION))
    narrowed = tightened_by(body, pack)
    return narrowed, skills_of(pack, narrowed)


def settings(args: argparse.Namespace) -> RobotConfig:
    """The robot's own, as its mind reads them; what has an option of its own counts before them."""
    config = load_config(RobotConfig, args.config, args.set)
    if args.robot_id is not None:
        config = config.model_copy(update={"robot_id": args.robot_id})
    if args.broker is not None:
        host, port = args.broker
        mqtt = config.mqtt.model_copy(update={"host": host or config.mqtt.host, "port": port})
        config = config.model_copy(update={"mqtt": mqtt})
    if args.pack is not None:
        config = config.model_copy(update={"pack": config.pack.model_copy(update={"path": args.pack})})
    return config


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="everpaw bridge", description="Between MQTT and the microcontroller."
    )
    parser.add_argument("--port", required=True, help="auto, id:SERIAL, a serial port, or `sim`")
    parser.add_argument("--config", type=Path, help="robot.toml, as `everpaw run` reads it")
    parser.add_argument("--set", action="append", default=[], metavar="A.B=C", help="change one setting")
    parser.add_argument(
        "--robot-id", type=check_robot_id, metavar="ID", help="instead of the settings' robot_id"
    )
    parser.add_argument("--broker", metavar="HOST:PORT", type=_address, help="instead of their mqtt")
    parser.add_argument(
        "--pack",
        type=Path,
        help="folder of the pack, instead of theirs; the starter where none is named",
    )
    parser.add_argument("--body", type=Path, help="TOML of another body than Buddy's")
    parser.add_argument(
        "--arm",
        action="store_true",
        help="allow movement as soon as the board said HELLO; without a mind for 10 s alone",
    )
    parser.add_argument("--events", type=Path, metavar="FOLDER", help="where its events are kept")
    parser.add_argument(
        "--connect-s", type=between(0, 3_600), default=5.0, help="how long to wait for the broker"
    )
    return parser.parse_args(argv)


def _address(text: str) -> tuple[str, int]:
    host, _, number = text.rpartition(":")
    if not number.isdigit() or not 0 < int(number) < 65_536:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host, int(number)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="everpaw bridge: %(message)s", stream=sys.stderr)
    try:
        sys.exit(main())
    except EverpawError as error:
        print(f"everpaw: {error}", file=sys.stderr)
        sys.exit(1)
