"""Building packs: whole or not at all, and the same bytes from the same inputs."""

import shutil
from pathlib import Path

import pytest

from export.command import main
from export.pack import build, describe_model
from runtime import starter
from runtime.contracts.errors import GrammarError, PackError
from runtime.contracts.pack import MANIFEST_NAME
from runtime.mind.conversation import Conversation
from runtime.speech.pronounce import Pronouncer
from training.data.espeak import espeak

LAMPS = """
context:
  expressions:
    changeLight:
      - "[turn, switch] $state:state (the) light"
  slots:
    state: [on, off]
"""


@pytest.fixture
def grammar(tmp_path: Path) -> Path:
    path = tmp_path / "lamps.yaml"
    path.write_text(LAMPS)
    return path


def test_a_pack_with_another_grammar_understands_it(grammar: Path, tmp_path: Path) -> None:
    pack = build(tmp_path / "lamps", grammar=grammar, asr=None, wake=None, name="Lamps")
    assert pack.trust == "unsigned"
    turn = Conversation(pack).read("switch on the light")
    assert turn.understanding.intent == "changeLight"
    assert turn.understanding.slots == {"state": "on"}
    assert turn.act is None


@pytest.mark.skipif(espeak() is None, reason="espeak-ng is not installed; pip install 'everpaw[voice]'")
def test_words_of_no_dictionary_are_told_to_the_recogniser(tmp_path: Path) -> None:
    source = tmp_path / "g.yaml"
    source.write_text("context: {expressions: {fetch: ['bring me the frisbeelet']}}")
    pack = build(tmp_path / "pack", grammar=source, asr=None, wake=None, name="Nala")
    added = Pronouncer.load(pack.folder / "asr").must("frisbeelet")
    assert added[0][:3] == ("F", "R", "IH")
    assert "asr/additions.txt" in pack.manifest.files


def test_the_same_inputs_give_the_same_bytes(grammar: Path, tmp_path: Path) -> None:
    packs = [build(tmp_path / n, grammar=grammar, asr=None, wake=None, name="Lamps") for n in ("a", "b")]
    assert packs[0].sha256 == packs[1].sha256


def test_the_starters_own_grammar_keeps_its_behaviour_model(tmp_path: Path) -> None:
    own = starter.load_pack().path("grammar.yaml")
    assert build(tmp_path / "own", grammar=own, asr=None, wake=None, name="Buddy").part("behaviour").is_dir()


def test_an_occupied_folder_is_left_alone(grammar: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    with pytest.raises(PackError, match="is not empty"):
        build(tmp_path / "out", grammar=grammar, asr=None, wake=None, name="x")
    assert (tmp_path / "out" / "mine.txt").read_text() == "keep"


@pytest.mark.parametrize("text", ["", "context: {expressions: {}}", LAMPS.replace("$state", "$missing")])
def test_a_bad_grammar_builds_nothing(text: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(GrammarError):
        build(tmp_path / "out", grammar=path, asr=None, wake=None, name="x")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.yaml"]


def test_a_wrong_part_builds_nothing(grammar: Path, tmp_path: Path) -> None:
    for parts in ({"asr": tmp_path / "none", "wake": None}, {"asr": None, "wake": grammar}):
        with pytest.raises(PackError):
            build(tmp_path / "out", grammar=grammar, name="x", **parts)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["lamps.yaml"]


def test_a_models_facts_that_are_no_json_are_named(tmp_path: Path) -> None:
    model = tmp_path / "dialogue" / "model.onnx"
    model.parent.mkdir()
    shutil.copyfile(starter.FOLDER / "dialogue" / "model.onnx", model)
    (tmp_path / "dialogue" / "dialogue.json").write_text("{")
    with pytest.raises(PackError, match=r"dialogue\.json is not JSON"):
        describe_model(tmp_path, model)


def test_the_command_line(grammar: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "pack"
    assert main(["build", "--grammar", str(grammar), "--name", "Lamps", "--out", str(out)]) == 0
    assert main(["verify", str(out)]) == 0
    assert "Lamps" in capsys.readouterr().out
    (out / MANIFEST_NAME).unlink()
    with pytest.raises(PackError, match="is not a pack"):
        main(["verify", str(out)])
