"""The first install as data: the files that go onto the robot, and the script that ends it there.

The script is the same over SSH and at the first start from a disk; it may be run again after any failure, and
`/opt/everpaw/installed` says that it got to its end.
"""

import shlex
from dataclasses import dataclass
from pathlib import Path

from firmware_bridge.jetson.joining import SERVICES_FOLDER, UPDATER_FOLDER, Joining
from firmware_bridge.jetson.target import Files, Payload
from firmware_bridge.jetson.units import CONFIG, ENGINES, MOSQUITTO, PYTHON, ROOT, SERVICES, USER, units
from runtime.contracts.errors import ConfigError
from runtime.contracts.keys import OWNER_PUBLIC, TRUSTED

OPT = "opt/everpaw"
BROKER = "everpaw-broker"
ENABLED = ("everpaw-trial", "everpaw-bridge", "everpaw-mind")
_MOSQUITTO = '[ -e "$r/usr/sbin/mosquitto" ] || missing="$missing mosquitto"\n'
_ENGINES = f'[engines]\nfolder = "{ENGINES}"\n\n'
_TENSORRT = f"""
step "TensorRT"
"$r/{OPT}/venv/bin/pip" install --quiet --find-links "$r/{OPT}/wheels" "everpaw[tensorrt]" ||
    step "no TensorRT for Python here: CUDA serves; once it installs: systemctl start everpaw-engines"
"""
_ENGINES_ON = """\
systemctl enable --now everpaw-engines.timer
systemctl start --no-block everpaw-engines.service
"""
FIRST_LINK = "etc/systemd/system/multi-user.target.wants/everpaw-first.service"


@dataclass(frozen=True, slots=True)
class Install:
    """What the owner wants on the robot."""

    robot_id: str
    paw: Path
    """The first pack, one file, signed by a key in `keys`"""
    keys: Path
    """Folder with owner.pub and trusted/; only public keys leave it"""
    wheels: Path
    """Folder with everpaw's wheel, and of what it needs where the robot has no network"""
    repository: str = ""
    channel: str = "stable"
    port: str = "auto"
    gpu: bool = False
    """CUDA, and engines of TensorRT where that installs"""
    joining: Joining | None = None
    """The house's broker, where it has none of its own"""


def files(install: Install) -> Files:
    """Path below `/` -> file."""
    wheels = sorted(install.wheels.glob("*.whl")) if install.wheels.is_dir() else []
    if not any(wheel.name.startswith("everpaw-") for wheel in wheels):
        raise ConfigError(
            f"{install.wheels} holds no everpaw-*.whl; in everpaw's folder type: pip wheel --no-deps -w"
            f" {install.wheels} ."
        )
    publics = [install.keys / OWNER_PUBLIC, *sorted((install.keys / TRUSTED).glob("*.pub"))]
    found = {f"{OPT}/wheels/{wheel.name}": Payload(wheel) for wheel in wheels}
    found |= {
        f"etc/everpaw/keys/{path.relative_to(install.keys).as_posix()}": Payload(path)
        for path in publics
        if path.is_file()
    }
    joining = install.joining
    services = units(install.port, joining.address if joining else "", UPDATER_FOLDER, install.gpu)
    found |= {f"etc/systemd/system/{name}": Payload(text.encode()) for name, text in services.items()}
    if not joining:
        found["etc/everpaw/mosquitto.conf"] = Payload(MOSQUITTO.encode())
    return found | {
        f"{OPT}/robot.toml": Payload(robot_toml(install).encode()),
        f"{OPT}/first.paw": Payload(install.paw),
        f"{OPT}/setup": Payload(script(install).encode(), 0o755),
    }


def robot_toml(install: Install) -> str:
    """The robot's settings; one that is there already is kept."""
    repository = f'repository = "{install.repository}"\n' if install.repository else ""
    services = ", ".join(f'"{name}"' for name in SERVICES)
    return (
        f'robot_id = "{install.robot_id}"\n\n'
        f"{install.joining.settings if install.joining else ''}"
        f"{_ENGINES if install.gpu else ''}"
        f'[pack]\npath = "{ROOT}/current"\nkeys = "/etc/everpaw/keys"\n\n'
        f'[update]\nroot = "{ROOT}"\n{repository}channel = "{install.channel}"\nservices = [{services}]\n'
    )


def script(install: Install) -> str:
    """POSIX sh, run as root. `EVERPAW_ROOT` is for tests."""
    wanted = shlex.quote(f"everpaw[{'gpu' if install.gpu else 'cpu'},device,update]")
    names = ENABLED if install.joining else (BROKER, *ENABLED)
    enabled = " ".join(f"{name}.service" for name in names)
    mosquitto, broker = _MOSQUITTO, f"systemctl enable --now {BROKER}.service\n"
    if install.joining:
        mosquitto = broker = ""
    return f"""\
#!/bin/sh
# Ends the first install of everpaw; may be run again.
set -eu
umask 022
r="${{EVERPAW_ROOT:-}}"
step() {{ echo "everpaw: $1" >&2; }}

step "system packages"
missing=""
{mosquitto}[ -e "$r/usr/bin/espeak-ng" ] || missing="$missing espeak-ng"
[ -e "$r/usr/include/portaudio.h" ] || missing="$missing portaudio19-dev gcc python3-dev"
python3 -c "import ensurepip" 2>/dev/null || missing="$missing python3-venv"
[ -z "$missing" ] || DEBIAN_FRONTEND=noninteractive apt-get install -y $missing
systemctl disable --now mosquitto.service 2>/dev/null || true

step "user and folders"
id {USER} >/dev/null 2>&1 || useradd --system --no-create-home --home-dir /var/lib/everpaw-mind {USER}
mkdir -p "$r{ROOT}" "$r/etc/everpaw/keys"
[ ! -e "$r{UPDATER_FOLDER}" ] || chmod 700 "$r{SERVICES_FOLDER}" "$r{UPDATER_FOLDER}"
[ ! -e "$r{SERVICES_FOLDER}" ] || chown -R {USER}:{USER} "$r{SERVICES_FOLDER}"
[ -e "$r{CONFIG}" ] || cp "$r/{OPT}/robot.toml" "$r{CONFIG}"

step "everpaw itself"
[ -x "$r/{OPT}/venv/bin/python" ] || python3 -m venv "$r/{OPT}/venv"
"$r/{OPT}/venv/bin/pip" install --quiet --upgrade --find-links "$r/{OPT}/wheels" {wanted}
{_TENSORRT if install.gpu else ""}
step "the first release"
systemctl daemon-reload
{broker}"$r{PYTHON}" update install "$r/{OPT}/first.paw" --yes --config "$r{CONFIG}" --set update.services=[]

step "services"
systemctl enable --now {enabled} everpaw-attend.service everpaw-update.timer
{_ENGINES_ON if install.gpu else ""}touch "$r/{OPT}/installed"
step "done; arm it by hand: everpaw doctor --config {CONFIG}"
"""
