"""Every attack on the channel is refused with a code of its own, and the robot's folder stays as it was."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from export import owner as owners
from export.repository import Signers, offer
from firmware_bridge.update.channel import Channel
from firmware_bridge.update.health import Health
from firmware_bridge.update.source import Folder
from runtime import starter
from runtime.contracts.errors import PackError, UpdateError
from runtime.contracts.keys import OWNER_PUBLIC, TRUSTED, Keyring
from runtime.contracts.pack import file_sha256
from runtime.contracts.release import MAX_RELEASE_BYTES, METADATA, Blob, blob_path
from tests.firmware_bridge.update.stage import NOW, Maker, Remote, Robot, copy_of, forge


@pytest.fixture
def served(maker: Maker, robot: Robot) -> Robot:
    """A robot that runs release one, seen on day 0."""
    maker.publish("one")
    assert robot.look(Remote(maker.repo)) == "done"
    return robot


def refused(robot: Robot, source: Remote | Folder, code: str, day: float = 1, news: bool = False) -> str:
    """The message; nothing may have changed. `news`: the metadata is honest, so that much is believed."""
    before = _kept(robot, news)
    with pytest.raises((UpdateError, PackError)) as told:
        robot.look(source, day=day)
    assert getattr(told.value, "code", "malformed") == code, told.value
    assert _kept(robot, news) == before
    assert robot.serving == "one"
    assert (robot.told[-1].status, robot.told[-1].code) == ("refused", code)
    return str(told.value)


def _kept(robot: Robot, news: bool) -> object:
    state = robot.state()
    if news:
        state.pop("trust.json")
        state.pop("state.json")
    return state, robot.slots.record().model_dump(exclude={"floor_s", "offered"} if news else set())


def newest(folder: Path, role: str) -> Path:
    return max(folder.glob(f"*.{role}.json"), key=lambda path: int(path.name.split(".")[0]))


@pytest.mark.parametrize("evil", [b"evil head!", b"an evil head of another size"])
def test_an_altered_blob(evil: bytes, maker: Maker, served: Robot) -> None:
    maker.publish("two", wake_rex_onnx=b"a new head")
    blobs = [path for path in (maker.repo / "blobs").rglob("*") if path.is_file()]
    [blob] = [path for path in blobs if path.read_bytes() == b"a new head"]
    blob.write_bytes(evil)
    refused(served, Remote(maker.repo), "altered" if len(evil) == 10 else "oversize", news=True)
    assert not list(served.slots.incoming.glob("*.part")), "nothing evil is kept"
    blob.write_bytes(b"a new")
    refused(served, Remote(maker.repo), "cut_short", news=True)


def test_altered_metadata(maker: Maker, served: Robot) -> None:
    maker.publish("two", grammar_yaml=b"2")
    for role, code in (
        ("timestamp", "wrong_key"),
        ("snapshot", "mix_and_match"),
        ("targets", "mix_and_match"),
    ):
        path = maker.repo / METADATA / "timestamp.json"
        path = path if role == "timestamp" else newest(path.parent, role)
        good = path.read_bytes()
        path.write_bytes(good.replace(b'"expires":"202', b'"expires":"203'))
        refused(served, Remote(maker.repo), code)
        path.write_bytes(good)
    assert served.look(Remote(maker.repo), day=1) == "done"


def test_a_wrong_key(maker: Maker, served: Robot, tmp_path: Path) -> None:
    other = Maker(tmp_path / "other")
    other.publish("evil")
    other.publish("evil two")
    refused(served, Remote(other.repo), "wrong_key")


def test_a_root_that_the_old_key_did_not_sign(maker: Maker, served: Robot, tmp_path: Path) -> None:
    thief = Maker(tmp_path / "thief")
    maker.at().rotate(thief.owner.key, thief.signers)
    refused(served, Remote(maker.repo), "wrong_key")


def test_new_keys_are_followed_where_the_old_one_signed(maker: Maker, served: Robot, tmp_path: Path) -> None:
    heir = Maker(tmp_path / "heir")
    heir.repo = maker.repo
    maker.at(1).rotate(maker.owner.key, heir.signers)
    assert served.look(Remote(maker.repo), day=1) == "up_to_date"
    heir.publish("two", day=1)
    refused(served, Remote(maker.repo), "untrusted", news=True)
    (served.keys / TRUSTED).mkdir()
    (served.keys / TRUSTED / "heir.pub").write_bytes((heir.owner.folder / OWNER_PUBLIC).read_bytes())
    assert served.look(Remote(maker.repo), day=1) == "done"
    assert served.serving == "two"


def test_a_stolen_online_key_is_replaced(maker: Maker, served: Robot) -> None:
    stolen = owners.online(maker.owner.folder)
    fresh = Signers(maker.owner.key, owners.renew_online(maker.owner.folder))
    maker.at(1).rotate(maker.owner.key, fresh)
    assert served.look(Remote(maker.repo), day=1) == "up_to_date"
    maker.at(1).refresh(stolen)
    refused(served, Remote(maker.repo), "wrong_key")


def test_a_stolen_online_key_alone_offers_nothing(maker: Maker, served: Robot, tmp_path: Path) -> None:
    thief = Maker(tmp_path / "thief")
    stolen = Signers(thief.owner.key, owners.online(maker.owner.folder))
    evil = starter.load_pack(thief.pack("evil"), thief.owner.folder)
    maker.at(1).publish(evil, stolen, offer("evil", "stable", 100, ""))
    refused(served, Remote(maker.repo), "wrong_key")


def test_expired_metadata(maker: Maker, served: Robot) -> None:
    maker.at(300).refresh(owners.online(maker.owner.folder))
    maker.at(360).refresh(owners.online(maker.owner.folder))
    assert served.look(Remote(maker.repo), day=350) == "up_to_date"
    assert "out of date" in refused(served, Remote(maker.repo), "expired", day=370)


def test_a_freeze(maker: Maker, served: Robot) -> None:
    assert served.look(Remote(maker.repo), day=29) == "up_to_date"
    assert "news is held back" in refused(served, Remote(maker.repo), "freeze", day=31)


def test_a_rollback(maker: Maker, served: Robot, tmp_path: Path) -> None:
    old = copy_of(maker.repo, tmp_path / "old")
    maker.publish("two", day=1, grammar_yaml=b"2")
    served.healths = [Health("ill", "")]
    assert served.look(Remote(maker.repo), day=1) == "rolled_back", "one serves, but two was seen"
    assert "older state" in refused(served, Remote(old), "rollback")
    refused(served, Folder(old), "rollback")


def test_an_old_release_under_a_new_signature(maker: Maker, served: Robot) -> None:
    maker.publish("two", day=1, grammar_yaml=b"2")
    release = maker.publish("three", day=1, grammar_yaml=b"3")
    forge(maker, release, version=1)
    served.slots.note(version=2)
    assert "is older than version 2" in refused(served, Remote(maker.repo), "rollback", news=True)


def test_mix_and_match(maker: Maker, served: Robot, tmp_path: Path) -> None:
    maker.publish("two", day=1, grammar_yaml=b"2")
    fork = copy_of(maker.repo, tmp_path / "fork")
    maker.publish("three", day=1, grammar_yaml=b"3")
    newest_here = newest(maker.repo / METADATA, "targets")
    newest_here.write_bytes(newest(fork / METADATA, "targets").read_bytes())
    refused(served, Remote(maker.repo), "mix_and_match")


def endless(_pieces: Iterator[bytes]) -> Iterator[bytes]:
    for _ in range(10_000):
        yield bytes(1 << 16)
    raise AssertionError("nobody stopped reading")


@pytest.mark.parametrize(
    "end", ["timestamp.json", ".snapshot.json", ".targets.json", ".stable.json", "2.root.json"]
)
def test_endless_data(end: str, maker: Maker, served: Robot) -> None:
    maker.publish("two", grammar_yaml=b"2")
    if end == "2.root.json":
        maker.at().rotate(maker.owner.key, maker.signers)
    remote = Remote(maker.repo)
    remote.spoil[end] = endless
    refused(served, remote, "endless")


def test_an_endless_first_root(maker: Maker, robot: Robot) -> None:
    maker.publish("one")
    remote = Remote(maker.repo)
    remote.spoil["1.root.json"] = endless
    with pytest.raises(UpdateError) as told:
        robot.look(remote)
    assert told.value.code == "endless"


def test_an_oversize_blob(maker: Maker, served: Robot) -> None:
    maker.publish("two", wake_rex_onnx=b"a new head")
    sizes = {p.name: p.stat().st_size for p in (maker.repo / "blobs").rglob("*") if p.is_file()}
    remote = Remote(maker.repo)
    remote.spoil[next(name for name, size in sizes.items() if size == 10)] = endless
    assert "goes on after its 10 bytes" in refused(served, remote, "oversize", news=True)
    assert not list(served.slots.incoming.glob("*.part"))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"notes": "x" * MAX_RELEASE_BYTES}, "oversize"),
        ({"manifest": Blob(sha256="0" * 64, size=10**12)}, "malformed"),
        ({"channel": "beta"}, "malformed"),
        ({"mcu_protocol": 99}, "unfit"),
    ],
)
def test_a_release_that_cannot_be(changes: dict[str, object], code: str, maker: Maker, served: Robot) -> None:
    forge(maker, maker.publish("two", grammar_yaml=b"2"), **changes)
    refused(served, Remote(maker.repo), code, news=code == "unfit")


def test_the_clock_at_1970(maker: Maker, served: Robot) -> None:
    """The last time that was certain is the floor: an old state is not fresh because the clock was lost."""
    since_1970 = -(NOW.timestamp() / 86_400)
    assert served.look(Remote(maker.repo), day=since_1970) == "up_to_date", "fresh by the floor"
    assert served.look(Remote(maker.repo), day=20) == "up_to_date"
    stale = maker.at(-40)
    stale.refresh(owners.online(maker.owner.folder))  # valid until day -10: fresh for a clock at 1970 only
    refused(served, Remote(maker.repo), "freeze", day=since_1970)
    assert served.slots.record().floor_s == (NOW + timedelta(days=20)).timestamp()


def test_a_clock_far_ahead_cannot_spoil_the_floor(maker: Maker, served: Robot) -> None:
    refused(served, Remote(maker.repo), "expired", day=10_000)
    assert served.look(Remote(maker.repo), day=1) == "up_to_date"


def test_expiry_binds_remote_repositories_only(maker: Maker, served: Robot) -> None:
    maker.publish("two", grammar_yaml=b"2")
    assert served.look(Folder(maker.repo), day=10_000) == "done"
    assert served.serving == "two"


Spoil = Callable[[bytes], bytes]


@pytest.mark.parametrize(
    "spoil", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"[" * len(b), lambda b: b"\xff" + b[1:]]
)
@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets", "root"])
def test_metadata_that_cannot_be_read(role: str, spoil: Spoil, maker: Maker, served: Robot) -> None:
    maker.publish("two", grammar_yaml=b"2")
    maker.at().rotate(maker.owner.key, maker.signers)
    folder = maker.repo / METADATA
    path = folder / "timestamp.json" if role == "timestamp" else newest(folder, role)
    path.write_bytes(spoil(path.read_bytes()))
    before = served.state()
    with pytest.raises(UpdateError) as told:
        served.look(Remote(maker.repo))
    assert told.value.code in ("malformed", "mix_and_match")
    assert served.state() == before


def test_a_manifest_that_names_paths_outside(maker: Maker, served: Robot) -> None:
    release = maker.publish("two", grammar_yaml=b"2")
    path = maker.repo / blob_path(release.manifest.sha256)
    manifest = json.loads(path.read_text())
    manifest["files"]["../../evil"] = {"sha256": "0" * 64, "size": 1}
    path.write_text(json.dumps(manifest))
    evil = Blob(sha256=file_sha256(path), size=path.stat().st_size)
    target = maker.repo / blob_path(evil.sha256)
    target.parent.mkdir(exist_ok=True)
    path.rename(target)
    forge(maker, release, manifest=evil)
    assert "leaves the pack" in refused(served, Remote(maker.repo), "malformed", news=True)


def test_the_way_time_is_told_to_tuf_still_works(maker: Maker, robot: Robot) -> None:
    """`Updater._trusted_set.reference_time` is private; this fails where another version drops it."""
    maker.publish("one")
    channel = Channel(Remote(maker.repo), "stable", robot.slots, Keyring.load(robot.keys))
    with pytest.raises(UpdateError, match="news is held back"):
        channel.look((NOW + timedelta(days=31)).timestamp())
    with suppress(UpdateError):
        assert channel.look(NOW.timestamp()).name == "one"
