"""From the settings to what the pet's own will may do."""

from collections.abc import Mapping

from runtime.contracts.config import LifeSettings
from runtime.life.chooser import Rules
from runtime.life.day import QuietHours
from runtime.life.drives import nature


def rules_of(
    settings: LifeSettings,
    seed: int,
    movements: frozenset[str] | None = None,
    style: Mapping[str, float] | None = None,
) -> Rules:
    """`movements`: the pack's skills and gaits, None for all; `style`: the numbers of its persona."""
    quiet = QuietHours.read(settings.quiet_hours)
    return Rules(nature(seed, style), quiet, settings.locomotion, settings.sleep, movements)
