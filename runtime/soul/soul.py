"""The soul of a pet: its card, what it knows of its people, its drives and mood; nothing of any body.

It is the export of `runtime.privacy.portable` with the persona beside it, sealed. Taken into another robot it
takes the place of what lived there, which is asked for; facts are added to what that robot knows.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime import whole
from runtime.contracts.errors import FactError
from runtime.contracts.pack import Pack
from runtime.mind.acts import read_toml, validated
from runtime.mind.dialogue import Persona
from runtime.mind.memory import keys
from runtime.privacy import portable
from runtime.privacy.holdings import Holdings
from runtime.soul.place import PERSONA, moved
from runtime.soul.sealing import seal, unseal


def persona_of(held: Holdings, pack: Pack) -> Path:
    """The persona that a soul brought along, else the pack's."""
    return moved(held.folder) or pack.path(PERSONA)


def take_along(held: Holdings, robot_id: str, persona: Path, place: Path, passphrase: str) -> int:
    """Write the soul file `place`, and open it once to be sure; its bytes."""
    with tempfile.TemporaryDirectory(prefix=".soul-", dir=place.parent) as scratch:
        folder = Path(scratch) / "all"
        portable.export(held, robot_id, folder)
        shutil.copyfile(persona, folder / PERSONA)
        size = seal(folder, place, passphrase)
    with opened(place, passphrase):
        return size


@contextmanager
def opened(place: Path, passphrase: str) -> Iterator[Path]:
    """Its files in the clear, for as long as the block lasts; FactError where it is not whole."""
    with tempfile.TemporaryDirectory(prefix="everpaw-") as scratch:
        folder = Path(scratch)
        try:
            unseal(place, folder, passphrase)
            portable.read(folder)
            _ = persona_in(folder)
            yield folder
        finally:
            for path in folder.iterdir():
                keys.shred(path)


def persona_in(folder: Path) -> Persona:
    """Who it is."""
    return validated(Persona, read_toml(folder / PERSONA), folder / PERSONA)


def bring_in(held: Holdings, place: Path, passphrase: str, *, replace: bool) -> dict[str, int]:
    """The soul into this robot; FactError where another life is lived here and `replace` does not say so."""
    with opened(place, passphrase) as folder:
        target = held.folder / PERSONA
        if not replace and (held.life.exists() or target.exists()):
            raise FactError("a life is lived here already; take it along first, then add --replace")
        held.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        added = portable.put_back(held, folder, replacing=(portable.LIFE, PERSONA))
        if not (folder / portable.LIFE).exists():
            held.life.unlink(missing_ok=True)
        # The pack's persona goes along in the sealed file, but is none of the export's own.
        whole.put(target, (folder / PERSONA).read_bytes())
    return added
