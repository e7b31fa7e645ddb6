"""What is kept with a fact, where it shows, and how a memory that cannot be used is borne."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from runtime import starter
from runtime.answer import TurnRecord
from runtime.mind.conversation import MEMORY_INTENTS, Conversation
from runtime.mind.memory import consent, replies
from runtime.mind.memory.memory import Memory
from runtime.record import turn_fields
from tests.runtime.mind.memory.saying import Clock, says


def test_the_history_of_replaced_values_only_where_wanted(memory: Memory) -> None:
    says(memory, "we live in Hamburg")
    says(memory, "we live in Kiel")
    assert memory._talk.is_open
    assert [f.value for f in memory._talk.knowledge.facts().values()] == ["Kiel"]
    consent.write(memory.folder, consent.Consent(allowed=True, history=True, how="command"))
    says(memory, "we live in Rome")
    kept = memory._talk.knowledge.facts().values()
    assert [(f.value, f.replaced) for f in kept] == [("Rome", False), ("Kiel", True)]
    assert "Kiel" not in says(memory, "where do we live")
    says(memory, "forget where we live")
    assert memory._talk.knowledge.facts() == {}


def test_what_is_kept_with_a_fact(memory: Memory, clock: Clock) -> None:
    memory.hear("remember that I like tea", "said", 0.8)
    assert memory._talk.is_open
    [fact] = memory._talk.knowledge.facts().values()
    assert (fact.source, fact.confidence, fact.told_mono_ms) == ("said", 0.8, clock.now_s * 1e3)
    assert fact.told_at == datetime(2026, 5, 4, tzinfo=UTC)


def test_uncertain_speech_is_kept_only_when_it_asks_for_it(memory: Memory) -> None:
    assert memory.hear("I like tea", "said", 0.7, certain=False) is None
    assert memory.hear("remember that I like tea", "said", 0.7, certain=False) is not None


def _spoil(memory: Memory) -> None:
    says(memory, "I like tea")
    (memory.folder / "facts.db").write_bytes(b"no database")


def _lose_consent(memory: Memory) -> None:
    memory.folder.mkdir(parents=True)
    (memory.folder / consent.FILE).write_text("{")


@pytest.mark.parametrize("harm", [_spoil, _lose_consent])
def test_a_memory_that_cannot_be_used_is_said_and_the_pet_lives_on(
    memory: Memory, harm: Callable[[Memory], None]
) -> None:
    harm(memory)
    fresh = Memory(memory.folder, enabled=True)
    assert says(fresh, "I like soup") == replies.BROKEN
    assert fresh.recall("tea") == ()


def test_orders_are_no_facts_and_crisis_comes_first(memory: Memory) -> None:
    mind = Conversation(starter.load_pack(), memory=memory)
    assert mind.read("sit down").understanding.intent == "sit"
    assert mind.read("i love you so much").understanding.intent == "love"
    assert mind.read("remember that i want to kill myself").understanding.intent == "crisis"
    assert not memory.folder.exists() or "kill" not in says(memory, "what do you know about me")
    turn = mind.read("Remember that my sister is called Anna.")
    assert turn.understanding.intent == "remember"
    assert turn.act is not None
    assert turn.act.name == "nod"


def test_no_word_of_it_in_a_session_without_words(memory: Memory) -> None:
    mind = Conversation(starter.load_pack(), memory=memory)
    for text in ("remember my sister is called anna", "what is my sister called", "who is anna"):
        turn = mind.take(text, 1.0)
        row = turn_fields(TurnRecord(1, turn, {}, "said"), words=False)
        assert turn.understanding.intent in MEMORY_INTENTS
        assert "anna" not in str(row).lower()
        assert "anna" in str(turn_fields(TurnRecord(1, turn, {}, "said"), words=True)).lower()


def test_no_word_of_it_in_the_log(memory: Memory, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    for said in ("I like Zwetschgenkuchen", "what do I like", "forget that I like Zwetschgenkuchen"):
        says(memory, said)
    _spoil(memory)
    says(Memory(memory.folder, enabled=True), "remember that I like Zwetschgenkuchen")
    assert "schgenkuchen" not in caplog.text
    assert caplog.records
