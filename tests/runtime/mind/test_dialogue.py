"""Lines and acts of the starter: complete, varied, honest."""

import re
import tomllib
from pathlib import Path

import pytest

from runtime.contracts.errors import PackError
from runtime.mind.acts import Act, load_actions
from runtime.mind.behaviour import Understanding
from runtime.mind.dialogue import Dialogue
from runtime.mind.emotion import MOODS
from runtime.mind.grammar import Grammar

STARTER = Path(__file__).parents[3] / "runtime/starter"
INTENTS = Grammar.load(STARTER / "grammar.yaml").intents


def starter(seed: int = 1) -> Dialogue:
    return Dialogue(STARTER / "persona.toml", STARTER / "actions.toml", seed)


@pytest.mark.parametrize("intent", [*INTENTS, "unknown"])
def test_every_intent_has_a_row_and_lines(intent: str) -> None:
    pet = starter()
    assert intent in pet.actions
    if intent != "crisis":
        assert len(pet.persona.lines[intent].any) >= 2


def test_rows_and_lines_name_known_intents_only() -> None:
    pet = starter()
    assert set(pet.actions) == {*INTENTS, "unknown"}
    assert set(pet.persona.lines) <= {*INTENTS, "unknown", "other", "beyond"}
    assert {m for lines in pet.persona.lines.values() for m in lines.mood} <= set(MOODS)


@pytest.mark.parametrize("intent", [None, "sit", "wake_up", "love", "turn"])
def test_never_the_same_line_twice_running(intent: str | None) -> None:
    pet, last = starter(), ""
    for _ in range(60):
        said = pet.reply(Understanding(intent), "happy", "good morning me").text
        assert said
        assert said != last
        last = said


def test_the_seed_decides() -> None:
    def talk(seed: int) -> list[str]:
        pet = starter(seed)
        return [pet.reply(Understanding("praise"), "happy", "good dog").text for _ in range(12)]

    assert talk(3) == talk(3)
    assert talk(3) != talk(4)


def test_slots_are_filled_and_choose_the_act() -> None:
    pet = starter()
    replies = [
        pet.reply(Understanding("turn", {"direction": "right"}), "calm", "turn right") for _ in range(9)
    ]
    assert all(reply.act == Act(kind="gait", name="turn_right", duration_ms=1_500) for reply in replies)
    assert any("right" in reply.text.lower() for reply in replies)
    assert not any("{" in reply.text for reply in replies)


def test_a_line_whose_slot_was_not_said_is_passed_over() -> None:
    pet = starter()
    assert {pet.reply(Understanding("turn"), "calm", "turn").text for _ in range(9)} == {
        "Turning.",
        "Round I go.",
    }


@pytest.mark.parametrize(
    "text", ["are you real", "are you alive", "are you a robot", "what are you", "can you feel pain"]
)
def test_it_is_always_a_robot(text: str) -> None:
    pet = starter()
    for _ in range(12):
        said = pet.reply(Understanding("ask_robot"), "happy", text).text.lower()
        assert re.search(r"robot|machine", said)


def test_no_guilt_no_claim_of_life() -> None:
    table = tomllib.loads((STARTER / "persona.toml").read_text())["lines"]
    lines = re.findall(r"'([^']+)'", str(table)) + re.findall(r'"([^"]+)"', str(table))
    forbidden = (
        r"\b(lonely|don't leave|miss(ed)? you|without you|i am alive|i'm alive|heaven|hurts? me|you never)\b"
    )
    assert not [line for line in lines if re.search(forbidden, line.lower())]


@pytest.mark.parametrize("intent", ["fetch", "jump", "roll_over"])
def test_what_the_body_cannot_do_is_refused(intent: str) -> None:
    pet = starter()
    for _ in range(9):
        reply = pet.reply(Understanding(intent), "calm", intent)
        assert reply.act == Act(kind="skill", name="shake_head", nature="posture")
        assert re.search(
            r"can't|sorry|not for|stuck|too short|no hands|stay on the ground", reply.text.lower()
        )


def test_a_foreign_packs_intent_gets_a_general_line() -> None:
    reply = starter().reply(Understanding("order_drink", {"size": "large"}), "calm", "a large coffee")
    assert reply.text
    assert reply.act is None


def test_named_movements_exist_in_the_pack() -> None:
    tables = {path.stem: tomllib.loads(path.read_text()) for path in (STARTER / "skills").glob("*.toml")}
    gaits = ("gait", "stride")
    kinds = {name: "gait" if table.get("kind") in gaits else "skill" for name, table in tables.items()}
    rows = starter().actions.values()
    acts = [
        act
        for row in rows
        for act in (row.do, *(a for values in row.slots.values() for a in values.values()))
    ]
    named = {(act.name, act.kind) for act in acts if act and act.kind != "halt"}
    assert named <= set(kinds.items())


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[sit]\ndo = { skill = 'sit', gait = 'walk' }", "exactly one"),
        ("[sit]\nsounds = 'woof'", "sounds"),
        ("[sit", "cannot be read"),
        ("[sit]\nvalence = 3", "valence"),
    ],
)
def test_broken_actions_are_named(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "actions.toml"
    path.write_text(text)
    with pytest.raises(PackError, match=what):
        load_actions(path)


def test_a_missing_persona_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"persona\.toml"):
        Dialogue(tmp_path / "persona.toml", STARTER / "actions.toml")
