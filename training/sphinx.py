"""pocketsphinx beside our recogniser: the same grammar as a finite-state file, the same recordings."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.contracts.errors import TrainingError
from runtime.mind.automaton import START, Automaton


def installed() -> bool:
    return shutil.which("pocketsphinx_batch") is not None


def state_file(automaton: Automaton) -> str:
    """The automaton in sphinxbase's FSG form, which wants a single final state."""
    end = automaton.states
    lines = ["FSG_BEGIN grammar", f"NUM_STATES {end + 1}", f"START_STATE {START}", f"FINAL_STATE {end}"]
    for state, arcs in enumerate(automaton.arcs):
        ways = len(arcs) + bool(automaton.final[state])
        lines += [f"TRANSITION {state} {target} {1 / ways:.6f} {word}" for word, target in arcs.items()]
        if automaton.final[state]:
            lines.append(f"TRANSITION {state} {end} {1 / ways:.6f}")
    return "\n".join([*lines, "FSG_END", ""])


def transcribe(automaton: Automaton, clips: Sequence[Samples]) -> tuple[list[str], float]:
    """(one text a clip, "" where nothing fitted; seconds of computing a second of sound)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "grammar.fsg").write_text(state_file(automaton))
        for i, samples in enumerate(clips):
            (folder / f"{i}.raw").write_bytes(samples.astype("<i2").tobytes())
        (folder / "list").write_text("".join(f"{i}\n" for i in range(len(clips))))
        command = [
            "pocketsphinx_batch",
            "-fsg",
            "grammar.fsg",
            "-adcin",
            "yes",
            "-cepdir",
            ".",
            "-cepext",
            ".raw",
        ]
        command += ["-ctl", "list", "-hyp", "heard", "-logfn", "/dev/null"]
        begun = time.monotonic()
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        taken_s = time.monotonic() - begun
        heard = dict(_line(line) for line in (folder / "heard").read_text().splitlines())
    if len(heard) < len(clips):
        # a clip it could not open is left out silently, which must not count as a wrong answer
        raise TrainingError(
            f"pocketsphinx answered {len(heard)} of {len(clips)} clips; run it by hand to see why"
        )
    sound_s = sum(len(samples) for samples in clips) / SAMPLE_RATE_HZ
    return [heard.get(str(i), "") for i in range(len(clips))], taken_s / sound_s


def _line(line: str) -> tuple[str, str]:
    """`some words (17 -4711)` -> ("17", "some words")"""
    text, _, rest = line.rpartition("(")
    return rest.split()[0].rstrip(")"), text.strip()
