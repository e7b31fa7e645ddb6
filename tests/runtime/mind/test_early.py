"""What may begin before a sentence is over, and what never does."""

import pytest

from runtime import starter
from runtime.contracts.config import EarlySettings
from runtime.mind.acts import Act, load_actions
from runtime.mind.behaviour import Understanding
from runtime.mind.conversation import Conversation
from runtime.mind.early import Look, Patience, Plan, Verdict, is_closed

SIT = Plan(Act(kind="skill", name="sit", nature="posture"))
DANCE = Plan(Act(kind="skill", name="dance"))
WALK = Plan(Act.model_validate({"gait": "walk"}))
HALT = Plan(Act(kind="halt", name="halt"))
CURIOUS = Plan(Act(kind="skill", name="curious", nature="posture"))
SETTINGS = EarlySettings()


def look(
    text: str = "sit down",
    plan: Plan = SIT,
    *,
    silence_s: float = 0.1,
    confidence: float = 0.99,
    intent: str | None = "sit",
    in_grammar: bool = True,
    closed: bool = True,
    unexplained_steps: int = 0,
) -> Look:
    understanding = Understanding(intent, {}, confidence)
    return Look(text, understanding, plan, in_grammar, closed, unexplained_steps, silence_s)


def last(*looks: Look) -> Verdict:
    patience = Patience(SETTINGS)
    return [patience.step(one) for one in looks][-1]


def test_a_whole_command_commits_once_it_is_stable_and_the_voice_pauses() -> None:
    assert last(look()).commit is None
    assert last(look(), look()).commit == "command"
    assert last(look(), look(silence_s=0.0)).commit is None


def test_another_meaning_starts_the_count_again() -> None:
    assert last(look(), look("look up", CURIOUS, intent="look")).commit is None


def test_what_may_become_another_command_waits_longer() -> None:
    open_ended = look("shake", closed=False)
    assert last(open_ended, open_ended).commit is None
    waited = look("shake", closed=False, silence_s=SETTINGS.open_pause_s)
    assert last(open_ended, waited).commit == "command"
    assert last(open_ended, open_ended).endpoint_s == SETTINGS.open_silence_s


@pytest.mark.parametrize("plan", [WALK, DANCE])
def test_only_postures_and_sounds_begin_early(plan: Plan) -> None:
    verdict = last(*[look(plan=plan, silence_s=0.4)] * 6)
    assert verdict.commit is None
    assert verdict.endpoint_s is not None
    assert verdict.endpoint_s >= 0.2


def test_holding_still_is_early_even_where_the_sentence_is_open() -> None:
    stop = look("stop", HALT, intent="stop", closed=False)
    assert last(stop, stop).commit == "command"


@pytest.mark.parametrize("text", ["don't sit down", "never sit", "do not sit"])
def test_a_negation_blocks_it(text: str) -> None:
    assert last(*[look(text)] * 5).commit is None


@pytest.mark.parametrize("word", ["and", "then", "don't", "but"])
def test_a_last_word_that_asks_for_more_blocks_it_and_is_waited_for(word: str) -> None:
    verdict = last(*[look(f"sit down {word}", silence_s=0.3)] * 5)
    assert verdict.commit is None
    assert verdict.endpoint_s == SETTINGS.unfinished_silence_s


def test_sound_that_no_word_accounts_for_blocks_it() -> None:
    assert last(*[look(unexplained_steps=SETTINGS.unexplained_steps + 1)] * 5).commit is None


def test_doubt_blocks_it_and_a_likely_command_still_ends_sooner() -> None:
    doubtful = look(confidence=SETTINGS.confidence - 0.01)
    assert last(*[doubtful] * 2) == Verdict(None, None, "not sure yet")
    steady = last(*[doubtful] * SETTINGS.likely_looks)
    assert (steady.commit, steady.endpoint_s) == (None, SETTINGS.likely_silence_s)


def test_noise_in_the_silence_does_not_make_it_wait() -> None:
    noisy = look(confidence=0.3, silence_s=0.15, unexplained_steps=9)
    assert last(look(), look(), noisy).endpoint_s == SETTINGS.complete_silence_s
    going_on = look(confidence=0.3, silence_s=0.0, unexplained_steps=9)
    assert last(look(), look(), going_on).endpoint_s is None


def test_words_of_no_command_get_a_glance_in_their_first_pause() -> None:
    words = look("why is the sky blue", CURIOUS, intent=None, in_grammar=False)
    assert last(words, words).commit == "reaction"
    speaking = look("why is the sky", CURIOUS, intent=None, in_grammar=False, silence_s=0.0)
    assert last(speaking, speaking).commit is None
    cough = look("ah", CURIOUS, intent=None, in_grammar=False)
    assert last(cough, cough).commit is None


def test_a_glance_counts_the_silence_since_the_words_were_read_and_a_command_does_not() -> None:
    words = look("why is the sky blue", CURIOUS, intent=None, in_grammar=False, silence_s=0.032)
    patience = Patience(SETTINGS)
    assert patience.step(words, 0.064).commit is None
    assert patience.step(words, 0.096).commit == "reaction"
    patience.reset()
    order = look(silence_s=0.032)
    assert [patience.step(order, 0.5).commit for _ in range(3)] == [None] * 3


def test_a_negated_guess_gets_no_glance() -> None:
    guess = look("please don't sit there", SIT, in_grammar=False, silence_s=0.4)
    assert last(guess, guess).commit is None


def test_a_plan_is_closed_when_every_future_is_the_same() -> None:
    assert is_closed(SIT, (SIT, SIT))
    assert not is_closed(SIT, (SIT, WALK))
    assert not is_closed(SIT, None)


def test_the_table_says_what_begins_early() -> None:
    rows = load_actions(starter.load_pack().path("actions.toml"))
    acts = [
        act for row in rows.values() for act in [row.do, *(a for s in row.slots.values() for a in s.values())]
    ]
    gaits = [act for act in acts if act is not None and act.kind == "gait"]
    assert gaits
    assert not any(Plan(act).early for act in gaits)
    assert Plan(rows["sit"].do).early
    assert not Plan(rows["dance"].do).early


def test_a_gait_cannot_be_called_a_posture() -> None:
    with pytest.raises(ValueError, match="locomotion"):
        Act.model_validate({"gait": "walk", "nature": "posture"})


@pytest.fixture(scope="module")
def conversation() -> Conversation:
    return Conversation(starter.load_pack(), names=("hey buddy",))


def test_a_glance_changes_nothing(conversation: Conversation) -> None:
    from runtime.audio.capture import read_audio
    from runtime.demo.script import CLIPS

    before = (conversation.emotion.valence, conversation.emotion.arousal)
    glance = conversation.glance(read_audio(CLIPS / "wag_your_tail.flac"), 0.1)
    assert glance.understanding.intent == "wag_tail"
    assert glance.in_grammar
    assert glance.closed
    assert (conversation.emotion.valence, conversation.emotion.arousal) == before
    assert conversation.history.turns() == []
