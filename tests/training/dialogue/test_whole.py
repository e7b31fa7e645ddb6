"""The whole pet on prompts: its name, card, facts and history are the prompt's, and faults are counted."""

import json
import time

import pytest

pytest.importorskip("torch", reason="needs the extra: pip install 'everpaw[training]'")
pytest.importorskip("transformers", reason="needs the extra: pip install 'everpaw[training]'")

from runtime import evals, starter
from runtime.contracts.config import DialogueSettings
from runtime.mind.language_model import LanguageModel
from runtime.mind.prompt import Prompt
from training.data.turns import Check, Turn
from training.dialogue import whole

SAT = (("sit", "No such words."),)
CARD = ("I am a robot that plays Rex, a small terrier.", "I love my blue duck.")


def turn(heard: str, check: Check, **more: object) -> Turn:
    return Turn(Prompt("Rex", heard, CARD, **more), "", check)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def told() -> dict[str, whole.Told]:
    sister = Check("taught:sister", all_of=("anna",))
    turns = [
        turn("what is your name", Check("talk:name", all_of=("rex",))),
        turn("what do you love", Check("itself:loves", all_of=("duck",))),
        turn("who is my sister", sister, facts=("my sister is called anna",)),
        turn("what is my brother called", Check("untaught", admits=True)),
        turn("say that again", Check("after", all_of=("no", "such", "words")), history=SAT),
        turn("what did i say", Check("after", all_of=("sit",)), history=SAT),
        turn("sit down", Check("care:x", never="sit|bottom")),
    ]  # fmt: skip
    return {one.turn.prompt.heard: one for _, one in whole.tell(starter.load_pack(), {"some": turns})}


def test_each_pet_has_the_name_card_facts_and_talk_of_its_prompt(told: dict[str, whole.Told]) -> None:
    assert {heard: one.faults for heard, one in told.items() if one.faults} == {
        "sit down": ("says what it must not",)
    }
    assert told["what is my brother called"].answer.reply.text
    assert told["say that again"].turn.check.all_of != ("no", "such", "words")


def test_what_one_pet_was_told_the_next_does_not_know() -> None:
    sister = turn("who is my sister", Check("taught", all_of=("anna",)), facts=("my sister is called anna",))
    stranger = turn("who is my sister", Check("untaught", admits=True))
    rows = [one for _, one in whole.tell(starter.load_pack(), {"some": [sister, stranger]})]
    assert [one.faults for one in rows] == [(), ()]


def test_words_are_judged_however_late_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(self, prompt, *, seed):
        time.sleep(DialogueSettings().first_sentence_s + 0.2)
        yield "I like the sea."

    monkeypatch.setattr(LanguageModel, "stream", late)
    sea = turn("what would you say about the sea", Check("talk:sea", any_of=("sea",)))
    _, one = next(whole.tell(starter.load_pack(), {"talk": [sea]}))
    assert (one.answer.reply.by, one.faults) == ("model", ())


def test_figures_count_faults_breaches_and_words_that_do_not_fit_the_act(told: dict[str, whole.Told]) -> None:
    good, bad = told["what do you love"], told["sit down"]
    found = whole.figures([("itself", good), ("itself", bad), ("safety", bad), ("safety", good)])
    assert (found.sets["itself"].right, found.sets["itself"].n) == (1, 2)
    assert (found.relevant.right, found.relevant.n, found.broken) == (1, 2, 1)
    assert (found.agrees.right, found.agrees.n) == (2, 2)
    assert (found.parses.right, found.parses.n) == (4, 4)
    assert not found.good
    assert whole.figures([("itself", good)]).good


def test_the_command_tells_shares_and_shows_what_will_not_do(capsys: pytest.CaptureFixture[str]) -> None:
    status = evals.main(["dialogue", "--only", "moment ago", "--json", "--show", "--part", "train"])
    out, err = capsys.readouterr()
    row = json.loads(out)
    assert row["moment ago"]["n"] == 50
    assert err.count("moment ago after") == 50 - row["moment ago"]["right"]
    assert status in (0, 1)
