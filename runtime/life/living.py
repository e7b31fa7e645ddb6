"""The own will at work: what happens to the pet in, acts and bearing out to the body.

Threads: `tick` is called by the mind's thread, about once a second while nothing is said; everything else by
any thread. One lock. What it publishes is harmless late: the bridge lets every order go before it and knows
itself when to keep still.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from runtime.body import FINAL, Body
from runtime.bus import Delivery, decode
from runtime.contracts import messages as m
from runtime.life import acts as life_acts
from runtime.life import will
from runtime.life.acts import SOUNDS
from runtime.life.chooser import Choice, Rules, is_quiet
from runtime.life.colour import PLAIN, Colour, bearing, colour
from runtime.life.kept import Kept
from runtime.mind.acts import Act
from runtime.mind.emotion import Emotion

_log = logging.getLogger(__name__)

RENEW_S = 30.0
"""The bearing is told anew so often, in case the bridge was restarted"""
TELL_S = 10.0
KEEP_S = 300.0
ANSWERING_S = 2.0
"""How long "answering" still holds after it was seen"""
SOUND_S = 60.0
"""It makes a sound of its own will at most so often"""
FIRST_YEAR = 2024
"""A clock before that was never set"""


class HasEmotion(Protocol):
    @property
    def emotion(self) -> Emotion: ...


def local_hour() -> float | None:
    """Hours since midnight; None while the machine's clock is not set."""
    now = datetime.now()
    return now.hour + now.minute / 60 + now.second / 3_600 if now.year >= FIRST_YEAR else None


class Living:
    """One pet's life between orders.

    `tell` publishes how it is; `keep` is given what to remember; `utter` makes the first of some kinds of
    sound that the pet has, in a mood.
    """

    def __init__(
        self,
        body: Body,
        mind: HasEmotion,
        rules: Rules,
        *,
        seed: int,
        enabled: bool = True,
        follow_up_s: float = 8.0,
        kept: Kept | None = None,
        keep: Callable[[Kept], None] = lambda kept: None,
        tell: Callable[[m.MindState], object] = lambda state: None,
        hour: Callable[[], float | None] = local_hour,
        utter: Callable[[tuple[str, ...], str], object] = lambda kinds, mood: None,
    ) -> None:
        self._body, self._mind, self._rules = body, mind, rules
        self._seed, self._enabled, self._follow_up_s = seed, enabled, follow_up_s
        self._keep, self._publish, self._hour, self._utter = keep, tell, hour, utter
        self._lock = threading.RLock()
        self._state = kept.state if kept else will.State(seed)
        if kept:
            mind.emotion.feeling = kept.feeling
        self._asked: str | None = None
        self._startled = False
        self._worn: dict[str, object] = {}
        self._worn_at_s = self._told_at_s = self._kept_at_s = self._uttered_at_s = float("-inf")
        self._told: m.MindState | None = None
        self._felt = m.BodyState(mcu_alive=False, mcu_state=None)

    @property
    def state(self) -> will.State:
        return self._state

    def colour(self) -> Colour:
        """How a movement looks in the mood of this moment."""
        feeling = self._mind.emotion.feeling
        return colour(feeling.valence, feeling.arousal) if self._enabled else PLAIN

    # What happens

    def attend(self) -> None:
        """Its name, a voice, a request: whatever it does of its own will ends, and it listens."""
        with self._lock:
            self._state = will.attended(self._state, self._follow_up_s)
            self._asked = None
            if self._enabled:
                self._wear(listening=True)

    def hold(self) -> None:
        """It was told to stop."""
        with self._lock:
            self._state = will.halted(self._state)
            self._asked = None

    def turned(self, intent: str | None, act: Act | None) -> None:
        """It understood and answered."""
        with self._lock:
            skill = act.name if act is not None and act.kind == "skill" else ""
            gait = act is not None and act.kind == "gait"
            self._state = will.heard(self._state, intent, skill, gait=gait, follow_up_s=self._follow_up_s)

    def bang(self) -> None:
        """A sudden loud noise."""
        with self._lock:
            self._startled = True
            self._happen("noise")

    def on_body(self, delivery: Delivery) -> None:
        """`state/body`: a hand on it, or under it."""
        state = decode(delivery, m.BodyState)
        with self._lock:
            before, self._felt = self._felt, state
            if state.touched & ~before.touched:
                self._happen("touch")
            if state.lifted and not before.lifted:
                self._happen("lift")

    def _happen(self, what: str) -> None:
        self._state, choice = will.happened(self._state, what, self._hour(), self._rules)
        if choice is not None and self._able:
            self._do(choice)

    # Time

    def tick(self, dt_s: float, *, answering: bool) -> None:
        """`dt_s` seconds of quiet; `answering`: it still speaks, or something waits for an answer."""
        with self._lock:
            hour, emotion = self._hour(), self._mind.emotion
            if self._startled:
                self._startled = False
                emotion.hear("startle")
            if answering:
                self._state = will.attended(self._state, dt_s + ANSWERING_S)
            if self._enabled:
                self._pass(dt_s, hour, emotion)
            else:
                self._state = replace(self._state, age_s=self._state.age_s + dt_s)
            self._wear(listening=self._state.age_s < self._state.attends_until_s)
            self.tell()
            kept = Kept(self._state, emotion.feeling)
        if self._state.age_s - self._kept_at_s >= KEEP_S:
            self._kept_at_s = self._state.age_s
            self._remember(kept)

    def _pass(self, dt_s: float, hour: float | None, emotion: Emotion) -> None:
        self._follow_up()
        temperament = (emotion.temperament.valence, emotion.temperament.arousal)
        emotion.leaning = will.leaning(self._state, hour, temperament)
        if not self._able:
            self._state = will.waited(self._state, dt_s + 1.0)
        feeling = (emotion.valence, emotion.arousal)
        self._state, choice = will.passed(self._state, dt_s, hour, feeling, self._rules)
        if choice is not None:
            self._do(choice)

    def tell(self) -> None:
        """`state/mind`, where something is new."""
        state = self.message()
        acted = self._told is None or (state.doing, state.mood) != (self._told.doing, self._told.mood)
        due = self._state.age_s - self._told_at_s >= TELL_S and state != self._told
        if acted or due:
            self._told, self._told_at_s = state, self._state.age_s
            self._publish(state)

    def message(self) -> m.MindState:
        """How it is at this moment."""
        emotion, state = self._mind.emotion, self._state
        drives = {name: round(value, 2) for name, value in state.drives.items()} if self._enabled else {}
        return m.MindState(
            awake=not state.asleep,
            mood=emotion.mood,
            valence=round(emotion.valence, 3),
            arousal=round(emotion.arousal, 3),
            drives=drives,
            doing=state.doing,
            why=state.why,
            quiet=self._enabled and is_quiet(state.drives, self._hour(), self._rules),
        )

    def close(self) -> None:
        """Remember it all."""
        with self._lock:
            self._remember(Kept(self._state, self._mind.emotion.feeling))

    def _remember(self, kept: Kept) -> None:
        try:
            self._keep(kept)
        except OSError as error:
            _log.warning("the pet's life cannot be kept (%s); it goes on without", error)

    # The body

    @property
    def _able(self) -> bool:
        """The body may move, and no order is under way."""
        state = self._body.state
        return state.mcu_state == "ARMED" and state.activity_source in (None, "autonomy")

    def _do(self, choice: Choice) -> None:
        act = choice.act
        if act is None or not self._enabled:
            return
        skill = will.skill_of(self._state, act)
        if act.gait_ms:
            self._asked = self._body.gait(skill, duration_ms=act.gait_ms, own_will=True)
        else:
            self._asked = self._body.skill(skill, own_will=True)
        self._sound(act)

    def _sound(self, act: life_acts.Act) -> None:
        """What goes with it, where it is not to be quiet."""
        kinds = act.sounds or SOUNDS.get(act.name, ())
        quiet = is_quiet(self._state.drives, self._hour(), self._rules)
        if kinds and not quiet and self._state.age_s - self._uttered_at_s >= SOUND_S:
            self._uttered_at_s = self._state.age_s
            self._utter(kinds, self._mind.emotion.mood)

    def _follow_up(self) -> None:
        """What became of the act that was asked for last."""
        ack = self._body.wait(self._asked, FINAL, 0.0) if self._asked else None
        if ack is None:
            return
        self._asked = None
        if ack.status in ("rejected", "expired", "failed"):
            self._state = will.refused(self._state, ack.reason or ack.status)
        else:
            self._state = replace(self._state, doing="")

    def _wear(self, *, listening: bool) -> None:
        """The bearing of this mood, where it changed or is due again."""
        feeling = self._mind.emotion.feeling
        wear = bearing(feeling.valence, feeling.arousal, asleep=self._state.asleep)
        worn: dict[str, object] = {"enabled": self._enabled, "listening": listening, "wear": wear}
        renewed = self._state.age_s - self._worn_at_s >= RENEW_S
        if (worn == self._worn and not renewed) or not self._body.boot_id:
            return
        self._worn, self._worn_at_s = worn, self._state.age_s
        self._body.idle(self._enabled, listening=listening, bearing=wear, seed=self._seed)
