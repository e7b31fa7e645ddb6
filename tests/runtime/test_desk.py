"""Requests: each is done by the mind, none that is old or broken, and facts are told with consent alone."""

from contextlib import closing
from pathlib import Path

import pytest

from runtime.bus import Delivery
from runtime.contracts import messages as m
from runtime.contracts import requests as r
from runtime.contracts.reports import FactsAck, PrivacyState
from runtime.contracts.topics import TOPICS, encode
from runtime.desk import Desk
from runtime.mind.memory import consent
from runtime.mind.memory.knowledge import Knowledge
from runtime.mind.memory.statements import fact_of, statement_of


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
