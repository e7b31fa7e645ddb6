"""All parts of one pet, opened and wired as the settings and its pack ask."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from runtime import __version__
from runtime.answer import Answerer
from runtime.audio.capture import FileSource, MicrophoneSource, NullSource, Source
from runtime.audio.echo import EchoCanceller
from runtime.audio.playback import FileSink, NullSink, Sink, SpeakerSink
from runtime.audio.volume import Volume
from runtime.body import Body
from runtime.bus import Bus
from runtime.contracts import messages as m
from runtime.contracts.config import AudioSettings, RobotConfig
from runtime.contracts.errors import MissingExtraError
from runtime.contracts.pack import Pack
from runtime.ears import Ears, EarSettings
from runtime.engines import ladder
from runtime.life.kept import load, save, seed_in
from runtime.life.living import Living, local_hour
from runtime.life.rules import rules_of
from runtime.mind.acts import read_toml
from runtime.mind.conversation import Conversation
from runtime.mind.memory.place import memory_of
from runtime.pipeline import Listeners, Robot
from runtime.privacy.switches import Switches
from runtime.speech.sounds import SoundBank
from runtime.speech.tts import SilentVoice, Voice, voice

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
        care=config.care,
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
        children=config.care.children,
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
        rules_of(
            config.life,
            seed,
            movements,
            mind.persona.style,
            children=config.care.children,
            quirks=mind.persona.quirk,
        ),
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
