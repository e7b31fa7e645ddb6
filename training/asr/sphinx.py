"""pocketsphinx, to be compared with and to transcribe talk: the program, over files in a scratch folder."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from runtime.contracts.audio import SAMPLE_RATE_HZ, Samples
from runtime.contracts.errors import TrainingError
from runtime.mind.automaton import START, Automaton
from training.asr import lexicon

_FRAME = SAMPLE_RATE_HZ // 100


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


Word = tuple[str, str, int, int]
"""Text, the way it was said ("S IH T"), first and last sample"""


def dictate(clips: Sequence[Samples]) -> list[list[Word]]:
    """What was said in each clip, by pocketsphinx's own dictionary and language model."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run(folder, clips, ["-hypseg", "segments"])
        words: list[list[Word]] = [[] for _ in clips]
        for line in (folder / "segments").read_text().splitlines():
            number, *fields = line.split()
            words[int(number)] = _segments(fields[fields.index("L") + 2 :])
    return words


def _segments(fields: Sequence[str]) -> list[Word]:
    """[first frame, two scores, word]..., last frame"""
    starts = [int(frame) for frame in fields[::4]]
    ways = _ways()
    found = []
    for start, end, word in zip(starts, starts[1:], fields[3::4], strict=False):
        if way := ways.get(word):
            found.append((word.partition("(")[0], way, start * _FRAME, end * _FRAME))
    return found


@cache
def _ways() -> dict[str, str]:
    """The dictionary's entries, variants as "the(2)"; silence and noise are not among them."""
    lines = lexicon.SOURCE.read_text(encoding="utf-8").splitlines()
    return dict(line.strip().split(" ", 1) for line in lines if line.strip())


def knows(text: str) -> bool:
    """Its dictionary holds every word."""
    return all(word in _ways() for word in text.split())


def transcribe(automaton: Automaton, clips: Sequence[Samples]) -> tuple[list[str], float]:
    """(one text a clip, "" where nothing fitted; seconds of computing a second of sound)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "grammar.fsg").write_text(state_file(automaton))
        begun = time.monotonic()
        _run(folder, clips, ["-fsg", "grammar.fsg", "-hyp", "heard"])
        taken_s = time.monotonic() - begun
        heard = dict(_line(line) for line in (folder / "heard").read_text().splitlines())
    if len(heard) < len(clips):
        # a clip it could not open is left out silently, which must not count as a wrong answer
        raise TrainingError(
            f"pocketsphinx answered {len(heard)} of {len(clips)} clips; run it by hand to see why"
        )
    sound_s = sum(len(samples) for samples in clips) / SAMPLE_RATE_HZ
    return [heard.get(str(i), "") for i in range(len(clips))], taken_s / sound_s


def _run(folder: Path, clips: Sequence[Samples], options: Sequence[str]) -> None:
    for i, samples in enumerate(clips):
        (folder / f"{i}.raw").write_bytes(samples.astype("<i2").tobytes())
    (folder / "list").write_text("".join(f"{i}\n" for i in range(len(clips))))
    sound = ["-adcin", "yes", "-cepdir", ".", "-cepext", ".raw", "-ctl", "list", "-logfn", "/dev/null"]
    subprocess.run(["pocketsphinx_batch", *sound, *options], cwd=folder, check=True, capture_output=True)


def _line(line: str) -> tuple[str, str]:
    """`some words (17 -4711)` -> ("17", "some words")"""
    text, _, rest = line.rpartition("(")
    return rest.split()[0].rstrip(")"), text.strip()
