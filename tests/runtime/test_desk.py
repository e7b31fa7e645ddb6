"""Requests: each is done by the mind, none that is old or broken, and facts are told with consent alone."""

from contextlib import closing
from pathlib import Path

import pytest

from runtime.bus import Delivery
from runtime.contracts import messages as m
from runtime.contracts import requests as r
from runtime.contracts.reports import ErasedAck, ExportAck, FactsAck, KeptAck, LessonsAck, PrivacyState
from runtime.contracts.topics import MAX_PAYLOAD_BYTES, TOPICS, encode
from runtime.desk import Desk
from runtime.lessons.book import Book
from runtime.lessons.lesson import Lesson, Meaning
from runtime.lessons.pages import MOST_LETTERS, PAGE
from runtime.mind.memory import consent
from runtime.mind.memory.knowledge import Knowledge
from runtime.mind.memory.statements import fact_of, statement_of
from runtime.privacy.holdings import Holdings


class Pet:
    """Notes what it is asked to do."""

    share_text = False
    lessons = False
    muted = False
    silent = False

    def __init__(self) -> None:
        self.did: list[str] = []

    def attend(self) -> None:
        self.did.append("attend")

    def do(self, skill: str) -> None:
        self.did.append(f"do {skill}")

    def read_aloud(self, text: str) -> None:
        self.did.append(f"say {text}")

    def hold(self, why: str) -> None:
        self.did.append("hold")


class Counter:
    """A desk over a memory of two facts."""

    def __init__(self, folder: Path) -> None:
        self.pet, self.said, self.levels = Pet(), [], []
        self.folder = folder
        consent.write(folder, consent.Consent(allowed=True, how="command"))
        with closing(Knowledge(folder)) as knowledge:
            for sentence in ("my sister is called Anna", "my keys are in the drawer"):
                statement = statement_of(f"remember that {sentence}")
                assert statement is not None
                knowledge.tell(fact_of(statement), statement.one)
        self.desk = Desk(self.pet, lambda n, x: self.said.append(x), folder, False, self.levels.append)

    def ask(self, message: m.Message, *, retained: bool = False) -> m.Message | None:
        name = next(row.name for row in TOPICS.values() if row.model is type(message))
        before = len(self.said)
        self.desk.take(Delivery("rex", name, encode(message), retained, 1, False))
        return self.said[-1] if len(self.said) > before else None


@pytest.fixture
def counter(tmp_path: Path) -> Counter:
    return Counter(tmp_path / "memory")


def test_acts_are_done_and_a_viewer_is_no_voice(counter: Counter) -> None:
    for message in (
        m.SkillRequest(id="1", skill="sit"),
        m.SayRequest(id="2", text="hi"),
        r.HaltRequest(id="3"),
    ):
        counter.ask(message)
    counter.ask(m.ViewRequest(id="4"))
    assert counter.pet.did == ["attend", "do sit", "attend", "say hi", "hold"]


def test_a_retained_or_broken_request_does_nothing(counter: Counter) -> None:
    counter.ask(m.SkillRequest(id="1", skill="sit"), retained=True)
    counter.desk.take(Delivery("rex", "request/skill", b"{", False, 1, False))
    counter.desk.take(Delivery("rex", "request/fly", b"{}", False, 1, False))
    assert counter.pet.did == []


def test_volume_mute_and_consent_are_told(counter: Counter) -> None:
    counter.ask(r.VolumeRequest(id="1", level=0.25))
    counter.ask(r.MuteRequest(id="2", muted=True))
    told = counter.ask(r.ConsentRequest(id="3", share_text=True, remember=False))
    assert told == PrivacyState(muted=True, share_text=True, remembers=False, volume=0.25)
    assert counter.levels == [0.25]
    assert counter.pet.muted
    assert counter.pet.share_text
    assert not consent.allowed(counter.folder, True)


def facts(counter: Counter, **asked: object) -> FactsAck:
    answer = counter.ask(r.MemoryRequest.model_validate({"id": "m", **asked}))
    assert isinstance(answer, FactsAck)
    return answer


def test_no_fact_is_told_without_consent_to_words(counter: Counter) -> None:
    assert facts(counter) == FactsAck(id="m", ok=False, reason="no_consent")
    gone = facts(counter, act="forget", number=1)
    assert (gone.ok, gone.facts, gone.total) == (True, (), 1)
    counter.pet.share_text = True
    consent.write(counter.folder, consent.Consent(allowed=False, how="command"))
    assert facts(counter).reason == "not_allowed"


def test_facts_are_read_put_right_and_forgotten(counter: Counter) -> None:
    counter.pet.share_text = True
    first = facts(counter).facts[0]
    assert first.value == "Anna"
    corrected = facts(counter, act="correct", number=first.number, value="Hanna")
    assert "Hanna" in [fact.value for fact in corrected.facts]
    assert "no fact 99" in facts(counter, act="forget", number=99).reason
    assert "PIN" in facts(counter, act="correct", number=2, value="my PIN is 1234").reason
    for fact in facts(counter).facts:
        facts(counter, act="forget", number=fact.number)
    assert facts(counter).total == 0


NOW_MS = 1_000_000


def lesson(heard: str, **more: object) -> Lesson:
    return Lesson.model_validate({"heard": heard, "clear": 0.9, "belief": 0.9} | more)


@pytest.fixture
def keeper(counter: Counter) -> Counter:
    """A counter with two lessons, whose desk may be asked to erase."""
    folder = counter.folder.parent
    with closing(Book(folder / "lessons")) as book:
        meant = Meaning(text="no turn right", intent="turn_right")
        book.add([lesson("sit down", intent="sit", label="praised"), lesson("turn left", meant=meant)])
    counter.desk.held = Holdings(folder, counter.folder, folder / "life.json")
    counter.desk.clock = lambda: NOW_MS
    return counter


def test_lessons_are_told_newest_first_with_consent_to_words_alone(keeper: Counter) -> None:
    told = keeper.ask(r.LessonsRequest(id="1"))
    assert told == LessonsAck(id="1", ok=False, reason="no_consent")
    keeper.pet.share_text = True
    told = keeper.ask(r.LessonsRequest(id="2"))
    assert isinstance(told, LessonsAck)
    assert (told.ok, told.total) == (True, 2)
    assert [(row.heard, row.intent, row.label) for row in told.lessons] == [
        ("turn left", "", ""),
        ("sit down", "sit", "praised"),
    ]
    assert (told.lessons[0].meant, told.lessons[0].meant_intent) == ("no turn right", "turn_right")


def test_a_lesson_is_forgotten_without_a_word(keeper: Counter) -> None:
    told = keeper.ask(r.LessonsRequest(id="1", act="forget", number=1))
    assert told == LessonsAck(id="1", ok=True, total=1)
    told = keeper.ask(r.LessonsRequest(id="2", act="forget", number=1))
    assert isinstance(told, LessonsAck)
    assert not told.ok
    assert "no lesson 1" in told.reason


def test_many_long_lessons_fit_into_one_message(keeper: Counter) -> None:
    keeper.pet.share_text = True
    with closing(Book(keeper.folder.parent / "lessons")) as book:
        meant = Meaning(text="猫" * 500, intent="turn_right")
        book.add([lesson("狗" * 500, intent="sit", label="corrected", meant=meant)] * 30)
    told = keeper.ask(r.LessonsRequest(id="1"))
    assert isinstance(told, LessonsAck)
    assert len(told.lessons) == PAGE
    assert len(told.lessons[0].heard) == MOST_LETTERS
    assert len(encode(told)) < MAX_PAYLOAD_BYTES
    more = keeper.ask(r.LessonsRequest(id="2", number=PAGE))
    assert isinstance(more, LessonsAck)
    assert len(more.lessons) == 32 - PAGE
    assert more.lessons[-1].heard == "sit down"


def test_how_much_is_kept_is_told_without_words(keeper: Counter) -> None:
    told = keeper.ask(r.KeptRequest(id="1"))
    assert isinstance(told, KeptAck)
    assert told.counts == {
        "memory": 2,
        "lessons": 2,
        "events": 0,
        "persona": 0,
        "life": 0,
        "consents": 1,
    }


def test_erasing_ends_this_life_but_for_events_alone(keeper: Counter) -> None:
    asked: list[r.EraseRequest] = []
    keeper.desk.erase = asked.append
    keeper.ask(r.EraseRequest(id="1", only=("memory", "events"), seen_mono_ms=NOW_MS - 500))
    assert asked[0].only == ("memory", "events")
    told = keeper.ask(r.EraseRequest(id="2", only=("events",), seen_mono_ms=NOW_MS))
    assert told == ErasedAck(id="2", ok=True, erased=("events",))
    assert len(asked) == 1


def test_a_copy_is_begun_where_there_is_one_and_the_order_is_fresh(keeper: Counter) -> None:
    asked: list[r.ExportRequest] = []
    key = "A" * 43 + "="
    here = r.ExportRequest(id="1", key=key, seen_mono_ms=NOW_MS)
    assert keeper.ask(here) == ExportAck(id="1", ok=False, reason="not_here")
    keeper.desk.export = asked.append
    late = r.ExportRequest(id="2", key=key, seen_mono_ms=NOW_MS - r.FRESH_MS - 1)
    assert keeper.ask(late) == ExportAck(id="2", ok=False, reason="late")
    assert keeper.ask(here) is None
    assert keeper.ask(here, retained=True) is None
    assert [one.id for one in asked] == ["1"]


def test_an_old_order_to_erase_and_one_in_the_wrong_place_destroy_nothing(keeper: Counter) -> None:
    late = r.EraseRequest(id="1", only=("memory",), seen_mono_ms=NOW_MS - r.FRESH_MS - 1)
    here = r.EraseRequest(id="2", only=("memory",), seen_mono_ms=NOW_MS)
    assert keeper.ask(here) == ErasedAck(id="2", ok=False, reason="not_here")
    keeper.desk.erase = pytest.fail
    assert keeper.ask(late) == ErasedAck(id="1", ok=False, reason="late")
    assert keeper.ask(here, retained=True) is None
