"""The starter pack, shipped with the package: one small pet that runs offline on a fresh machine."""

from pathlib import Path

from runtime.contracts.config import PackSettings
from runtime.contracts.errors import PackError
from runtime.contracts.keys import Keyring
from runtime.contracts.pack import Pack, verify
from runtime.contracts.requirements import Here, unmet

FOLDER = Path(__file__).parent
PIN = FOLDER.parent / "starter.sha256"
"""sha256 of the starter's manifest; outside the pack, so that the pack cannot vouch for itself"""


def load_pack(folder: Path | None = None, keys: Path | None = None) -> Pack:
    """A verified pack: the given folder, or the starter where None. PackError where anything differs.

    `keys` is the folder of the keys that are trusted; the user's own where None.
    """
    return verify(folder or FOLDER, starter_sha256=PIN.read_text().split()[0], keyring=Keyring.load(keys))


def trusted_pack(settings: PackSettings, here: Here) -> Pack:
    """The pack that mind and bridge run; PackError where nobody trusted signed it, or it does not fit `here`.

    `allow_unsigned` lets your own pack run without a signature; what it requires is always checked.
    """
    # A link that an update turns over later must not change what this process reads.
    path = settings.path and settings.path.resolve()
    pack = load_pack(path, settings.keys)
    if pack.trust in ("unsigned", "unknown") and not settings.allow_unsigned:
        raise PackError(f"pack {pack.folder} {_why_untrusted(pack)}, or --set pack.allow_unsigned=true")
    if reasons := unmet(pack.manifest.requires, here):
        raise PackError(f"pack {pack.folder} does not fit this robot: {reasons[0]}")
    return pack


def _why_untrusted(pack: Pack) -> str:
    if pack.signer is None:
        return "carries no signature; sign it with `everpaw pack sign`"
    who = f"is signed by {pack.signer.fingerprint}, whom this robot does not trust"
    return f"{who}; type: everpaw pack trust KEY.pub"
