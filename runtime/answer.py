"""The mind's side of a conversation: glances at utterances that grow, answers whole ones.

Called by one thread at a time. What an early look begins is kept when the whole utterance means the same, and
taken back when it does not: the body holds at once, and what was really meant follows. A reply that a model
words is spoken sentence by sentence while the rest is made; `mouth.hush`, from any thread, ends both. Times
are milliseconds from the acoustic end of the last word; what came before that end is negative.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from runtime.audio.playback import Sink
from runtime.audio.playing import Clip
from runtime.audio.stop import StopHit
from runtime.audio.turns import SpeechGrows
from runtime.body import FINAL, Body, mono_ms
from runtime.contracts.config import EarlySettings
from runtime.ears import Heard
from runtime.mind.acts import Act
from runtime.mind.conversation import Conversation, Turn
from runtime.mind.early import Commit, Look, Patience, Plan
from runtime.mind.emotion import Feeling
from runtime.mind.replying import Telling
from runtime.mouth import Mouth, Spoken
from runtime.speech.sounds import SoundBank
from runtime.speech.tts import Voice

ACCEPT_TIMEOUT_S = 0.3
SOUND_TIMEOUT_S = 0.3
CANNOT_MOVE = "I can't move just now."
"""Said instead of the reply, which may promise a movement that the body refused"""
STARTED = frozenset({"started", "done"})
DECIDED = frozenset({"accepted", "started"}) | FINAL

Early = Literal["", "kept", "taken back", "reaction"]
"""What became of what was begun before the end: "reaction" is a glance at words of no command"""


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """One finished turn, with milliseconds from the acoustic end of the last word."""

    number: int
    turn: Turn
    timings_ms: dict[str, float]
    said: str
    """What the pet set out to say"""
    body: str = ""
    """Why the body did not do it; empty where it did or had nothing to do"""
    early: Early = ""
    end_s: float = 0.0
    """End of the utterance, seconds of the stream"""
    rests: int = 0
    """Seconds of quiet that the mood was given since the turn before"""
    feeling: Feeling | None = None
    """How it felt just before"""


@dataclass(slots=True)
class _Begun:
    """What an early look set going."""

    kind: Commit
    plan: Plan
    command: str | None
    at_s: float
    """Monotonic clock"""
    taken_back: bool = False


@dataclass(slots=True)
class Answerer:
    """One pet's answers; `be_patient` tells the ears how long a silence ends the utterance under way."""

    conversation: Conversation
    voice: Voice
    sounds: SoundBank
    sink: Sink
    body: Body
    settings: EarlySettings = field(default_factory=EarlySettings)
    be_patient: Callable[[float, float | None, bool], None] = lambda start_s, silence_s, acting: None
    held_at_ms: float = float("-inf")
    """When the stop word last made the body hold, monotonic"""
    _patience: Patience = field(init=False)
    _start_s: float = -1.0
    _begun: _Begun | None = None
    _turns: int = 0
    _rests: int = 0
    mouth: Mouth = field(init=False)

    def __post_init__(self) -> None:
        self._patience = Patience(self.settings)
        self.mouth = Mouth(self.voice, self.sink)

    def rest(self, dt_s: float) -> None:
        """Nothing was said for `dt_s` seconds: the mood calms, and the sounds to come are made ready."""
        self.conversation.rest(dt_s)
        self.sounds.prepare()
        self._rests += 1

    def look(self, growing: SpeechGrows, silent_s: Callable[[float], float] = lambda start_s: 0.0) -> None:
        """Glance at an utterance that may go on, and begin or take back what is harmless.

        `silent_s`: start of a stretch of speech -> its silence as known at the time of the call, seconds.
        """
        if not self.settings.enabled:
            return
        if growing.start_s != self._start_s:
            self._start_s, self._begun = growing.start_s, None
            self._patience.reset()
        look = self.conversation.glance(growing.samples, growing.silence_s)
        verdict = self._patience.step(look, silent_s(growing.start_s))
        if self._begun is not None and self._begun.kind == "command":
            self._doubt(self._begun, look)
        elif verdict.commit and (self._begun is None or verdict.commit == "command"):
            self._begin(verdict.commit, look.plan)
        self.be_patient(growing.start_s, verdict.endpoint_s, self._begun is not None)

    def answer(self, heard: Heard | StopHit, mono_of: Callable[[float], float]) -> TurnRecord:
        """Answer a whole utterance; `mono_of` turns stream seconds into monotonic ones."""
        end_s = heard.t_s if isinstance(heard, StopHit) else heard.utterance.end_s
        end_ms = mono_of(end_s) * 1e3
        timings = {"endpoint": mono_ms() - end_ms}
        begun, feeling = self._claim(heard), self.conversation.emotion.feeling
        turn, stop = self._understand(heard)
        timings |= turn.stages_ms
        timings["understood"] = mono_ms() - end_ms
        answered_s = time.monotonic()
        telling = self.conversation.speak(turn)
        self.mouth.begin(telling)
        early, command = self._settle(begun, turn)
        kept = early in ("kept", "reaction") and begun is not None and command == begun.command
        refusal = self._refusal(command)
        cannot_move = bool(refusal) and turn.reply.promises
        spoken = self._tell(turn, telling, kept=kept, cannot_move=cannot_move)
        timings |= {"wording": spoken.waited_ms} | _since(spoken.voiced_ms, end_ms, "voice")
        if begun and begun.command:
            timings |= _since(self._started_ms(begun.command), end_ms, "reaction")
        timings |= self._reaction(command if not refusal else None, spoken.first, end_ms, begun, answered_s)
        if stop and self.held_at_ms > end_ms - 1_000:
            timings["motion"] = self.held_at_ms - end_ms
        self._turns += 1
        rests, self._rests = self._rests, 0
        told, said = turn if cannot_move else turn.told(telling), " ".join(spoken.said)
        return TurnRecord(self._turns, told, timings, said, refusal, early, end_s, rests, feeling)

    def read_aloud(self, text: str) -> Clip | None:
        """Say `text` as it is, in the voice of the mood; None where there is nothing to hear."""
        return self.mouth.say(text, self.conversation.emotion.mood)

    def utter(self, kinds: tuple[str, ...], mood: str) -> None:
        """A sound of its own will: the first of `kinds` that the pet has; nothing while another sounds."""
        if not self.sink.busy:
            self.sink.play(self.sounds.of_own_will(kinds, mood))

    def _understand(self, heard: Heard | StopHit) -> tuple[Turn, bool]:
        """(the turn, its words still to come; whether the stop word was heard)."""
        if isinstance(heard, StopHit):
            return self.conversation.take("stop", 1.0), True
        return self.conversation.begin(heard.utterance.samples, stop=heard.stop), heard.stop

    def _tell(self, turn: Turn, telling: Telling, *, kept: bool, cannot_move: bool) -> Spoken:
        """Words and the pet's own sound, each in its place; `kept`: the sound was begun early."""
        plan = Plan(turn.act, turn.reply.sound)
        if plan.sound_is_the_point and not kept:
            self._sound(plan, turn.mood)
        if cannot_move:
            telling.stop()
        exchange = self.conversation.history.begin(turn.heard, turn.clear)
        spoken = self.mouth.tell([CANNOT_MOVE] if cannot_move else telling, turn.mood, exchange)
        if not plan.sound_is_the_point and not spoken.hushed:
            self._sound(plan, turn.mood)
        return spoken

    def _begin(self, kind: Commit, plan: Plan) -> None:
        at_s = time.monotonic()
        command = self._act(plan.act)
        if plan.sound_is_the_point:
            self._sound(plan, self.conversation.emotion.mood)
        self._begun = _Begun(kind, plan, command, at_s)

    def _doubt(self, begun: _Begun, look: Look) -> None:
        """Speech went on after an early act: hold as soon as it means something else."""
        if begun.taken_back or look.silence_s > 0 or look.text is None:
            return
        if look.plan != begun.plan or look.unexplained_steps > self.settings.unexplained_steps:
            begun.taken_back = True
            self.body.halt("taken back: the sentence went on")

    def _claim(self, heard: Heard | StopHit) -> _Begun | None:
        """What was begun for this utterance."""
        begun, self._begun = self._begun, None
        mine = isinstance(heard, Heard) and heard.utterance.start_s == self._start_s
        return begun if mine else None

    def _settle(self, begun: _Begun | None, turn: Turn) -> tuple[Early, str | None]:
        """(what became of the early act, the command that does what the turn asks)."""
        if begun is None:
            return "", self._act(turn.act)
        same = begun.plan.act == turn.act and not begun.taken_back
        if begun.kind == "reaction":
            return "reaction", begun.command if same else self._act(turn.act)
        if same:
            return "kept", begun.command
        if turn.act is None:
            self.body.halt("taken back: another meaning")
        return "taken back", self._act(turn.act)

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

    def _sound(self, plan: Plan, mood: str) -> None:
        if plan.sound:
            self.sink.play(self.sounds.pick(plan.sound, mood))

    def _reaction(
        self, command: str | None, words: Clip | None, end_ms: float, begun: _Begun | None, answered_s: float
    ) -> dict[str, float]:
        """`motion`, `sound` (the first of any) and `words`, each where it came."""
        timings = _since(self._started_ms(command), end_ms, "motion")
        since_s = begun.at_s if begun else answered_s
        deadline = time.monotonic() + SOUND_TIMEOUT_S
        while self.sink.busy and not self._sounded_since(since_s) and time.monotonic() < deadline:
            time.sleep(0.005)
        first_s = self.sink.first_sample_at_s
        if first_s is not None and self._sounded_since(since_s):
            timings["sound"] = first_s * 1e3 - end_ms
        if words is not None and words.start_s is not None:
            timings["words"] = words.start_s * 1e3 - end_ms
        return timings

    def _started_ms(self, command: str | None) -> float | None:
        ack = self.body.wait(command, STARTED, ACCEPT_TIMEOUT_S) if command else None
        return ack.mono_ms if ack else None

    def _sounded_since(self, moment_s: float) -> bool:
        """A clip began to sound after `moment_s` of the monotonic clock."""
        return self.sink.first_sample_at_s is not None and self.sink.first_sample_at_s >= moment_s


def _since(at_ms: float | None, end_ms: float, name: str) -> dict[str, float]:
    return {} if at_ms is None else {name: at_ms - end_ms}
