"""Others on the same sound as a head: pocketsphinx keyword spotting, and openWakeWord's official heads."""

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from runtime.contracts.audio import Samples
from runtime.contracts.errors import TrainingError
from training.asr import sphinx
from training.wake.words import phones_of

THRESHOLDS = (1e-5, 1e-10, 1e-15, 1e-20, 1e-30, 1e-40)
"""Of pocketsphinx; a smaller one finds more"""


class Spotter:
    """pocketsphinx listening for one phrase; words its dictionary lacks are spelled as we speak them."""

    def __init__(self, name: str) -> None:
        if not sphinx.installed():
            raise TrainingError("pocketsphinx is not installed; type: apt install pocketsphinx")
        self._name = name

    def fired(self, clips: Sequence[Samples], threshold: float) -> list[bool]:
        """For each clip, whether the phrase was found in it."""
        with tempfile.TemporaryDirectory() as folder_name:
            folder = Path(folder_name)
            for i, samples in enumerate(clips):
                (folder / f"{i}.raw").write_bytes(samples.astype("<i2").tobytes())
            (folder / "list").write_text("".join(f"{i}\n" for i in range(len(clips))))
            (folder / "phrase").write_text(f"{self._name} /{threshold:g}/\n")
            words = dict.fromkeys(self._name.split())
            lines = [f"{word} {' '.join(phones_of(word))}\n" for word in words]
            (folder / "dictionary").write_text("".join(lines))
            sound = [
                "-adcin",
                "yes",
                "-cepdir",
                ".",
                "-cepext",
                ".raw",
                "-ctl",
                "list",
                "-logfn",
                "/dev/null",
            ]
            search = ["-kws", "phrase", "-dict", "dictionary", "-hyp", "heard"]
            command = ["pocketsphinx_batch", *sound, *search]
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
            heard = (folder / "heard").read_text().splitlines()
        if len(heard) != len(clips):
            raise TrainingError(f"pocketsphinx answered {len(heard)} of {len(clips)} clips")
        return [self._name in line for line in heard]

    def threshold(self, strangers: Sequence[Samples]) -> float:
        """The most willing one that finds the phrase in none of these clips, which do not hold it."""
        for threshold in sorted(THRESHOLDS):
            if not any(self.fired(strangers, threshold)):
                return threshold
        return max(THRESHOLDS)
