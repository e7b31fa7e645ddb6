"""`everpaw doctor`: a tick or a cross a line, each cross with its cure. Exit 1 where a need is unmet."""

import argparse
import importlib.metadata
import json
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from runtime import starter
from runtime.audio.device import count_devices
from runtime.broker import available_kind, find_broker
from runtime.contracts.audio import SAMPLE_RATE_HZ
from runtime.contracts.config import RobotConfig, load_config
from runtime.contracts.errors import EverpawError, MissingExtraError
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


def broker() -> Finding:
    running = find_broker(timeout_s=0.3)
    kind = available_kind()
    seen = "one answers on port 1883" if running else f"{kind or 'none'} can be started"
    return Finding("MQTT broker", bool(running or kind), seen, "sudo apt install mosquitto")


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
    broker,
    sound_card,
    disk,
)


def examine() -> list[Finding]:
    """All findings; a check that breaks is a finding too."""
    return [_guarded(check) for check in CHECKS]


def main(argv: list[str]) -> int:
    """`everpaw doctor`."""
    parser = argparse.ArgumentParser(prog="everpaw doctor", description="Is everything there?")
    parser.add_argument("--json", action="store_true", help="one object a line")
    parser.add_argument(
        "--pack", type=Path, help="folder of a pack: does it do here what it did where built?"
    )
    parser.add_argument("--config", type=Path, help="robot.toml, for keys and broker")
    parser.add_argument("--set", action="append", default=[], metavar="A.B=C", help="change one setting")
    args = parser.parse_args(argv)
    config = load_config(RobotConfig, args.config, args.set)
    findings = examine()
    if args.pack is not None:
        config = config.model_copy(update={"pack": config.pack.model_copy(update={"path": args.pack})})
        findings += _guarded_all(config)
    for finding in findings:
        print(json.dumps(asdict(finding)) if args.json else _line(finding))
    return int(any(not f.well and f.weight == "needed" for f in findings))


def _guarded_all(config: RobotConfig) -> list[Finding]:
    from runtime.checkup import examine_pack

    found: list[Finding] = []
    try:
        found.extend(examine_pack(config))
    except Exception as error:
        found.append(Finding("pack", False, f"{type(error).__name__}: {error}", "build the pack again"))
    return found


def _guarded(check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except Exception as error:  # a doctor must finish the round
        return Finding(
            check.__name__.replace("_", " "), False, f"{type(error).__name__}: {error}", "reinstall everpaw"
        )


def _line(finding: Finding) -> str:
    mark = "✓" if finding.well else ("✗" if finding.weight == "needed" else "-")
    cure = "" if finding.well else f"  →  {finding.cure}"
    return f"{mark} {finding.name:<14} {finding.seen}{cure}"


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""
