"""What the steps of a clone made becomes one pack: theirs in the starter's place, the rest the starter's."""

from pathlib import Path

import pytest

from export import clone
from runtime import golden, starter
from runtime.contracts.archive import extract
from runtime.contracts.errors import CloneError
from runtime.contracts.pack import verify
from runtime.mind.conversation import Conversation
from runtime.speech.sounds import SoundBank
from training.clone.persona.step import STEP as PERSONA
from training.clone.profile import PROFILE
from training.clone.steps import Step, Work

SECRET = "wobblestones"


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
    (tmp_path / "mia/notes/diary.md").write_text(f"Mia is afraid of thunder.\nMia loves {SECRET}.\n")
    return tmp_path / "mia"


def test_looks_voice_and_character_become_one_pack(pet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = (Step("looks", "looks", (), _looks), Step("voice", "voice", (), _voice), PERSONA)
    failing = (Step("dark", "dark", (), _fails), Step("moves", "moves", ("@dark",), _fails))
    monkeypatch.setattr(clone, "STEPS", (*steps, *failing))
    (pet / ".clone/moves/pack").mkdir(parents=True)
    (pet / ".clone/moves/pack/actions.toml").write_text("of an earlier build")
    taken: list[int] = []
    take = golden.take
    monkeypatch.setattr(golden, "take", lambda found: (taken.append(1), take(found))[1])
    out = pet.parent / "mia.paw"
    assert clone.main(["build", str(pet), "--out", str(out)]) == 1, "a step failed; the rest is packed"
    assert taken == [1], "what it does with known clips is asked once"
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
    assert SECRET.encode() in out.read_bytes()
    (pet / "notes/diary.md").write_text("Mia is afraid of thunder.\n")
    clone.main(["build", str(pet), "--out", str(out)])
    again = extract(out, pet.parent / "again")
    before, after = (Conversation(verify(folder)) for folder in (pet.parent / "pack", again))
    assert SECRET in before.read("what do you love").reply.text
    for question in ("what do you love", "what makes you happy", "what is your favourite thing"):
        assert SECRET not in after.read(question).reply.text, question
    for place in (out, *(p for p in [*again.rglob("*"), *(pet / ".clone").rglob("*")] if p.is_file())):
        assert SECRET.encode() not in place.read_bytes().lower(), place


def test_a_name_that_is_no_pack_is_refused_before_any_step(pet: Path) -> None:
    (pet.parent / "folder.paw").mkdir()
    for name in ("mia.zip", "folder.paw"):
        with pytest.raises(CloneError, match=r"a pack is a file NAME\.paw"):
            clone.main(["build", str(pet), "--out", str(pet.parent / name)])
    assert not (pet / ".clone").exists()
