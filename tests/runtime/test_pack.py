"""Packs: what verifies, and every way in which one must not."""

import json
from pathlib import Path

import pytest

from runtime.contracts.errors import PackError
from runtime.contracts.pack import MANIFEST_NAME, Manifest, PackFile, file_sha256, verify


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tiny pack of two files."""
    pack = tmp_path / "pack"
    (pack / "sounds").mkdir(parents=True)
    (pack / "grammar.yaml").write_text("context: {}\n")
    (pack / "sounds" / "bark.flac").write_bytes(b"fLaC" * 10)
    seal(pack)
    return pack


def seal(pack: Path) -> None:
    files = {
        p.relative_to(pack).as_posix(): PackFile(sha256=file_sha256(p), size=p.stat().st_size)
        for p in sorted(pack.rglob("*"))
        if p.is_file() and p.name != MANIFEST_NAME
    }
    (pack / MANIFEST_NAME).write_text(Manifest(name="Rex", files=files).model_dump_json(by_alias=True))


def test_a_whole_pack_verifies(folder: Path) -> None:
    pack = verify(folder)
    assert pack.manifest.name == "Rex"
    assert pack.trust == "unsigned"
    assert pack.files("sounds", ".flac") == [folder / "sounds" / "bark.flac"]
    assert pack.path("grammar.yaml").is_file()
    with pytest.raises(PackError, match="no part 'asr'"):
        pack.part("asr")
    with pytest.raises(PackError, match="has no 'persona"):
        pack.path("persona.toml")


def test_only_the_pinned_manifest_is_the_starter(folder: Path) -> None:
    identity = verify(folder).sha256
    assert verify(folder, starter_sha256=identity).trust == "starter"
    assert verify(folder, starter_sha256="0" * 64).trust == "unsigned"


def test_a_missing_file(folder: Path) -> None:
    (folder / "grammar.yaml").unlink()
    with pytest.raises(PackError, match=r"grammar.yaml is missing"):
        verify(folder)


def test_an_altered_file_of_the_same_size(folder: Path) -> None:
    (folder / "grammar.yaml").write_text("context: []\n")
    with pytest.raises(PackError, match=r"grammar.yaml was altered"):
        verify(folder)


def test_an_oversize_file(folder: Path) -> None:
    with (folder / "grammar.yaml").open("a") as file:
        file.write("# more\n")
    with pytest.raises(PackError, match=r"grammar.yaml has 19 bytes"):
        verify(folder)


def test_a_link_that_leaves_the_pack(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (folder / "grammar.yaml").rename(outside)
    (folder / "grammar.yaml").symlink_to(outside)
    with pytest.raises(PackError, match="leaves the pack"):
        verify(folder)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "a\\b", MANIFEST_NAME])
def test_a_name_that_leaves_the_pack(folder: Path, name: str) -> None:
    manifest = json.loads((folder / MANIFEST_NAME).read_text())
    manifest["files"][name] = {"sha256": "0" * 64, "size": 1}
    (folder / MANIFEST_NAME).write_text(json.dumps(manifest))
    with pytest.raises(PackError, match="not a manifest of this version"):
        verify(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema": 2, "name": "x", "files": {}}'])
def test_a_broken_manifest(folder: Path, text: str) -> None:
    (folder / MANIFEST_NAME).write_text(text)
    with pytest.raises(PackError, match="not a manifest of this version"):
        verify(folder)


def test_a_folder_that_is_no_pack(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="is not a pack"):
        verify(tmp_path)
    one_file = tmp_path / "buddy.paw"
    one_file.touch()
    with pytest.raises(PackError, match=f"everpaw pack archive {one_file} FOLDER"):
        verify(one_file)
