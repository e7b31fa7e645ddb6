"""A day of the pet's life as a picture: acts, drives and mood over 24 hours. Needs matplotlib."""

from itertools import pairwise
from pathlib import Path
from typing import Any

from runtime.life.acts import ASLEEP, REACTIONS
from runtime.life.chooser import Rules
from runtime.life.drives import DRIVES
from runtime.life.household import DAY_S
from runtime.life.simulate import Days, Sample
from runtime.picture_file import picture


def draw(seen: Days, day: int, rules: Rules, path: Path) -> None:
    """Day `day` (0 is the first) into an image file, see `picture`."""
    samples = [sample for sample in seen.samples if sample.at_s // DAY_S == day]
    hours = [sample.at_s % DAY_S / 3_600 for sample in samples]
    with picture(path, 12, 9) as figure:
        acts, drives, mood = figure.subplots(3, 1, sharex=True, height_ratios=(3, 2, 1.5))
        _acts(acts, seen, day, rules)
        for number, name in enumerate(DRIVES):
            drives.plot(hours, [sample.drives[number] for sample in samples], label=name)
        mood.plot(hours, [sample.valence for sample in samples], label="valence")
        mood.plot(hours, [sample.arousal for sample in samples], label="arousal")
        drives.set(ylim=(0, 1), ylabel="drives")
        mood.set(ylim=(-1, 1), ylabel="mood")
        mood.set_xlabel(
            f"hour of day {day + 1}; grey: quiet hours; blue: asleep; marks below: what happened to it"
        )
        for axis in (drives, mood):
            axis.legend(loc="upper left", ncols=6, fontsize=8)
        for axis in (acts, drives, mood):
            _shade(axis, samples, rules)


def _acts(axis: Any, seen: Days, day: int, rules: Rules) -> None:
    names = [act.name for act in [*rules.acts, *REACTIONS.values()]]
    deeds = [deed for deed in seen.deeds if deed.at_s // DAY_S == day]
    axis.scatter([deed.hour for deed in deeds], [names.index(deed.act.name) + 1 for deed in deeds], s=12)
    events = [event for event in seen.events if event.at_s // DAY_S == day]
    for kind, marker in (("said", "^"), ("noise", "x"), ("touch", "o"), ("halt", "s")):
        at = [event.at_s % DAY_S / 3_600 for event in events if event.kind == kind]
        axis.scatter(at, [0] * len(at), marker=marker, s=24, label=kind)
    axis.set_yticks(range(len(names) + 1), ["(happened)", *names], fontsize=8)
    axis.set_xlim(0, 24)
    axis.set_xticks(range(0, 25, 2))
    axis.grid(alpha=0.25)
    axis.legend(loc="upper left", ncols=4, fontsize=8)


def _shade(axis: Any, samples: list[Sample], rules: Rules) -> None:
    for quarter in range(96):
        if rules.quiet_hours.holds(quarter / 4):
            axis.axvspan(quarter / 4, quarter / 4 + 0.25, color="grey", alpha=0.15, lw=0)
    for sample, following in pairwise(samples):
        if sample.posture == ASLEEP:
            at = sample.at_s % DAY_S / 3_600
            axis.axvspan(at, at + (following.at_s - sample.at_s) / 3_600, color="tab:blue", alpha=0.12, lw=0)
