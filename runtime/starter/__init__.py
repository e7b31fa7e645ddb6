"""The starter pack, shipped with the package: one small pet that runs offline on a fresh machine."""

from pathlib import Path

from runtime.contracts.keys import Keyring
from runtime.contracts.pack import Pack, verify

FOLDER = Path(__file__).parent
PIN = FOLDER.parent / "starter.sha256"
"""sha256 of the starter's manifest; outside the pack, so that the pack cannot vouch for itself"""


def load_pack(folder: Path | None = None, keys: Path | None = None) -> Pack:
    """A verified pack: the given folder, or the starter where None. PackError where anything differs.

    `keys` is the folder of the keys that are trusted; the user's own where None.
    """
    return verify(folder or FOLDER, starter_sha256=PIN.read_text().split()[0], keyring=Keyring.load(keys))
