"""The microphone's gate, first behind the source: muted, nothing but zeros goes on to ears, echo or recorder.

What comes out is looked at again, sample by sample, so that "muted" is a thing seen and not only asked for.
"""

from dataclasses import dataclass

import numpy as np

from runtime.contracts.audio import AudioBlock


@dataclass(slots=True)
class Gate:
    muted: bool = False
    silent: bool = False
    """Seen: the newest block that went on while muted held nothing but zeros"""

    def step(self, block: AudioBlock) -> AudioBlock:
        """`block`, or as much silence in its place."""
        if not self.muted:
            self.silent = False
            return block
        closed = AudioBlock(np.zeros_like(block.samples), block.start_sample)
        self.silent = not closed.samples.any()
        return closed
