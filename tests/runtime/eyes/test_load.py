"""The fleet's generator speaks MQTT that a real broker and our own bus take, and counts what came."""

import asyncio
import resource
from pathlib import Path

import pytest

from runtime.broker import available_kind, run_broker
from runtime.bus import Bus, Delivery, decode
from runtime.contracts import messages as m
from runtime.contracts.errors import ConfigError
from runtime.eyes.load import Run, _draw, main, measure, table
from runtime.eyes.packets import packet_end, publish_packet
from tests.torture import fleet


def test_what_simulated_robots_send_arrives_and_is_counted() -> None:
    if available_kind() != "mosquitto":
        pytest.skip("mosquitto is not installed")
    got: list[Delivery] = []
    with run_broker() as broker, Bus("all", port=broker.port, everyone=True) as bus:
        bus.subscribe("tele/link", got.append)
        run = asyncio.run(measure(broker, robots=7, rate_hz=5.0, seconds=2.0))
    assert run.sent == 70
    assert run.delivered == run.sent == len(got)
    assert {delivery.robot_id for delivery in got} == {f"load-{number}" for number in range(7)}
    assert decode(got[0], m.LinkTelemetry).supply_mv == 7_600
    assert run.p95_ms > 0
    assert run.broker_mb > 1


def test_a_broker_killed_under_a_fleets_load_loses_and_doubles_no_event() -> None:
    """`python -m tests.torture.fleet` is the long form."""
    if available_kind() != "mosquitto":
        pytest.skip("mosquitto is not installed")
    came = fleet.run(robots=6, events=20, kills=1)
    assert (came.told, came.lost, came.doubled) == (120, 0, 0)


def test_packets_are_told_apart_wherever_the_line_breaks_them() -> None:
    packets = [publish_packet("a/b", b"x" * size) for size in (0, 1, 120, 130, 20_000)]
    line = b"".join(packets)
    ends, at = [], 0
    while (end := packet_end(line, at)) is not None:
        ends.append(end - at)
        at = end
    assert ends == [len(packet) for packet in packets]
    assert all(packet_end(packet[:cut], 0) is None for packet in packets[:4] for cut in range(len(packet)))


def test_the_rows_become_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the [training] extra is not installed")
    _draw([Run(10, 10, 100, 100, 1, 2), Run(20, 10, 200, 200, 1, 150)], tmp_path / "load.png")
    assert (tmp_path / "load.png").read_bytes().startswith(b"\x89PNG")


def test_the_knee_is_where_messages_are_lost_or_late() -> None:
    runs = [Run(10, 10, 100, 100, 1, 2), Run(20, 10, 200, 200, 1, 150), Run(30, 10, 300, 290, 1, 2)]
    assert [run.knee for run in runs] == [False, True, True]
    assert table(runs).endswith("the knee: 20 robots")
    assert table(runs[:1]).endswith("no knee up to 10 robots")


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
