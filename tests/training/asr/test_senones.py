"""CMU Sphinx's senones, as the recipe reads them from the package that is installed."""

import shutil
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs the extra: pip install 'everpaw[training]'")
torch = pytest.importorskip("torch", reason="needs the extra: pip install 'everpaw[training]'")

from runtime.contracts.errors import PackError  # noqa: E402
from runtime.mind.grammar import Grammar  # noqa: E402
from runtime.speech.asr import Recogniser  # noqa: E402
from runtime.speech.senones import OWN, SENONES, Senones  # noqa: E402
from runtime.speech.units import UNITS  # noqa: E402
from runtime.starter import FOLDER  # noqa: E402
from tests.fakes.uniform_asr import write_asr  # noqa: E402
from training import provenance  # noqa: E402
from training.asr import gaussians, senones  # noqa: E402

SIT = Grammar.load("context: {expressions: {sit: [sit]}}")
sphinx = pytest.mark.skipif(
    not (gaussians.MODEL / "mdef").is_file(), reason="no acoustic model; apt install pocketsphinx-en-us"
)


@sphinx
def test_a_sounds_own_states_are_those_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senones, "LEVELS", 159)  # all there are
    table = senones.senones()
    _, own = gaussians._gaussians()  # (streams, sounds, Gaussians, states)
    for unit in range(1, len(UNITS)):
        first = table.first[unit]
        weights = table.levels[table.weights[:, :, first : first + OWN]]
        np.testing.assert_allclose(weights, own[:, table.places[unit]], rtol=1e-4)


@sphinx
def test_a_context_is_tied_to_mixtures_of_its_sound() -> None:
    table = senones.senones()
    contexts = np.cumsum(table.steps)
    assert np.all(table.steps > 0)
    unit = contexts // (len(UNITS) ** 2 * 4)
    assert np.all(table.tied >= table.first[unit] + OWN)
    assert np.all(table.tied < table.first[unit + 1])


@sphinx
def test_the_shipped_file_is_the_recipes(tmp_path: Path) -> None:
    senones.senones().save(tmp_path)
    made, shipped = Senones.load(tmp_path), Senones.load(FOLDER / "asr")
    assert made is not None
    assert shipped is not None
    for name in Senones.__slots__:
        np.testing.assert_array_equal(getattr(made, name), getattr(shipped, name))


@sphinx
def test_a_network_of_an_older_version_is_completed(tmp_path: Path) -> None:
    folder = tmp_path / "asr"
    shutil.copytree(FOLDER / "asr", folder)
    model = folder / "model.onnx"
    proto, told = onnx.load(str(model)), provenance.read(model)
    assert told is not None
    del proto.graph.output[1:]
    onnx.save(proto, str(model))
    provenance.write(model, told)
    with pytest.raises(PackError, match=r"python -m training\.asr\.senones"):
        Recogniser(folder, SIT)
    assert senones.main([str(folder)]) == 0
    assert model.read_bytes() == (FOLDER / "asr" / "model.onnx").read_bytes()
    assert provenance.read(model) == provenance.read(FOLDER / "asr" / "model.onnx")
    assert Recogniser(folder, SIT)._decoder.contexts is not None  # type: ignore[union-attr]
    (folder / SENONES).unlink()
    assert Recogniser(folder, SIT)._decoder.contexts is None  # type: ignore[union-attr]


def test_a_network_without_the_gaussians_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_asr(tmp_path / "asr")
    assert senones.main([str(folder)]) == 1
    assert "Gaussians" in capsys.readouterr().err
    assert not (folder / SENONES).is_file()


def test_without_sphinxs_files_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senones, "MODEL", tmp_path)
    with pytest.raises(Exception, match="apt install pocketsphinx-en-us"):
        senones.senones()
