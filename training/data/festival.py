"""flite and festival as programs: the few voices that were recorded from people.

Festival takes a second to start, so one process a voice stays open and is fed over a pipe.
"""

import atexit
import shutil
import subprocess
import tempfile
import threading
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from runtime.contracts.errors import TrainingError

Wave = tuple[npt.NDArray[np.int16], int]
"""Samples and their rate in Hz"""

FLITE_MEAN_HZ = {"kal": 95, "kal16": 95, "awb": 105, "rms": 95, "slt": 170}
"""Mean pitch of each flite voice, to vary around"""


@cache
def flite_voices() -> list[str]:
    """Voices of the installed flite that we know; empty where it is missing."""
    if not shutil.which("flite"):
        return []
    listed = subprocess.run(["flite", "-lv"], capture_output=True, text=True, check=False).stdout
    return [name for name in listed.replace("Voices available:", "").split() if name in FLITE_MEAN_HZ]


def flite(text: str, voice: str, stretch: float, pitch: float) -> Wave:
    """`stretch` > 1 is slower, `pitch` multiplies the voice's mean."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "a.wav"
        settings = [
            f"duration_stretch={stretch:.3f}",
            f"int_f0_target_mean={FLITE_MEAN_HZ[voice] * pitch:.1f}",
        ]
        command = [
            "flite",
            "-voice",
            voice,
            *(w for s in settings for w in ("--setf", s)),
            "-t",
            text,
            str(out),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return _read(out, f"flite -voice {voice}: {done.stderr.strip()[:200]}")


@cache
def festival_voices() -> list[str]:
    """English voices of the installed festival; empty where it is missing."""
    known = ("kal_diphone", "ked_diphone", "cmu_us_slt_arctic_hts")
    if not shutil.which("festival"):
        return []
    asked = ["festival", "--batch", "(print (voice.list))"]
    listed = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    return [name for name in known if name in listed]


class Festival:
    """One open festival process with one voice."""

    def __init__(self, voice: str) -> None:
        self._voice = voice
        self._folder = tempfile.TemporaryDirectory()
        self._process = self._start()
        atexit.register(self.close)

    def speak(self, text: str, stretch: float) -> Wave:
        """`text` with every sound `stretch` times as long."""
        out = Path(self._folder.name) / "a.wav"
        out.unlink(missing_ok=True)
        plain = text.replace("\\", " ").replace('"', " ")
        wanted = (
            f"(Parameter.set 'Duration_Stretch {stretch:.3f})",
            f'(utt.save.wave (utt.synth (Utterance Text "{plain}")) "{out}")',
        )
        if not all(self._say(expression) for expression in wanted):
            self._process = self._start()  # it died or hung; once more with a fresh one
            for expression in wanted:
                self._say(expression)
        return _read(out, "festival")

    def _start(self) -> "subprocess.Popen[str]":
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            ["festival", "--pipe"], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
        )
        self._process = process
        self._say(f"(voice_{self._voice})")
        return process

    def _say(self, expression: str) -> bool:
        """False where festival is gone, or was killed after a minute without an answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        watchdog = threading.Timer(60.0, self._process.kill)
        watchdog.start()
        try:
            self._process.stdin.write(f'{expression}\n(format t "done\\n")\n(fflush nil)\n')
            self._process.stdin.flush()
            return any(line.strip() == "done" for line in self._process.stdout)
        except BrokenPipeError:
            return False
        finally:
            watchdog.cancel()

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()


@cache
def festival(voice: str) -> Festival:
    """The open process of `voice` in this process."""
    return Festival(voice)


def _read(path: Path, who: str) -> Wave:
    try:
        samples, rate_hz = soundfile.read(path, dtype="int16")
    except (OSError, soundfile.SoundFileError) as error:
        raise TrainingError(f"{who} wrote no audio ({error}); try the text in a shell") from error
    return samples, rate_hz
