"""The fleet's generator speaks MQTT that a real broker and our own bus take, and counts what came."""

import resource
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from runtime.broker import available_kind, run_broker
from runtime.bus import Bus, Delivery, decode
from runtime.contracts import messages as m
from runtime.contracts.errors import ConfigError
from runtime.eyes.load import Run, _draw, main, measure, table
from runtime.eyes.pet import Pet
from runtime.eyes.traffic import Ages, Herd, _packet
from runtime.eyes.watcher import Watcher
from tests.runtime.test_pipeline import until
from tests.torture import fleet

RUNS = [
    Run(10, 10, offered=100, sent=100, delivered=100, p50_ms=1, p95_ms=2),
    Run(20, 10, offered=200, sent=200, delivered=200, p50_ms=1, p95_ms=150),
    Run(30, 10, offered=300, sent=290, delivered=290, p50_ms=1, p95_ms=2),
    Run(40, 10, offered=400, sent=400, delivered=390, p50_ms=1, p95_ms=2, late_ms=30),
]


def test_what_simulated_robots_send_arrives_and_is_counted() -> None:
    if available_kind() != "mosquitto":
        pytest.skip("mosquitto is not installed")
    got: list[Delivery] = []
    with run_broker() as broker, Bus("all", port=broker.port, everyone=True) as bus:
        bus.subscribe("tele/link", got.append)
        run = measure(broker, robots=7, rate_hz=5.0, seconds=2.0, watching=2)
    assert run.sent == 70
    assert run.delivered == 2 * run.sent == 2 * len(got)
    assert run.offered == run.sent
    assert {delivery.robot_id for delivery in got} == {f"load-{number}" for number in range(7)}
    assert decode(got[0], m.LinkTelemetry).supply_mv == 7_600
    assert run.p95_ms > 0
    assert run.broker_mb > 1


def test_a_crowd_that_tells_too_much_drowns_no_event() -> None:
    """Telemetry beyond its row's rate is left alone unread; all else is taken."""
    if available_kind() != "mosquitto":
        pytest.skip("mosquitto is not installed")
    links, events = Counter[str](), list[str]()

    def note(pet: Pet, name: str, message: m.Message) -> None:
        if isinstance(message, m.LinkTelemetry):
            links[pet.robot] += 1
        elif isinstance(message, m.SafetyEvent):
            events.append(message.detail)

    with run_broker() as broker, closing(Watcher("127.0.0.1", broker.port).start()) as watcher:
        watcher.listen(note)
        with closing(Herd("127.0.0.1", broker.port, 4)) as herd, Bus("load-0", port=broker.port) as bus:
            for number in range(20):
                bus.publish("event/safety", m.SafetyEvent(kind="halt", detail=str(number), mono_ms=1))
            told = herd.tell(rate_hz=50.0, seconds=2.0)
        until(lambda: len(events) == 20)
    assert told.sent == 400
    assert events == [str(number) for number in range(20)]
    assert len(links) == 4
    assert all(2 <= count <= 5 for count in links.values()), links


def test_a_broker_killed_under_a_fleets_load_loses_and_doubles_no_event() -> None:
    """`python -m tests.torture.fleet` is the long form."""
    if available_kind() != "mosquitto":
        pytest.skip("mosquitto is not installed")
    came = fleet.run(robots=6, events=20, kills=1, crowd=20)
    assert (came.told, came.lost, came.doubled) == (120, 0, 0)


def test_every_message_is_aged_wherever_the_line_cuts_it() -> None:
    line = b"".join(
        packet.replace(b"1000000000000.000", b"1000000000%03d.500" % n)
        for n, packet in enumerate(map(_packet, range(60)))
    )
    whole = Ages()
    whole.feed(line, 100.0)
    assert list(whole.lags_ms) == [100.0 - n - 0.5 for n in range(60)]
    for size in (1, 7, 100, 4_096):
        cut = Ages()
        for at in range(0, len(line), size):
            cut.feed(line[at : at + size], 100.0)
        assert cut.lags_ms == whole.lags_ms


def test_the_rows_become_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the [training] extra is not installed")
    _draw(RUNS, tmp_path / "load.png")
    assert (tmp_path / "load.png").read_bytes().startswith(b"\x89PNG")


def test_the_knee_is_where_messages_are_lost_or_late() -> None:
    assert [run.knee for run in RUNS] == [False, True, True, True]
    assert table(RUNS).endswith("the knee: 20 robots, 200 messages a second")
    assert table(RUNS[:1]).endswith("no knee up to 10 robots, 100 messages a second")
    assert table(RUNS[3:]).endswith("the generator's own, which fell behind its pace")


@pytest.mark.parametrize(
    "words",
    [
        "--robots x",
        "--robots 10,",
        "--robots 0",
        "--robots -3",
        "--rate 0",
        "--rate nan",
        "--seconds -1",
        "--seconds x",
    ],
)
def test_a_number_that_measures_nothing_is_told_in_a_line(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    option, number = words.split()
    with pytest.raises(SystemExit):
        main([option, number])
    assert f"argument {option}: {number!r}" in capsys.readouterr().err


def test_more_robots_than_the_system_has_open_files_for_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda what: (64, 128))
    with pytest.raises(ConfigError, match="100 robots need 150 open files, 128 are allowed"):
        main(["--robots", "10,100"])
