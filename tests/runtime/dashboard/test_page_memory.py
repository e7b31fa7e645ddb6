"""Memory & privacy in the page: words, facts, lessons and erasing, by the owner's own hand."""

from contextlib import closing
from pathlib import Path

import pytest

from runtime.broker import available_kind
from runtime.contracts import messages as m
from runtime.contracts import requests as r
from runtime.mind.memory import consent
from runtime.mind.memory.knowledge import Knowledge
from runtime.privacy.portable import read
from tests.runtime.dashboard.scene import Scene

pytest.importorskip("nicegui", reason="the [dashboard] extra is not installed")
pytest.importorskip("selenium", reason="selenium is not installed")
if available_kind() is None:
    pytest.skip("no broker is installed", allow_module_level=True)

from runtime.lessons.book import Book
from runtime.lessons.lesson import Lesson

pytestmark = pytest.mark.usefixtures("fresh")


def test_words_are_shown_with_consent_alone(scene: Scene) -> None:
    page, puppet = scene.page, scene.puppet
    puppet.turn("sit down", "Bottom down.")
    page.wait(lambda: "(sit)" in page.see("talk"))
    assert "Words are not shared" in page.body
    page.part("memory")
    page.do("share-text")
    assert scene.asked(r.ConsentRequest)[0].share_text
    page.part("now")
    puppet.turn("sit down now", "Bottom further down.")
    page.wait(lambda: "You: sit down now" in page.see("talk") and "Rex: Bottom further down." in page.body)
    page.part("memory")
    page.do("share-text")
    page.wait(lambda: not puppet.share_text)


def test_facts_are_read_put_right_and_forgotten_for_good(scene: Scene) -> None:
    page, puppet = scene.page, scene.puppet
    page.part("memory")
    page.do("memory-read")
    page.wait(lambda: "allow words" in page.see("memory"))
    puppet.share_text = True
    page.do("memory-read")
    page.wait(lambda: "my sister is called Anna" in page.body)
    page.do("correct-1")
    page.wait(lambda: page.driver.find_elements("css selector", '.q-dialog [aria-label="Correct"]'))
    value = page.element('.q-dialog [aria-label="Correct"]')
    value.send_keys("\ue009a\ue000")  # all of it
    value.send_keys("Hanna")
    page.do("save")
    page.wait(lambda: "my sister is called Hanna" in page.body)
    rows = page.driver.find_elements("css selector", "tr[data-fact]")
    number = next(row.get_attribute("data-fact") for row in rows if "Hanna" in row.text)
    page.do(f"forget-{number}")
    page.do("sure")
    page.wait(lambda: "Hanna" not in page.body)
    with closing(Knowledge(puppet.folder)) as knowledge:
        assert [entry.fact.value for entry in knowledge.entries()] == ["in the drawer"]
    puppet.share_text = False
    page.do("remember")
    page.wait(lambda: not consent.allowed(puppet.folder, True))
    page.do("remember")
    page.wait(lambda: consent.allowed(puppet.folder, False))


def test_lessons_are_shown_and_one_is_forgotten(scene: Scene) -> None:
    page, puppet = scene.page, scene.puppet
    with closing(Book(puppet.held.lessons)) as book:
        before = book.lessons()
    page.part("memory")
    page.do("lessons-read")
    page.wait(lambda: "allow words" in page.see("lessons"))
    puppet.share_text = True
    page.do("lessons-read")
    page.wait(lambda: "“sit down” → sit" in page.body and "praised" in page.body)
    assert "corrected: “no turn right” → turn right" in page.body
    page.do("unlearn-2")
    page.wait(lambda: "Forget this lesson for good?" in page.body)
    page.do("cancel")
    page.do("unlearn-2")
    page.do("sure")
    page.wait(lambda: "turn left" not in page.body)
    with closing(Book(puppet.held.lessons)) as book:
        assert book.lessons() == {number: lesson for number, lesson in before.items() if number != 2}
    assert before[2].heard == "turn left"


def test_erasing_asks_once_says_what_goes_and_what_became_of_it(scene: Scene) -> None:
    page, puppet = scene.page, scene.puppet
    with closing(Book(puppet.held.lessons)) as book:
        book.add([Lesson(heard="the attic key is under the mat", clear=0.9, belief=0.9)])
    page.part("memory")
    page.wait(lambda: page.see("kept-lessons").isdecimal())
    before = int(page.see("kept-lessons"))
    assert before >= 1
    assert not page.element('[data-do="erase"]').is_enabled()
    for name in ("tick-lessons", "tick-life", "tick-consents"):
        page.do(name)
    page.do("erase")
    asked = page.question()
    assert asked[:2] == [f"Turns it learned from: {before}", "Its mood and drives: 0"]
    assert "begins anew" in asked[3]
    assert "microphone" in asked[4]
    page.wait(lambda: page.driver.switch_to.active_element.get_attribute("data-do") == "cancel")
    page.driver.switch_to.active_element.send_keys("\ue007")  # Enter, at the way back
    page.wait(lambda: not page.driver.find_elements("css selector", ".ask li"))
    assert puppet.of(r.EraseRequest) == []
    page.do("erase")
    page.do("sure")
    [order] = scene.asked(r.EraseRequest)
    assert order.only == ("lessons", "life", "consents")
    page.wait(lambda: page.see("erased").startswith("Erased: Turns it learned from, Its mood"))
    assert "none is left" in page.see("erased")
    page.wait(lambda: page.see("kept-lessons") == "0")
    assert puppet.held.counts()["lessons"] == 0
    assert puppet.held.counts()["memory"] > 0
    consent.write(puppet.folder, consent.Consent(allowed=True, how="command"))


def test_a_copy_of_all_that_is_kept_lands_in_the_downloads(scene: Scene, tmp_path: Path) -> None:
    page, puppet = scene.page, scene.puppet
    page.download_to(tmp_path)
    page.part("memory")
    page.do("take-copy")
    page.wait(lambda: page.see("copy").startswith("In your downloads: puppet-"))
    page.wait(lambda: list(tmp_path.glob("puppet-*.zip")))
    [copy] = tmp_path.glob("puppet-*.zip")
    told = read(copy)
    assert told.manifest.robot_id == "puppet"
    assert [fact.value for fact in told.facts] == [fact.value for fact in puppet.held.facts()]
    assert len(told.lessons) == puppet.held.counts()["lessons"]
    assert not puppet.share_text


def test_why_there_is_no_copy_is_told(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    page, puppet = scene.page, scene.puppet
    monkeypatch.setattr(puppet.desk, "export", None)
    page.part("memory")
    page.do("take-copy")
    page.wait(lambda: page.see("copy").startswith("This mind hands over no copy"))


def test_what_was_erased_is_forgotten_by_the_page_as_well(scene: Scene) -> None:
    page, puppet = scene.page, scene.puppet
    puppet.bus.publish("event/safety", m.SafetyEvent(kind="halt", detail="blackberry", mono_ms=1))
    page.part("events")
    page.wait(lambda: "blackberry" in page.body)
    page.part("memory")
    page.do("tick-events")
    page.do("erase")
    page.wait(lambda: "It goes on meanwhile." in page.body)
    page.do("sure")
    page.wait(lambda: page.see("erased").startswith("Erased: Events"))
    page.part("events")
    page.wait(lambda: "blackberry" not in page.body)
