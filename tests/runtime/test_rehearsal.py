"""A rehearsal is the real pet in its own time: quick, the same each time, and over when it is over."""

import time

import pytest

from runtime import starter
from runtime.audio.capture import read_audio
from runtime.bus import Delivery
from runtime.contracts import messages as m
from runtime.demo.script import CLIPS
from runtime.pipeline import Listeners, TurnRecord
from runtime.rehearsal import rehearsal


def heard() -> tuple[list[TurnRecord], list[str], float]:
    """(turns, movements asked of the body, seconds of the stream) of a called command."""
    records: list[TurnRecord] = []
    acts: list[str] = []
    with rehearsal(starter.load_pack(), listeners=Listeners(turn=records.append)) as pet:
        for name in ("cmnd/skill", "cmnd/gait", "cmnd/halt"):
            pet.bus.subscribe(name, lambda delivery: acts.append(delivery.name))
        began_s = time.monotonic()
        pet.hear(read_audio(CLIPS / "hey_buddy_sit_down.flac"))
        pet.quiet(1.0)
        return records, acts, time.monotonic() - began_s


def test_the_stream_is_the_clock_and_everything_comes_out_the_same() -> None:
    before_s = time.monotonic()
    [first], acts, lasted_s = heard()
    assert first.turn.understanding.intent == "sit"
    assert first.early == "kept"
    assert acts == ["cmnd/skill", "cmnd/skill"], "ears up at its name, then the order"
    assert lasted_s > 2.0
    assert 0 < first.timings_ms["reaction"] < 200
    [again], *_ = heard()
    assert again.timings_ms["reaction"] == first.timings_ms["reaction"]
    assert time.monotonic() > before_s, "the real clock is back"


def test_rest_calms_the_mood_without_a_sound() -> None:
    with rehearsal(starter.load_pack()) as pet:
        pet.robot.conversation.read("good boy")
        happy = pet.robot.conversation.emotion.valence
        began_s = time.monotonic()
        pet.rest(600)
        assert time.monotonic() - began_s == pytest.approx(600)
        assert pet.robot.conversation.emotion.valence < happy


def test_after_a_rest_its_own_voice_is_still_known_to_it() -> None:
    """Whoever listened to nothing for an hour must not look for its echo an hour ago."""
    with rehearsal(starter.load_pack()) as pet:
        pet.quiet(0.2)
        pet.rest(3_600)
        pet.quiet(0.1)
        assert pet.robot.mono_of(pet.heard / 16_000) == pytest.approx(time.monotonic(), abs=0.001)


def test_it_lives_on_at_the_hours_of_its_own_day() -> None:
    own: list[str] = []

    def note(delivery: Delivery) -> None:
        command = m.SkillCommand.model_validate_json(delivery.payload)
        own.extend([command.skill] if command.source == "autonomy" else [])

    with rehearsal(starter.load_pack()) as pet:
        pet.bus.subscribe("cmnd/skill", note)
        pet.rest(1_800)
        assert own
        pet.begin_life(pet.robot.conversation, hour=23.0)
        own.clear()
        pet.rest(7_200)
        assert set(own) <= {"lie", "sleep"}
        assert pet.clock.hour() == pytest.approx(1.0)


def test_a_body_that_refuses_is_told_by_its_words() -> None:
    records: list[TurnRecord] = []
    with rehearsal(starter.load_pack(), listeners=Listeners(turn=records.append)) as pet:
        pet.bus.subscribe(
            "cmnd/skill", lambda delivery: pet.bus.publish("ack/command", _rejected(delivery.payload))
        )
        pet.hear(read_audio(CLIPS / "hey_buddy_sit_down.flac"))
        pet.quiet(1.0)
    assert [record.early for record in records] == ["kept"]


def _rejected(payload: bytes) -> m.Ack:
    command = m.SkillCommand.model_validate_json(payload)
    return m.Ack(id=command.id, act="skill", status="rejected", reason="too hot", mono_ms=0)
