"""A copy for a page: whole, for that page alone, and told when there is none."""

import base64
import json
import zipfile
from collections.abc import Callable
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest

from runtime.contracts.config import RobotConfig
from runtime.contracts.errors import FactError
from runtime.contracts.reports import ExportAck
from runtime.contracts.requests import ExportRequest
from runtime.contracts.topics import MAX_PAYLOAD_BYTES, encode
from runtime.data_folder import data_folder
from runtime.mind.memory.store import Store
from runtime.privacy.command import main
from runtime.privacy.copies import Copier, Incoming
from runtime.privacy.holdings import Holdings
from tests.runtime.privacy.test_privacy import FACT, SECRET, fill
from tests.runtime.test_pipeline import until


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Holdings:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    fill(data_folder("rex"))
    return Holdings.of(RobotConfig(robot_id="rex"))


class Line:
    """A broker that takes everything, or from some part on nothing."""

    def __init__(self, takes: int = 1_000_000) -> None:
        self.takes = takes
        self.sent: list[ExportAck] = []

    def send(self, name: str, message: ExportAck) -> Callable[[], bool] | None:
        assert name == "ack/export"
        if message.ok and len(self.sent) >= self.takes:
            return None
        self.sent.append(message)
        return lambda: True


def asked_by(page: Incoming) -> ExportRequest:
    return ExportRequest(id=page.order, key=page.key, seen_mono_ms=0)


def copied(held: Holdings, page: Incoming) -> list[ExportAck]:
    line = Line()
    Copier(held, "rex", line.send).begin(asked_by(page))
    until(lambda: bool(line.sent) and (not line.sent[-1].ok or len(line.sent) == line.sent[-1].parts))
    return line.sent


def lengthen(held: Holdings) -> None:
    """So much of it that it comes in many parts, however well it packs."""
    held.persona.write_text(
        "".join(base64.b85encode(bytes([n % 251, n // 251]) * 9).decode() for n in range(40_000))
    )


def test_it_comes_in_parts_that_no_message_is_too_long_for_and_goes_back_in(
    held: Holdings, tmp_path: Path
) -> None:
    lengthen(held)
    page = Incoming("rex", "order")
    parts = copied(held, page)
    assert len(parts) > 3
    assert all(len(encode(part)) <= MAX_PAYLOAD_BYTES for part in parts)
    for part in reversed(parts):
        assert not page.whole
        page.take(part)
    assert page.whole
    (tmp_path / "rex.zip").write_bytes(page.open())
    with zipfile.ZipFile(tmp_path / "rex.zip") as archive:
        assert SECRET in archive.read("facts.json").decode()
        assert set(json.loads(archive.read("manifest.json"))["files"]) | {"manifest.json"} == set(
            archive.namelist()
        )
    of = ("--set", "robot_id=rex")
    assert main(["erase", "--yes", *of]) == 0
    assert held.counts()["memory"] == 0
    assert main(["import", str(tmp_path / "rex.zip"), *of]) == 0
    with closing(Store(held.memory)) as rows:
        assert list(rows.facts().values()) == [FACT]
    assert held.counts()["lessons"] == 1


def test_nobody_else_reads_it_and_no_file_holds_it_in_the_clear(held: Holdings) -> None:
    page, stranger = Incoming("rex", "order"), Incoming("rex", "order")
    parts = copied(held, page)
    joined = b"".join(base64.b64decode(part.data) for part in parts)
    assert b"flowerpot" not in joined
    assert joined[:2] != b"PK"
    for part in parts:
        stranger.take(part)
    with pytest.raises(FactError, match="damaged"):
        stranger.open()
    for path in held.folder.rglob("*"):
        assert not path.is_file() or b"flowerpot" not in path.read_bytes()


def test_another_robots_another_orders_or_an_altered_copy_opens_not(held: Holdings) -> None:
    page = Incoming("rex", "order")
    parts = copied(held, page)
    for wrong in ("robot", "order"):
        was = getattr(page, wrong)
        for part in parts:
            page.take(part)
        setattr(page, wrong, "another")
        with pytest.raises(FactError):
            page.open()
        setattr(page, wrong, was)
    assert zipfile.is_zipfile(BytesIO(page.open()))
    page.take(parts[0].model_copy(update={"data": "AAAA"}))
    with pytest.raises(FactError):
        page.open()
    page.take(parts[0].model_copy(update={"data": "no base64"}))
    with pytest.raises(FactError):
        page.open()
    known = page.got
    page.take(parts[0].model_copy(update={"part": 7}))  # beyond the last
    page.take(parts[0].model_copy(update={"id": "another"}))
    assert page.got == known


def test_two_at_once_are_one(held: Holdings) -> None:
    lengthen(held)
    line, told = Line(), []
    copier = Copier(held, "rex", line.send, lambda: told.append(1))
    pages = [Incoming("rex", name) for name in ("first", "second")]
    for page in pages:
        copier.begin(asked_by(page))
    until(lambda: told == [1])
    for page in pages:
        for part in line.sent:
            page.take(part)
    assert [page.reason for page in pages] == ["", "busy"]
    assert pages[0].whole
    copier.begin(asked_by(pages[1]))
    until(lambda: told == [1, 1])


def test_what_cannot_be_handed_over_is_told(held: Holdings) -> None:
    lengthen(held)
    line, page = Line(takes=2), Incoming("rex", "order")
    told: list[int] = []
    Copier(held, "rex", line.send, lambda: told.append(1)).begin(asked_by(page))
    until(lambda: bool(line.sent) and not line.sent[-1].ok)
    page.take(line.sent[-1])
    assert "try again" in page.reason
    assert not told
    key = next((held.folder / "memory").glob("key-*"))
    key.chmod(0o644)
    [refused] = copied(held, page)
    assert "others may read" in refused.reason
    nobody = ExportRequest(id="1", key=base64.b64encode(bytes(32)).decode(), seen_mono_ms=0)
    key.chmod(0o600)
    line = Line()
    Copier(held, "rex", line.send).begin(nobody)  # a key that every secret is the same for
    until(lambda: bool(line.sent))
    assert not line.sent[0].ok


@pytest.mark.parametrize(
    "data", [b"", b"PK\x05\x06" + bytes(18), b"no zip at all"], ids=["empty", "none in", "text"]
)
def test_a_file_that_is_no_copy_changes_nothing(held: Holdings, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "rex.zip").write_bytes(data)
    before = held.counts()
    with pytest.raises(FactError, match="is no export"):
        main(["import", str(tmp_path / "rex.zip"), "--set", "robot_id=rex"])
    assert held.counts() == before
