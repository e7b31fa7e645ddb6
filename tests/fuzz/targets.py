"""What is fuzzed: a table of readers, each with the errors that it may raise. Anything else is a bug."""

import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from firmware_bridge import codec
from firmware_bridge.gatekeeper import Gatekeeper
from runtime.audio.soundfiles import read_audio
from runtime.contracts.archive import extract
from runtime.contracts.body import load_body
from runtime.contracts.config import RobotConfig, load_config
from runtime.contracts.errors import AudioError, ConfigError, FactError, MessageError, PackError, TrustError
from runtime.contracts.pack import parse_manifest, signer_of
from runtime.contracts.reports import ExportAck
from runtime.contracts.topics import MAX_PAYLOAD_BYTES, TOPICS, decode, split_topic
from runtime.privacy import portable
from runtime.privacy.copies import Incoming
from runtime.security.pairing import Join, Offer, Visit

_SCRATCH = Path(tempfile.gettempdir())
_BODY = load_body()
_MODELS = [topic.model for topic in TOPICS.values()]


@dataclass(frozen=True, slots=True)
class Target:
    """One reader: takes any bytes, and raises nothing but what it refuses them with."""

    read: Callable[[bytes], object]
    most: int
    """Bytes worth trying"""


def _frames(data: bytes) -> None:
    """Both sides of the wire: what the host reads of a stream, however it is cut."""
    whole, pieces = codec.FrameReader(), codec.FrameReader()
    frames = whole.feed(data)
    middle = len(data) // 2
    assert [*pieces.feed(data[:middle]), *pieces.feed(data[middle:])] == frames
    for frame in frames:
        assert len(frame.payload) <= 96
        codec.read_message(frame)


def _commands(data: bytes) -> None:
    """A topic, a line end, a payload: the bridge judges it, and every model reads it."""
    name, _, payload = data.partition(b"\n")
    topic = f"everpaw/v1/buddy/{name.decode('utf-8', 'replace')}"
    gate = Gatekeeper("buddy", "boot", _BODY, {"sit"}, {"walk"})
    verdict = gate.judge(topic, payload, False, 1_000)
    assert verdict.act == "stop" or verdict.status != "accepted" or verdict.command is not None
    with suppress(MessageError):
        split_topic(topic)
    for model in _MODELS:
        with suppress(MessageError):
            assert decode(model, payload) is not None


def _manifest(data: bytes) -> None:
    with suppress(PackError):
        parse_manifest(data, Path("manifest.json"))
    with suppress(PackError, TrustError):
        signer_of(b"{}", data, Path("signature.json"))


def _archive(data: bytes) -> None:
    with tempfile.TemporaryDirectory(dir=_SCRATCH, prefix="everpaw-fuzz-") as name:
        path, target = Path(name) / "pet.paw", Path(name) / "pet"
        path.write_bytes(data)
        with suppress(PackError):
            extract(path, target)
        assert {entry.name for entry in Path(name).iterdir()} <= {"pet.paw", "pet"}, "it wrote elsewhere"


def _config(data: bytes) -> None:
    """A settings file, and its first line as an override."""
    with tempfile.NamedTemporaryFile(dir=_SCRATCH, suffix=".toml") as file:
        file.write(data)
        file.flush()
        for path, overrides in ((Path(file.name), []), (None, [data[:200].decode("utf-8", "replace")])):
            with suppress(ConfigError):
                load_config(RobotConfig, path, overrides)


def _wav(data: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=_SCRATCH, suffix=".wav") as file:
        file.write(data)
        file.flush()
        with suppress(AudioError):
            samples = read_audio(Path(file.name))
            assert samples.dtype.name == "int16"


def _pairing(data: bytes) -> None:
    """Both sides of the door, with the other one's line replaced."""
    first, _, second = data.partition(b"\n")
    offer = Offer("12345678", lambda: 0.0, lambda asked: {})
    visit, join = Visit(offer), Join("12345678", b"")
    with suppress(TrustError):
        join.hello()
        join.ask(first)
        join.take(second)
    with suppress(TrustError):
        visit.greet(first)
        visit.finish(second)
    assert not offer.taken


def _copy(data: bytes) -> None:
    """An export as a zip, and the parts of one as a page takes them."""
    with tempfile.NamedTemporaryFile(dir=_SCRATCH, suffix=".zip") as file:
        file.write(data)
        file.flush()
        with suppress(FactError):
            portable.read(Path(file.name))
    page = Incoming("rex", "order")
    for number, piece in enumerate(data.split(b"\n")[:8]):
        page.take(ExportAck(id="order", ok=True, part=number, parts=8, data=piece.decode("latin-1")))
    with suppress(FactError):
        page.open()


TARGETS = {
    "frames": Target(_frames, 512),
    "commands": Target(_commands, 2 * MAX_PAYLOAD_BYTES),
    "manifest": Target(_manifest, 20_000),
    "archive": Target(_archive, 20_000),
    "config": Target(_config, 4_000),
    "wav": Target(_wav, 4_000),
    "pairing": Target(_pairing, 2_000),
    "copy": Target(_copy, 8_000),
}


def seeds(name: str) -> list[bytes]:
    """The kept corpus of a target."""
    return [path.read_bytes() for path in sorted((Path(__file__).parent / "corpus" / name).glob("*"))]
