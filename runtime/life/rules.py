"""From the settings to what the pet's own will may do."""

from collections.abc import Mapping, Sequence

from runtime.contracts.config import LifeSettings
from runtime.life.chooser import Rules
from runtime.life.day import QuietHours
from runtime.life.drives import nature
from runtime.life.quirks import Quirk, acts_of


def rules_of(
    settings: LifeSettings,
    seed: int,
    movements: frozenset[str] | None = None,
    style: Mapping[str, float] | None = None,
    *,
    children: bool = False,
    quirks: Sequence[Quirk] = (),
) -> Rules:
    """`movements`: the pack's skills and gaits, None for all; `style`: the numbers of its persona.

    Among children it walks nowhere by itself. `quirks`: the persona's.
    """
    quiet = QuietHours.read(settings.quiet_hours)
    locomotion = settings.locomotion and not children
    own = acts_of(quirks, movements, locomotion=locomotion)
    return Rules(nature(seed, style), quiet, locomotion, settings.sleep, movements, own)
