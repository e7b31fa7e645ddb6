"""The robot's settings: one TOML file and repeatable `--set a.b=c`, into frozen models.

An unknown key is an error, so that a typing mistake never becomes a silent default.
"""

import tomllib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from runtime.contracts.errors import ConfigError

C = TypeVar("C", bound="Settings")


QUIET_HOURS = r"^(?:(?:[01]?\d|2[0-3]):[0-5]\d-(?:[01]?\d|2[0-3]):[0-5]\d)?$"


class Settings(BaseModel):
    """Base of all settings: frozen, and no key that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    page: ClassVar[str] = "docs/settings.md"
    """Where the settings are told"""


class PackSettings(Settings):
    path: Path | None = None
    """Folder of the pet's pack; the starter pack where unset"""
    allow_unsigned: bool = False
    """True: also a pack that nobody, or nobody trusted here, has signed"""
    keys: Path | None = None
    """Folder of the keys that are trusted; `~/.config/everpaw/keys` where unset"""


class MqttSettings(Settings):
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 1883
    certificates: Path | None = None
    """Folder of this robot's certificate, as `everpaw security init` makes it; in clear where unset"""


class AudioSettings(Settings):
    source: Literal["microphone", "silence"] | Path = "microphone"
    """`microphone`, `silence`, or a sound file that is played once in real time"""
    sink: Literal["speaker", "silence"] | Path = "speaker"
    input_device: int | None = None
    output_device: int | None = None
    voice: bool = True
    """False: pet sounds only, words on the screen"""
    voice_server: str = ""
    """A Wyoming server of this house that turns words into sound, as "tcp://127.0.0.1:10200"; needs the
    [neighbours] extra. Where it does not answer, the pet's own voice speaks"""
    echo_cancellation: bool = True
    """False: the pet is deaf to all but its name and "stop!" while it speaks"""


class WakeSettings(Settings):
    backend: Literal["pyopen-wakeword", "openwakeword"] = "pyopen-wakeword"
    heads: tuple[Path, ...] = ()
    """More names than the pack's own"""
    networks: Path | None = None
    """Folder of openWakeWord's ONNX feature networks, for the `openwakeword` backend only"""
    anybody: bool = False
    """Listen to everybody, also where an owner's verifier stands beside a head"""
    witness: bool = True
    """Where a head is not sure, the recogniser's ears are asked whether the name was said"""
    follow_up_s: Annotated[float, Field(ge=0, le=120)] = 8.0
    """After an answer the pet listens this long without its name"""


class TurnSettings(Settings):
    """How the microphone's stream is cut into utterances."""

    pre_roll_s: Annotated[float, Field(ge=0, le=2)] = 0.5
    endpoint_silence_s: Annotated[float, Field(ge=0.1, le=3)] = 0.5
    """Silence that ends an utterance nothing is known of"""
    min_speech_s: Annotated[float, Field(ge=0, le=1)] = 0.15
    max_utterance_s: Annotated[float, Field(ge=1, le=60)] = 10.0
    start_probability: Annotated[float, Field(gt=0, lt=1)] = 0.5
    stay_probability: Annotated[float, Field(gt=0, lt=1)] = 0.35
    grow_step_s: Annotated[float, Field(ge=0.03, le=1)] = 0.064
    """How often the words so far are looked at"""


class EarlySettings(Settings):
    """When the words so far are enough to act on, before the silence that ends an utterance is over."""

    enabled: bool = True
    confidence: Annotated[float, Field(gt=0, le=1)] = 0.9
    """Least belief in a command that is acted on after `pause_s`"""
    looks: Annotated[int, Field(ge=1, le=20)] = 2
    """The same meaning so many looks in a row counts as stable"""
    pause_s: Annotated[float, Field(ge=0, le=1)] = 0.06
    """Silence after a command that nothing in the grammar can turn into another"""
    open_pause_s: Annotated[float, Field(ge=0, le=1)] = 0.2
    """Silence after a command that could go on to mean something else, and after one in free words"""
    reaction_pause_s: Annotated[float, Field(ge=0, le=1)] = 0.06
    """Silence after which words of no command get a first glance, before their answer"""
    unexplained_steps: Annotated[int, Field(ge=0, le=1_000)] = 3
    """More steps of 20 ms than these that no word accounts for: something else was said as well"""
    complete_silence_s: Annotated[float, Field(ge=0.2, le=3)] = 0.2
    """Ends an utterance that is a whole command; nothing walks before it is over"""
    open_silence_s: Annotated[float, Field(ge=0.2, le=3)] = 0.3
    """Ends one that is a whole command and could go on"""
    likely_silence_s: Annotated[float, Field(ge=0.2, le=3)] = 0.35
    """Ends one that seems to be a whole command, if `likely_looks` in a row agree"""
    likely_looks: Annotated[int, Field(ge=1, le=40)] = 4
    unfinished_silence_s: Annotated[float, Field(ge=0.2, le=3)] = 0.9
    """Ends one whose last word asks for more"""


class DialogueSettings(Settings):
    """Who words the answers: the persona's ready lines, or a language model (the pack's, or a server's)."""

    orders: Literal["lines", "model"] = "lines"
    small_talk: Literal["lines", "model"] = "lines"
    """Greetings, praise, and questions the pack has lines for"""
    open_talk: Literal["lines", "model"] = "model"
    least_clear: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Words less probably heard right are not given to a language model"""
    first_sentence_s: Annotated[float, Field(gt=0, le=60)] = 2.0
    """A model that has no sentence ready by then is not waited for: a line is said"""
    reply_s: Annotated[float, Field(gt=0, le=120)] = 8.0
    """A reply that is not over by then ends with the sentence before"""
    max_words: Annotated[int, Field(ge=1, le=200)] = 40
    server: Annotated[str, StringConstraints(pattern=r"^(https?://.+)?$")] = ""
    """An OpenAI-compatible one, as "http://192.168.1.20:11434/v1"; its model answers, not the pack's"""
    model: str = ""
    """The server's name for it; the first it offers where empty"""
    api_key_file: Path | None = None
    consent: str = ""
    """Host outside the house to which everybody at home agrees to send what is said; only with https"""
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.7
    """Of the server's model"""
    reader: Path | None = None
    """Folder of another reader (`everpaw train reader`) than the pack's, to find danger that no rule knows"""
    extra: dict[str, Any] = {}
    """Further fields of each request to the server, as its handbook names them"""


class MemorySettings(Settings):
    """What the pet may know of its people."""

    enabled: bool = False
    """True: whoever wrote this setting consents. The owner's own word (`everpaw memory allow` or `deny`, "you
    may remember things") counts before it"""
    path: Path | None = None
    """Folder of the memory; `~/.local/share/everpaw/ROBOT_ID/memory` (or below XDG_DATA_HOME) where unset"""
    max_facts: Annotated[int, Field(ge=0, le=32)] = 4
    """So many facts at most go into the language model's prompt"""


class PrivacySettings(Settings):
    share_text: bool = False
    """Consent: topics may carry what was heard and said"""
    lessons: bool = False
    """Consent: turns and how they were taken are kept, sealed, to learn from. As with share_text and the
    microphone, `everpaw privacy allow` and `deny` or a page count before it"""
    keep_days: Annotated[int, Field(ge=1, le=3_650)] = 90
    """Lessons and the journal of events that are older are deleted"""


class CareSettings(Settings):
    """Limits that its owner sets on what it says, and for whom."""

    children: bool = False
    """A child talks with it: ready words alone, nothing is remembered or kept, no steps of its own will, and
    secrets, strangers and danger are sent to a grown-up"""
    never_say: Annotated[
        tuple[Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=60)], ...],
        Field(max_length=100),
    ] = ()
    """Words that it never says by itself, as ["the vet"], whoever would word them. Help in danger and that it
    is a robot are said all the same"""


class LifeSettings(Settings):
    """What the pet does of its own will between orders."""

    enabled: bool = True
    """False: it moves when it is asked to, and else holds still"""
    quiet_hours: Annotated[str, StringConstraints(pattern=QUIET_HOURS)] = "22:00-07:00"
    """It only lies down and sleeps then; empty: none. Local time; while the clock is not set, it is quiet"""
    locomotion: bool = False
    """It may walk a few steps by itself"""
    sleep: bool = True
    """It may fall asleep by itself"""
    sounds: bool = True
    """It may make a sound of its own will, never in quiet hours"""
    seed: int | None = None
    """Of its character and its chances; the robot's seed where unset"""
    path: Path | None = None
    """File that keeps drives and mood; `~/.local/share/everpaw/ROBOT_ID/life.json` where unset"""


class UpdateSettings(Settings):
    """Updates over the air; `everpaw update` reads them."""

    root: Path = Path("/var/lib/everpaw")
    """Where releases are kept; `pack.path` is its `current`"""
    repository: str | None = None
    """`https://...`, `file://...` or a folder; updates come by hand only where unset"""
    channel: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,32}$")] = "stable"
    services: tuple[str, ...] = ()
    """systemd units that are restarted after a switch"""
    least_charge_percent: Annotated[int, Field(ge=0, le=100)] = 30
    health_limit_s: Annotated[float, Field(ge=1, le=300)] = 17.0
    """Longest time for one look at a new release; three fit into a minute"""


class EngineSettings(Settings):
    """What networks run on."""

    provider: Literal["auto", "tensorrt", "cuda", "cpu"] = "auto"
    """The best there is that gives the right answers; or no better than this"""
    folder: Path = Path("~/.cache/everpaw/engines").expanduser()
    """TensorRT engines that were built here"""
    memory_mb: Annotated[int, Field(ge=64, le=65_536)] = 1_024
    """Most workspace while one is built"""


class HomeAssistantSettings(Settings):
    enabled: bool = False
    """True: the pet announces itself to a Home Assistant on the same broker; false takes it away again"""


class RobotConfig(Settings):
    """Everything `everpaw run` can be told."""

    robot_id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,32}$")] = "buddy"
    seed: int = 7
    pack: PackSettings = PackSettings()
    mqtt: MqttSettings = MqttSettings()
    audio: AudioSettings = AudioSettings()
    wake: WakeSettings = WakeSettings()
    turns: TurnSettings = TurnSettings()
    early: EarlySettings = EarlySettings()
    dialogue: DialogueSettings = DialogueSettings()
    memory: MemorySettings = MemorySettings()
    life: LifeSettings = LifeSettings()
    care: CareSettings = CareSettings()
    privacy: PrivacySettings = PrivacySettings()
    home_assistant: HomeAssistantSettings = HomeAssistantSettings()
    update: UpdateSettings = UpdateSettings()
    engines: EngineSettings = EngineSettings()


def load_config(
    model: type[C],
    path: Path | None = None,
    overrides: Sequence[str] = (),
    base: Mapping[str, Any] | None = None,
) -> C:
    """`base`, over it TOML at `path`, over it each override `a.b=c`; ConfigError names key and cure."""
    data: dict[str, Any] = deepcopy(dict(base or {}))
    if path is not None:
        try:
            data = _over(data, tomllib.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise ConfigError(f"cannot read {path} ({error.strerror}); give an existing TOML file") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} is not TOML ({error}); mend that line") from error
    for override in overrides:
        _apply(data, override)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ConfigError(_explain(error, path, model.page)) from error


def _over(data: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """`data` with what `more` says in its place, part by part."""
    for key, value in more.items():
        held = data.get(key)
        data[key] = _over(held, value) if isinstance(held, dict) and isinstance(value, dict) else value
    return data


def _apply(data: dict[str, Any], override: str) -> None:
    key, equals, raw = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {override!r} is not of the form part.key=value")
    *parents, last = key.split(".")
    for part in parents:
        data = data.setdefault(part, {})
        if not isinstance(data, dict):
            raise ConfigError(f"--set {override!r}: {part!r} is a value, not a part with keys of its own")
    try:
        data[last] = tomllib.loads(f"v = {raw}")["v"]
    except tomllib.TOMLDecodeError:
        data[last] = raw


def _explain(error: ValidationError, path: Path | None, page: str) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    where = f"{path}: " if path else ""
    if first["type"] == "extra_forbidden":
        return f"{where}unknown setting {key!r}; check the spelling against {page}"
    return f"{where}{key} = {first['input']!r}: {first['msg']}"
