"""What the steps of a clone made becomes one pack: theirs in the starter's place, the rest the starter's."""

from pathlib import Path

import pytest

from export import clone
from runtime import starter
from runtime.contracts.archive import extract
from runtime.contracts.errors import CloneError
from runtime.contracts.pack import verify
from runtime.speech.sounds import SoundBank
from training.clone.persona.step import STEP as PERSONA
from training.clone.profile import PROFILE
from training.clone.steps import Step, Work


def _looks(work: Work) -> None:
    (work.out / "pack/avatar").mkdir(parents=True)
    (work.out / "pack/avatar/avatar.glb").write_bytes(b"glTF of Mia")


def _voice(work: Work) -> None:
    sounds = work.out / "pack/sounds"
    sounds.mkdir(parents=True)
    (sounds / "mine.flac").write_bytes((starter.FOLDER / "sounds" / "yip_1.flac").read_bytes())
    row = 'file = "mine.flac"\nkind = "yip"\nvalence = 0.5\narousal = 0.5\n'
    (sounds / "sounds.toml").write_text(f"[[sound]]\n{row}")
    (work.out / "pack/cards").mkdir()
    (work.out / "pack/cards/sounds.md").write_text("Mia's voice")


def _fails(work: Work) -> None:
    raise CloneError("too dark")


@pytest.fixture
def pet(tmp_path: Path) -> Path:
    (tmp_path / "mia/notes").mkdir(parents=True)
    (tmp_path / "mia" / PROFILE).write_text('name = "Mia"\nspecies = "cat"\n')
    (tmp_path / "mia/notes/diary.md").write_text("Mia is afraid of thunder.\n")
    return tmp_path / "mia"


def test_looks_voice_and_character_become_one_pack(pet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = (Step("looks", "looks", (), _looks), Step("voice", "voice", (), _voice), PERSONA)
    failing = (Step("dark", "dark", (), _fails), Step("moves", "moves", ("@dark",), _fails))
    monkeypatch.setattr(clone, "STEPS", (*steps, *failing))
    (pet / ".clone/moves/pack").mkdir(parents=True)
    (pet / ".clone/moves/pack/actions.toml").write_text("of an earlier build")
    out = pet.parent / "mia.paw"
    assert clone.main(["build", str(pet), "--out", str(out)]) == 1, "a step failed; the rest is packed"
    pack = verify(extract(out, pet.parent / "pack"))
    own = starter.load_pack()
    assert pack.manifest.name == "Mia"
    assert pack.path("avatar/avatar.glb").read_bytes() == b"glTF of Mia"
    assert SoundBank(pack.part("sounds")).kinds == ["yip"]
    assert [p.name for p in pack.part("sounds").iterdir() if p.suffix == ".flac"] == ["mine.flac"]
    assert "afraid of thunder" in pack.path("persona.toml").read_text()
    assert pack.path("cards/sounds.md").read_text() == "Mia's voice"
    for kept in ("cards/wake.md", "actions.toml", "skills/sit.toml"):
        assert pack.manifest.files[kept] == own.manifest.files[kept]


def test_a_name_that_is_no_pack_is_refused_before_any_step(pet: Path) -> None:
    (pet.parent / "folder.paw").mkdir()
    for name in ("mia.zip", "folder.paw"):
        with pytest.raises(CloneError, match=r"a pack is a file NAME\.paw"):
            clone.main(["build", str(pet), "--out", str(pet.parent / name)])
    assert not (pet / ".clone").exists()
