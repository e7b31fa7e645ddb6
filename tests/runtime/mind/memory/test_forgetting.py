"""What was forgotten is nowhere any more."""

from pathlib import Path

import pytest

from runtime import starter
from runtime.mind.conversation import Conversation
from runtime.mind.memory import proof
from runtime.mind.memory.memory import Memory

PLANTED = ["Zwetschgenkuchen", "Kirschblütenweg", "Annabellissima"]


def _hits(folder: Path) -> int:
    needles = [
        code for text in PLANTED for code in (text.encode(), text.encode("utf-16-le"), text.lower().encode())
    ]
    return proof.search(folder, needles).hits


@pytest.mark.parametrize("how", ["one by one", "about", "everything"])
def test_forgetting_is_complete(tmp_path: Path, how: str) -> None:
    """Database, journal, keys, index, what was said last, and the talk's own history."""
    memory = Memory(tmp_path / "memory", enabled=True)
    mind = Conversation(starter.load_pack(), memory=memory)

    def say(text: str) -> None:
        turn = mind.read(text)
        mind.history.add(turn.heard, turn.reply.text, lambda: 1.0)

    for text in (
        "remember that I like Zwetschgenkuchen",
        "remember that my street is called Kirschblütenweg",
        "remember that my sister is called Annabellissima",
        "what do you know about me",
        "what is my sister called",
        "remember that I like tea",
    ):
        say(text)
    assert _hits(tmp_path) == 0  # sealed even before
    assert any(word in str(mind.history.turns()) for word in PLANTED)
    forgetting = {
        "one by one": [
            "forget that I like Zwetschgenkuchen",
            "forget that my street is called Kirschblütenweg",
            "what is my sister called",
            "forget that",
        ],
        "about": [
            "forget about Zwetschgenkuchen",
            "forget everything about my street",
            "forget about my sister",
        ],
        "everything": ["forget everything", "yes"],
    }
    for text in forgetting[how]:
        say(text)
    assert _hits(tmp_path) == 0
    everywhere = [
        str(mind.history.turns()),
        str(memory._talk.knowledge.facts()),
        repr(memory),
    ]
    everywhere += [mind.read(q).reply.text for q in ("what do you know about me", "what is my street called")]
    everywhere += [str(memory.recall(f"tell me about {word}")) for word in PLANTED]
    everywhere.append(str([e.fact for e in memory._talk.knowledge.entries()]))
    assert not [text for text in everywhere for word in PLANTED if word.lower() in text.lower()]
    assert ("tea" in mind.read("what do I like").reply.text) == (how != "everything")
