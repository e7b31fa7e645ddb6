"""What a page, a phone or another house may ask of the mind, and what the mind makes of it.

Requests carry no stamp of the robot's clock; each is checked here and becomes an act of the mind's own.
Retained ones are left alone: they would be done anew at every start. Called on the bus's thread.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from runtime.body import mono_ms
from runtime.bus import Delivery
from runtime.contracts import messages as m
from runtime.contracts import requests as r
from runtime.contracts.errors import EverpawError
from runtime.contracts.reports import ErasedAck, ExportAck, FactsAck, KeptAck, LessonsAck, PrivacyState
from runtime.contracts.topics import TOPICS, decode
from runtime.lessons import pages as lesson_pages
from runtime.mind.memory import consent, pages
from runtime.mind.memory.memory import wall_clock
from runtime.privacy.holdings import Holdings
from runtime.privacy.switches import What

_log = logging.getLogger(__name__)


class Pet(Protocol):
    """What a request may touch of the pet."""

    share_text: bool
    lessons: bool
    muted: bool

    @property
    def silent(self) -> bool: ...
    def attend(self) -> None: ...
    def do(self, skill: str) -> None: ...
    def read_aloud(self, text: str) -> None: ...
    def hold(self, why: str) -> None: ...


@dataclass(slots=True)
class Desk:
    """`memory` is the folder of what the pet knows, None where it has no memory."""

    pet: Pet
    publish: Callable[[str, m.Message], object]
    memory: Path | None = None
    by_settings: bool = False
    """Whether the settings consent to remembering, where the owner did not speak"""
    set_volume: Callable[[float], None] = lambda level: None
    note: Callable[[What, bool], None] = lambda what, on: None
    """Writes down what was switched, so that a restart undoes none of it"""
    forgotten: Callable[[Sequence[str]], object] = lambda texts: None
    """Hears the texts that were forgotten, which no lesson may hold either"""
    held: Holdings | None = None
    """What lies here of people; None: nothing is kept"""
    erase: Callable[[r.EraseRequest], object] | None = None
    """Ends this life, so that it may be done; None where that is not to be"""
    export: Callable[[r.ExportRequest], object] | None = None
    """Begins to hand a copy over (runtime.privacy.copies); it must not take long itself"""
    clock: Callable[[], int] = mono_ms
    _volume: float = field(default=1.0)

    def take(self, delivery: Delivery) -> None:
        """Do what is asked; what cannot be done is logged, or said where an answer is owed."""
        if delivery.retained or delivery.name not in TOPICS:
            return
        try:
            self._do(decode(TOPICS[delivery.name].model, delivery.payload))
        except EverpawError as error:
            _log.warning("%s is not done: %s", delivery.name, error)

    def tell(self) -> None:
        """`state/privacy` as it is."""
        remembers = False
        if self.memory is not None:
            try:
                remembers = consent.allowed(self.memory, self.by_settings)
            except EverpawError as error:
                _log.error("%s", error)
        state = PrivacyState(
            muted=self.pet.muted,
            silent=self.pet.silent,
            share_text=self.pet.share_text,
            lessons=self.pet.lessons,
            remembers=remembers,
            volume=self._volume,
        )
        self.publish("state/privacy", state)

    def _do(self, asked: m.Message) -> None:
        match asked:
            case m.SkillRequest():
                self.pet.attend()
                self.pet.do(asked.skill)
            case m.SayRequest():
                self.pet.attend()
                self.pet.read_aloud(asked.text)
            case r.HaltRequest():
                self.pet.hold(f"asked to by {asked.source}")
            case r.VolumeRequest():
                self._volume = asked.level
                self.set_volume(asked.level)
                self.tell()
            case r.MuteRequest():
                self.pet.muted = asked.muted
                self.note("muted", asked.muted)
                self.tell()
            case r.ConsentRequest():
                self._consent(asked)
                self.tell()
            case r.MemoryRequest():
                self.publish("ack/memory", self._memory(asked))
            case r.LessonsRequest():
                self.publish("ack/lessons", self._lessons(asked))
            case r.KeptRequest():
                self.publish("ack/kept", self._kept(asked))
            case r.EraseRequest():
                self._erase(asked)
            case r.ExportRequest():
                self._export(asked)

    def _consent(self, asked: r.ConsentRequest) -> None:
        if asked.share_text is not None:
            self.pet.share_text = asked.share_text
            self.note("share_text", asked.share_text)
        if asked.lessons is not None:
            self.pet.lessons = asked.lessons
            self.note("lessons", asked.lessons)
        if asked.remember is not None and self.memory is not None:
            consent.switch(self.memory, asked.remember, wall_clock())
            self.note("memory", asked.remember)

    def _memory(self, asked: r.MemoryRequest) -> FactsAck:
        """Facts are words: without consent to words on topics none is told, though it may be forgotten."""
        if self.memory is None or not consent.allowed(self.memory, self.by_settings):
            return FactsAck(id=asked.id, ok=False, reason="not_allowed")
        if not self.pet.share_text and asked.act != "forget":
            return FactsAck(id=asked.id, ok=False, reason="no_consent")
        try:
            return pages.answer(self.memory, asked, share=self.pet.share_text, forgotten=self.forgotten)
        except EverpawError as error:
            return FactsAck(id=asked.id, ok=False, reason=str(error))

    def _lessons(self, asked: r.LessonsRequest) -> LessonsAck:
        """Lessons are words as well. What is kept may be seen and forgotten, be more learnt or not."""
        if self.held is None:
            return LessonsAck(id=asked.id, ok=False, reason="not_here")
        if not self.pet.share_text and asked.act != "forget":
            return LessonsAck(id=asked.id, ok=False, reason="no_consent")
        try:
            return lesson_pages.answer(self.held.lessons, asked, share=self.pet.share_text)
        except EverpawError as error:
            return LessonsAck(id=asked.id, ok=False, reason=str(error))

    def _kept(self, asked: r.KeptRequest) -> KeptAck:
        if self.held is None:
            return KeptAck(id=asked.id, ok=False, reason="not_here")
        try:
            return KeptAck(id=asked.id, ok=True, counts=self.held.counts())
        except EverpawError as error:
            return KeptAck(id=asked.id, ok=False, reason=str(error))

    def _erase(self, asked: r.EraseRequest) -> None:
        """Journals empty themselves, and are answered for here; for all else this life must end."""
        if not asked.is_fresh(self.clock()):
            self.publish("ack/erased", ErasedAck(id=asked.id, ok=False, reason="late"))
        elif self.held is None or self.erase is None:
            self.publish("ack/erased", ErasedAck(id=asked.id, ok=False, reason="not_here"))
        elif set(asked.only) == {"events"}:
            self.publish("ack/erased", ErasedAck(id=asked.id, ok=True, erased=asked.only))
        else:
            self.erase(asked)

    def _export(self, asked: r.ExportRequest) -> None:
        """Sealed for who asks, so that it needs no consent to words on topics."""
        if not asked.is_fresh(self.clock()):
            self.publish("ack/export", ExportAck(id=asked.id, ok=False, reason="late"))
        elif self.export is None:
            self.publish("ack/export", ExportAck(id=asked.id, ok=False, reason="not_here"))
        else:
            self.export(asked)
