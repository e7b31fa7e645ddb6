"""`everpaw run`: the long-running robot."""

import argparse
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from runtime import starter
from runtime.assembly import assemble, connect, describe, open_sink, open_source, speaker_of
from runtime.audio.volume import Volume
from runtime.bus import Bus
from runtime.contracts.config import PrivacySettings, RobotConfig, load_config
from runtime.contracts.errors import ConfigError
from runtime.contracts.pack import Pack
from runtime.contracts.requests import EraseRequest
from runtime.contracts.requirements import Here
from runtime.data_folder import data_folder, in_use, wall_s
from runtime.engines import ladder
from runtime.engines.store import Store
from runtime.eyes import home_assistant
from runtime.host import HostWatch
from runtime.lessons.book import FOLDER as LESSONS
from runtime.lessons.teacher import Teacher
from runtime.life.day import QuietHours
from runtime.life.kept import place
from runtime.life.living import local_hour
from runtime.mind.conversation import MEMORY_INTENTS
from runtime.outbox import Outbox
from runtime.pipeline import Listeners, Robot, TurnRecord
from runtime.privacy.anew import begin_anew
from runtime.privacy.copies import Copier
from runtime.privacy.holdings import Holdings
from runtime.privacy.redaction import Redactor, redact_logs
from runtime.privacy.switches import Switches
from runtime.reporter import reporting
from runtime.soul.place import moved, rests


def main(argv: list[str]) -> int:
    """`everpaw run`."""
    parser = argparse.ArgumentParser(prog="everpaw run", description="The long-running robot.")
    add_settings(parser)
    args = parser.parse_args(argv)
    config = load_config(RobotConfig, args.config, args.set)
    printing = Listeners(turn=partial(_print_turn, share_text=config.privacy.share_text))
    asked = live(config, lambda *_: printing, erasable=True)
    if asked is not None:
        begin_anew(config, asked)
    return 0


def add_settings(parser: argparse.ArgumentParser) -> None:
    """`--config` and `--set`."""
    parser.add_argument("--config", type=Path, help="robot.toml; defaults where not given")
    parser.add_argument("--set", action="append", default=[], metavar="A.B=C", help="change one setting")


def live(
    config: RobotConfig, listen: Callable[[Bus, Pack], Listeners], *, erasable: bool = False
) -> EraseRequest | None:
    """Live until the source ends, Ctrl-C or a signal; `listen` says who is told what.

    `erasable`: also until a page asks to erase what is kept; what it asked for comes back then.
    """
    asked: list[EraseRequest] = []

    def erase(request: EraseRequest) -> None:
        asked.append(request)
        robot.stop()

    folder = data_folder(config.robot_id)
    if rests(folder):
        raise ConfigError("it rests, as you wished; to wake it, type: everpaw soul wake")
    pack = starter.trusted_pack(config.pack, Here.of())
    ladder.use(config.engines.provider, Store(config.engines.folder))
    with ExitStack() as stack:
        source = stack.enter_context(closing(open_source(config.audio)))
        sink = stack.enter_context(closing(Volume(open_sink(config.audio))))
        speaker = stack.enter_context(closing(speaker_of(config.audio)))
        bus = stack.enter_context(connect(config))
        stack.enter_context(in_use(folder))
        keep_s = config.privacy.keep_days * 86_400.0
        outbox = Outbox(bus, folder, "mind", wall_s, keep_s).start()
        stack.callback(outbox.close)
        redactor = Redactor()
        redact_logs(redactor)
        robot = assemble(
            config,
            pack,
            bus=bus,
            sink=sink,
            speaker=speaker,
            listeners=listen(bus, pack),
            life_file=config.life.path or place(config.robot_id),
            publish=outbox.publish,
            switches=Switches(folder),
            hide=redactor.hide,
            persona=moved(folder),
        )
        _introduce(robot, config, pack)
        stack.callback(_learn(robot, folder, config.privacy).close)
        robot.desk.held = held = Holdings.of(config)
        robot.desk.export = Copier(held, config.robot_id, bus.send, robot.tell_copied).begin
        if erasable:
            robot.desk.erase = erase
        watch = HostWatch(folder, lambda: outbox.waiting, lambda: bus.dropped)
        known = (
            home_assistant.payload(config.robot_id, describe(pack)) if config.home_assistant.enabled else b""
        )
        bus.announce(home_assistant.topic(config.robot_id), known)
        stack.enter_context(reporting(bus, watch, robot.latencies, robot.life.message))
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: robot.stop())
        print(f"everpaw: {pack.manifest.name} listens; Ctrl-C ends", file=sys.stderr)
        robot.run(source)
    return asked[0] if asked else None


def _learn(robot: Robot, folder: Path, settings: PrivacySettings) -> Teacher:
    """A teacher who listens as well; it keeps nothing while the owner does not consent."""
    teacher = Teacher(
        folder / LESSONS,
        allowed=lambda: robot.lessons,
        grammar=robot.conversation.grammar,
        clock=time.monotonic,
        keep=timedelta(days=settings.keep_days),
    )
    others = robot.listeners.turn

    def turn(record: TurnRecord) -> None:
        others(record)
        teacher.take(record)

    robot.listeners = replace(robot.listeners, turn=turn)
    robot.desk.forgotten = teacher.forget
    return teacher


def _introduce(robot: Robot, config: RobotConfig, pack: Pack) -> None:
    """The twin of an animal says when it starts that it is a robot; in quiet hours it waits to be asked."""
    hour, card = local_hour(), robot.conversation.persona.card
    quiet = hour is None or QuietHours.read(config.life.quiet_hours).holds(hour)
    if card and not quiet and (pack.trust != "starter" or moved(data_folder(config.robot_id))):
        robot.answerer.read_aloud(card[0])


def _print_turn(record: TurnRecord, *, share_text: bool) -> None:
    """On a terminal the pet's words; what is no terminal may be a log, and words are nothing for one."""
    intent = record.turn.understanding.intent
    shown = share_text or (sys.stdout.isatty() and intent not in MEMORY_INTENTS)
    print(f"{intent or 'not understood'}: {record.said if shown else '(not shown)'}", flush=True)
