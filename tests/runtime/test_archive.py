"""`.paw` files: the same bytes from the same pack, and every archive that must not be unpacked."""

import gzip
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.contracts.archive import END, extract, opened, write_archive
from runtime.contracts.errors import PackError
from runtime.contracts.pack import MANIFEST_NAME, SIGNATURE_NAME, verify
from tests.packs import FILES, Owner, make_pack


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return Owner(tmp_path / "keys").sign(make_pack(tmp_path / "pack"))


def members(pack: Path) -> list[tuple[str, bytes]]:
    names = [MANIFEST_NAME, SIGNATURE_NAME, *sorted(FILES)]
    return [(name, (pack / name).read_bytes()) for name in names]


def tar(path: Path, entries: list[tuple[tarfile.TarInfo | str, bytes]], end: bytes = END) -> Path:
    out = io.BytesIO()
    for what, data in entries:
        info = what if isinstance(what, tarfile.TarInfo) else tarfile.TarInfo(what)
        info.size = info.size or len(data)
        out.write(info.tobuf(tarfile.USTAR_FORMAT))
        out.write(data + bytes(-len(data) % 512))
    path.write_bytes(out.getvalue() + end)
    return path


def test_there_and_back(pack: Path, tmp_path: Path) -> None:
    write_archive(pack, tmp_path / "rex.paw")
    out = extract(tmp_path / "rex.paw", tmp_path / "deep" / "out")
    assert verify(out).sha256 == verify(pack).sha256
    assert verify(out).signer == verify(pack).signer is not None
    with tarfile.open(tmp_path / "rex.paw") as archive:
        assert archive.getnames() == [name for name, _ in members(pack)]
    with opened(tmp_path / "rex.paw") as folder:
        assert (folder / "grammar.yaml").is_file()
    assert not folder.exists()


def test_the_same_pack_gives_the_same_bytes(pack: Path, tmp_path: Path) -> None:
    write_archive(pack, tmp_path / "a.paw")
    for file in pack.rglob("*"):
        os.utime(file, (1, 1))
        file.chmod(0o700)
    write_archive(extract(tmp_path / "a.paw", tmp_path / "copy"), tmp_path / "b.paw")
    write_archive(pack, tmp_path / "c.paw")
    assert (tmp_path / "a.paw").read_bytes() == (tmp_path / "b.paw").read_bytes()
    assert (tmp_path / "a.paw").read_bytes() == (tmp_path / "c.paw").read_bytes()


def link(kind: bytes, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo("grammar.yaml")
    info.type, info.linkname = kind, target
    return info


def huge(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = size
    return info


Spoil = Callable[[list[tuple[tarfile.TarInfo | str, bytes]]], object]
ATTACKS: dict[str, tuple[Spoil, str]] = {
    "traversal": (lambda e: e.insert(2, ("../../evil", b"x")), "leaves the pack"),
    "absolute": (lambda e: e.insert(2, ("/etc/cron.d/evil", b"x")), "leaves the pack"),
    "symlink": (lambda e: e.insert(2, (link(tarfile.SYMTYPE, "/etc/passwd"), b"")), "is a link"),
    "hard link": (lambda e: e.insert(2, (link(tarfile.LNKTYPE, "/etc/passwd"), b"")), "is a link"),
    "device": (lambda e: e.insert(2, (link(tarfile.CHRTYPE, ""), b"")), "is a link, a folder or a device"),
    "pax header": (lambda e: e.insert(0, (link(tarfile.XHDTYPE, ""), b"")), "is a link"),
    "unlisted": (lambda e: e.insert(2, ("extra.bin", b"x")), "'grammar.yaml' should come next"),
    "duplicate": (lambda e: e.insert(3, ("grammar.yaml", FILES["grammar.yaml"])), "is in it twice"),
    "late extra": (lambda e: e.append(("zz.bin", b"x")), "follows after its last file"),
    "missing": (lambda e: e.pop(), "there is its end"),
    "altered": (lambda e: e.__setitem__(2, ("grammar.yaml", b"context: []\n")), "was altered"),
    "oversize": (
        lambda e: e.__setitem__(2, ("grammar.yaml", b"c" * 13)),
        "has 13 bytes, the manifest says 12",
    ),
    "huge manifest": (lambda e: e.__setitem__(0, (huge(MANIFEST_NAME, 10**9), b"{}")), "at most 1000000"),
    "no manifest": (lambda e: e.pop(0), "does not begin with manifest.json"),
    "other signature": (lambda e: e.__setitem__(1, (SIGNATURE_NAME, b"{}")), "is not a signature"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_archive_that_must_not_be_unpacked(attack: str, pack: Path, tmp_path: Path) -> None:
    spoil, message = ATTACKS[attack]
    entries: list[tuple[tarfile.TarInfo | str, bytes]] = list(members(pack))
    spoil(entries)
    path = tar(tmp_path / "evil.paw", entries)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(PackError, match=message):
        extract(path, tmp_path / "out")
    assert sorted(tmp_path.rglob("*")) == before, "nothing is left behind"


def test_the_honest_entries_do_unpack(pack: Path, tmp_path: Path) -> None:
    assert extract(tar(tmp_path / "good.paw", list(members(pack))), tmp_path / "out").is_dir()


def test_a_bomb_is_not_even_opened(pack: Path, tmp_path: Path) -> None:
    (tmp_path / "bomb.paw").write_bytes(gzip.compress(bytes(50_000_000)))
    with pytest.raises(PackError, match=r"compressed \(gzip\), and a .paw never is"):
        extract(tmp_path / "bomb.paw", tmp_path / "out")


def test_a_manifest_that_promises_more_than_the_disk_holds(tmp_path: Path) -> None:
    folder = make_pack(tmp_path / "pack")
    manifest = (folder / MANIFEST_NAME).read_text()
    entry = {f"big/{n}.bin": f'{{"sha256":"{"0" * 64}","size":512000000}}' for n in range(20)}
    promises = ",".join(f'"{name}":{text}' for name, text in entry.items())
    text = manifest.replace('"files":{', f'"files":{{{promises},')
    path = tar(tmp_path / "evil.paw", [(MANIFEST_NAME, text.encode()), ("big/0.bin", b"")])
    with pytest.raises(PackError, match=r"it holds 10,240,002,852 bytes"):
        extract(path, tmp_path / "out")


@pytest.mark.parametrize("cut", [0, 100, 512, 700, 2_000, -1, -513])
def test_an_archive_that_ends_early(cut: int, pack: Path, tmp_path: Path) -> None:
    path = tar(tmp_path / "cut.paw", list(members(pack)))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(PackError, match="it is refused"):
        extract(path, tmp_path / "out")


def test_bytes_after_the_end_and_between_the_files(pack: Path, tmp_path: Path) -> None:
    path = tar(tmp_path / "more.paw", list(members(pack)), END + b"x")
    with pytest.raises(PackError, match="follows after its last file"):
        extract(path, tmp_path / "out")
    data = bytearray(path.read_bytes()[:-1])
    data[-len(END) - 1] = 1  # the last file's padding
    path.write_bytes(data)
    with pytest.raises(PackError, match="something is hidden after"):
        extract(path, tmp_path / "out")


def test_an_existing_target_is_left_alone(pack: Path, tmp_path: Path) -> None:
    write_archive(pack, tmp_path / "rex.paw")
    (tmp_path / "out").mkdir()
    with pytest.raises(PackError, match="exists; give a new folder"):
        extract(tmp_path / "rex.paw", tmp_path / "out")
