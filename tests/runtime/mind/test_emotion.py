"""The mood: pushed by events, calmed by time, the same for the same seed and events."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.mind.emotion import EFFECTS, MOODS, Emotion

EVENTS = st.one_of(st.none(), st.sampled_from([*EFFECTS, "sit", "nonsense"]), st.floats(0, 600))


def live(seed: int, events: list[str | float | None]) -> list[tuple[str, float, float]]:
    emotion, seen = Emotion(seed), []
    for event in events:
        if isinstance(event, float):
            emotion.tick(event)
        else:
            emotion.hear(event)
        seen.append((emotion.mood, emotion.valence, emotion.arousal))
    return seen


@given(st.integers(0, 1_000), st.lists(EVENTS, max_size=30))
def test_same_seed_and_events_same_mood_within_bounds(seed: int, events: list[str | float | None]) -> None:
    first = live(seed, events)
    assert first == live(seed, events)
    assert all(mood in MOODS and -1 <= v <= 1 and -1 <= a <= 1 for mood, v, a in first)


def test_praise_cheers_and_time_calms() -> None:
    emotion = Emotion(1)
    assert emotion.mood == "calm"
    emotion.hear("praise")
    assert emotion.mood == "happy"
    for _ in range(4):
        emotion.hear("play")
    assert emotion.mood == "excited"
    for _ in range(200):
        emotion.tick(1.0)
    assert emotion.mood == "calm"


def test_scolding_saddens() -> None:
    emotion = Emotion(1)
    emotion.hear("scold")
    assert emotion.mood == "sad"


def test_bedtime_and_a_long_silence_make_sleepy_and_waking_wakes() -> None:
    told, left = Emotion(1), Emotion(1)
    told.hear("sleep")
    assert told.mood == "sleepy"
    told.hear("wake_up")
    assert told.mood != "sleepy"
    for _ in range(600):
        left.tick(1.0)
    assert left.mood == "sleepy"


def test_curiosity_and_fright_are_short() -> None:
    emotion = Emotion(1)
    emotion.hear(None)
    assert emotion.mood == "curious"
    emotion.hear("startle")
    assert emotion.mood == "startled"
    emotion.tick(10)
    assert emotion.mood not in {"curious", "startled"}


def test_two_puppies_differ() -> None:
    assert Emotion(1).temperament != Emotion(2).temperament


def test_a_packs_effects_win() -> None:
    emotion = Emotion(1, {"praise": (-0.9, 0.0)})
    emotion.hear("praise")
    assert emotion.mood == "sad"
