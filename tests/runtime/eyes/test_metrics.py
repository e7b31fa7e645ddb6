"""Metrics as Prometheus reads them, its rules by its own tool, and an alert that fires in the real thing."""

import json
import re
import shutil
import socket
import subprocess
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

pytest.importorskip("prometheus_client", reason="the [fleet] extra is not installed")

from prometheus_client.parser import text_string_to_metric_families

from runtime.broker import available_kind, free_port, run_broker
from runtime.contracts.errors import BusError, ConfigError
from runtime.event_log import EventLog
from runtime.eyes.metrics import FIGURES, main, serve
from runtime.eyes.pet import SILENT_S
from runtime.eyes.watcher import Watcher
from tests.runtime.dashboard.puppet import Puppet

FLEET = Path(__file__).parents[3] / "docs" / "fleet"
needs = pytest.mark.skipif


def until(true: Callable[[], object], timeout_s: float = 60.0) -> bool:
    give_up_s = time.monotonic() + timeout_s
    while not true() and time.monotonic() < give_up_s:
        time.sleep(0.1)
    return bool(true())


@contextmanager
def fleet(tmp_path: Path) -> Iterator[tuple[Puppet, int]]:
    """A puppet and the port of its metrics."""
    if available_kind() is None:
        pytest.skip("no broker is installed")
    with ExitStack() as stack:
        broker = stack.enter_context(run_broker())
        watcher = Watcher(broker.host, broker.port).start()
        stack.callback(watcher.close)
        port, end = serve(watcher, 0)
        stack.callback(end)
        puppet = stack.enter_context(closing(Puppet(broker.port, tmp_path / "memory", "rex")))
        assert until(lambda: "rex" in watcher.pets and watcher.pets["rex"].online)
        yield puppet, port


def fetched(port: int) -> dict[tuple[str, str], float]:
    text = urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name, sample.labels.get("quantile", sample.labels["robot"])] = sample.value
    return found


def test_what_a_robot_tells_is_what_is_fetched_and_an_absent_one_has_no_old_figures(tmp_path: Path) -> None:
    with fleet(tmp_path) as (puppet, port):
        assert until(lambda: ("everpaw_host_celsius", "rex") in fetched(port))
        figures = fetched(port)
        assert figures["everpaw_up", "rex"] == 1
        assert figures["everpaw_supply_volts", "rex"] == pytest.approx(7.6)
        assert figures["everpaw_mind_memory_bytes", "rex"] == 212 * 2**20
        assert figures["everpaw_stage_seconds", "0.95"] == 0.36
        puppet.body("FAULT", fault="stop")
        assert until(lambda: fetched(port)["everpaw_fault", "rex"] == 1)
        assert until(lambda: fetched(port)["everpaw_up", "rex"] == 0, SILENT_S + 10)
        assert ("everpaw_supply_volts", "rex") not in fetched(port)


@pytest.mark.parametrize("port", [None, 99_999], ids=["taken", "none"])
def test_a_port_that_cannot_be_had_is_told(port: int | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        wanted = port or other.getsockname()[1]
        with pytest.raises(BusError, match=f"port {wanted} of 127.0.0.1 cannot be used"):
            main(["--port", str(wanted)])


def test_a_file_that_is_no_log_of_events_is_told(tmp_path: Path) -> None:
    noise = tmp_path / "noise"
    noise.write_bytes(b"no database " * 100)
    for file in (noise, tmp_path, tmp_path / "no folder" / "events.sqlite"):
        with pytest.raises(ConfigError, match="cannot keep events"):
            EventLog(file)
    assert noise.read_bytes() == b"no database " * 100


@needs(shutil.which("promtool") is None, reason="promtool is not installed")
def test_the_rules_hold_by_prometheus_own_tool() -> None:
    subprocess.run(["promtool", "check", "config", str(FLEET / "prometheus.yml")], check=True)
    subprocess.run(["promtool", "test", "rules", str(FLEET / "rules_test.yml")], check=True)


def test_every_alert_has_a_test_and_every_name_is_one_that_is_told() -> None:
    rules, tests = (FLEET / "rules.yml").read_text(), (FLEET / "rules_test.yml").read_text()
    told = {f"everpaw_{figure.name}" for figure in FIGURES} | {"everpaw_up", "everpaw_stage_seconds"}
    assert set(re.findall(r"alert: (\w+)", rules)) <= set(re.findall(r"alertname: (\w+)", tests))
    dashboard = (FLEET / "grafana.json").read_text()
    assert set(re.findall(r"everpaw_\w+", rules + dashboard)) <= told
    panels = json.loads(dashboard)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) >= 10


def test_configurations_for_bigger_fleets_can_be_read(tmp_path: Path) -> None:
    telegraf = tomllib.loads((FLEET / "telegraf.conf").read_text())
    assert telegraf["inputs"]["mqtt_consumer"][0]["topics"]
    if available_kind() != "mosquitto":
        pytest.skip("mosquitto is not installed")
    text = (FLEET / "emqx-bridge.conf").read_text().replace("ROBOT_ID", "rex")
    lines = [line for line in text.splitlines() if "file " not in line]  # certificates that are not here
    config = tmp_path / "mosquitto.conf"
    config.write_text("\n".join([f"listener {free_port()} 127.0.0.1", "user root", *lines, ""]))
    binary = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    assert binary is not None
    process = subprocess.Popen([binary, "-c", str(config)], stderr=subprocess.PIPE, text=True)
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(2)
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def running(*words: str, folder: Path) -> Iterator[None]:
    with (folder / f"{words[0]}.log").open("w") as log:
        process = subprocess.Popen(words, cwd=folder, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


@needs(shutil.which("prometheus-alertmanager") is None, reason="prometheus-alertmanager is not installed")
@needs(shutil.which("prometheus") is None, reason="prometheus is not installed")
def test_an_alert_fires_in_the_real_prometheus_and_alertmanager(tmp_path: Path) -> None:
    with fleet(tmp_path) as (puppet, port), ExitStack() as stack:
        shown, alerts = free_port(), free_port()
        text = (FLEET / "prometheus.yml").read_text()
        text = text.replace("9843", str(port)).replace("9093", str(alerts)).replace("10s", "1s")
        (tmp_path / "prometheus.yml").write_text(text)
        (tmp_path / "rules.yml").write_text((FLEET / "rules.yml").read_text().replace("for: 10s", "for: 1s"))
        manager = ("--config.file", str(FLEET / "alertmanager.yml"), "--cluster.listen-address=")
        listen = f"--web.listen-address=127.0.0.1:{alerts}"
        stack.enter_context(running("prometheus-alertmanager", *manager, listen, folder=tmp_path))
        listen = f"--web.listen-address=127.0.0.1:{shown}"
        stack.enter_context(running("prometheus", "--config.file=prometheus.yml", listen, folder=tmp_path))

        def firing() -> list[str]:
            puppet.tick()
            puppet.body("FAULT", fault="stop")
            try:
                answer = urlopen(f"http://127.0.0.1:{alerts}/api/v2/alerts", timeout=2).read()
            except OSError:
                return []
            return [f"{a['labels']['alertname']} {a['labels'].get('robot')}" for a in json.loads(answer)]

        assert until(lambda: "RobotFault rex" in firing())
