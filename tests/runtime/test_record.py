"""Sessions: written whole or not at all, fed again to each stage, changed only when asked to."""

import json
import shutil
from pathlib import Path

import pytest

from runtime import assembly, session, starter
from runtime.audio.capture import QueueSource, read_audio
from runtime.audio.playback import NullSink
from runtime.audio.stop import StopDetector
from runtime.cli import main
from runtime.contracts.config import RobotConfig
from runtime.contracts.errors import SessionError
from runtime.contracts.reports import FactRow, FactsAck, LessonRow, LessonsAck
from runtime.contracts.requests import MemoryRequest
from runtime.demo.owner import living
from runtime.demo.people import Said, people
from runtime.demo.script import CLIPS
from runtime.mind import conversation, rules
from runtime.record import Recorder
from runtime.replay import STAGES, replay
from runtime.speech.tts import SilentVoice
from tests.fakes.loopback import LoopbackBus, WillingBridge
from tests.fakes.talkers import ScriptedTalker
from tests.runtime import golden_sessions
from tests.runtime.test_pipeline import until

GOLDEN = Path(__file__).parents[1] / "golden/session"
"""A name and a command; `everpaw replay tests/golden/session --update` makes new references"""


def record(
    place: Path, *, audio: bool, words: bool, clip: str = "hey_buddy_sit_down.flac"
) -> session.Session:
    """A robot on a loopback bus hears one clip and is recorded."""
    config, pack, bus = RobotConfig(), starter.load_pack(), LoopbackBus()
    bridge, turns = WillingBridge(bus), []
    with session.writing(place, config, pack.sha256, audio=audio, words=words) as writer:
        recorder = Recorder(writer, words=words)
        recorder.follow(bus)
        robot = assembly.assemble(
            config,
            pack,
            bus=bus,  # type: ignore[arg-type]
            sink=NullSink(),
            speaker=SilentVoice(),
            listeners=recorder.listeners(),
        )
        bridge.wake()
        bus.subscribe("event/turn", turns.append)
        with living(robot, QueueSource()) as microphone:
            microphone.push(read_audio(CLIPS / clip))
            until(lambda: bool(turns) and not robot.answering, timeout_s=30)
        recorder.close()
    return session.load(place)


def test_a_session_is_kept_and_comes_out_the_same(tmp_path: Path) -> None:
    kept = record(tmp_path / "one", audio=True, words=True)
    events = kept.rows(session.EVENTS)
    assert [row["kind"] for row in events if row["kind"] != "does"] == ["wake", "heard", "turn"]
    assert events[-1]["text"] == "sit down"
    names = {row["name"] for row in kept.rows(session.BUS)}
    assert {"cmnd/skill", "cmnd/lease", "ack/command", "event/turn", "state/mind"} <= names
    assert len(kept.audio(session.MICROPHONE)) == len(kept.audio(session.PLAYED)) > 16_000
    assert replay(kept, starter.load_pack(), "all")[0] == []


def test_words_and_sound_are_kept_only_when_asked_for(tmp_path: Path) -> None:
    kept = record(tmp_path / "one", audio=False, words=False)
    assert not kept.has_audio
    assert sorted(path.name for path in kept.folder.iterdir()) == [
        "bus.jsonl",
        "events.jsonl",
        "session.json",
    ]
    for name in (session.EVENTS, session.BUS):
        assert "sit down" not in (kept.folder / name).read_text("utf-8")
    with pytest.raises(SessionError, match="--words"):
        replay(kept, starter.load_pack(), "mind")
    with pytest.raises(SessionError, match="--audio"):
        replay(kept, starter.load_pack(), "ears")


def test_a_session_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail_midway() -> None:
        with session.writing(tmp_path / "one", RobotConfig(), "0" * 64, audio=True, words=True) as writer:
            writer.row(session.EVENTS, {"kind": "turn"})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_midway()
    assert list(tmp_path.iterdir()) == []


def test_an_old_session_is_not_overwritten(tmp_path: Path) -> None:
    with (
        pytest.raises(SessionError, match="exists already"),
        session.writing(tmp_path, RobotConfig(), "0" * 64, audio=False, words=False),
    ):
        pass


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    """A copy of the golden session."""
    return Path(shutil.copytree(GOLDEN, tmp_path / "golden"))


@pytest.mark.parametrize("stage", ["ears", "asr", "mind", "all"])
def test_the_golden_session_comes_out_the_same(stage: str) -> None:
    assert replay(session.load(GOLDEN), starter.load_pack(), stage)[0] == []


def alter(folder: Path, **fields: object) -> None:
    """Change the references of the turn, as if the program had answered otherwise then."""
    kept = session.load(folder)
    rows = [{**row, **fields} if row["kind"] == "turn" else row for row in kept.rows(session.EVENTS)]
    (folder / session.EVENTS).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    manifest = kept.manifest
    session.seal(folder, manifest.config, manifest.pack_sha256, words=manifest.words)


def test_what_differs_is_shown_and_stays_until_it_is_asked_to_change(
    golden: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alter(golden, reply="Something else.", intent="lie_down")
    before = (golden / session.EVENTS).read_bytes()
    assert main(["replay", str(golden), "--stage", "mind"]) == 1
    shown = capsys.readouterr().out
    assert "turn 1 intent: was 'lie_down', is 'sit'" in shown
    assert "turn 1 reply: was 'Something else.'" in shown
    assert (golden / session.EVENTS).read_bytes() == before
    assert main(["replay", str(golden), "--stage", "mind", "--update"]) == 0
    assert main(["replay", str(golden), "--stage", "mind"]) == 0


def test_a_model_is_told_again_what_it_was_told_then(golden: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    talker = ScriptedTalker("I like balls. And sticks.")
    monkeypatch.setattr(conversation, "talker_of", lambda pack, settings: talker)
    told = {"history": [["sit down", "Sit"]], "facts": ["my sister is called anna"]}
    words = {"text": "my grandmother bought three green umbrellas", "by": "model", "told": told}
    alter(golden, reply="I like balls.", **words)  # somebody talked into the reply
    different, _ = replay(session.load(golden), starter.load_pack(), "mind")
    assert "turn 1 reply" not in {one.place for one in different}
    [prompt] = talker.prompts
    assert (prompt.history, prompt.facts) == ((("sit down", "Sit"),), ("my sister is called anna",))


def test_moments_that_moved_are_seen(golden: Path) -> None:
    kept = session.load(golden)
    moved = [
        {**row, "at_s": row["at_s"] + 1.0} if row["kind"] == "wake" else row
        for row in kept.rows(session.EVENTS)
    ]
    (golden / session.EVENTS).write_text("".join(json.dumps(row) + "\n" for row in moved), "utf-8")
    session.seal(golden, kept.manifest.config, kept.manifest.pack_sha256, words=True)
    [difference] = replay(session.load(golden), starter.load_pack(), "ears")[0]
    assert difference.place == "wake 1"


def test_an_altered_file_is_refused(golden: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (golden / session.BUS).write_text("{}\n", "utf-8")
    assert main(["replay", str(golden)]) == 1
    assert "bus.jsonl is missing or was altered" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hello", "line 1: Expecting value"),
        ("[1]", "line 1: b'[1]' is no row"),
        ("{}", "without kind"),
        ('{"kind": "stop"}', "without at_s"),
        ('{"kind": "turn", "number": 1}', "without act, belief"),
    ],
)
def test_a_row_that_is_none_is_told(
    golden: Path, capsys: pytest.CaptureFixture[str], text: str, told: str
) -> None:
    manifest = session.load(golden).manifest
    (golden / session.EVENTS).write_text(text + "\n", "utf-8")
    session.seal(golden, manifest.config, manifest.pack_sha256, words=True)
    assert main(["replay", str(golden), "--stage", "mind"]) == 1
    assert told in capsys.readouterr().err


def test_what_is_no_session_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(tmp_path)]) == 1
    assert "is no session" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "stages"), [("talk", ("mind",)), ("spoken", STAGES)])
def test_golden_sessions_come_out_the_same(name: str, stages: tuple[str, ...]) -> None:
    kept = session.load(golden_sessions.GOLDEN / name)
    for stage in stages:
        assert replay(kept, starter.load_pack(), stage)[0] == []


def test_the_golden_talk_is_what_its_script_says() -> None:
    rows = session.load(golden_sessions.GOLDEN / "talk").rows(session.EVENTS)
    assert [row["text"] for row in rows] == [one for one in golden_sessions.TALK if isinstance(one, str)]


def test_the_golden_spoken_session_is_talked_into_and_stopped() -> None:
    kept = session.load(golden_sessions.GOLDEN / "spoken")
    rows = kept.rows(session.EVENTS)
    assert [row["t_ms"] for row in rows] == sorted(row["t_ms"] for row in rows)
    assert rows[0]["t_ms"] == pytest.approx(rows[0]["at_s"] * 1e3, abs=200), "since the first block"
    turns = [row for row in rows if row["kind"] == "turn"]
    assert [row["intent"] for row in turns] == ["sit", "ask_abilities", "wag_tail", "ask_robot", "stop"]
    assert [row["kind"] for row in rows].count("barge_in") == 3
    assert [row["kind"] for row in rows].count("stop") == 1
    assert any(row["name"] == "cmnd/halt" for row in kept.rows(session.BUS))
    assert sum(path.stat().st_size for path in kept.folder.iterdir()) < 300_000


def test_a_stop_that_is_heard_no_more_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StopDetector, "step", lambda *_, **__: [])
    kept = session.load(golden_sessions.GOLDEN / "spoken")
    assert "stop" in {one.place for one in replay(kept, starter.load_pack(), "ears")[0]}


def test_an_earlier_mistake_is_shown_as_soon_as_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ "did you come back to me" once made it walk: without the rule the session tells."""
    place = tmp_path / "talk"
    golden_sessions.typed(place, ["hello buddy", "did you come back to me", "sit down"])
    assert replay(session.load(place), starter.load_pack(), "mind")[0] == []
    monkeypatch.setattr(rules, "TRUTH", ())
    places = {one.place for one in replay(session.load(place), starter.load_pack(), "mind")[0]}
    assert "turn 2 intent" in places
    assert not any(place.startswith("turn 1") for place in places)


@pytest.mark.parametrize("asked", [False, True])
def test_no_word_and_no_sound_is_kept_unasked(tmp_path: Path, asked: bool) -> None:
    """Everything that was said, heard, answered or asked over the bus is looked for in every file."""
    place = tmp_path / "one"
    with people() as persons:
        left = persons.say(Said(text="turn left"))
    call = read_audio(CLIPS / "hey_buddy_sit_down.flac")
    script = (call, 1.5, left.samples[left.start : left.end], 1.5)
    golden_sessions.spoken(place, script, SilentVoice(), audio=asked, words=asked)
    kept = session.load(place)
    [turn] = [row for row in kept.rows(session.EVENTS) if row["kind"] == "turn"][1:]
    assert turn["intent"] == "turn"
    everything = " ".join(path.read_bytes().decode("latin-1") for path in kept.folder.iterdir())
    assert ("sit down" in everything) is asked
    assert ('"direction": "left"' in everything) is asked
    assert any(path.suffix == ".flac" for path in kept.folder.iterdir()) is asked
    said = {row["reply"] for row in kept.rows(session.EVENTS) if row["kind"] == "turn" and "reply" in row}
    assert bool(said) is asked


def test_no_fact_and_no_lesson_that_a_page_is_told_gets_into_a_wordless_session(tmp_path: Path) -> None:
    fact = FactRow(number=1, text="my sister is called Annabel", value="Annabel", person="annabel")
    lesson = LessonRow(number=1, heard="turn to annabel", meant="no annabel", intent="turn_left")
    config = RobotConfig()
    with session.writing(tmp_path / "one", config, "0" * 64, audio=False, words=False) as writer:
        bus = LoopbackBus()
        Recorder(writer, words=False).follow(bus)
        bus.publish("ack/memory", FactsAck(id="1", ok=True, facts=(fact,), total=1))
        bus.publish("ack/lessons", LessonsAck(id="2", ok=True, lessons=(lesson,), total=1))
        bus.publish("request/memory", MemoryRequest(id="3", act="correct", number=1, value="Annabella"))
    written = (tmp_path / "one" / session.BUS).read_text("utf-8")
    assert "turn_left" in written
    assert "nnabel" not in written
