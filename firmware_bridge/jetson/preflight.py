"""What stands on the robot's computer, asked before anything is changed, and whether it is enough.

Jetson Linux says its release in /etc/nv_tegra_release: "# R38 (release), REVISION: 2.1, ...". R38 and later
are JetPack 7 (Ubuntu 24.04, Python 3.12); R36 is JetPack 6 (Ubuntu 22.04, Python 3.10), which is too old.
"""

import re
from collections.abc import Iterator

from runtime.finding import Finding

LEAST_L4T = 38
LEAST_PYTHON = (3, 11)
LEAST_FREE_MB = 3_000
LEAST_YEAR = 2026
"""A clock before it was lost"""
ASK = r"""
r="${EVERPAW_ROOT:-}"
say() { printf '%s=%s\n' "$1" "$2"; }
say l4t "$(head -n 1 "$r/etc/nv_tegra_release" 2>/dev/null)"
say system "$(sed -n 's/^PRETTY_NAME="\(.*\)"$/\1/p' "$r/etc/os-release" 2>/dev/null)"
say free_mb "$(df -Pm "$r/" 2>/dev/null | awk 'NR == 2 { print $4 }')"
say systemd "$([ -e "$r/lib/systemd/systemd" ] || [ -e "$r/usr/lib/systemd/systemd" ] && echo yes)"
say mosquitto "$([ -e "$r/usr/sbin/mosquitto" ] && echo yes)"
say espeak "$([ -e "$r/usr/bin/espeak-ng" ] && echo yes)"
for p in "$r"/usr/bin/python3.*; do
  v="${p##*/python}"
  case "$v" in *[!0-9.]*) ;; *) say python "$v" ;; esac
done
if [ -z "${EVERPAW_DISK:-}" ]; then
  say machine "$(uname -m)"
  say power "$(nvpmodel -q 2>/dev/null | sed -n 's/^NV Power Mode: //p')"
  say sudo "$(sudo -n true 2>/dev/null && echo yes)"
  say year "$(date +%Y)"
else
  modes="$r/etc/nvpmodel.conf"
  say power "$(sed -n 's/.*PM_CONFIG DEFAULT=\([0-9]*\).*/mode \1 at start/p' "$modes" 2>/dev/null)"
fi
"""
"""Reads only; prints `key=value` lines"""
Facts = dict[str, list[str]]


def read(answer: str) -> Facts:
    """`key=value` lines -> all values of each key that are not empty."""
    facts: Facts = {}
    for line in answer.splitlines():
        key, equals, value = line.partition("=")
        if equals and value.strip():
            facts.setdefault(key, []).append(value.strip())
    return facts


def judge(facts: Facts, *, runs: bool, any_board: bool) -> Iterator[Finding]:
    """A line for each; what is `needed` and not well must be mended first."""
    yield _l4t(_one(facts, "l4t"), any_board)
    yield Finding("system", True, _one(facts, "system") or "not named", weight="optional")
    found = [tuple(map(int, version.split("."))) for version in facts.get("python", [])]
    newest = max(found, default=(0, 0))
    shown = ".".join(map(str, newest)) if found else "none"
    least = ".".join(map(str, LEAST_PYTHON))
    yield Finding(
        "python", newest >= LEAST_PYTHON, shown, f"install Python {least} or newer: JetPack 7 has it"
    )
    free_mb = int(_one(facts, "free_mb") or 0)
    yield Finding("disk", free_mb >= LEAST_FREE_MB, f"{free_mb:,} MB free", f"free {LEAST_FREE_MB:,} MB")
    yield Finding(
        "systemd", "systemd" in facts, _one(facts, "systemd") or "missing", "use a system with systemd"
    )
    if runs:
        yield Finding("sudo", "sudo" in facts, _one(facts, "sudo") or "asks for a password", SUDO)
        year = int(_one(facts, "year") or 1970)
        yield Finding(
            "clock", year >= LEAST_YEAR, str(year), "set the clock: timedatectl set-ntp true", "optional"
        )
    for name, package in (("mosquitto", "mosquitto"), ("espeak", "espeak-ng")):
        seen = "there" if name in facts else "comes with the first start, if there is a network then"
        yield Finding(package, name in facts, seen, f"sudo apt install {package}", "optional")
    power = _one(facts, "power")
    yield Finding("power mode", bool(power), power or "not said", "see `sudo nvpmodel -q`", "optional")


SUDO = "let this user use sudo without a password while you install, or mount the disk and use --mount"


def _l4t(line: str, any_board: bool) -> Finding:
    match = re.match(r"# R(\d+) \(release\), REVISION: ([\d.]+)", line)
    if any_board and not match:
        return Finding("L4T", True, "not a Jetson", weight="optional")
    if not match:
        return Finding("L4T", False, line or "not a Jetson", "flash Jetson Linux first; --any-board goes on")
    release = f"R{match[1]}.{match[2]}"
    cure = "flash JetPack 7: everpaw flash jetson --nvidia BOARD shows NVIDIA's own command"
    return Finding("L4T", int(match[1]) >= LEAST_L4T, release, cure)


def _one(facts: Facts, key: str) -> str:
    return facts.get(key, [""])[0]
