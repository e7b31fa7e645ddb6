"""The updater on a real broker: it asks the robot before it disturbs it, and says what becomes of the job."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from firmware_bridge.update import health
from firmware_bridge.update.command import main
from runtime.broker import Broker, available_kind, run_broker
from runtime.bus import Bus, Delivery, decode
from runtime.contracts import messages as m
from tests.firmware_bridge.update.stage import WELL, Maker

pytestmark = pytest.mark.skipif(available_kind() is None, reason="neither mosquitto nor amqtt is installed")


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with run_broker() as broker:
        yield broker


def wait(true: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + 10
    while not true():
        assert time.monotonic() < give_up_s
        time.sleep(0.02)


def test_an_armed_robot_is_left_alone_and_a_resting_one_is_updated(
    broker: Broker,
    maker: Maker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(health, "examine", lambda *_: WELL)
    maker.publish("one")
    root, keys = tmp_path / "root", maker.owner.folder
    words = ["--root", str(root), "--keys", str(keys), "--set", f"mqtt.port={broker.port}"]
    jobs: list[m.JobState] = []
    with closing(Bus("buddy", broker.host, broker.port).connect()) as robot:
        robot.subscribe("job/update", lambda d: jobs.append(job(d)))
        robot.publish("state/bridge", m.Presence(alive=True))
        robot.publish("state/body", m.BodyState(mcu_alive=True, mcu_state="ARMED"))
        robot.flush()
        assert main(["install", str(maker.repo), *words]) == 0
        wait(lambda: bool(jobs) and jobs[-1].status == "waiting")
        assert "the board is ARMED" in jobs[-1].detail
        assert not (root / "current").exists()

        robot.publish("state/body", m.BodyState(mcu_alive=True, mcu_state="DISARMED"))
        robot.flush()
        assert main(["install", str(maker.repo), *words]) == 0
        wait(lambda: jobs[-1].status == "done")
    assert (root / "current").exists()

    late: list[m.JobState] = []
    with closing(Bus("buddy", broker.host, broker.port)) as viewer:
        viewer.subscribe("job/update", lambda d: late.append(job(d)))
        viewer.connect()
        wait(lambda: bool(late))
    assert late[0].status == "done", "who looks later sees how it ended"
    capsys.readouterr()
    assert main(["status", "--json", *words]) == 0
    assert json.loads(capsys.readouterr().out)["serving"] == late[0].pack_sha256


def job(delivery: Delivery) -> m.JobState:
    return decode(delivery, m.JobState)
