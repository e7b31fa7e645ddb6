"""espeak-ng behind two pipes: `python -m runtime.speech.espeak_worker`.

espeak-ng is GPL, so it lives in this process and nothing else does. A request is one line of JSON on stdin
{"text", "voice", "pitch", "range", "rate", "volume"}; the answer on stdout is one line of JSON {"rate_hz"}
or {"error"}, then pieces of PCM (4 bytes little-endian length, then int16 mono), then a length of 0. A first
line {"ready": true} or {"error"} says whether the library was found. The process ends when stdin does.
"""

import ctypes
import ctypes.util
import json
import sys
from typing import Any

_SYNCHRONOUS = 2
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_CHARACTERS, _UTF8 = 1, 1
_DONT_EXIT = 0x8000
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def load() -> tuple[ctypes.CDLL, int]:
    """(library, sample rate); OSError where there is none."""
    try:
        import espeakng_loader

        path, data = espeakng_loader.get_library_path(), espeakng_loader.get_data_path().encode()
    except ImportError:
        path, data = ctypes.util.find_library("espeak-ng"), None
    if not path:
        raise OSError("the espeak-ng library is not installed")
    library = ctypes.CDLL(path)
    rate_hz = library.espeak_Initialize(_SYNCHRONOUS, 0, data, _DONT_EXIT)
    if rate_hz <= 0:
        raise OSError(f"espeak_Initialize gave {rate_hz}; its data folder may be missing")
    return library, rate_hz


def _tell(row: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(row).encode() + b"\n")
    sys.stdout.buffer.flush()


def _send(pcm: bytes) -> None:
    sys.stdout.buffer.write(len(pcm).to_bytes(4, "little") + pcm)
    sys.stdout.buffer.flush()


def _on_samples(samples: Any, count: int, _events: Any) -> int:
    if samples and count > 0:
        _send(ctypes.string_at(samples, count * 2))
    return 0


def answer(library: ctypes.CDLL, rate_hz: int, request: dict[str, Any]) -> None:
    """Speak one request onto stdout."""
    if library.espeak_SetVoiceByName(str(request["voice"]).encode()) != 0:
        _tell({"error": f"voice {request['voice']!r} is unknown to espeak-ng"})
        return
    parameters = ((_RATE, "rate"), (_VOLUME, "volume"), (_PITCH, "pitch"), (_RANGE, "range"))
    for number, name in parameters:
        library.espeak_SetParameter(number, int(request[name]), 0)
    _tell({"rate_hz": rate_hz})
    text = str(request["text"]).encode()
    library.espeak_Synth(text, ctypes.c_size_t(len(text) + 1), 0, _CHARACTERS, 0, _UTF8, None, None)
    _send(b"")


def main() -> int:
    try:
        library, rate_hz = load()
    except OSError as error:
        _tell({"error": str(error)})
        return 1
    callback = _CALLBACK(_on_samples)
    library.espeak_SetSynthCallback(callback)
    _tell({"ready": True})
    for line in sys.stdin.buffer:
        try:
            request = json.loads(line)
            answer(library, rate_hz, request)
        except (ValueError, KeyError, TypeError) as error:
            _tell({"error": f"request not understood: {error!r}"})
    return 0


if __name__ == "__main__":
    sys.exit(main())
