"""The pet's own will: the owner first, quiet when asked, and the same again for the same seed and events."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from runtime import starter
from runtime.life import will
from runtime.life.acts import ACTS, ASLEEP, AWAKE, BY_NAME, LIE, POSTURE_OF, REACTIONS, STAND
from runtime.life.chooser import COMPANY_S, Rules, is_quiet
from runtime.life.day import QuietHours
from runtime.life.drives import DRIVES, nature
from runtime.life.household import GAIT_OF, SKILL_OF
from runtime.mind.acts import load_actions

RULES = Rules(nature(3), QuietHours.read("22:00-07:00"))
EVEN = (0.1, 0.0)
FOLLOW_UP_S = 8.0
SKILLS = {path.stem for path in (Path(starter.__file__).parent / "skills").glob("*.toml")}


def lived(
    state: will.State, seconds: int, hour: float | None = 10.0, rules: Rules = RULES
) -> tuple[will.State, list[tuple[float, str]]]:
    """From `hour` on: (the state afterwards, (age, act) of what it did)."""
    done = []
    for second in range(seconds):
        now = None if hour is None else (hour + second / 3_600) % 24
        state, choice = will.passed(state, 1.0, now, EVEN, rules)
        if choice is not None and choice.act is not None:
            done.append((state.age_s, choice.act.name))
    return state, done


def heard(state: will.State, intent: str | None, skill: str = "") -> will.State:
    return will.heard(state, intent, skill, gait=False, follow_up_s=FOLLOW_UP_S)


def grown(seed: int = 3) -> will.State:
    """Awake for half an hour already."""
    return lived(will.State(seed), 1_800)[0]


def test_the_same_seed_and_events_give_the_same_life_and_another_seed_another() -> None:
    def story(seed: int) -> tuple[will.State, list[tuple[float, str]]]:
        state, first = lived(will.State(seed), 1_000)
        state, second = lived(heard(state, "play", "bow"), 1_000)
        state, _ = will.happened(state, "noise", 10.0, RULES)
        state, third = lived(will.halted(state), 1_000)
        return state, first + second + third

    assert story(5) == story(5)
    assert story(5)[1] != story(6)[1]


def test_left_alone_it_does_many_things() -> None:
    _, done = lived(will.State(3), 4 * 3_600)
    assert len({name for _, name in done}) >= 7
    assert 8 <= len(done) / 4 <= 60


@pytest.mark.parametrize(
    "event",
    [
        lambda state: will.attended(state, FOLLOW_UP_S),
        lambda state: heard(state, "sit", "sit"),
        lambda state: heard(state, None),
    ],
)
def test_nothing_begins_while_it_is_spoken_to(event: Callable[[will.State], will.State]) -> None:
    state = replace(event(replace(grown(), free_at_s=0.0)), free_at_s=0.0)
    assert lived(state, int(FOLLOW_UP_S) - 1)[1] == []
    assert lived(state, 300)[1] != []


def test_after_a_halt_it_is_still_until_somebody_speaks_or_the_time_is_over() -> None:
    halted = replace(will.halted(grown()), free_at_s=0.0)
    assert lived(halted, int(will.STILL_S) - 1)[1] == []
    assert lived(halted, 600)[1] != []
    assert lived(heard(halted, "stop"), int(will.STILL_S) - 1)[1] == []
    spoken = heard(halted, "hello")
    assert spoken.still_until_s <= spoken.age_s < spoken.attends_until_s
    bored = replace(spoken, drives=dict.fromkeys(DRIVES, 0.9) | {"peace": 0.0})
    done = lived(bored, int(FOLLOW_UP_S) + 2)[1]
    assert done
    assert done[0][0] >= spoken.attends_until_s


@pytest.mark.parametrize("skill", sorted(POSTURE_OF))
def test_an_ordered_posture_is_kept_for_a_while(skill: str) -> None:
    state = heard(grown(), "sit", skill)
    wanted = POSTURE_OF[skill]
    for _ in range(int(will.KEEPS_S) - 1):
        state, choice = will.passed(state, 1.0, 10.0, EVEN, RULES)
        assert choice is None or choice.act is None or choice.act.leaves in ("", wanted)
        state, reaction = will.happened(state, "noise", 10.0, RULES)
        assert reaction is None or reaction.act is None or reaction.act.leaves in ("", wanted)
    assert state.posture == wanted


def test_stay_is_kept_longest() -> None:
    state = heard(heard(grown(), "sit", "sit"), "stay")
    state, done = lived(state, int(will.STAYS_S) - 1)
    assert all(not BY_NAME[name].leaves for _, name in done)


@pytest.mark.parametrize("intent", ["settle", "sleep"])
def test_told_to_settle_it_settles(intent: str) -> None:
    state = heard(grown(), intent, "lie" if intent == "settle" else "sleep")
    state, done = lived(state, 900)
    assert {name for _, name in done} <= {"lie", "sleep"}
    assert state.posture in (LIE, ASLEEP)


def test_asked_to_play_it_plays() -> None:
    def plays(state: will.State) -> int:
        return sum(name in {"frolic", "invite"} for _, name in lived(state, 1_200)[1])

    state = grown()
    assert plays(heard(state, "play", "bow")) > plays(state)
    settled = heard(state, "settle", "lie")
    assert is_quiet(settled.drives, 10.0, RULES)
    assert not is_quiet(heard(settled, "play", "bow").drives, 10.0, RULES)


def test_quiet_hours_find_it_lying_down_and_nothing_wakes_it_of_itself() -> None:
    state, done = lived(replace(grown(), free_at_s=0.0), 3_600, hour=22.5)
    assert {name for _, name in done} <= {"lie", "sleep"}
    assert state.asleep
    assert lived(state, 3_600, hour=3.0)[1] == []
    for what in REACTIONS:
        assert will.happened(state, what, 3.0, RULES)[1] is None


def test_without_a_clock_it_is_quiet_unless_no_hours_are() -> None:
    assert {name for _, name in lived(grown(), 3_600, hour=None)[1]} <= {"lie", "sleep"}
    free = replace(RULES, quiet_hours=QuietHours())
    assert len({name for _, name in lived(will.State(3), 3_600, hour=None, rules=free)[1]}) >= 5


def test_it_walks_only_where_that_is_allowed_and_sleeps_only_where_that_is() -> None:
    walks = {act.name for act in ACTS if act.gait_ms}
    assert not {name for _, name in lived(will.State(3), 8 * 3_600)[1]} & walks
    roaming = replace(RULES, locomotion=True)
    assert {name for _, name in lived(will.State(3), 8 * 3_600, rules=roaming)[1]} & walks
    sleepless = replace(RULES, sleep=False)
    state, done = lived(grown(), 7_200, hour=23.0, rules=sleepless)
    assert state.posture == LIE
    assert "sleep" not in {name for _, name in done}


def test_what_the_pack_lacks_is_never_chosen() -> None:
    poor = replace(RULES, movements=frozenset({"wag", "lie"}))
    assert {name for _, name in lived(will.State(3), 4 * 3_600, rules=poor)[1]} <= {"wag", "lie"}
    assert will.happened(grown(), "noise", 10.0, poor)[1] is None


def test_it_asks_nobody_who_is_not_there_and_ever_more_rarely_who_does_not_answer() -> None:
    bids = {act.name for act in ACTS if act.bid}
    alone = replace(grown(), somebody_at_s=-COMPANY_S * 10)
    assert not {name for _, name in lived(alone, 8 * 3_600)[1]} & bids
    state, done = lived(will.attended(grown(), FOLLOW_UP_S), int(COMPANY_S))
    assert 1 <= sum(name in bids for _, name in done) <= 4
    assert state.bids <= 4


def test_being_alone_never_saddens_it() -> None:
    state = replace(grown(), drives=dict.fromkeys(DRIVES, 1.0) | {"peace": 0.0})
    lonely = replace(state, drives={**state.drives, "company": 1.0})
    content = replace(state, drives={**state.drives, "company": 0.0})
    assert will.leaning(lonely, 10.0, EVEN) == will.leaning(content, 10.0, EVEN)
    assert will.leaning(lonely, 10.0, EVEN)[0] >= EVEN[0]


def test_a_noise_startles_once_and_a_touch_pleases() -> None:
    state = replace(grown(), keeps_until_s=0.0)
    state, choice = will.happened(state, "noise", 10.0, RULES)
    assert choice is not None
    assert choice.act is REACTIONS["noise"]
    assert will.happened(state, "noise", 10.0, RULES)[1] is None
    after, choice = will.happened(state, "touch", 10.0, RULES)
    assert choice is not None
    assert after.drives["comfort"] < state.drives["comfort"]
    assert will.happened(will.attended(grown(), 8.0), "noise", 10.0, RULES)[1] is None


def test_what_the_body_refused_is_tried_later() -> None:
    state = will.refused(grown(), "not armed")
    assert state.why == "not armed"
    assert lived(state, int(will.RETRY_S) - 1)[1] == []


def test_the_tables_name_what_the_starter_has() -> None:
    acts = [*ACTS, *REACTIONS.values()]
    assert {skill for act in acts for skill in act.skills} <= SKILLS
    assert set(POSTURE_OF) <= SKILLS
    assert {drive for act in acts for drive in (*act.wants, *act.eases)} <= set(DRIVES)
    for act in acts:
        assert {*act.begins, act.leaves} <= {*AWAKE, ASLEEP, ""}
        known = [POSTURE_OF[skill] for skill in act.skills if skill in POSTURE_OF]
        assert not act.leaves or act.gait_ms or set(known) == {act.leaves}, act.name
    assert any(STAND in act.begins for act in ACTS)


def test_the_household_does_what_the_starter_does() -> None:
    actions = load_actions(Path(starter.__file__).parent / "actions.toml")
    for intent, skill in SKILL_OF.items():
        row = actions[intent]
        assert row.do is not None
        assert (row.do.kind, row.do.name) == ("skill", skill)
    for intent in GAIT_OF:
        row = actions[intent]
        assert row.do is not None
        assert row.do.kind == "gait"
