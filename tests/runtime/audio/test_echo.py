"""The echo canceller in the simulated room: the pet's own voice goes, the person's stays."""

import numpy as np
import pytest

from runtime.audio.capture import QueueSource, read_audio
from runtime.audio.echo import BYPASS_S, EchoCanceller
from runtime.audio.playback import NullSink
from runtime.contracts.audio import BLOCK_SAMPLES, SAMPLE_RATE_HZ, AudioBlock, Samples
from runtime.demo.room import Room, RoomSettings
from runtime.demo.script import CLIPS

PERSON = "shake_hands.flac"
DELAY = 32
"""Samples; what the damping costs"""
QUIET_ROOM = RoomSettings(noise_level=10)


def voice(seconds: float, seed: int = 3) -> Samples:
    """Something like speech to play: noise of a voice's colour, in syllables."""
    rng = np.random.default_rng(seed)
    count = round(seconds * SAMPLE_RATE_HZ)
    colour = np.convolve(rng.normal(size=count), np.hanning(12), "same")
    syllables = np.clip(np.sin(2 * np.pi * 4 * np.arange(count) / SAMPLE_RATE_HZ), 0, 1)
    return np.asarray(1_500 * colour * syllables, np.int16)


def through(
    settings: RoomSettings, played: Samples, person: Samples | None = None
) -> tuple[Samples, Samples, list[bool]]:
    """(what the microphone heard, what is left, masked blocks)"""
    room, canceller = Room(QueueSource(), NullSink(), settings), EchoCanceller()
    said = np.zeros(len(played), np.int16) if person is None else person
    heard, left, masked = [], [], []
    for start in range(0, len(played) - BLOCK_SAMPLES + 1, BLOCK_SAMPLES):
        now = slice(start, start + BLOCK_SAMPLES)
        block = AudioBlock(room.mix(said[now], played[now], moving=False), start)
        cleaned = canceller.step(block, played[now])
        heard.append(block.samples)
        left.append(cleaned.block.samples)
        masked.append(cleaned.masked)
    return np.concatenate(heard), np.concatenate(left), masked


def db(samples: Samples) -> float:
    return 10 * float(np.log10(np.mean(samples.astype(float) ** 2) + 1e-9))


@pytest.mark.parametrize("delay_s", [0.03, 0.08])
@pytest.mark.parametrize("echo_db", [-6.0, -12.0])
def test_echo_is_taken_out(delay_s: float, echo_db: float) -> None:
    settings = RoomSettings(delay_s=delay_s, echo_db=echo_db, noise_level=10)
    heard, left, masked = through(settings, voice(4))
    second = slice(SAMPLE_RATE_HZ, None)
    assert db(heard[second]) - db(left[second]) > 20
    assert np.mean(masked[50:]) > 0.5


@pytest.mark.parametrize("clip_name", ["stop.flac", "shake_hands.flac"])
def test_a_person_who_speaks_over_the_pet_stays(clip_name: str) -> None:
    played = voice(4)
    person = np.zeros(len(played), np.int16)
    clip = read_audio(CLIPS / clip_name).astype(float)
    begin = 2 * SAMPLE_RATE_HZ
    spoken = slice(begin, begin + len(clip))
    echo, _, _ = through(QUIET_ROOM, played)
    person[spoken] = clip * 10 ** ((db(echo[spoken]) - db(clip.astype(np.int16))) / 20)
    _, left, masked = through(QUIET_ROOM, played, person)
    delayed = slice(begin + DELAY, begin + DELAY + len(clip))
    difference = left[delayed].astype(float) - person[spoken]
    assert db(person[spoken]) - db(difference.astype(np.int16)) > 4
    loud = np.abs(person[spoken]).reshape(-1)[: len(clip) // BLOCK_SAMPLES * BLOCK_SAMPLES]
    talking = loud.reshape(-1, BLOCK_SAMPLES).max(axis=1) > 0.3 * np.abs(person).max()
    first = begin // BLOCK_SAMPLES
    assert np.mean(np.array(masked[first : first + len(talking)])[talking]) < 0.25


def test_what_an_unknown_room_gives_back_is_no_person() -> None:
    for settings in (RoomSettings(delay_s=0.03, echo_db=-6.0), RoomSettings(delay_s=0.08, echo_db=-20.0)):
        heard, _, masked = through(settings, voice(1.0))
        level = heard[: len(masked) * BLOCK_SAMPLES].reshape(-1, BLOCK_SAMPLES).astype(float).std(axis=1)
        loud = level > 3 * settings.noise_level
        assert loud.sum() > 15
        assert np.mean(np.array(masked)[loud]) > 0.95


def test_where_nothing_plays_nothing_changes() -> None:
    canceller = EchoCanceller()
    samples = read_audio(CLIPS / PERSON)[:BLOCK_SAMPLES]
    block = AudioBlock(samples, 640)
    cleaned = canceller.step(block, np.zeros(BLOCK_SAMPLES, np.int16))
    assert cleaned.block is block
    assert not cleaned.masked


def test_it_goes_on_while_the_room_still_rings() -> None:
    canceller = EchoCanceller()
    block = AudioBlock(voice(0.02), 0)
    silence = np.zeros(BLOCK_SAMPLES, np.int16)
    canceller.step(block, voice(0.02))
    assert canceller.step(block, silence).block is not block
    for _ in range(round(BYPASS_S / 0.02)):
        cleaned = canceller.step(block, silence)
    assert cleaned.block is block


def test_a_short_last_block() -> None:
    canceller = EchoCanceller()
    played = voice(1)[5_000 : 5_000 + BLOCK_SAMPLES]
    canceller.step(AudioBlock(played, 0), played)
    short = canceller.step(AudioBlock(played[:100], BLOCK_SAMPLES), played[:100])
    assert len(short.block.samples) == 100
    assert short.block.start_sample == BLOCK_SAMPLES


def test_after_a_reset_the_same_again() -> None:
    canceller, played = EchoCanceller(), voice(0.5)
    runs = []
    for _ in range(2):
        canceller.reset()
        blocks = [played[at : at + BLOCK_SAMPLES] for at in range(0, len(played), BLOCK_SAMPLES)]
        runs.append([canceller.step(AudioBlock(b, 0), b).block.samples for b in blocks])
    assert all(np.array_equal(one, two) for one, two in zip(*runs, strict=True))
