"""Whose pack runs: signatures, keyrings, and what a pack requires."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from runtime import __version__, starter
from runtime.contracts.body import load_body
from runtime.contracts.config import PackSettings
from runtime.contracts.errors import PackError, TrustError
from runtime.contracts.keys import OWNER_PUBLIC, TRUSTED, Keyring, PublicKey
from runtime.contracts.pack import MANIFEST_NAME, SIGNATURE_NAME, Pack, Requirements, verify
from runtime.contracts.requirements import Here, unmet
from tests.packs import Owner, make_pack


@pytest.fixture
def owner(tmp_path: Path) -> Owner:
    return Owner(tmp_path / "keys")


@pytest.fixture
def stranger(tmp_path: Path) -> Owner:
    return Owner(tmp_path / "strangers-keys")


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return make_pack(tmp_path / "pack")


def trust(pack: Path, owner: Owner) -> str:
    return verify(pack, keyring=owner.keyring).trust


def test_each_degree_of_trust(pack: Path, owner: Owner, stranger: Owner) -> None:
    assert trust(pack, owner) == "unsigned"
    assert trust(stranger.sign(pack), owner) == "unknown"
    (owner.folder / TRUSTED).mkdir()
    shutil.copy(stranger.folder / OWNER_PUBLIC, owner.folder / TRUSTED / "ada.pub")
    assert trust(pack, owner) == "trusted"
    signer = verify(pack, keyring=owner.keyring).signer
    assert signer is not None
    assert (signer.name, signer.fingerprint) == ("ada", stranger.public.fingerprint)
    assert trust(owner.sign(pack), owner) == "owner"
    assert verify(pack).trust == "unknown", "no keyring trusts nobody"


def test_a_fingerprint_is_what_ssh_keygen_prints(owner: Owner) -> None:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed")
    command = ["ssh-keygen", "-lf", str(owner.folder / OWNER_PUBLIC)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert owner.public.fingerprint in shown.split()


def test_a_signature_fits_one_manifest_only(pack: Path, owner: Owner) -> None:
    owner.sign(pack)
    text = (pack / MANIFEST_NAME).read_text()
    (pack / MANIFEST_NAME).write_text(text.replace('"Rex"', '"Max"'))
    with pytest.raises(PackError, match="does not fit its manifest"):
        verify(pack, keyring=owner.keyring)
    (pack / MANIFEST_NAME).write_text(text + " ")
    with pytest.raises(PackError, match="does not fit its manifest"):
        verify(pack, keyring=owner.keyring)


def test_a_signature_under_another_key_does_not_fit(pack: Path, owner: Owner, stranger: Owner) -> None:
    stranger.sign(pack)
    forged = json.loads((pack / SIGNATURE_NAME).read_text()) | {"key": owner.public.line}
    (pack / SIGNATURE_NAME).write_text(json.dumps(forged))
    with pytest.raises(PackError, match="does not fit its manifest"):
        verify(pack, keyring=owner.keyring)


@pytest.mark.parametrize(
    "text", ["", "{}", '{"key": "x", "signature": "eA=="}', '{"key": 1}', "[]", '{"schema": 2}']
)
def test_a_broken_signature_is_not_no_signature(text: str, pack: Path, owner: Owner) -> None:
    (pack / SIGNATURE_NAME).write_text(text)
    with pytest.raises(PackError, match="is not a signature"):
        verify(pack, keyring=owner.keyring)
    (pack / SIGNATURE_NAME).write_text(" " * 5_000)
    with pytest.raises(PackError, match="at most 4000"):
        verify(pack)


def test_a_key_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "k.pub"
    for text in ("", "hello", "ssh-ed25519 AAAA", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ=="):
        path.write_text(text)
        with pytest.raises(TrustError):
            PublicKey.read(path)
    with pytest.raises(TrustError, match="is not a public key file"):
        PublicKey.read(tmp_path / "none.pub")
    assert list(Keyring.load(tmp_path / "nowhere")) == []


def trusted(pack: Path, keys: Path, **more: object) -> Pack:
    settings = PackSettings.model_validate({"path": pack, "keys": keys, **more})
    return starter.trusted_pack(settings, Here.of())


def test_the_robot_runs_what_its_owner_signed(pack: Path, owner: Owner, stranger: Owner) -> None:
    with pytest.raises(PackError, match=r"carries no signature; sign it with `everpaw pack sign`, or --set"):
        trusted(pack, owner.folder)
    assert trusted(pack, owner.folder, allow_unsigned=True).trust == "unsigned"
    stranger.sign(pack)
    with pytest.raises(PackError, match=re.escape(f"is signed by {stranger.public.fingerprint[:12]}")):
        trusted(pack, owner.folder)
    assert trusted(owner.sign(pack), owner.folder).trust == "owner"


def test_the_robot_runs_only_what_fits_it(pack: Path, owner: Owner) -> None:
    manifest = json.loads((pack / MANIFEST_NAME).read_text())
    manifest["requires"] = {"runtime": ">=99"}
    (pack / MANIFEST_NAME).write_text(json.dumps(manifest))
    with pytest.raises(PackError, match=f"it needs everpaw >=99, here is {__version__}"):
        trusted(owner.sign(pack), owner.folder, allow_unsigned=True)


HERE = Here.of(mcu_protocol=1)


@pytest.mark.parametrize(
    ("needs", "words"),
    [
        ({}, ""),
        ({"runtime": ">=0.1,<99", "limits_hash": load_body().limits_hash}, ""),
        ({"runtime": "<0.0.1"}, "needs everpaw"),
        ({"runtime": "new"}, "needs everpaw"),
        ({"mcu_protocol": 9}, "board protocol 9, here is 1"),
        ({"body": "rex"}, "body 'rex'"),
        ({"limits_hash": "beef"}, "limits beef"),
    ],
)
def test_what_a_pack_requires(needs: dict[str, object], words: str) -> None:
    found = unmet(Requirements.model_validate(needs), HERE)
    assert len(found) == bool(words)
    assert words in "".join(found)
    assert unmet(Requirements.model_validate(needs), Here(__version__)) == [
        w for w in found if "everpaw " + str(needs.get("runtime")) in w
    ]
