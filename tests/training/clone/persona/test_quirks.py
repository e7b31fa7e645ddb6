"""Habits of the card become what the robot does of its own will, and go with the line that told them."""

from pathlib import Path

import pytest

from runtime.life.acts import OCCASIONS
from runtime.mind.acts import read_toml
from runtime.mind.dialogue import Persona
from training.clone.persona import quirks
from training.clone.persona.quirks import quirk_of
from training.clone.persona.step import STEP
from training.clone.profile import Profile
from training.clone.steps import Pet, build


@pytest.mark.parametrize(
    ("says", "movement", "hours", "after"),
    [
        ("I always spin before my dinner.", "spin", (18.0,), ("feed",)),
        ("I always spin before meals.", "spin", (7.5, 18.0), ("feed",)),
        ("I bark at the postman.", "bark", (), ("noise", "hello")),
        ("I howl at sirens.", "look_up", (), ("noise",)),
        ("I always hide during fireworks.", "cower", (), ("noise",)),
        ("I always stretch in the mornings.", "stretch", (7.5,), ()),
        ("I purr when Ann strokes me.", "wag", (), ("touch",)),
        ("I always wait at the door when Ann comes home.", "sit", (), ("hello", "noise")),
    ],
)
def test_a_habit_becomes_an_act(
    says: str, movement: str, hours: tuple[float, ...], after: tuple[str, ...]
) -> None:
    found = quirk_of(says)
    assert found is not None
    assert found.movements[0] == movement
    assert (found.hours, set(found.after)) == (hours, set(after))
    assert quirks.told(found)


@pytest.mark.parametrize(
    "says",
    [
        "I love my red ball.",
        "I always drool before dinner.",
        "I always spin on Sundays.",
        "I am afraid of bells.",
    ],
)
def test_what_a_robot_cannot_do_or_notice_is_none(says: str) -> None:
    assert quirk_of(says) is None


def test_every_occasion_of_the_table_is_one_that_the_will_knows() -> None:
    table = quirks._table()
    assert {what for row in table["occasion"] for what in row.get("after", [])} <= OCCASIONS
    assert table["called"].keys() >= OCCASIONS


def test_they_stand_in_the_persona_and_go_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    pet = Pet(tmp_path, Profile(name="Buddy", species="dog", sex="male"))
    (tmp_path / "notes/diary.md").write_text("Buddy spins before dinner.\nBuddy barks at the postman.\n")

    def built() -> tuple[str, ...]:
        build(pet, [STEP])
        persona = Persona.model_validate(read_toml(tmp_path / ".clone/persona/pack/persona.toml"))
        return tuple(quirk.movements[0] for quirk in persona.quirk)

    assert built() == ("spin", "bark")
    page = STEP.page(pet, tmp_path / ".clone/persona")
    assert "about 18:00" in page
    (tmp_path / "notes/diary.md").write_text("Buddy barks at the postman.\n")
    assert built() == ("bark",)
