"""`everpaw doctor`: a tick or a cross a line, each cross with its cure. Exit 1 where a need is unmet."""

import argparse
import importlib.metadata
import json
import platform
import shutil
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np

from runtime import starter
from runtime.audio.device import count_devices
from runtime.broker import available_kind, find_broker_of
from runtime.contracts.audio import SAMPLE_RATE_HZ
from runtime.contracts.config import RobotConfig, load_config
from runtime.contracts.errors import ConfigError, EverpawError, FactError, MissingExtraError, TalkerError
from runtime.finding import Finding


def python() -> Finding:
    version = platform.python_version()
    return Finding("python", sys.version_info >= (3, 11), version, "install Python 3.11 or newer")


def onnxruntime() -> Finding:
    wheels = [name for name in ("onnxruntime", "onnxruntime-gpu") if _version(name)]
    seen = ", ".join(f"{name} {_version(name)}" for name in wheels) or "missing"
    if len(wheels) == 2:
        cure = (
            "both wheels overwrite each other; pip uninstall both, then pip install 'everpaw[cpu]' or '[gpu]'"
        )
        return Finding("onnxruntime", False, seen, cure)
    return Finding("onnxruntime", bool(wheels), seen, "pip install 'everpaw[cpu]'")


def pack() -> Finding:
    try:
        pack = starter.load_pack()
    except EverpawError as error:
        return Finding("starter pack", False, str(error), "reinstall everpaw")
    return Finding(
        "starter pack", pack.trust == "starter", f"{len(pack.manifest.files)} files", "reinstall everpaw"
    )


def models() -> Finding:
    from runtime.engines import Engine

    try:
        pack = starter.load_pack()
        for name, model in pack.manifest.models.items():
            engine = Engine(pack.path(model.file))
            if not engine.outputs:
                return Finding("models", False, f"{name} has no output", "reinstall everpaw")
    except EverpawError as error:
        return Finding("models", False, str(error), "reinstall everpaw")
    return Finding("models", True, ", ".join(pack.manifest.models))


def acceleration(config: RobotConfig) -> Finding:
    """Where each network of the pack runs here, and why not elsewhere."""
    from runtime.engines import Engine, ladder
    from runtime.engines.store import Store

    ladder.use(config.engines.provider, Store(config.engines.folder))
    pack = starter.load_pack(config.pack.path, config.pack.keys)
    for model in pack.manifest.models.values():
        Engine(pack.path(model.file))
    told: dict[str, list[str]] = {}
    for path, decision in ladder.decisions().items():
        told.setdefault(str(decision), []).append(f"{path.parent.name}/{path.stem}")
    seen = "; ".join(f"{', '.join(names)} on {why}" for why, names in told.items())
    return Finding("acceleration", True, seen, weight="optional")


def hearing() -> Finding:
    from runtime.audio.vad import Vad
    from runtime.audio.wake import WakeFeatures

    silence = np.zeros(SAMPLE_RATE_HZ, np.int16)
    quiet = max(probability for _, probability in Vad().step(silence))
    embeddings = WakeFeatures().step(silence)
    well = quiet < 0.5 and bool(embeddings)
    return Finding(
        "hearing", well, f"silence sounds like speech with {quiet:.2f}", "reinstall pyopen-wakeword"
    )


def speaking() -> Finding:
    from runtime.speech.tts import SilentVoice, voice

    speaker = voice()
    try:
        words = speaker.speak("hello", "calm")
    except EverpawError as error:
        return Finding("voice", False, str(error), "pip install 'everpaw[voice]'", "optional")
    finally:
        speaker.close()
    well = not isinstance(speaker, SilentVoice) and len(words) > 0
    return Finding("voice", well, type(speaker).__name__, "pip install 'everpaw[voice]'", "optional")


def broker(config: RobotConfig) -> Finding:
    mqtt, kind = config.mqtt, available_kind()
    how = "TLS 1.3, by certificate" if mqtt.certificates else "in clear"
    if find_broker_of(mqtt, timeout_s=1.0 if mqtt.certificates else 0.3) is not None:
        return Finding("MQTT broker", True, f"one answers at {mqtt.host}:{mqtt.port}, {how}")
    if mqtt.certificates or mqtt.host not in _THIS_MACHINE:
        cure = "start it there, or mend mqtt.host, mqtt.port and mqtt.certificates"
        return Finding("MQTT broker", False, f"none answers at {mqtt.host}:{mqtt.port}", cure)
    seen = f"{kind or 'none'} can be started"
    return Finding("MQTT broker", kind is not None, seen, "sudo apt install mosquitto")


def facts(config: RobotConfig) -> Finding:
    """What the pet knows of its people: allowed, where, how many, and whether the key opens them all."""
    from runtime.mind.memory import consent, store
    from runtime.mind.memory.place import folder_of

    folder = folder_of(config)
    try:
        allowed = consent.allowed(folder, config.memory.enabled)
        count = 0
        if there := store.exists(folder):
            with closing(store.Store(folder, read_only=True)) as rows:
                count = len(rows.facts())
    except FactError as error:
        return Finding("facts", False, str(error), "see docs/memory.md", "optional")
    may = "may remember" if allowed else "may not remember (everpaw memory allow)"
    kept = f"{count} facts in {folder}, all opened by their key" if there else f"nothing kept in {folder}"
    return Finding("facts", True, f"{may}; {kept}", weight="optional")


def dialogue(config: RobotConfig) -> Finding:
    """The server that words open talk, if one is set: may it be used, and does it answer?"""
    from runtime.mind.server import ServerTalker

    settings = config.dialogue
    if not settings.server:
        return Finding(
            "dialogue", True, "no server is set: nothing said leaves this robot", weight="optional"
        )
    cure = "mend [dialogue] of the settings; until then the persona's lines answer"
    try:
        server = ServerTalker(settings.model_copy(update={"reply_s": min(settings.reply_s, _SERVER_S)}))
        offered = server.models()
    except (ConfigError, TalkerError) as error:
        return Finding("dialogue", False, f"{settings.server}: {error}", cure, "optional")
    where = "dialogue.consent lets words leave the house" if server.may_leave_house else "in the house"
    seen = f"{settings.server} answers, {where}; offers {', '.join(offered[:5]) or 'no model'}"
    well = settings.model in offered if settings.model else bool(offered)
    wanted = f", not dialogue.model = {settings.model}" if settings.model and not well else ""
    return Finding("dialogue", well, seen + wanted, cure, "optional")


def sound_card() -> Finding:
    cure = "sudo apt install portaudio19-dev gcc python3-dev; pip install 'everpaw[device]'"
    try:
        count = count_devices()
    except MissingExtraError:
        return Finding("sound card", False, "PyAudio is not installed", cure, "optional")
    return Finding(
        "sound card", count > 0, f"{count} devices", "plug in a microphone and a loudspeaker", "optional"
    )


def disk() -> Finding:
    free_gb = shutil.disk_usage(starter.FOLDER).free / 1e9
    return Finding("disk", free_gb > 1, f"{free_gb:.0f} GB free", "free at least 1 GB")


CHECKS: tuple[Callable[[], Finding], ...] = (
    python,
    onnxruntime,
    pack,
    models,
    hearing,
    speaking,
    sound_card,
    disk,
)
"""Of this machine"""
ROBOT_CHECKS: tuple[Callable[[RobotConfig], Finding], ...] = (acceleration, broker, facts, dialogue)
"""Of the robot that the settings describe"""
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
_SERVER_S = 3.0
"""Longest wait for a server's list of models"""


def examine(config: RobotConfig) -> list[Finding]:
    """All findings; a check that breaks is a finding too."""
    found = [_guarded(check.__name__, check) for check in CHECKS]
    return found + [_guarded(check.__name__, partial(check, config)) for check in ROBOT_CHECKS]


def main(argv: list[str]) -> int:
    """`everpaw doctor`."""
    parser = argparse.ArgumentParser(prog="everpaw doctor", description="Is everything there?")
    parser.add_argument("--json", action="store_true", help="one object a line")
    parser.add_argument(
        "--pack", type=Path, help="folder of a pack: does it do here what it did where built?"
    )
    parser.add_argument("--config", type=Path, help="robot.toml, for keys, broker, memory and dialogue")
    parser.add_argument("--set", action="append", default=[], metavar="A.B=C", help="change one setting")
    args = parser.parse_args(argv)
    config = load_config(RobotConfig, args.config, args.set)
    findings = examine(config)
    if args.pack is not None:
        config = config.model_copy(update={"pack": config.pack.model_copy(update={"path": args.pack})})
        findings += _guarded_all(config)
    for finding in findings:
        print(json.dumps(asdict(finding)) if args.json else line_of(finding))
    return int(any(not f.well and f.weight == "needed" for f in findings))


def _guarded_all(config: RobotConfig) -> list[Finding]:
    from runtime.checkup import examine_pack

    found: list[Finding] = []
    try:
        found.extend(examine_pack(config))
    except Exception as error:
        found.append(Finding("pack", False, f"{type(error).__name__}: {error}", "build the pack again"))
    return found


def _guarded(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except Exception as error:  # a doctor must finish the round
        return Finding(name.replace("_", " "), False, f"{type(error).__name__}: {error}", "reinstall everpaw")


def line_of(finding: Finding) -> str:
    """A mark, what was looked at, what was seen, and the cure where it is not well."""
    mark = "✓" if finding.well else ("✗" if finding.weight == "needed" else "-")
    cure = "" if finding.well else f"  →  {finding.cure}"
    return f"{mark} {finding.name:<14} {finding.seen}{cure}"


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""
