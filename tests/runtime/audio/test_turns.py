"""Turns cut exactly: the probability of speech is written into the samples themselves."""

import numpy as np
import pytest

from runtime.audio.turns import (
    SpeechGrows,
    SpeechOnset,
    SpeechStarted,
    TurnDetector,
    TurnEvent,
    TurnSettings,
    Utterance,
)
from runtime.audio.vad import CHUNK_SAMPLES
from runtime.contracts.audio import AudioBlock, Samples

CHUNK_S = 0.032


class WrittenVad:
    """Reads the probability, in thousandths, from the first sample of a chunk."""

    def __init__(self) -> None:
        self._end = 0

    def step(self, samples: Samples) -> list[tuple[int, float]]:
        self._end += len(samples)
        return [(self._end, int(samples[0]) / 1_000)]

    def reset(self) -> None:
        self._end = 0


def written(*probabilities: float) -> Samples:
    return np.repeat([round(p * 1_000) for p in probabilities], CHUNK_SAMPLES).astype(np.int16)


QUIET, SPEECH = 0.05, 0.9


def words(quiet: int, spoken: int, after: int = 20) -> Samples:
    return written(*[QUIET] * quiet, *[SPEECH] * spoken, *[QUIET] * after)


def feed(
    detector: TurnDetector, samples: Samples, block: int = 320, listening: bool = True, start: int = 0
) -> list[TurnEvent]:
    return [
        event
        for at in range(0, len(samples), block)
        for event in detector.step(AudioBlock(samples[at : at + block], start + at), listening)
    ]


def detector(**settings: float) -> TurnDetector:
    return TurnDetector(TurnSettings(**settings), WrittenVad())


def utterances(events: list[TurnEvent]) -> list[Utterance]:
    return [event for event in events if isinstance(event, Utterance)]


def test_an_utterance_has_its_times_and_its_pre_roll() -> None:
    [utterance] = utterances(feed(detector(), words(30, 20)))
    assert utterance.start_s == pytest.approx(30 * CHUNK_S)
    assert utterance.end_s == pytest.approx(50 * CHUNK_S)
    assert not utterance.cut
    # 16 chunks of pre-roll, 20 of speech, 7 of the silence that ended it
    assert len(utterance.samples) == 43 * CHUNK_SAMPLES
    assert set(utterance.samples[: 16 * CHUNK_SAMPLES]) == {50}


def test_it_starts_before_it_grows_before_it_ends() -> None:
    events = feed(detector(), words(30, 40))
    assert [type(event) for event in events[:2]] == [SpeechOnset, SpeechStarted]
    assert isinstance(events[-1], Utterance)
    grown = [event for event in events if isinstance(event, SpeechGrows)]
    assert len(grown) == len(events) - 3
    steps = np.diff([event.now_s for event in grown if event.silence_s == 0])
    assert steps == pytest.approx(TurnSettings().grow_step_s, abs=CHUNK_S)
    assert all(np.array_equal(e.samples, events[-1].samples[: len(e.samples)]) for e in grown)


@pytest.mark.parametrize("block", [1, 7, 160, 319, 511, 512, 513, 1_600, 4_096, 100_000])
def test_block_sizes_change_nothing(block: int) -> None:
    stream = np.concatenate([words(11, 9), words(3, 30, after=17), words(40, 6)])
    expected = feed(detector(), stream)
    got = feed(detector(), stream, block)
    assert len(utterances(expected)) == 3
    assert [(type(e), vars_of(e)) for e in got] == [(type(e), vars_of(e)) for e in expected]


def vars_of(event: TurnEvent) -> tuple[object, ...]:
    values = [getattr(event, name) for name in type(event).__slots__]
    return tuple(v.tobytes() if isinstance(v, np.ndarray) else v for v in values)


def test_reset_forgets_everything() -> None:
    stream, one = words(11, 9), detector()
    first = feed(one, stream)
    feed(one, words(5, 5, after=2), block=333)
    one.reset()
    assert [vars_of(e) for e in feed(one, stream)] == [vars_of(e) for e in first]


def test_onset_needs_three_of_four() -> None:
    flicker = written(*[QUIET, SPEECH, SPEECH, QUIET] * 10)
    assert utterances(feed(detector(), flicker)) == []
    [utterance] = utterances(feed(detector(), written(*[QUIET] * 5, 0.9, 0.1, *[0.9] * 8, *[QUIET] * 20)))
    assert utterance.start_s == pytest.approx(5 * CHUNK_S)


def test_hysteresis_keeps_faint_endings() -> None:
    faint = written(*[QUIET] * 5, *[SPEECH] * 6, *[0.4] * 6, *[0.3] * 20)
    [utterance] = utterances(feed(detector(), faint))
    assert utterance.end_s == pytest.approx(17 * CHUNK_S)
    assert utterances(feed(detector(), written(*[0.4] * 60))) == []


def test_a_pause_shorter_than_the_endpoint_does_not_cut() -> None:
    paused = np.concatenate([words(5, 10, after=14), words(0, 10)])
    assert len(utterances(feed(detector(), paused))) == 1
    assert len(utterances(feed(detector(endpoint_silence_s=0.3), paused))) == 2


def test_clicks_are_no_speech() -> None:
    assert [type(event) for event in feed(detector(), words(10, 4))] == [SpeechOnset]
    assert len(utterances(feed(detector(min_speech_s=0.1), words(10, 4)))) == 1


def test_endless_speech_is_cut_and_goes_on() -> None:
    long = utterances(feed(detector(max_utterance_s=1.0), words(5, 80)))
    assert [u.cut for u in long] == [True, True, False]
    assert all(u.end_s - u.start_s <= 1.0 + CHUNK_S for u in long)
    assert long[1].start_s == pytest.approx(long[0].end_s)
    assert sum(len(u.samples) for u in long) == (5 + 80 + 7) * CHUNK_SAMPLES


def test_nobody_listens() -> None:
    assert feed(detector(), words(10, 20), listening=False) == []


def test_a_name_in_the_middle_opens_the_ears_for_the_whole_sentence() -> None:
    one, stream = detector(), words(10, 30)
    middle = 25 * CHUNK_SAMPLES
    events = feed(one, stream[:middle], listening=False)
    assert events == []
    events = feed(one, stream[middle:], start=middle)
    assert isinstance(events[0], SpeechStarted)
    assert events[0].at_s == pytest.approx(10 * CHUNK_S)
    assert utterances(events)[0].start_s == pytest.approx(10 * CHUNK_S)


def test_a_late_name_still_lets_the_sentence_through() -> None:
    one, stream = detector(), words(10, 10)
    late = 24 * CHUNK_SAMPLES
    assert feed(one, stream[:late], listening=False) == []
    events = feed(one, stream[late:], start=late)
    assert [type(e) for e in events if not isinstance(e, SpeechGrows)] == [SpeechStarted, Utterance]


def test_deaf_hears_and_keeps_nothing_of_itself() -> None:
    one = detector()
    own_voice = words(0, 30, after=0)
    for at in range(0, len(own_voice), 320):
        assert one.step(AudioBlock(own_voice[at : at + 320], at), True, deaf=True) == []
    events = feed(one, words(4, 10), start=len(own_voice))
    [utterance] = utterances(events)
    assert utterance.start_s == pytest.approx(34 * CHUNK_S)
    assert utterance.samples[0] == 50
    assert len(utterance.samples) == (4 + 10 + 7) * CHUNK_SAMPLES


def test_the_next_utterance_never_holds_words_of_the_last() -> None:
    stream = np.concatenate([words(5, 10, after=16), words(0, 10)])
    first, second = utterances(feed(detector(pre_roll_s=2.0), stream))
    assert first.end_s < second.start_s
    assert second.samples[0] == 50


def test_finish_gives_what_was_under_way() -> None:
    one = detector()
    assert utterances(feed(one, words(5, 10, after=3))) == []
    [utterance] = utterances(one.finish())
    assert utterance.cut
    assert utterance.end_s == pytest.approx(15 * CHUNK_S)
    assert one.finish() == []


def test_it_grows_on_into_the_silence_and_tells_how_long_that_is() -> None:
    grown = [event for event in feed(detector(), words(10, 20)) if isinstance(event, SpeechGrows)]
    silences = [event.silence_s for event in grown]
    assert silences[0] == 0.0
    assert silences[-1] > 0.3
    spoken_until_s = 30 * CHUNK_S
    assert all(e.silence_s == pytest.approx(max(0.0, e.now_s - spoken_until_s)) for e in grown)


@pytest.mark.parametrize(("silence_s", "chunks"), [(0.2, 7), (0.9, 29), (None, 16)])
def test_patience_decides_when_a_stretch_is_over(silence_s: float | None, chunks: int) -> None:
    one, stream = detector(), words(10, 20, after=40)
    one.be_patient(10 * CHUNK_S, silence_s)
    over = (10 + 20 + chunks) * CHUNK_SAMPLES
    assert utterances(feed(one, stream[: over - 1])) == []
    assert len(utterances(feed(one, stream[over - 1 : over], block=1, start=over - 1))) == 1


def test_patience_with_one_stretch_is_none_with_another() -> None:
    one, stream = detector(), words(10, 20)
    one.be_patient(3.21, 0.2)
    assert utterances(feed(one, stream[: 45 * CHUNK_SAMPLES])) == []
    assert len(utterances(feed(one, stream[45 * CHUNK_SAMPLES :], start=45 * CHUNK_SAMPLES))) == 1


@pytest.mark.parametrize(("acting", "end"), [(False, 36), (True, 30)])
def test_motors_that_start_do_not_prolong_what_is_acted_on(acting: bool, end: int) -> None:
    one = detector()
    one.be_patient(10 * CHUNK_S, 0.3, acting)
    stream = written(*[QUIET] * 10, *[SPEECH] * 20, *[QUIET] * 4, 0.5, 0.6, *[QUIET] * 20)
    [utterance] = utterances(feed(one, stream))
    assert utterance.end_s == pytest.approx(end * CHUNK_S)


def test_an_onset_is_told_once_and_before_speech_is_sure() -> None:
    one, stream = detector(), words(10, 20)
    early = feed(one, stream[: 11 * CHUNK_SAMPLES])
    assert early == [SpeechOnset(10 * CHUNK_S)]
    rest = feed(one, stream[11 * CHUNK_SAMPLES :], start=11 * CHUNK_SAMPLES)
    assert not any(isinstance(event, SpeechOnset) for event in rest)


def test_a_click_is_an_onset_and_no_speech_and_a_second_voice_another_onset() -> None:
    assert feed(detector(), words(10, 1)) == [SpeechOnset(10 * CHUNK_S)]
    twice = np.concatenate([words(10, 2), words(0, 2)])  # 0.6 s apart
    assert [type(event) for event in feed(detector(), twice)] == [SpeechOnset, SpeechOnset]


def test_a_flicker_is_one_onset() -> None:
    flicker = written(*[QUIET] * 10, SPEECH, QUIET, QUIET, SPEECH, QUIET, QUIET, *[QUIET] * 10)
    assert feed(detector(), flicker) == [SpeechOnset(10 * CHUNK_S)]


def test_a_soft_beginning_adds_up_to_an_onset() -> None:
    soft = written(*[QUIET] * 10, 0.1, 0.15, 0.2, 0.2, *[QUIET] * 10)
    assert [type(event) for event in feed(detector(), soft)] == [SpeechOnset]
    assert feed(detector(), written(*[QUIET] * 10, 0.1, 0.1, *[QUIET] * 10)) == []


def test_the_last_voice_is_known_though_nobody_listened_but_not_the_pets_own() -> None:
    one = detector()
    feed(one, words(10, 20, after=0), listening=False)
    assert one.voice_s == pytest.approx(30 * CHUNK_S)
    own = words(0, 10, after=0)
    for at in range(0, len(own), 320):
        one.step(AudioBlock(own[at : at + 320], 30 * CHUNK_SAMPLES + at), True, masked=True)
    assert one.voice_s == pytest.approx(30 * CHUNK_S)


def test_what_is_left_of_the_pets_own_voice_is_no_speech() -> None:
    one = detector()
    voice = words(0, 30, after=0)
    for at in range(0, len(voice), 320):
        assert one.step(AudioBlock(voice[at : at + 320], at), True, masked=True) == []
    assert next(type(e) for e in feed(one, words(0, 10), start=len(voice))) is SpeechOnset
