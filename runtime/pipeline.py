"""The robot, wired: source -> ears -> mind -> voice and body. The only place with clocks, threads and queues.

Threads: the caller's runs the ears on every block, so that a name or "stop!" is never behind a recogniser;
one thread answers utterances, one at a time; `Body` renews the lease in its own. The lease is renewed only
while blocks arrive and are heard: a robot that cannot hear "stop!" does not move. The queue of utterances
holds four; a fifth is dropped and said.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from runtime.audio.playback import Sink
from runtime.audio.stop import StopHit
from runtime.audio.wake import WakeHit
from runtime.body import FINAL, Body, mono_ms
from runtime.bus import Bus, Delivery, decode
from runtime.contracts import messages as m
from runtime.contracts.audio import AudioBlock, SourceFault
from runtime.contracts.errors import EverpawError
from runtime.ears import Ears, Heard
from runtime.mind.conversation import Conversation, Turn
from runtime.mind.dialogue import Act
from runtime.speech.sounds import SoundBank
from runtime.speech.tts import Voice

_log = logging.getLogger(__name__)

HEARING_GAP_S = 0.5
"""Without a block for this long the mind counts as frozen and lets the lease lapse"""
CLOCK_DRIFT_S = 2e-6
"""A block; 100 ppm, as cheap sound cards drift"""
ACCEPT_TIMEOUT_S = 0.3
SOUND_TIMEOUT_S = 0.3
CANNOT_MOVE = "I can't move just now."
"""Said instead of the reply, which may promise a movement that the body refused"""
STARTED = frozenset({"started", "done"})
DECIDED = frozenset({"accepted", "started"}) | FINAL


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """One finished turn, with milliseconds from the acoustic end of the last word."""

    number: int
    turn: Turn
    timings_ms: dict[str, float]
    said: str
    body: str = ""
    """Why the body did not do it; empty where it did or had nothing to do"""


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who wants to know, each called on the thread where it happens."""

    turn: Callable[[TurnRecord], None] = lambda record: None
    wake: Callable[[WakeHit], None] = lambda hit: None
    fault: Callable[[SourceFault], None] = lambda fault: None


@dataclass(slots=True)
class Robot:
    """The long-running pet. `run` returns when the source ends or `stop` was called."""

    ears: Ears
    conversation: Conversation
    voice: Voice
    sounds: SoundBank
    sink: Sink
    body: Body
    bus: Bus
    follow_up_s: float = 8.0
    share_text: bool = False
    listeners: Listeners = field(default_factory=Listeners)
    _heard: queue.Queue[Heard | StopHit | None] = field(default_factory=lambda: queue.Queue(maxsize=4))
    _ended: threading.Event = field(default_factory=threading.Event)
    _stream_to_mono_s: float = float("inf")
    _last_block_s: float = float("-inf")
    _halt_at_ms: float = float("-inf")
    _turns: int = 0

    def healthy(self) -> bool:
        """Blocks arrive and are heard."""
        return time.monotonic() - self._last_block_s < HEARING_GAP_S

    def run(self, source: Iterable[AudioBlock | SourceFault]) -> None:
        """Live on `source` until it ends. The body is told to hold on every way out."""
        self.bus.subscribe("request", self._on_request)
        self._tell_mood()
        mind = threading.Thread(target=self._answer_all, name="mind", daemon=True)
        mind.start()
        self.body.start_lease(self.healthy)
        try:
            for item in source:
                if self._ended.is_set():
                    break
                self._take(item)
        finally:
            self._heard.put(None)
            mind.join(timeout=5)
            self.sink.stop()
            self.body.halt("the mind goes to sleep")
            self.body.close()

    def stop(self) -> None:
        """Ask `run` to return; safe from any thread and from a signal handler."""
        self._ended.set()

    @property
    def answering(self) -> bool:
        """An utterance is being answered or words are still in the air."""
        return self._heard.unfinished_tasks > 0 or self.sink.busy

    def _take(self, item: AudioBlock | SourceFault) -> None:
        if isinstance(item, SourceFault):
            _log.warning("the microphone %s: %s", item.kind, item.detail)
            self.listeners.fault(item)
            return
        self._last_block_s = time.monotonic()
        # The earliest arrival is the true one; a late reader must not make an answer look fast.
        arrival_s = self._last_block_s - item.end_s
        self._stream_to_mono_s = min(self._stream_to_mono_s + CLOCK_DRIFT_S, arrival_s)
        speaking = self.sink.busy
        if speaking:
            self.ears.stay_awake(item.end_s + self.follow_up_s)
        for noticed in self.ears.step(item, deaf=speaking):
            if isinstance(noticed, StopHit):
                self._hold()
                if speaking:  # deaf to the words themselves, so no utterance will follow
                    self._queue(noticed)
            elif isinstance(noticed, WakeHit):
                self._wake(noticed)
            elif isinstance(noticed, Heard):
                self._queue(noticed)

    def _hold(self) -> None:
        held = self.body.halt("stop was heard")
        self.sink.stop()
        ack = self.body.wait(held, frozenset({"done"}), ACCEPT_TIMEOUT_S)
        self._halt_at_ms = ack.mono_ms if ack else float("-inf")
        self.bus.publish("event/safety", m.SafetyEvent(kind="halt", detail="heard", mono_ms=mono_ms()))

    def _wake(self, hit: WakeHit) -> None:
        self.body.skill("perk_up")
        self.bus.publish("event/wake", m.WakeEvent(name=hit.name, score=hit.score, mono_ms=mono_ms()))
        self.listeners.wake(hit)

    def _queue(self, heard: Heard | StopHit) -> None:
        try:
            self._heard.put_nowait(heard)
        except queue.Full:
            _log.warning("four utterances wait for an answer; this one is dropped")

    def _answer_all(self) -> None:
        while True:
            try:
                heard = self._heard.get(timeout=1.0)
            except queue.Empty:
                self.conversation.emotion.tick(1.0)
                continue
            try:
                if heard is None:
                    return
                self._answer(heard)
            except EverpawError as error:
                _log.error("%s", error)
            finally:
                self._heard.task_done()

    def _answer(self, heard: Heard | StopHit) -> None:
        end_s = heard.t_s if isinstance(heard, StopHit) else heard.utterance.end_s
        end_ms = (end_s + self._stream_to_mono_s) * 1e3
        timings = {"endpoint": mono_ms() - end_ms}
        if isinstance(heard, StopHit):
            turn, stop = self.conversation.read("stop"), True
        else:
            turn, stop = self.conversation.hear(heard.utterance.samples, stop=heard.stop), heard.stop
        timings |= turn.stages_ms
        timings["understood"] = mono_ms() - end_ms
        answered_s = time.monotonic()
        command = self._act(turn.act)
        refusal = self._refusal(command)
        if turn.reply.sound:
            self.sink.play(self.sounds.pick(turn.reply.sound, turn.mood))
        said = CANNOT_MOVE if refusal else turn.reply.text
        words = self.voice.speak(said, turn.mood)
        if len(words):
            timings["voice"] = mono_ms() - end_ms
            self.sink.play(words)
        timings |= self._reaction(command if not refusal else None, end_ms, answered_s)
        if stop and self._halt_at_ms > end_ms - 1_000:
            timings["motion"] = self._halt_at_ms - end_ms
        self._turns += 1
        self._tell(TurnRecord(self._turns, turn, timings, said, refusal))

    def _act(self, act: Act | None) -> str | None:
        if act is None:
            return None
        if act.kind == "skill":
            return self.body.skill(act.name)
        if act.kind == "gait":
            return self.body.gait(act.name, turn=act.turn, duration_ms=act.duration_ms)
        return self.body.halt("asked to")

    def _refusal(self, command: str | None) -> str:
        if command is None:
            return ""
        ack = self.body.wait(command, DECIDED, ACCEPT_TIMEOUT_S)
        if ack is None:
            return "the body does not answer"
        return ack.reason or ack.status if ack.status in {"rejected", "expired", "failed"} else ""

    def _reaction(self, command: str | None, end_ms: float, answered_s: float) -> dict[str, float]:
        """`motion` and `sound`, each where it came."""
        timings: dict[str, float] = {}
        ack = self.body.wait(command, STARTED, ACCEPT_TIMEOUT_S) if command else None
        if ack:
            timings["motion"] = ack.mono_ms - end_ms
        deadline = time.monotonic() + SOUND_TIMEOUT_S
        while self.sink.busy and not self._sounded_since(answered_s) and time.monotonic() < deadline:
            time.sleep(0.005)
        if self._sounded_since(answered_s) and self.sink.first_sample_at_s is not None:
            timings["sound"] = self.sink.first_sample_at_s * 1e3 - end_ms
        return timings

    def _sounded_since(self, moment_s: float) -> bool:
        """A clip began to sound after `moment_s` of the monotonic clock."""
        return self.sink.first_sample_at_s is not None and self.sink.first_sample_at_s >= moment_s

    def _tell(self, record: TurnRecord) -> None:
        turn = record.turn
        event = m.TurnEvent(
            turn=record.number,
            intent=turn.understanding.intent,
            confidence=turn.understanding.confidence,
            action=turn.act.name if turn.act else None,
            mood=turn.mood,
            heard=turn.heard if self.share_text else None,
            said=record.said if self.share_text else None,
            timings_ms={name: round(ms, 1) for name, ms in record.timings_ms.items()},
            mono_ms=mono_ms(),
        )
        self.bus.publish("event/turn", event)
        self._tell_mood()
        self.listeners.turn(record)

    def _tell_mood(self) -> None:
        emotion = self.conversation.emotion
        state = m.MindState(awake=True, mood=emotion.mood, valence=emotion.valence, arousal=emotion.arousal)
        self.bus.publish("state/mind", state)

    def _on_request(self, delivery: Delivery) -> None:
        """Dashboards ask; the mind stamps. Only skills and words are on the list."""
        if delivery.retained:
            return
        if delivery.name == "request/skill":
            self.body.skill(decode(delivery, m.SkillRequest).skill)
        elif delivery.name == "request/say":
            text = decode(delivery, m.SayRequest).text
            self.sink.play(self.voice.speak(text, self.conversation.emotion.mood))
