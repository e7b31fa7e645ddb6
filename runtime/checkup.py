"""Does this pack do here what it did where it was built? What `everpaw doctor --pack` looks at.

The updater runs it as a process after a switch; `figure` is what it compares with the release before.
"""

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from runtime import golden, starter
from runtime.broker import find_broker_of
from runtime.bus import Bus, Delivery, decode
from runtime.contracts import messages as m
from runtime.contracts.config import RobotConfig
from runtime.contracts.errors import BusError, PackError
from runtime.contracts.pack import Pack
from runtime.contracts.requirements import Here, unmet
from runtime.engines import Engine
from runtime.finding import Finding

REBUILD = "build the pack again, or take the release before: everpaw update rollback"
LEAST_FREE_MB = 100
ANSWER_S = 1.5
"""Longest wait for the retained state of bridge and board"""


def examine_pack(config: RobotConfig) -> Iterator[Finding]:
    """The findings on the configured pack, each as soon as it is there."""
    try:
        pack = starter.load_pack(config.pack.path, config.pack.keys)
    except PackError as error:
        yield Finding("pack", False, str(error), "copy or build the pack again")
        return
    yield trust(pack, config.pack.allow_unsigned)
    yield loads(pack)
    yield from behaves(pack)
    yield memory()
    yield board(config)


def trust(pack: Pack, allow_unsigned: bool) -> Finding:
    believed = allow_unsigned or pack.trust in ("starter", "owner", "trusted")
    lacking = unmet(pack.manifest.requires, Here.of())
    seen = lacking[0] if lacking else f"{pack.manifest.name}, {pack.trust}, {pack.sha256[:12]}"
    return Finding("pack", believed and not lacking, seen, "sign it with `everpaw pack sign`")


def loads(pack: Pack) -> Finding:
    for name, model in pack.manifest.models.items():
        try:
            if not Engine(pack.path(model.file)).outputs:
                return Finding("models", False, f"{name} has no output", REBUILD)
        except PackError as error:
            return Finding("models", False, str(error), REBUILD)
    return Finding("models", True, ", ".join(pack.manifest.models))


def behaves(pack: Pack) -> Iterator[Finding]:
    """Golden clips and sentences, and how long they take."""
    found, took_ms = golden.take(pack)
    if golden.GOLDEN_NAME in pack.manifest.files:
        wrong = golden.differences(golden.load(pack), found)
        sure = sum(clip.belief >= golden.SURE for clip in found.clips.values())
        seen = f"{sure} clips and {len(found.meanings)} sentences as where it was built"
        yield Finding("golden", not wrong, "; ".join(wrong) or seen, REBUILD)
    else:
        yield Finding("golden", False, "the pack has no golden.json", "build the pack again", "optional")
    yield Finding("latency", True, f"{took_ms:.0f} ms from clip to answer", figure=took_ms)


def memory() -> Finding:
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    free_mb = _free_mb()
    well = free_mb is None or free_mb >= LEAST_FREE_MB
    left = "" if free_mb is None else f", {free_mb:.0f} MB are left"
    return Finding("memory", well, f"{peak_mb:.0f} MB{left}", "take a smaller pack", figure=peak_mb)


def _free_mb() -> float | None:
    """What Linux could still give; None elsewhere."""
    table = Path("/proc/meminfo")
    rows = table.read_text().splitlines() if table.is_file() else []
    return next((int(r.split()[1]) / 1024 for r in rows if r.startswith("MemAvailable")), None)


def board(config: RobotConfig) -> Finding:
    """Where a bridge is there, its board must have said HELLO."""
    states = _states(config)
    bridge, body = states.get("state/bridge"), states.get("state/body")
    if not isinstance(bridge, m.Presence) or not bridge.alive:
        return Finding("board", True, "no bridge is there", weight="optional")
    well = isinstance(body, m.BodyState) and body.mcu_alive
    seen = "the board answers" if well else "the bridge hears no board"
    return Finding("board", well, seen, "look at the cable; then: everpaw flash board auto")


def _states(config: RobotConfig) -> dict[str, m.Message]:
    """The newest retained state of bridge and body; none where no broker is there."""
    if find_broker_of(config.mqtt, timeout_s=0.3) is None:
        return {}
    seen: dict[str, m.Message] = {}
    models: dict[str, type[m.Message]] = {"state/bridge": m.Presence, "state/body": m.BodyState}

    def take(delivery: Delivery) -> None:
        seen[delivery.name] = decode(delivery, models[delivery.name])

    mqtt = config.mqtt
    with closing(Bus(config.robot_id, mqtt.host, mqtt.port, certificates=mqtt.certificates)) as bus:
        for name in models:
            bus.subscribe(name, take)
        try:
            bus.connect(ANSWER_S)
        except BusError:
            return {}
        _wait(lambda: len(seen) == len(models), ANSWER_S)
    return seen


def _wait(true: Callable[[], bool], timeout_s: float) -> None:
    give_up_s = time.monotonic() + timeout_s
    while not true() and time.monotonic() < give_up_s:
        time.sleep(0.02)
