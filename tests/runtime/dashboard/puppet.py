"""A robot that a test holds by its strings: real bus, real desk and memory; its words are the test's."""

import time
from contextlib import closing
from pathlib import Path

from firmware_bridge.telemetry import body_meta
from runtime.body import mono_ms
from runtime.bus import Bus, Delivery
from runtime.contracts import messages as m
from runtime.contracts.body import load_body
from runtime.contracts.reports import HostTelemetry, LatencyTelemetry, UpdateState
from runtime.contracts.requests import EraseRequest
from runtime.contracts.topics import TOPICS, decode
from runtime.desk import Desk
from runtime.lessons.book import Book
from runtime.lessons.lesson import Lesson
from runtime.mind.memory import consent
from runtime.mind.memory.knowledge import Knowledge
from runtime.mind.memory.statements import fact_of, statement_of
from runtime.privacy.anew import erased
from runtime.privacy.copies import Copier
from runtime.privacy.holdings import Holdings

BODY = load_body()
OLD, NEW = "0" * 64, "f" * 64
UPDATES = UpdateState.model_validate(
    {
        "repository": True,
        "serving": {"name": "Rex", "sha256": "5" * 64},
        "version": 2,
        "previous": {"name": "Rex", "sha256": OLD},
        "offered": {"name": "Rex", "version": 3, "sha256": NEW, "notes": "It hears its name in the kitchen."},
    }
)
_SURE = {"clear": 0.9, "belief": 0.9}
LESSONS = [
    Lesson.model_validate({"heard": "sit down", "intent": "sit", "label": "praised", **_SURE}),
    Lesson.model_validate(
        {
            "heard": "turn left",
            "intent": "turn_left",
            "label": "corrected",
            "meant": {"text": "no turn right", "intent": "turn_right"},
            **_SURE,
        }
    ),
]


class Puppet:
    """`asked` holds every request and stop that came."""

    share_text = False
    muted = False
    silent = False
    lessons = False
    obeys = True
    """As a board that says so; False: as one that no STOP reaches"""

    def __init__(self, port: int, folder: Path, robot: str = "puppet") -> None:
        self.asked: list[m.Message] = []
        self.bus = Bus(robot, port=port).connect()
        consent.write(folder, consent.Consent(allowed=True, how="command"))
        with closing(Knowledge(folder)) as knowledge:
            for sentence in ("my sister is called Anna", "my keys are in the drawer"):
                statement = statement_of(f"remember that {sentence}")
                assert statement is not None
                knowledge.tell(fact_of(statement), statement.one)
        self.folder = folder
        with closing(Book(folder.parent / "lessons")) as book:
            book.add(LESSONS)
        self.held = Holdings(folder.parent, folder, folder.parent / "life.json")
        export = Copier(self.held, robot, self.bus.send).begin
        self.desk = Desk(self, self.bus.publish, folder, held=self.held, erase=self._erase, export=export)
        self.bus.subscribe("request", self._on_request)
        self.bus.subscribe("cmnd/stop", self._on_stop)
        self.tell_all()

    def _on_request(self, delivery: Delivery) -> None:
        self._note(delivery)
        self.desk.take(delivery)

    def _on_stop(self, delivery: Delivery) -> None:
        self._note(delivery)
        if self.obeys:
            stop = decode(m.StopCommand, delivery.payload)
            self.bus.publish("ack/command", m.Ack(id=stop.id, act="stop", status="done", mono_ms=mono_ms()))

    def _erase(self, asked: EraseRequest) -> None:
        """As a mind whose life has ended for it."""
        self.bus.publish("ack/erased", erased(self.held, asked))

    def _note(self, delivery: Delivery) -> None:
        self.asked.append(decode(TOPICS[delivery.name].model, delivery.payload))

    def of(self, model: type[m.Message]) -> list[m.Message]:
        return [message for message in self.asked if type(message) is model]

    def attend(self) -> None: ...
    def do(self, skill: str) -> None: ...
    def read_aloud(self, text: str) -> None: ...
    def hold(self, why: str) -> None: ...

    def tell_all(self) -> None:
        say = self.bus.publish
        say("state/bridge", m.Presence(alive=True))
        say("state/runtime", m.Presence(alive=True))
        say("meta/body", body_meta(BODY, "3 test"))
        say(
            "meta/robot",
            m.RobotMeta(runtime_version="0.1.0", pack_name="Rex", skills=["sit", "wave"], gaits=["walk"]),
        )
        say("state/update", UPDATES)
        self.body("ARMED")
        self.mood("happy")
        self.desk.tell()
        self.tick()

    def tick(self) -> None:
        """What comes every second."""
        say = self.bus.publish
        say("state/clock", m.Clock(boot_id="puppet-boot", mono_ms=mono_ms()))
        link = {"frames_sent": 1, "frames_received": 1, "crc_errors": 0, "resends": 0, "stream_hz": 50.0}
        say("tele/link", m.LinkTelemetry(**link, mono_ms=mono_ms(), supply_mv=7_600, temperature_c=31))
        say(
            "tele/host",
            HostTelemetry(
                cpu_percent=20.0,
                mind_cpu_percent=11.0,
                mind_memory_mb=212.0,
                memory_free_mb=900.0,
                disk_free_mb=9_000.0,
                temperature_c=44.0,
                uptime_s=10.0,
                mono_ms=mono_ms(),
            ),
        )
        stages = {"motion": {"p50_ms": 176.0, "p95_ms": 360.0, "n": 36}}
        say("tele/latency", LatencyTelemetry.model_validate({"stages": stages, "mono_ms": mono_ms()}))

    def body(self, state: m.McuState, **more: object) -> None:
        told = {"mcu_alive": True, "mcu_state": state, **more}
        self.bus.publish("state/body", m.BodyState.model_validate(told))

    def mood(self, mood: str) -> None:
        state = m.MindState(awake=True, mood=mood, valence=0.5, arousal=0.4, drives={"play": 0.8})
        self.bus.publish("state/mind", state)

    def turn(self, heard: str, said: str) -> None:
        words = {"heard": heard, "said": said} if self.share_text else {}
        event = {
            "turn": 1,
            "intent": "sit",
            "confidence": 0.99,
            "action": "sit",
            "mood": "happy",
            "mono_ms": 1,
        }
        self.bus.publish("event/turn", m.TurnEvent.model_validate(event | words))

    def joints(self, pose: dict[str, float]) -> None:
        time.sleep(0.05)  # the bus lets 30 a second through
        self.bus.publish("tele/joints", m.JointsTelemetry(joints_deg=pose, mono_ms=mono_ms()))

    def close(self) -> None:
        self.bus.close()
