"""A robot that joins the house's broker on another computer, by a certificate of its own.

Its key is made here, as by `everpaw security init --robot ID`, and goes onto the robot twice: for the
services, which run as everpaw's user, and for the updater, which is root without any of root's privileges.
"""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

from firmware_bridge.jetson.target import Files, Payload
from runtime.contracts.errors import ConfigError, TrustError
from runtime.security import bundle, control
from runtime.security.house import CLIENTS, House, alone
from runtime.security.register import HOSTS

SERVICES_FOLDER, UPDATER_FOLDER = "/etc/everpaw/certificates", "/etc/everpaw/updater"


@dataclass(frozen=True, slots=True)
class Joining:
    """Which broker, and who vouches."""

    folder: Path
    """The house's authority, as `everpaw security init` makes it"""
    address: str
    """The one address beside its own that the robot's services may reach"""
    port: int
    robot_id: str

    @property
    def settings(self) -> str:
        return f'[mqtt]\nhost = "{self.address}"\nport = {self.port}\ncertificates = "{SERVICES_FOLDER}"\n\n'


def plan(folder: Path, address: str, robot_id: str) -> Joining:
    """ConfigError or TrustError where this robot cannot join; nothing is written."""
    try:
        address = str(ip_address(address))
    except ValueError as error:
        raise ConfigError(
            f"--broker {address!r} is no address; give it as 192.168.1.20: the robot may reach it alone"
        ) from error
    house = House.open(folder)
    if address in HOSTS or address not in house.register.hosts:
        raise TrustError(
            f"the broker's certificate does not name {address}; type: everpaw security init"
            f" --robot {robot_id} --listen {address} --broker-folder {folder}"
        )
    row = house.register.valid(robot_id)
    if row and row.kind != "robot":
        raise TrustError(f"{robot_id} is a {row.kind} of this house; give another --robot-id")
    if row and not (folder / CLIENTS / robot_id / bundle.KEY).is_file():
        raise TrustError(
            f"the key of {robot_id} is not in {folder / CLIENTS}; type: everpaw security rotate {robot_id}"
        )
    return Joining(folder, address, house.register.port, robot_id)


def certificate(joining: Joining) -> Files:
    """The robot's certificate as files below `/`; issued where it has none, and its broker told."""
    place = joining.folder / CLIENTS / joining.robot_id
    with alone(joining.folder):
        house = House.open(joining.folder)
        if house.register.valid(joining.robot_id) is None:
            house.issue(joining.robot_id, "robot", (joining.robot_id,), datetime.now(UTC))
            row = house.register.valid(joining.robot_id)
            if row and not control.tell(house, control.entered(row)):
                print("no broker of this house runs here; it will know at its next start", file=sys.stderr)
    modes = {bundle.AUTHORITY: 0o644, bundle.CERTIFICATE: 0o644, bundle.KEY: 0o600}
    return {
        f"{folder.removeprefix('/')}/{name}": Payload((place / name).read_bytes(), mode)
        for folder in (SERVICES_FOLDER, UPDATER_FOLDER)
        for name, mode in modes.items()
    }
