"""What an early look begins, and what becomes of it: a scripted mind on a loopback bus."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from runtime.answer import Answerer, TurnRecord
from runtime.audio.playback import NullSink
from runtime.audio.turns import SpeechGrows, Utterance
from runtime.body import Body
from runtime.contracts.audio import Samples
from runtime.contracts.config import DialogueSettings, EarlySettings
from runtime.ears import Heard
from runtime.mind.acts import Act
from runtime.mind.behaviour import Understanding
from runtime.mind.conversation import Turn
from runtime.mind.dialogue import Reply
from runtime.mind.early import Look, Plan
from runtime.mind.emotion import Emotion
from runtime.mind.history import History
from runtime.mind.prompt import Prompt
from runtime.mind.replying import Speaking, Telling
from runtime.mind.talker import Talker
from runtime.mind.who import By
from tests.fakes.loopback import LoopbackBus, WillingBridge
from tests.fakes.talkers import BreakingTalker, ScriptedTalker

SIT = Plan(Act(kind="skill", name="sit", nature="posture"))
BARK = Plan(Act(kind="skill", name="bark", nature="sound"), "bark")
NOD = Plan(Act(kind="skill", name="nod", nature="posture"))
CURIOUS = Plan(Act(kind="skill", name="curious", nature="posture"))
NOTHING = np.zeros(0, np.int16)
SECOND = np.full(16_000, 100, np.int16)


def look(plan: Plan, intent: str | None, silence_s: float = 0.1, *, in_grammar: bool = True) -> Look:
    return Look("some words", Understanding(intent, {}, 1.0), plan, in_grammar, True, 0, silence_s)


@dataclass
class ScriptedMind:
    """Glances come from a list; the whole utterance means `final`; `talker` words the answer, if any."""

    final: Plan
    glances: list[Look] = field(default_factory=list)
    talker: Talker | None = None
    order: bool = True
    emotion: Emotion = field(default_factory=Emotion)
    history: History = field(default_factory=History)

    def glance(self, samples: Samples, silence_s: float) -> Look:
        return self.glances.pop(0)

    def begin(self, samples: Samples, *, stop: bool = False) -> Turn:
        prompt = Prompt("Buddy", "some words") if self.talker else None
        line, sound, act = "Here you are.", self.final.sound, self.final.act
        by: By = "model" if prompt else "lines"
        reply = Reply(line, sound, act, by, prompt=prompt, promises=self.order)
        return Turn("some words", Understanding("sit", {}, 1.0), reply, "calm", stages_ms={"asr": 1.0})

    def speak(self, turn: Turn) -> Telling:
        return Speaking(DialogueSettings(), lambda what, mood: "", self.talker).begin(turn.reply, turn.mood)


class Kennel:
    """Sounds by name, and how often each was asked for."""

    def __init__(self) -> None:
        self.picked: list[str] = []

    def pick(self, kind: str, mood: str) -> Samples:
        self.picked.append(kind)
        return SECOND

    def prepare(self) -> bool:
        return False


class Speaker:
    why = "for tests"

    def speak(self, text: str, mood: str) -> Samples:
        return SECOND

    def close(self) -> None:
        pass


class Scene:
    def __init__(self, final: Plan, *glances: Look, **settings: Any) -> None:
        self.bus = LoopbackBus()
        self.bridge = WillingBridge(self.bus)
        self.sounds = Kennel()
        self.sink = NullSink()
        self.patience: list[tuple[float, float | None, bool]] = []
        body = Body(self.bus)  # type: ignore[arg-type]
        self.bridge.wake()
        self.mind = ScriptedMind(final, list(glances))
        self.answerer = Answerer(
            conversation=self.mind,  # type: ignore[arg-type]
            voice=Speaker(),
            sounds=self.sounds,  # type: ignore[arg-type]
            sink=self.sink,
            body=body,
            settings=EarlySettings(**settings),
            be_patient=lambda *told: self.patience.append(told),
        )

    def grow(self, start_s: float = 1.0, silent_s: float = 0.0) -> None:
        self.answerer.look(SpeechGrows(NOTHING, start_s, start_s + 1), lambda of_s: silent_s)

    def end(self, start_s: float = 1.0) -> TurnRecord:
        whole = Heard(Utterance(NOTHING, start_s, start_s + 1, cut=False), stop=False)
        return self.answerer.answer(whole, lambda stream_s: stream_s)

    @property
    def skills(self) -> list[str]:
        return [command.skill for command in self.bus.of("cmnd/skill")]  # type: ignore[attr-defined]

    @property
    def halts(self) -> list[str]:
        return [command.reason for command in self.bus.of("cmnd/halt")]  # type: ignore[attr-defined]


def test_an_early_act_is_kept_and_not_done_twice() -> None:
    scene = Scene(BARK, look(BARK, "bark"), look(BARK, "bark"))
    scene.grow()
    assert scene.skills == []
    scene.grow()
    assert scene.skills == ["bark"]
    record = scene.end()
    assert (record.early, scene.skills, scene.sounds.picked) == ("kept", ["bark"], ["bark"])
    assert "motion" in record.timings_ms
    assert scene.halts == []


def test_a_glance_comes_as_soon_as_the_silence_is_known() -> None:
    words = look(CURIOUS, None, 0.0, in_grammar=False)
    scene = Scene(CURIOUS, words, words)
    scene.grow(silent_s=0.0)
    assert scene.skills == []
    scene.grow(silent_s=0.1)
    assert scene.skills == ["curious"]


def test_it_is_taken_back_as_soon_as_speech_goes_on_to_mean_something_else() -> None:
    scene = Scene(NOD, look(SIT, "sit"), look(SIT, "sit"), look(NOD, "nod", 0.0))
    for _ in range(3):
        scene.grow()
    assert scene.skills == ["sit"]
    assert scene.halts == ["taken back: the sentence went on"]
    assert scene.end().early == "taken back"
    assert scene.skills == ["sit", "nod"]


def test_the_whole_sentence_has_the_last_word() -> None:
    scene = Scene(Plan(), look(SIT, "sit"), look(SIT, "sit"))
    scene.grow()
    scene.grow()
    assert scene.end().early == "taken back"
    assert scene.halts == ["taken back: another meaning"]


def test_what_was_taken_back_is_done_after_all_when_it_was_meant() -> None:
    scene = Scene(SIT, look(SIT, "sit"), look(SIT, "sit"), look(NOD, "nod", 0.0))
    for _ in range(3):
        scene.grow()
    assert scene.end().early == "taken back"
    assert scene.skills == ["sit", "sit"]


def test_a_glance_at_words_of_no_command_gives_way_to_a_command() -> None:
    unknown = look(CURIOUS, None, in_grammar=False)
    scene = Scene(SIT, unknown, unknown, look(SIT, "sit"), look(SIT, "sit"))
    for _ in range(4):
        scene.grow()
    assert scene.skills == ["curious", "sit"]
    assert scene.end().early == "kept"
    assert scene.skills == ["curious", "sit"]


def test_a_glance_that_was_right_is_the_answers_movement() -> None:
    unknown = look(CURIOUS, None, in_grammar=False)
    scene = Scene(CURIOUS, unknown, unknown)
    scene.grow()
    scene.grow()
    record = scene.end()
    assert (record.early, scene.skills) == ("reaction", ["curious"])
    assert record.timings_ms["reaction"] == pytest.approx(record.timings_ms["motion"])


def test_each_utterance_begins_anew() -> None:
    scene = Scene(SIT, look(SIT, "sit"), look(SIT, "sit"))
    scene.grow(1.0)
    scene.grow(5.0)
    assert scene.skills == []
    assert scene.end(5.0).early == ""
    assert scene.skills == ["sit"]


def test_the_ears_are_told_how_long_to_wait() -> None:
    scene = Scene(SIT, look(SIT, "sit"), look(SIT, "sit"))
    scene.grow()
    scene.grow()
    assert scene.patience == [(1.0, None, False), (1.0, EarlySettings().complete_silence_s, True)]


def test_it_can_be_switched_off() -> None:
    scene = Scene(SIT, enabled=False)
    scene.grow()
    assert (scene.skills, scene.patience) == ([], [])


def test_a_sound_that_is_mere_company_comes_after_the_words() -> None:
    yelp = Plan(NOD.act, "yip")
    scene = Scene(yelp, look(yelp, "nod"), look(yelp, "nod"))
    scene.grow()
    scene.grow()
    assert scene.sounds.picked == []
    record = scene.end()
    assert scene.sounds.picked == ["yip"]
    assert record.timings_ms["words"] == record.timings_ms["sound"]


def test_only_what_sounded_is_remembered_as_said() -> None:
    scene = Scene(SIT)
    scene.end()
    scene.sink.stop()
    [(heard, said)] = scene.mind.history.turns()
    assert heard == "some words"
    assert "Here you are.".startswith(said)
    assert said != "Here you are."


def test_a_refused_early_act_is_told() -> None:
    scene = Scene(SIT, look(SIT, "sit"), look(SIT, "sit"))
    scene.bridge.refuse = "disarmed"
    scene.grow()
    scene.grow()
    record = scene.end()
    assert record.body == "disarmed"
    assert "motion" not in record.timings_ms


def talking(talker: Talker, plan: Plan = CURIOUS) -> Scene:
    scene = Scene(plan)
    scene.mind.talker, scene.mind.order = talker, False
    return scene


def test_the_first_sentence_sounds_while_the_model_goes_on() -> None:
    talker = ScriptedTalker("I like balls. " + "I like sticks as well you know. ", letters=1, piece_s=0.01)
    scene = talking(talker)
    threading.Thread(target=scene.end).start()
    deadline = time.monotonic() + 5
    while not scene.sink.busy and time.monotonic() < deadline:
        time.sleep(0.005)
    assert scene.sink.busy
    assert not talker.closed.is_set()


def test_a_models_reply_is_told_whole_with_its_times() -> None:
    scene = talking(ScriptedTalker("I like balls. And sticks.", piece_s=0.02))
    record = scene.end()
    assert record.said == record.turn.reply.text == "I like balls. And sticks."
    assert record.turn.reply.by == "model"
    assert record.timings_ms["wording"] >= 60
    assert record.timings_ms["voice"] >= record.timings_ms["understood"] + record.timings_ms["wording"]
    assert record.timings_ms["motion"] < record.timings_ms["voice"]


def test_barge_in_stops_the_model_and_the_history_keeps_what_sounded() -> None:
    talker = ScriptedTalker(
        "I like balls. " + "I like sticks. And bones. Then stones. " * 9, letters=1, piece_s=0.01
    )
    scene = talking(talker)
    records: list[TurnRecord] = []
    answering = threading.Thread(target=lambda: records.append(scene.end()))
    answering.start()
    deadline = time.monotonic() + 5
    while not scene.sink.busy and time.monotonic() < deadline:
        time.sleep(0.005)
    assert scene.answerer.mouth.wording
    scene.answerer.mouth.hush()
    answering.join(5)
    assert talker.closed.wait(5)
    assert not scene.sink.busy
    [(_, said)] = scene.mind.history.turns()
    assert "I like balls.".startswith(said)
    assert said != "I like balls."
    assert "stones" not in records[0].said


def test_a_model_interrupted_before_its_first_word_says_nothing() -> None:
    talker = ScriptedTalker("I like balls.", piece_s=0.3)
    scene = talking(talker, Plan(NOD.act, "yip"))
    records: list[TurnRecord] = []
    answering = threading.Thread(target=lambda: records.append(scene.end()))
    answering.start()
    while not scene.answerer.mouth.wording:
        time.sleep(0.005)
    scene.answerer.mouth.hush()
    answering.join(5)
    assert (records[0].said, scene.sounds.picked) == ("", [])
    assert scene.mind.history.turns() == [("some words", "")]


def test_a_ready_line_is_not_lost_to_a_hush_before_it() -> None:
    scene = Scene(SIT)
    scene.answerer.mouth.hush()
    assert scene.end().said == "Here you are."


def test_a_broken_model_leaves_the_line() -> None:
    record = talking(BreakingTalker()).end()
    assert (record.said, record.turn.reply.by) == ("Here you are.", "lines")


def test_talk_goes_on_where_the_body_cannot() -> None:
    scene = talking(ScriptedTalker("I like balls."))
    scene.bridge.refuse = "disarmed"
    record = scene.end()
    assert (record.said, record.body) == ("I like balls.", "disarmed")
