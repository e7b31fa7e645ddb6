"""Teaching, asking, correcting, forgetting, as people say it; whose fact it is; that forgetting is whole."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from runtime import starter
from runtime.answer import TurnRecord
from runtime.mind.conversation import MEMORY_INTENTS, Conversation
from runtime.mind.memory import consent, proof, replies
from runtime.mind.memory.memory import Memory
from runtime.record import turn_fields

UNKNOWN = re.compile(r"don't know", re.IGNORECASE)
WORDINGS = yaml.safe_load((Path(__file__).parent / "wordings.yaml").read_text(encoding="utf-8"))


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(tmp_path: Path, clock: Clock) -> Memory:
    wall = datetime(2026, 5, 4, tzinfo=UTC)
    return Memory(tmp_path / "memory", enabled=True, clock=clock, wall=lambda: wall)


def says(memory: Memory, text: str) -> str:
    answer = memory.hear(text)
    return "" if answer is None else answer.text


TALKS: dict[str, list[tuple[str, str]]] = {
    "taught and asked": [
        ("remember that my sister is Anna", "your sister is called Anna"),
        ("what is my sister called?", "^Your sister is called Anna.$"),
        ("who is Anna", "your sister is called Anna"),
        ("what is my brother called", "don't know"),
    ],
    "who am I": [
        ("who am I", "don't know"),
        ("my name is Robert", "Hello Robert"),
        ("who am I", "your name is Robert"),
        ("do you know my name", "Robert"),
    ],
    "likes collect and turn": [
        ("I like tea", "you like tea"),
        ("I also like soup", "you also like soup"),
        ("what do I like", "tea.*soup"),
        ("I don't like tea any more", "so you don't like tea"),
        ("what do I like", "soup(?!.*tea)"),
    ],
    "one value takes the place of another": [
        ("we live in Hamburg", "live in Hamburg"),
        ("we live in Kiel", "^Okay, so you live in Kiel"),
        ("where do we live", "Kiel(?!.*Hamburg)"),
    ],
    "no, her name is Hanna": [
        ("remember that my sister is called Anna", "Anna"),
        ("no, her name is Hanna", "so your sister is called Hanna"),
        ("what is my sister called", "Hanna"),
        ("who is Anna", "don't know|^$"),
    ],
    "other ways of putting right": [
        ("my dog is called Rex", "Rex"),
        ("actually, he is called Max", "Max"),
        ("no, Felix", "Felix"),
        ("not Felix but Otto", "Otto"),
        ("it's Bruno, not Otto", "Bruno"),
        ("sorry, my dog is called Emil", "Emil"),
        ("what is my dog called", "^Your dog is called Emil.$"),
    ],
    "she is whoever was spoken of": [
        ("my sister is called Anna", "Anna"),
        ("remember that she likes opera", "your sister likes opera"),
        ("her birthday is on the second of May", "your sister's birthday is on the second of May"),
        ("when was Anna born", "second of May"),
        ("what does Anna like", "opera"),
        ("what do you know about my sister", "Anna.*opera.*second of May"),
    ],
    "another beside the first": [
        ("my sister is called Anna", "Anna"),
        ("I have another sister called Eva", "Eva"),
        ("what are my sisters called", "Anna.*Eva"),
    ],
    "forget that": [
        ("my birthday is on the ninth of May", "ninth"),
        ("forget that", "forgot it"),
        ("when is my birthday", "don't know"),
        ("forget that my birthday is on the ninth of May", "nothing to forget"),
    ],
    "forget what was said, by what it says": [
        ("my sister is called Anna", "Anna"),
        ("my sister likes opera", "opera"),
        ("please forget that my sister is called Anna", "forgot it"),
        ("what does my sister like", "opera"),
        ("what is my sister called", "don't know"),
        ("forget what my sister likes", "forgot it"),
        ("what does my sister like", "don't know"),
    ],
    "forget everything about somebody": [
        ("my sister is called Anna", "Anna"),
        ("remember that Anna works in Rome", "Rome"),
        ("I like tea", "tea"),
        ("forget everything about my sister", "forgot 2 things"),
        ("who is Anna", "don't know|^$"),
        ("where does Anna work", "don't know"),
        ("what do I like", "tea"),
    ],
    "forget everything, asked back once": [
        ("I like tea", "tea"),
        ("we live in Kiel", "Kiel"),
        ("forget everything", "really forget all 2 things"),
        ("no", "keep everything"),
        ("what do I like", "tea"),
        ("forget everything you know", "really forget"),
        ("what do I like", "tea"),
        ("yes", "^$"),
        ("forget everything", "really forget"),
        ("yes please", "forgot everything"),
        ("what do I like", "don't know"),
        ("what do you know about me", "don't know"),
    ],
    "what cannot be sorted is kept as it was said": [
        ("remember that the bins go out on Tuesday", "the bins go out on Tuesday"),
        ("when do the bins go out", "Tuesday"),
        ("what do you know about the bins", "Tuesday"),
        ("where are the bins", "don't know"),
    ],
    "secrets are not kept": [
        ("remember that my pin is 1234", "secret"),
        ("remember my password is swordfish", "secret"),
        ("my credit card number is 4539 1488 0343 6467", "secret"),
        ("remember 4539148803436467", "secret"),
        ("what is my pin", "don't know"),
        ("what do you know", "don't know"),
    ],
    "questions are not facts": [
        ("remember", "^$"),
        ("do you remember my sister", "don't know"),
        ("what is my favourite colour", "don't know"),
        ("what do you know about me", "don't know"),
    ],
    "moments are not facts": [
        ("I am tired", "^$"),
        ("my head hurts", "^$"),
        ("I am so happy today", "^$"),
        ("I love you", "^$"),
        ("I like it when you bark", "^$"),
        ("you are the best", "^$"),
        ("what do you know about me", "don't know"),
    ],
}


@pytest.mark.parametrize("talk", TALKS.values(), ids=TALKS.keys())
def test_talks(memory: Memory, talk: list[tuple[str, str]]) -> None:
    for said, expected in talk:
        reply = says(memory, said)
        assert re.search(expected, reply, re.IGNORECASE), (said, reply)


@dataclass(frozen=True)
class Shares:
    """Of one half of the wordings."""

    taken_up: float
    """Statements kept at the first telling; the others are told again after "remember that" """
    right: float
    """Questions about what was told, answered rightly"""
    unknown: float
    """Other questions, answered "I don't know" or left to the dialogue"""


def shares(memory: Memory, first: int) -> Shares:
    taught, untaught = WORDINGS["taught"][first::2], WORDINGS["untaught"][first::2]
    taken_up = [memory.hear(tell) is not None for tell, *_ in taught]
    for (tell, *_), taken in zip(taught, taken_up, strict=True):
        if not taken:
            memory.hear(f"remember that {tell}")
    asked = [(question, right) for _, *questions, right in taught for question in questions]
    right = [bool(re.search(right, says(memory, question), re.IGNORECASE)) for question, right in asked]
    unknown = [not (said := says(memory, question)) or bool(UNKNOWN.search(said)) for question in untaught]
    return Shares(*(sum(rows) / len(rows) for rows in (taken_up, right, unknown)))


@pytest.mark.parametrize("first", [0, 1], ids=["in view", "held out"])
def test_fifty_facts_taught_and_fifty_not(memory: Memory, first: int) -> None:
    """`pytest -s` shows the figures of docs/figures.md; those are of the half held out."""
    found = shares(memory, first)
    print(found)
    assert found.taken_up >= 0.9
    assert found.right >= 0.9
    assert found.unknown >= 0.95


def test_everybody_has_a_my_of_their_own(memory: Memory, clock: Clock) -> None:
    for said in ("my name is Robert", "my sister is called Anna", "I like tea", "the key is under the mat"):
        says(memory, said)
    says(memory, "remember that the key is under the mat")
    assert "Hello Tom" in says(memory, "I am Tom")
    assert UNKNOWN.search(says(memory, "what is my sister called"))
    says(memory, "my sister is called Eva")
    says(memory, "I like coffee")
    assert "Eva" in says(memory, "what is my sister called")
    assert says(memory, "what do I like") == "You like coffee."
    assert says(memory, "what does Robert like") == "Robert likes tea."
    assert "mat" in says(memory, "where is the key")
    assert "Hello Robert" in says(memory, "it's me, Robert")
    assert says(memory, "what is my sister called") == "Your sister is called Anna."
    assert says(memory, "what is Tom's sister called") == "Tom's sister is called Eva."
    says(memory, "this is Tom")
    clock.now_s += 10_000
    assert says(memory, "what do I like") == "You like tea."


def test_a_guest_takes_nothing_of_the_owners_away(memory: Memory) -> None:
    for said in ("my name is Robert", "remember that the key is under the mat", "I am Tom"):
        says(memory, said)
    says(memory, "remember that the key is in the shed")
    says(memory, "I am Robert")
    assert "mat" in says(memory, "where is the key")
    says(memory, "remember that the key is in the drawer")
    assert says(memory, "where is the key") == "The key is in the drawer."


def test_a_guest_forgets_only_what_is_theirs_and_allows_nothing(memory: Memory) -> None:
    for said in (
        "my name is Robert",
        "my sister is called Anna",
        "remember that the key is under the mat",
        "I am Tom",
    ):
        says(memory, said)
    says(memory, "I like coffee")
    assert says(memory, "forget everything about the key") == replies.NOT_YOURS
    assert "all 2 things" in says(memory, "forget everything")
    assert "2 things" in says(memory, "yes")
    assert says(memory, "you may not remember anything") == replies.ASK_THE_OWNER
    says(memory, "I am Robert")
    assert "mat" in says(memory, "where is the key")
    assert "Anna" in says(memory, "what is my sister called")


def test_a_tired_person_is_nobodys_name(memory: Memory) -> None:
    for said in ("I am tired", "I am home", "I am a robot", "it's raining", "I am so sorry"):
        assert says(memory, said) == ""


def test_nothing_is_kept_or_made_before_it_is_allowed(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "memory")
    assert says(memory, "my sister is called Anna") == ""
    assert says(memory, "remember that my sister is called Anna") == replies.HOW_TO_ALLOW
    assert says(memory, "remember that my sister is called Anna") == replies.NOT_ALLOWED
    assert says(memory, "what is my sister called") == ""
    assert memory.recall("my sister") == ()
    assert not (tmp_path / "memory").exists()
    assert says(memory, "you may remember things") == replies.ALLOWED
    given = consent.read(tmp_path / "memory")
    assert given is not None
    assert (given.allowed, given.how) == (True, "typed")
    says(memory, "remember that my sister is called Anna")
    assert "Anna" in says(memory, "what is my sister called")
    assert says(memory, "you may not remember anything") == replies.DENIED
    assert says(memory, "what is my sister called") == ""
    assert memory.recall("my sister") == ()


def test_spoken_to_be_remembered_it_explains_and_typed_it_chats(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "memory")
    assert memory.hear("I like tea", "typed") is None
    answer = memory.hear("my name is tom", "said")
    assert answer is not None
    assert answer.text == replies.HOW_TO_ALLOW


def test_a_denial_counts_before_the_settings(memory: Memory) -> None:
    says(memory, "stop remembering things")
    assert says(memory, "I like tea") == ""


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


def test_facts_for_the_prompt_are_in_the_speakers_words(memory: Memory) -> None:
    for said in ("my name is Robert", "my sister is called Anna", "I like tea", "we live in Hamburg"):
        says(memory, said)
    assert memory.recall("shall we visit my sister")[0] == "my sister is called Anna"
    assert memory.recall("xyzzy plugh") == ()
    says(memory, "I am Tom")
    assert memory.recall("where does Robert's sister live")[0].startswith("Robert")


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
