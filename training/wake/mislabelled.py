"""Recordings that are to be the name and sound like something else, told before hours are spent on them."""

from pathlib import Path

from runtime.speech.asr import Recogniser
from runtime.starter import FOLDER
from training.data.speech import to_int16
from training.wake.real import owners_recordings, recording_paths

MOST_DOUBT = 5.0
"""Nats a sound of the name: synthetic people who say it stay under 3, with other words few come under 6"""


def doubtful(name: str, folder: Path) -> list[str]:
    """One line a recording that the starter's recogniser does not take for `name`.

    [] for a name that its dictionary cannot say: then nobody can tell.
    """
    spotter = Recogniser(FOLDER / "asr", None).name_spotter(name)
    if spotter is None:
        return []
    lines = []
    for path, sound in zip(recording_paths(folder), owners_recordings(folder), strict=True):
        doubt = spotter.doubt_a_sound(to_int16(sound))
        if doubt > MOST_DOUBT:
            lines.append(
                f"{path} hardly sounds like {name!r} ({doubt:.1f} nats a sound); listen to it, and take it "
                f"out if something else is said"
            )
    return lines
