"""The link's dictionary and the firmware's limits, written for the board from their one source.

`python -m firmware_bridge.dictionary` writes mcu/protocol.py and, for firmware in C, mcu/protocol.h (both
from mcu/protocol.toml), mcu/limits.py (from the body) and mcu/version.py (hash of the firmware's files); with
`--check` it only says what is stale.
"""

import argparse
import hashlib
import json
import struct
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from firmware_bridge import header
from runtime.contracts.body import CDEG, Body, Collision, Pose, load_body

MCU = Path(__file__).parent / "mcu"
FIRMWARE_FILES = ("protocol.py", "limits.py", "frames.py", "guard.py", "vitals.py", "device.py")
GENERATED = ("protocol.py", "protocol.h", "limits.py", "version.py")
CONSTANTS = ("deadlines", "debounce", "guard", "states", "results", "reasons", "senses")
"""Tables of the dictionary that become plain numbers"""
_WRITTEN_BY = "Written by `python -m firmware_bridge.dictionary`; change its source instead."
Row = tuple[int, ...]


def load_dictionary() -> dict[str, Any]:
    """The content of protocol.toml."""
    return tomllib.loads((MCU / "protocol.toml").read_text(encoding="utf-8"))


def dictionary_hash(dictionary: dict[str, Any]) -> bytes:
    """Eight bytes over everything both sides must agree on; the firmware's own version is not part of it."""
    shared = {key: value for key, value in dictionary.items() if key != "firmware"}
    text = json.dumps(shared, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()[:8]


def struct_format(message: dict[str, Any]) -> str:
    """`struct` format of a message's fixed fields; angles follow them."""
    return "<" + "".join(kind for _, kind in message["fields"])


def protocol_text(dictionary: dict[str, Any]) -> str:
    lines = [
        '"""The dictionary of the link, from protocol.toml.',
        "",
        _WRITTEN_BY,
        '"""',
        "",
        f"VERSION = {dictionary['version']}",
        f"FIRMWARE = {dictionary['firmware']}",
        f"DICTIONARY_HASH = {_bytes(dictionary_hash(dictionary))}",
        f"PAYLOAD_MAX = {dictionary['payload_max']}",
        f"TICK_MS = {dictionary['tick_ms']}",
    ]
    for table in CONSTANTS:
        lines.append("")
        lines += [f"{name.upper()} = {value}" for name, value in dictionary[table].items()]
    for table in ("states", "results", "reasons"):
        lines.append("")
        lines += [f"{table.upper()} = (", *(f'    "{name}",' for name in dictionary[table]), ")"]
    for name, message in dictionary["messages"].items():
        lines += ["", f"{name} = 0x{message['id']:02X}"]
        if message["fields"]:
            form = struct_format(message)
            lines += [f'{name}_FORMAT = "{form}"', f"{name}_SIZE = {struct.calcsize(form)}"]
    return "\n".join(lines) + "\n"


def guard_rows(body: Body, tick_ms: int) -> tuple[list[Row], list[Row]]:
    """(joints, rules) as `guard.Guard` takes them: hundredths of a degree, per tick, per tick squared."""
    tick_s = tick_ms / 1000
    joints: list[Row] = [
        (
            round(j.min_deg * CDEG),
            round(j.max_deg * CDEG),
            round(j.safe_deg * CDEG),
            max(1, int(j.max_speed_deg_s * CDEG * tick_s)),
            max(1, int(j.max_accel_deg_s2 * CDEG * tick_s**2)),
        )
        for j in body.joints
    ]
    rules: list[Row] = [(int(rule.max_deg * CDEG), *_terms(rule, body)) for rule in body.collisions]
    return joints, rules


def _terms(rule: Collision, body: Body) -> Row:
    """Joint's number, weight, the next joint's number, ..."""
    return tuple(number for name, weight in rule.terms.items() for number in (body.names.index(name), weight))


def joint_row(row: Row) -> Row:
    """(min, max, speed, accel) of a guard's row: what TIGHTEN carries."""
    return row[0], row[1], row[3], row[4]


def limits_text(body: Body, tick_ms: int) -> str:
    joints, rules = guard_rows(body, tick_ms)
    lines = [
        f'"""Limits of the body {body.name!r}.',
        "",
        _WRITTEN_BY,
        "Hundredths of a degree; speed per tick, acceleration per tick squared.",
        '"""',
        "",
        f"LIMITS_HASH = {_bytes(bytes.fromhex(body.limits_hash))}",
        "",
        "# min, max, safe, speed, acceleration",
        "JOINTS = (",
        *(f"    {row},  # {name}" for row, name in zip(joints, body.names, strict=True)),
        ")",
        "",
        "# largest sum, then joint and weight of each term",
        "RULES = (",
        *(f"    {row}," for row in rules),
        ")",
        "",
        *(f"{name} = {value}" for name, value in cutoff_numbers(body, tick_ms).items()),
    ]
    return "\n".join(lines) + "\n"


def cutoff_numbers(body: Body, tick_ms: int) -> dict[str, int | Row]:
    """Name in mcu/limits.py -> cut-off or reflex pose, in the firmware's units."""
    cut = body.cutoffs
    return {
        "SUPPLY_CUT_MV": cut.supply_cut_mv,
        "SUPPLY_LOW_MV": cut.supply_low_mv,
        "SUPPLY_OK_MV": cut.supply_ok_mv,
        "TEMPERATURE_CUT_C": cut.temperature_cut_c,
        "TEMPERATURE_OK_C": cut.temperature_ok_c,
        "TILT_DEG": cut.tilt_deg,
        "STALL_CDEG": round(cut.stall_deg * CDEG),
        "STALL_TICKS": cut.stall_ms // tick_ms,
        "FALLING_POSE": _pose_row(body, body.reflex_pose(body.falling)),
        "LOW_BATTERY_POSE": _pose_row(body, body.reflex_pose(body.low_battery)),
    }


def _pose_row(body: Body, pose: Pose) -> Row:
    return tuple(round(pose[name] * CDEG) for name in body.names)


def version_text() -> str:
    digest = hashlib.sha256()
    for name in FIRMWARE_FILES:
        digest.update((MCU / name).read_bytes())
    value = _bytes(digest.digest()[:8])
    return f'"""Identity of these files.\n\n{_WRITTEN_BY}\n"""\n\nFIRMWARE_HASH = {value}\n'


def _bytes(value: bytes) -> str:
    return 'b"' + "".join(f"\\x{byte:02x}" for byte in value) + '"'


def stale_files(*, write: bool = False) -> list[str]:
    """Names of the generated files that differ from their source; with `write` they are mended."""
    dictionary = load_dictionary()
    texts: dict[str, Callable[[], str]] = {
        "protocol.py": lambda: protocol_text(dictionary),
        "protocol.h": lambda: header.header_text(dictionary, dictionary_hash(dictionary), CONSTANTS),
        "limits.py": lambda: limits_text(load_body(), dictionary["tick_ms"]),
        "version.py": version_text,  # last: it covers the others
    }
    stale = []
    for name in GENERATED:
        path, text = MCU / name, texts[name]()
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if write:
                path.write_text(text, encoding="utf-8")
    return stale


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m firmware_bridge.dictionary", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file is stale")
    args = parser.parse_args(argv)
    stale = stale_files(write=not args.check)
    print(f"{'stale' if args.check else 'written'}: {', '.join(stale) or 'none'}", file=sys.stderr)
    return int(args.check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
