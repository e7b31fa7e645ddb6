"""The microphone's gate, first behind the source: muted, nothing but zeros goes on to ears, echo or recorder.

What ears, echo and recorder are handed is looked at there, sample by sample, so that "muted" is a thing seen
and not only asked for.
"""

from dataclasses import dataclass

import numpy as np

from runtime.contracts.audio import AudioBlock


@dataclass(slots=True)
class Gate:
    muted: bool = False
    silent: bool = False
    """Seen: the newest block that was handed on while muted held nothing but zeros"""

    def step(self, block: AudioBlock) -> AudioBlock:
        """`block`, or as much silence in its place."""
        return AudioBlock(np.zeros_like(block.samples), block.start_sample) if self.muted else block

    def look(self, handed: AudioBlock) -> bool:
        """Look at what is handed on; True where `silent` has changed by it."""
        before, self.silent = self.silent, self.muted and not handed.samples.any()
        return self.silent != before
