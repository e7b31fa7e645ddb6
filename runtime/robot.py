"""`everpaw run`: the long-running robot, put together from its settings."""

import argparse
import logging
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from runtime import __version__, starter
from runtime.answer import Answerer
from runtime.audio.capture import FileSource, MicrophoneSource, NullSource, Source
from runtime.audio.echo import EchoCanceller
from runtime.audio.playback import FileSink, NullSink, Sink, SpeakerSink
from runtime.audio.volume import Volume
from runtime.body import Body
from runtime.bus import Bus
from runtime.contracts import messages as m
from runtime.contracts.config import AudioSettings, PrivacySettings, RobotConfig, load_config
from runtime.contracts.errors import ConfigError, MissingExtraError
from runtime.contracts.pack import Pack
from runtime.contracts.requirements import Here
from runtime.data_folder import data_folder, in_use, wall_s
from runtime.ears import Ears, EarSettings
from runtime.engines import ladder
from runtime.engines.store import Store
from runtime.eyes import home_assistant
from runtime.host import HostWatch
from runtime.lessons.book import FOLDER as LESSONS
from runtime.lessons.teacher import Teacher
from runtime.life.day import QuietHours
from runtime.life.kept import load, place, save, seed_in
from runtime.life.living import Living, local_hour
from runtime.life.rules import rules_of
from runtime.mind.acts import read_toml
from runtime.mind.conversation import MEMORY_INTENTS, Conversation
from runtime.mind.memory.place import memory_of
from runtime.outbox import Outbox
from runtime.pipeline import Listeners, Robot, TurnRecord
from runtime.privacy.redaction import Redactor, redact_logs
from runtime.privacy.switches import Switches
from runtime.reporter import reporting
from runtime.soul.place import moved, rests
from runtime.speech.sounds import SoundBank
from runtime.speech.tts import SilentVoice, Voice, voice

_log = logging.getLogger(__name__)
_CONNECT_S = 5.0
GAIT_KINDS = ("gait", "stride")
"""A step told by joints or by feet"""


def open_source(settings: AudioSettings) -> Source:
    if settings.source == "microphone":
        return MicrophoneSource(settings.input_device)
    if settings.source == "silence":
        return NullSource()
    return FileSource(Path(settings.source), realtime=True, pad_s=1.0)


def open_sink(settings: AudioSettings) -> Sink:
    if settings.sink == "speaker":
        return SpeakerSink(settings.output_device)
    return NullSink() if settings.sink == "silence" else FileSink(Path(settings.sink))


def speaker_of(settings: AudioSettings) -> Voice:
    """The voice that the settings ask for."""
    if not settings.voice:
        return SilentVoice()
    if not settings.voice_server:
        return voice()
    try:
        from runtime.neighbours.wyoming_voice import WyomingVoice
    except ModuleNotFoundError as error:
        raise MissingExtraError("wyoming", "neighbours") from error
    return WyomingVoice(settings.voice_server, voice())


def connect(config: RobotConfig) -> Bus:
    """The mind's connection, with its birth and last will."""
    return Bus(
        config.robot_id,
        config.mqtt.host,
        config.mqtt.port,
        will=("state/runtime", m.Presence(alive=False)),
        birth=("state/runtime", m.Presence(alive=True)),
        certificates=config.mqtt.certificates,
    ).connect(_CONNECT_S)


def assemble(
    config: RobotConfig,
    pack: Pack,
    *,
    bus: Bus,
    sink: Sink,
    speaker: Voice,
    listeners: Listeners | None = None,
    life_file: Path | None = None,
    hour: Callable[[], float | None] = local_hour,
    publish: Callable[[str, m.Message], object] | None = None,
    switches: Switches | None = None,
    hide: Callable[[str], None] = lambda text: None,
    persona: Path | None = None,
) -> Robot:
    """All parts of one pet, wired but not yet alive; its life is kept in `life_file`, if there is one."""
    heads = [*pack.files("wake", ".onnx"), *config.wake.heads]
    names = [head.stem.replace("_", " ") for head in heads]
    body = Body(bus)
    memory = memory_of(config)
    memory.warm()
    conversation = Conversation(
        pack,
        seed=config.seed,
        names=names,
        settings=config.dialogue,
        memory=memory,
        hide=hide,
        persona=persona,
    )
    conversation.warm()
    stops, spotter = pack.files("stop", ".onnx"), conversation.stop_spotter()
    ears = Ears(EarSettings(heads, stops, config.wake, config.turns, spotter, conversation.name_spotter))
    answerer = Answerer(
        conversation=conversation,
        voice=speaker,
        sounds=SoundBank(pack.part("sounds"), config.seed),
        sink=sink,
        body=body,
        settings=config.early,
        be_patient=ears.be_patient,
    )
    life = life_of(config, pack, bus, body, answerer.conversation, life_file, hour, answerer.utter)
    body.colour = life.colour
    robot = Robot(
        ears=ears,
        answerer=answerer,
        body=body,
        bus=bus,
        life=life,
        echo=EchoCanceller() if config.audio.echo_cancellation else None,
        follow_up_s=config.wake.follow_up_s,
        share_text=config.privacy.share_text,
        lessons=config.privacy.lessons,
        switches=switches,
        listeners=listeners or Listeners(),
        publish=publish,
        memory=(memory.folder, memory.enabled),
        set_volume=sink.turn if isinstance(sink, Volume) else lambda level: None,
    )
    bus.publish("meta/robot", describe(pack))
    return robot


def life_of(
    config: RobotConfig,
    pack: Pack,
    bus: Bus,
    body: Body,
    mind: Conversation,
    file: Path | None = None,
    hour: Callable[[], float | None] = local_hour,
    utter: Callable[[tuple[str, ...], str], None] = lambda kinds, mood: None,
) -> Living:
    """The pet's own will, as the settings and the pack allow."""
    lived = seed_in(file) if file else None  # a life that moved here keeps the nature it was born with
    seed = config.life.seed if config.life.seed is not None else config.seed if lived is None else lived
    movements = frozenset(path.stem for path in pack.files("skills", ".toml"))
    return Living(
        body,
        mind,
        rules_of(config.life, seed, movements, mind.persona.style),
        seed=seed,
        enabled=config.life.enabled,
        follow_up_s=config.wake.follow_up_s,
        kept=load(file, seed) if file else None,
        keep=partial(save, path=file) if file else lambda kept: None,
        tell=partial(bus.publish, "state/mind"),
        hour=hour,
        utter=utter if config.life.sounds else lambda kinds, mood: None,
    )


def describe(pack: Pack) -> m.RobotMeta:
    """Versions and what the pet can do."""
    kinds = {path.stem: read_toml(path).get("kind") for path in pack.files("skills", ".toml")}
    gaits = [name for name, kind in kinds.items() if kind in GAIT_KINDS]
    return m.RobotMeta(
        runtime_version=__version__,
        pack_name=pack.manifest.name,
        pack_sha256=pack.sha256,
        skills=list(kinds),
        gaits=gaits,
        engines={f"{path.parent.name}/{path.stem}": str(why) for path, why in ladder.decisions().items()},
        languages=[pack.manifest.language],
    )


def main(argv: list[str]) -> int:
    """`everpaw run`."""
    parser = argparse.ArgumentParser(prog="everpaw run", description="The long-running robot.")
    add_settings(parser)
    args = parser.parse_args(argv)
    config = load_config(RobotConfig, args.config, args.set)
    live(config, lambda *_: Listeners(turn=partial(_print_turn, share_text=config.privacy.share_text)))
    return 0


def add_settings(parser: argparse.ArgumentParser) -> None:
    """`--config` and `--set`."""
    parser.add_argument("--config", type=Path, help="robot.toml; defaults where not given")
    parser.add_argument("--set", action="append", default=[], metavar="A.B=C", help="change one setting")


def live(config: RobotConfig, listen: Callable[[Bus, Pack], Listeners]) -> None:
    """Live until the source ends, Ctrl-C or a signal; `listen` says who is told what."""
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
        watch = HostWatch(folder, lambda: outbox.waiting, lambda: bus.dropped)
        known = (
            home_assistant.payload(config.robot_id, describe(pack)) if config.home_assistant.enabled else b""
        )
        bus.announce(home_assistant.topic(config.robot_id), known)
        stack.enter_context(reporting(bus, watch, robot.latencies))
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: robot.stop())
        print(f"everpaw: {pack.manifest.name} listens; Ctrl-C ends", file=sys.stderr)
        robot.run(source)


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
