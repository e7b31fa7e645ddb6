"""From the data by hash to the shipped file: what recipes and the exporter write stands in the manifest."""

from pathlib import Path

import pytest

pytest.importorskip("onnx", reason="needs the extra: pip install 'everpaw[export]'")

from export import pack
from export.command import main
from runtime import starter
from runtime.contracts.errors import PackError, TrainingError
from training import provenance
from training.provenance import Provenance, sha256_of


@pytest.fixture
def recogniser(tmp_path: Path) -> Path:
    """The starter's, as if it were exported from a checkpoint."""
    folder = tmp_path / "asr"
    folder.mkdir()
    for file in (starter.FOLDER / "asr").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "variants").mkdir()
    (folder / "variants" / "int4.onnx").write_bytes(b"not to be packed")
    return folder


def _told(*missed: str) -> Provenance:
    return Provenance(
        datasets={"words": "a" * 64}, checkpoint_sha256="b" * 64, parity={"n": 32.0}, misses=missed
    )


def _build(recogniser: Path, out: Path, accept_miss: bool = False) -> pack.Pack:
    grammar = starter.FOLDER / "grammar.yaml"
    return pack.build(out, grammar=grammar, asr=recogniser, wake=None, name="Pip", accept_miss=accept_miss)


def test_the_manifest_tells_where_a_model_comes_from(recogniser: Path, tmp_path: Path) -> None:
    provenance.write(recogniser / "model.onnx", _told())
    made = _build(recogniser, tmp_path / "pack")
    model = made.manifest.models["asr/model"]
    assert model.datasets == {"words": "a" * 64}
    assert model.checkpoint_sha256 == "b" * 64
    assert model.parity == {"n": 32.0}
    assert "asr/model.provenance.json" in made.manifest.files
    assert not [name for name in made.manifest.files if "variants" in name]


def test_a_model_outside_its_thresholds_is_packed_only_when_said_aloud_and_is_marked(
    recogniser: Path, tmp_path: Path
) -> None:
    provenance.write(recogniser / "model.onnx", _told("cosine 0.9, at least 0.99"))
    with pytest.raises(PackError, match="--accept-miss"):
        _build(recogniser, tmp_path / "pack")
    assert not (tmp_path / "pack").exists()
    made = _build(recogniser, tmp_path / "pack", accept_miss=True)
    assert made.manifest.models["asr/model"].misses == ["cosine 0.9, at least 0.99"]


def test_a_damaged_provenance_is_said(recogniser: Path) -> None:
    provenance.beside(recogniser / "model.onnx").write_text('{"precision": 3}')
    with pytest.raises(TrainingError, match="damaged"):
        provenance.read(recogniser / "model.onnx")


def test_what_tells_of_another_file_is_refused(recogniser: Path, tmp_path: Path) -> None:
    model = recogniser / "model.onnx"
    provenance.write(model, _told())
    assert provenance.read(model) == _told().model_copy(update={"model_sha256": provenance.sha256_of(model)})
    model.write_bytes(model.read_bytes() + b" ")
    with pytest.raises(TrainingError, match="tells of another model"):
        provenance.read(model)
    with pytest.raises(TrainingError, match="tells of another model"):
        _build(recogniser, tmp_path / "pack")


def test_what_is_not_known_any_more_is_said(
    recogniser: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = "The checkpoint was not kept."
    provenance.write(recogniser / "model.onnx", Provenance(unknown=(gone,)))
    made = _build(recogniser, tmp_path / "pack")
    assert made.manifest.models["asr/model"].unknown == [gone]
    assert main(["inspect", str(tmp_path / "pack")]) == 0
    assert f"? {gone}" in capsys.readouterr().out


def test_a_data_set_has_one_hash_wherever_it_stands(tmp_path: Path) -> None:
    for place in ("a", "b"):
        (tmp_path / place / "inner").mkdir(parents=True)
        (tmp_path / place / "inner" / "one.txt").write_text("one")
    assert sha256_of(tmp_path / "a") == sha256_of(tmp_path / "b")
    (tmp_path / "b" / "inner" / "one.txt").rename(tmp_path / "b" / "inner" / "two.txt")
    assert sha256_of(tmp_path / "a") != sha256_of(tmp_path / "b")


def test_every_model_of_the_starter_says_where_it_comes_from() -> None:
    for name, model in starter.load_pack().manifest.models.items():
        assert model.datasets, name
        assert model.command, name
        assert model.checkpoint_sha256 or model.unknown, name
