"""The robot, wired: source -> ears -> mind -> voice and body. The only place with clocks, threads and queues.

Threads: the caller's runs the ears on every block, so that a name or "stop!" is never behind a recogniser;
one thread looks at utterances as they grow and answers them, one at a time; `Body` renews the lease in its
own. The lease is renewed only while blocks arrive and are heard: a robot that cannot hear "stop!" does not
move. Four utterances may wait; a fifth is dropped and said.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from runtime.answer import ACCEPT_TIMEOUT_S, CANNOT_MOVE, Answerer, TurnRecord
from runtime.audio.echo import EchoCanceller
from runtime.audio.mute import Gate
from runtime.audio.playback import Sink
from runtime.audio.stop import StopHit, care_for
from runtime.audio.turns import SpeechGrows, SpeechOnset, SpeechStarted
from runtime.audio.wake import WakeHit
from runtime.body import Body, mono_ms
from runtime.bus import Bus
from runtime.contracts import messages as m
from runtime.contracts.audio import AudioBlock, Samples, SourceFault
from runtime.contracts.errors import EverpawError
from runtime.desk import Desk
from runtime.ears import Ears, Heard, Noticed
from runtime.floor import Floor
from runtime.host import Latencies
from runtime.lessons.book import FOLDER as LESSONS
from runtime.lessons.book import forget_texts
from runtime.life.bang import Bang
from runtime.life.living import Living
from runtime.mailbox import LIMIT, Mailbox
from runtime.mind.conversation import Conversation
from runtime.privacy.switches import Switches, What

__all__ = ["CANNOT_MOVE", "HEARING_GAP_S", "Listeners", "Meanwhile", "Robot", "TurnRecord"]

_log = logging.getLogger(__name__)

HEARING_GAP_S = 0.5
"""Without a block for this long the mind counts as frozen and lets the lease lapse"""
CLOCK_DRIFT_S = 2e-6
"""A block; 100 ppm, as cheap sound cards drift"""
CLOCK_SLACK_S = 0.02
"""Less than the shortest way from loudspeaker to microphone, buffers included"""


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """What the pet itself did while a block was heard."""

    played: Samples
    """As long as the block"""
    speaking: bool
    """It has something to say, be it in a pause"""
    moving: bool


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who wants to know, each called on the thread where it happens."""

    turn: Callable[[TurnRecord], None] = lambda record: None
    wake: Callable[[WakeHit], None] = lambda hit: None
    barge_in: Callable[[SpeechStarted], None] = lambda started: None
    stop: Callable[[StopHit], None] = lambda hit: None
    heard: Callable[[Heard], None] = lambda heard: None
    block: Callable[[AudioBlock, Meanwhile], None] = lambda block, meanwhile: None
    """Every block as the microphone gave it"""
    fault: Callable[[SourceFault], None] = lambda fault: None


@dataclass(slots=True)
class Robot:
    """The long-running pet. `run` returns when the source ends or `stop` was called.

    Without `echo` it is half-duplex: deaf to all but its name and "stop!" while it speaks itself.
    """

    ears: Ears
    answerer: Answerer
    body: Body
    bus: Bus
    life: Living
    echo: EchoCanceller | None = None
    follow_up_s: float = 8.0
    share_text: bool = False
    lessons: bool = False
    """Turns may be kept to learn from"""
    children: bool = False
    """A child talks with it: its words are neither shared nor kept, whoever switched what"""
    listeners: Listeners = field(default_factory=Listeners)
    publish: Callable[[str, m.Message], object] | None = None
    """Where events go; an outbox that loses none, or the bus where None"""
    memory: tuple[Path, bool] | None = None
    """(folder of what it knows, whether the settings consent)"""
    set_volume: Callable[[float], None] = lambda level: None
    gate: Gate = field(default_factory=Gate)
    """Muted, it does nothing of its own will, as it could hear no "stop!" """
    switches: Switches | None = None
    """What the owner switched, kept over restarts; None: only what is asked for meanwhile counts"""
    latencies: Latencies = field(default_factory=Latencies)
    desk: Desk = field(init=False)
    _floor: Floor = field(init=False)
    _mail: Mailbox = field(default_factory=Mailbox)
    _ended: threading.Event = field(default_factory=threading.Event)
    _stream_to_mono_s: float = float("inf")
    _played_clock_s: float = float("inf")
    """As `_stream_to_mono_s`, but set only when it is far off"""
    _last_block_s: float = float("-inf")
    _bang: Bang = field(default_factory=Bang)
    _by_settings: tuple[bool, bool] = (False, False)
    """`share_text` and `lessons`, where nobody switched them"""

    def __post_init__(self) -> None:
        self._floor = Floor(self.sink, self.answerer.mouth)
        self.publish = self.publish or self.bus.publish
        folder, by_settings = self.memory or (None, False)
        self.desk = Desk(self, self.bus.publish, folder, by_settings, self.set_volume, self._note)
        if self.switches is not None:
            self.desk.forgotten = partial(forget_texts, self.switches.folder / LESSONS)
        self._by_settings = self.share_text, self.lessons
        self._look_at_switches()

    @property
    def muted(self) -> bool:
        return self.gate.muted

    @muted.setter
    def muted(self, muted: bool) -> None:
        self.gate.muted = muted

    @property
    def silent(self) -> bool:
        return self.gate.silent

    @property
    def sink(self) -> Sink:
        return self.answerer.sink

    @property
    def conversation(self) -> Conversation:
        return self.answerer.conversation

    def healthy(self) -> bool:
        """Blocks arrive and are heard."""
        return time.monotonic() - self._last_block_s < HEARING_GAP_S

    def run(self, source: Iterable[AudioBlock | SourceFault]) -> None:
        """Live on `source` until it ends. The body is told to hold on every way out."""
        self.bus.subscribe("request", self.desk.take)
        self.bus.subscribe("state/body", self.life.on_body)
        self.life.tell()
        self.desk.tell()
        mind = threading.Thread(target=self._answer_all, name="mind", daemon=True)
        mind.start()
        self.body.start_lease(self.healthy)
        try:
            for item in source:
                if self._ended.is_set():
                    break
                self.take(item)
        finally:
            self._mail.close()
            mind.join(timeout=5)
            self.answerer.mouth.hush()
            self.body.halt("the mind goes to sleep")
            self.body.close()
            self.life.close()

    def stop(self) -> None:
        """Ask `run` to return; safe from any thread and from a signal handler."""
        self._ended.set()

    @property
    def answering(self) -> bool:
        """An utterance is being answered or words are still in the air."""
        return self.waiting > 0 or self.sink.busy

    @property
    def waiting(self) -> int:
        """Utterances that were not dealt with yet."""
        return self._mail.open

    def mono_of(self, stream_s: float) -> float:
        """Monotonic seconds of a moment of the stream."""
        return stream_s + self._stream_to_mono_s

    def begin_anew(self) -> None:
        """Hear as one that was just switched on: of what was heard so far nothing counts."""
        self.ears.reset()
        if self.echo is not None:
            self.echo.reset()
        self._floor = Floor(self.sink, self.answerer.mouth)
        self._mail, self._bang = Mailbox(), Bang()
        self.restart_clock()

    def restart_clock(self) -> None:
        """Part of the stream is missing: the next block says anew which of its moments is which."""
        self._stream_to_mono_s = float("inf")

    def take(self, item: AudioBlock | SourceFault) -> None:
        """Hear one block; `run` does so with every one of its source."""
        if isinstance(item, SourceFault):
            _log.warning("the microphone %s: %s", item.kind, item.detail)
            self.restart_clock()
            self.listeners.fault(item)
            return
        self._last_block_s = time.monotonic()
        item = self.gate.step(item)
        # The earliest arrival is the true one; a late reader must not make an answer look fast.
        arrival_s = self._last_block_s - item.end_s
        self._stream_to_mono_s = min(self._stream_to_mono_s + CLOCK_DRIFT_S, arrival_s)
        speaking = self.sink.busy
        if speaking:
            self.ears.stay_awake(item.end_s + self.follow_up_s)
        self._floor.pass_time(item.end_s)
        if self._bang.step(item.samples) and not speaking:
            self.life.bang()
        for noticed in self._hear(item, speaking):
            self._notice(noticed, speaking)

    def _hear(self, block: AudioBlock, speaking: bool) -> list[Noticed]:
        if self.gate.look(block):
            self.desk.tell()
        # What was played must come in one piece: a canceller cannot follow a clock that is set all the time.
        if abs(self._stream_to_mono_s - self._played_clock_s) > CLOCK_SLACK_S:
            self._played_clock_s = self._stream_to_mono_s
            if self.echo is not None:  # what it learned belongs to the old clock; anew is quicker
                self.echo.reset()
        played = self.sink.sounding(block.start_s + self._played_clock_s, len(block.samples))
        moving = bool(self.body.state.activity)
        self.listeners.block(block, Meanwhile(played, speaking, moving))
        care = care_for(speaking=speaking, moving=moving)
        if self.echo is None:
            return self.ears.step(block, deaf=speaking, care=care)
        cleaned = self.echo.step(block, played)
        return self.ears.step(cleaned.block, masked=cleaned.masked, care=care)

    def _notice(self, noticed: Noticed, speaking: bool) -> None:
        if isinstance(noticed, StopHit):
            self._hold(noticed)
            if speaking and self.echo is None:  # deaf to the words themselves, so no utterance will follow
                self._queue(noticed)
        elif isinstance(noticed, WakeHit):
            self._wake(noticed)
        elif isinstance(noticed, SpeechOnset):
            self.life.attend()
            self._floor.pause()
        elif isinstance(noticed, SpeechStarted):
            self.life.attend()
            if self._floor.give_up():
                self.listeners.barge_in(noticed)
        elif isinstance(noticed, SpeechGrows):
            self._mail.show(noticed)
        elif isinstance(noticed, Heard):
            self.listeners.heard(noticed)
            self._queue(noticed)

    def _hold(self, hit: StopHit) -> None:
        held = self.body.halt("stop was heard")
        self.life.hold()
        self._floor.give_up()
        ack = self.body.wait(held, frozenset({"done"}), ACCEPT_TIMEOUT_S)
        self.answerer.held_at_ms = ack.mono_ms if ack else float("-inf")
        self._event("event/safety", m.SafetyEvent(kind="halt", detail="heard", mono_ms=mono_ms()))
        self.listeners.stop(hit)

    def _wake(self, hit: WakeHit) -> None:
        self.life.attend()
        self.body.skill("perk_up")
        now_ms = mono_ms()
        late_ms = round(now_ms - self.mono_of(hit.t_s) * 1e3, 1)
        self.latencies.add({"wake": late_ms})
        event = m.WakeEvent(name=hit.name, score=hit.score, mono_ms=now_ms, latency_ms=late_ms)
        self._event("event/wake", event)
        self.listeners.wake(hit)

    def _queue(self, heard: Heard | StopHit) -> None:
        if not self._mail.put(heard):
            _log.warning("%d utterances wait for an answer; this one is dropped", LIMIT)

    def think(self, timeout_s: float) -> bool:
        """Deal with the next utterance or look; False where none came in time."""
        letter = self._mail.take(timeout_s)
        if letter is None:
            return False
        try:
            if isinstance(letter, SpeechGrows):
                self.answerer.look(letter, self._mail.silent_s)
            else:
                self._tell(self.answerer.answer(letter, self.mono_of))
        except EverpawError as error:
            _log.error("%s", error)
        finally:
            if not isinstance(letter, SpeechGrows):
                self._mail.done()
        return True

    def rest(self, dt_s: float) -> None:
        """Nothing was said for `dt_s` seconds: mood and own will go on."""
        self._look_at_switches()
        self.answerer.rest(dt_s)
        if not self.muted:
            self.life.tick(dt_s, answering=self.answering)

    def _answer_all(self) -> None:
        while not self._mail.closed:
            try:
                if not self.think(timeout_s=1.0):
                    self.rest(1.0)
            except Exception:  # a mind that ended would leave a pet that hears and never answers
                _log.exception("the mind stumbled over this; it goes on with what comes next")

    def _look_at_switches(self) -> None:
        """The command line may have switched something."""
        before = self.muted, self.share_text, self.lessons
        if self.switches is not None:
            self.muted = self.switches.on("muted", self.muted)
            self.share_text = self.switches.on("share_text", self._by_settings[0])
            self.lessons = self.switches.on("lessons", self._by_settings[1])
        if self.children:
            self.share_text = self.lessons = False
        if before != (self.muted, self.share_text, self.lessons):
            self.desk.tell()

    def _note(self, what: What, on: bool) -> None:
        if self.switches is not None:
            self.switches.note(what, on, "page")
        self._event("event/privacy", m.PrivacyEvent(what=what, on=on, mono_ms=mono_ms()))

    def tell_copied(self) -> None:
        """All that is kept of people was handed over to a page: nobody does that unseen."""
        self._event("event/privacy", m.PrivacyEvent(what="copy", mono_ms=mono_ms()))

    def _tell(self, record: TurnRecord) -> None:
        self._look_at_switches()
        turn = record.turn
        event = m.TurnEvent(
            turn=record.number,
            intent=turn.understanding.intent,
            confidence=turn.understanding.confidence,
            action=turn.act.name if turn.act else None,
            mood=turn.mood,
            heard=turn.heard if self.share_text else None,
            said=record.said if self.share_text else None,
            early=record.early,
            timings_ms={name: round(ms, 1) for name, ms in record.timings_ms.items()},
            mono_ms=mono_ms(),
        )
        self.latencies.add(record.timings_ms)
        self._event("event/turn", event)
        self.life.turned(turn.understanding.intent, turn.act)
        self.life.tell()
        self.listeners.turn(record)

    def _event(self, name: str, event: m.Event) -> None:
        assert self.publish is not None
        self.publish(name, event)

    # What the desk asks for, on the bus's thread.

    def attend(self) -> None:
        self.life.attend()

    def do(self, skill: str) -> None:
        self.body.skill(skill)

    def read_aloud(self, text: str) -> None:
        self.answerer.read_aloud(text)

    def hold(self, why: str) -> None:
        """As after "stop!" said aloud."""
        self.body.halt(why)
        self.life.hold()
        self.answerer.mouth.hush()
