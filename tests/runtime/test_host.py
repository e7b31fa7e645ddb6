"""The computer's figures are this machine's, and latencies are those that were added."""

import time
from pathlib import Path

from runtime.host import HostWatch, Latencies


def test_a_busy_mind_is_seen_as_busy(tmp_path: Path) -> None:
    watch = HostWatch(tmp_path / "not" / "there", waiting=lambda: 3, dropped=lambda: 4)
    time.sleep(0.3)
    idle = watch.sample()
    until_s = time.thread_time() + 0.3
    while time.thread_time() < until_s:
        pass
    busy = watch.sample()
    assert busy.mind_cpu_percent > idle.mind_cpu_percent
    assert 0 <= busy.cpu_percent <= 100
    assert busy.mind_memory_mb > 5
    assert busy.memory_free_mb > 0
    assert busy.disk_free_mb > 0
    assert (busy.events_waiting, busy.messages_dropped) == (3, 4)


def test_latencies_are_told_by_stage() -> None:
    latencies = Latencies()
    for number in range(1, 101):
        latencies.add({"motion": float(number)})
    latencies.add({"wake": 30.0})
    stages = latencies.telemetry().stages
    assert (stages["motion"].p50_ms, stages["motion"].p95_ms, stages["motion"].n) == (51.0, 95.0, 100)
    assert stages["wake"].n == 1
