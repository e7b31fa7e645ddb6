"""The owner's key and `everpaw pack`, as typed."""

import io
import json
import stat
from pathlib import Path

import pytest

from export import owner as owners
from export import security
from export.command import main
from export.description import difference, render_difference
from export.sbom import sbom
from runtime import cli
from runtime.contracts.errors import TrustError
from runtime.contracts.keys import OWNER_PRIVATE, OWNER_PUBLIC, Keyring
from runtime.contracts.pack import PackFile, PackModel, verify
from tests.packs import FILES, Owner, make_pack


@pytest.fixture
def owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Owner:
    monkeypatch.setenv("EVERPAW_KEYS", str(tmp_path / "keys"))
    return Owner(tmp_path / "keys")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_owners_key_is_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = tmp_path / "deep" / "keys"
    monkeypatch.setenv("EVERPAW_PASSPHRASE", "correct horse")
    assert cli.main(["security", "--keys", str(keys), "init"]) == 0
    out, err = capsys.readouterr()
    assert out.strip() == Keyring.load(keys).owner.fingerprint  # type: ignore[union-attr]
    assert "does not burn" in err
    assert stat.S_IMODE((keys / OWNER_PRIVATE).stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    before = (keys / OWNER_PRIVATE).read_bytes()
    assert cli.main(["security", "--keys", str(keys), "init"]) == 1
    assert "never overwritten" in capsys.readouterr().err
    assert (keys / OWNER_PRIVATE).read_bytes() == before

    assert owners.load(keys, lambda: "correct horse")
    with pytest.raises(TrustError, match="the passphrase is wrong"):
        owners.load(keys, lambda: "battery staple")
    (keys / OWNER_PRIVATE).chmod(0o644)
    with pytest.raises(TrustError, match=r"others may read .*chmod 600"):
        owners.load(keys, lambda: "correct horse")
    (keys / OWNER_PRIVATE).unlink()
    with pytest.raises(TrustError, match=r"owner.pub exists and is never overwritten"):
        owners.create(keys)
    with pytest.raises(TrustError, match="everpaw security init"):
        owners.load(keys, lambda: "")


def test_a_passphrase_is_not_asked_where_nobody_can_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(TrustError, match="no terminal"):
        security.main(["--keys", str(tmp_path / "k"), "init"])
    assert not (tmp_path / "k").exists()
    assert security.main(["--keys", str(tmp_path / "k"), "init", "--no-passphrase"]) == 0
    assert owners.load(tmp_path / "k", pytest.fail)


def test_sign_verify_inspect_in_both_forms(
    owner: Owner, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack, paw = make_pack(tmp_path / "pack"), tmp_path / "rex.paw"
    assert main(["archive", str(pack), str(paw)]) == 0
    assert "not signed" in capsys.readouterr().out
    assert main(["sign", str(pack)]) == 0
    assert main(["sign", str(paw)]) == 0
    assert capsys.readouterr().out.count(f"signed by the owner, {owner.public.fingerprint}") == 2
    for path in (pack, paw):
        assert main(["verify", str(path), "--json"]) == 0
        row = json.loads(capsys.readouterr().out)
        assert (row["trust"], row["unmet"], row["sha256"]) == ("owner", [], verify(pack).sha256)
        assert main(["inspect", str(path)]) == 0
        shown = capsys.readouterr().out
        assert "sounds              1           40" in shown
        assert "all of it is met here" in shown
    assert main(["archive", str(paw), str(tmp_path / "back")]) == 0
    assert verify(tmp_path / "back").sha256 == verify(pack).sha256
    assert cli.main(["pack", "archive", str(pack), str(tmp_path / "no-suffix")]) == 1


def test_the_starter_can_be_inspected(capsys: pytest.CaptureFixture[str]) -> None:
    from runtime.starter import FOLDER

    assert main(["inspect", str(FOLDER), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["trust"] == "starter"
    assert facts["unmet"] == []
    assert "cards/wake.md" in facts["cards"]
    [wake] = [model for model in facts["models"].values() if model["task"] == "wake"]
    assert wake["outputs"]
    assert wake["metrics"]["missed_clean"] >= 0
    bill = json.loads((FOLDER / "sbom.json").read_text())
    listed = {c["name"]: c["hashes"][0]["content"] for c in bill["components"]}
    entries = verify(FOLDER).manifest.files
    assert listed == {name: entry.sha256 for name, entry in entries.items() if name != "sbom.json"}


def test_the_difference_of_two_packs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = make_pack(tmp_path / "a")
    changed = {k: v for k, v in FILES.items() if k != "grammar.yaml"}
    b = make_pack(tmp_path / "b", changed | {"wake/rex.onnx": b"x" * 900, "sounds/woof.flac": b"fLaC" * 10})
    assert main(["diff", str(a), str(b), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["added"] == {"sounds/woof.flac": 40}
    assert facts["removed"] == {"grammar.yaml": 12}
    assert facts["changed"] == {"wake/rex.onnx": {"from_bytes": 2800, "to_bytes": 900}}
    assert facts["bytes_to_move"] == 900, "a sound that is there under another name does not move"
    assert main(["diff", str(a), str(a)]) == 0
    assert "the same files" in capsys.readouterr().out
    assert "~ wake/rex.onnx  2,800 → 900 bytes" in render_difference(difference(verify(a), verify(b)))


def test_another_makers_key(
    owner: Owner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    maker = Owner(tmp_path / "maker")
    public = str(maker.folder / OWNER_PUBLIC)
    pack = maker.sign(make_pack(tmp_path / "pack"))

    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    with pytest.raises(TrustError, match="no terminal to confirm on"):
        main(["trust", public, "ada"])
    monkeypatch.setattr("sys.stdin", Terminal("no\n"))
    with pytest.raises(TrustError, match="nothing was changed"):
        main(["trust", public, "ada"])
    assert maker.public.fingerprint in capsys.readouterr().err
    with pytest.raises(TrustError, match="it is not trusted"):
        main(["trust", public, "ada", "--fingerprint", owner.public.fingerprint])
    with pytest.raises(TrustError, match="no plain name"):
        main(["trust", public, "../ada"])
    assert verify(pack, keyring=owner.keyring).trust == "unknown"

    monkeypatch.setattr("sys.stdin", Terminal("yes\n"))
    assert main(["trust", public, "ada"]) == 0
    assert verify(pack, keyring=owner.keyring).trust == "trusted"
    with pytest.raises(TrustError, match="trusted already, as 'ada'"):
        main(["trust", public, "eve", "--fingerprint", maker.public.fingerprint])
    assert main(["trust", "list"]) == 0
    assert f"ada              {maker.public.fingerprint}" in capsys.readouterr().out
    with pytest.raises(TrustError, match="there are: ada"):
        main(["trust", "remove", "eve"])
    assert main(["trust", "remove", "ada"]) == 0
    assert verify(pack, keyring=owner.keyring).trust == "unknown"


def test_the_bill_of_materials_tells_where_a_model_comes_from() -> None:
    model = PackModel(
        task="asr",
        file="asr/model.onnx",
        precision="int8",
        inputs={"x": [1, "frames", 25]},
        outputs={"y": [1, "frames", 40]},
        licence="My own",
        metrics={"wer": 0.1},
        metrics_float={"wer": 0.09},
        datasets={"voices": "a" * 64},
    )
    files = {"asr/model.onnx": PackFile(sha256="b" * 64, size=3)}
    text = sbom("Rex", "0.1.0", files, {"asr/model": model})
    assert text == sbom("Rex", "0.1.0", files, {"asr/model": model})
    [component] = json.loads(text)["components"]
    assert component["licenses"] == [{"license": {"name": "My own"}}]
    card = component["modelCard"]
    assert card["modelParameters"]["datasets"][0]["contents"]["properties"][0]["value"] == "a" * 64
    assert [m["value"] for m in card["quantitativeAnalysis"]["performanceMetrics"]] == ["0.1", "0.09"]
