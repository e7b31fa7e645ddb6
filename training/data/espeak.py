"""espeak-ng in this process, through its C library: every English accent with every voice variant.

The library keeps one global state, so it belongs to one thread; recipes synthesise in worker processes. It is
GPL: nothing under runtime/ imports this module.
"""

import ctypes as C
import ctypes.util
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from runtime.contracts.errors import TrainingError

ACCENTS = (
    "en",
    "en-029",
    "en-gb-scotland",
    "en-gb-x-gbclan",
    "en-gb-x-gbcwmd",
    "en-gb-x-rp",
    "en-us",
    "en-us-nyc",
)
_SYNCHRONOUS, _CHARS_UTF8, _IPA = 2, 1, 2
_RATE, _PITCH, _RANGE, _WORD_GAP = 1, 3, 4, 7
_CALLBACK = C.CFUNCTYPE(C.c_int, C.POINTER(C.c_short), C.c_int, C.c_void_p)


def _library_and_data() -> tuple[str, str | None] | None:
    """Paths of the pip wheel's library, else of the system's; None where there is neither."""
    try:
        import espeakng_loader

        return espeakng_loader.get_library_path(), espeakng_loader.get_data_path()
    except ImportError:
        name = ctypes.util.find_library("espeak-ng")
        return (name, None) if name else None


class Espeak:
    """The synthesiser; one a process."""

    def __init__(self, library: str, data: str | None) -> None:
        self._lib = C.CDLL(library)
        self._lib.espeak_Info.restype = C.c_char_p
        self._lib.espeak_Initialize.argtypes = [C.c_int, C.c_int, C.c_char_p, C.c_int]
        self.rate_hz = self._lib.espeak_Initialize(_SYNCHRONOUS, 0, data.encode() if data else None, 0)
        if self.rate_hz <= 0:
            raise TrainingError(
                f"espeak-ng at {library} does not start with the data in {data}; reinstall it"
            )
        self._lib.espeak_TextToPhonemes.restype = C.c_char_p
        found = C.c_char_p()
        self._lib.espeak_Info(C.byref(found))
        self._data = Path((found.value or b"").decode())
        self._pieces: list[npt.NDArray[np.int16]] = []
        self._callback = _CALLBACK(self._collect)
        self._lib.espeak_SetSynthCallback(self._callback)

    def _collect(self, samples: "C._Pointer[C.c_short]", count: int, events: int) -> int:
        if count > 0 and samples:
            self._pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    def variants(self) -> list[str]:
        """Names of the voice variants, sorted; they are files under `voices/!v`."""
        folder = self._data / "voices" / "!v"
        return sorted(f.name for f in folder.iterdir()) if folder.is_dir() else []

    def speak(
        self, text: str, voice: str, rate_wpm: int, pitch: int, pitch_range: int, gap: int
    ) -> npt.NDArray[np.int16]:
        """`text` by `voice` ("en-us+f3"), at `self.rate_hz`; pitch and range 0..100, gap in 10 ms."""
        if self._lib.espeak_SetVoiceByName(voice.encode()) != 0:
            raise TrainingError(f"espeak-ng has no voice {voice!r}; see: espeak-ng --voices=en")
        for parameter, value in ((_RATE, rate_wpm), (_PITCH, pitch), (_RANGE, pitch_range), (_WORD_GAP, gap)):
            self._lib.espeak_SetParameter(parameter, value, 0)
        self._pieces = []
        data = text.encode()
        self._lib.espeak_Synth(data, C.c_size_t(len(data) + 1), 0, 0, 0, _CHARS_UTF8, None, None)
        self._lib.espeak_Synchronize()
        return np.concatenate(self._pieces) if self._pieces else np.zeros(0, np.int16)

    def phonemes(self, text: str) -> str:
        """How `text` is read aloud in American English, as IPA signs without stress marks."""
        self._lib.espeak_SetVoiceByName(b"en-us")
        pointer = C.c_char_p(text.encode())
        spoken = self._lib.espeak_TextToPhonemes(C.byref(pointer), _CHARS_UTF8, _IPA) or b""
        return "".join(c for c in spoken.decode() if c not in "ˈˌː_ \u200d")


@cache
def espeak() -> Espeak | None:
    """This process's synthesiser, or None where espeak-ng is not installed."""
    paths = _library_and_data()
    return Espeak(*paths) if paths else None
