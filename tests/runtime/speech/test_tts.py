"""The voice: its own process, warm, revived when killed, gone when closed."""

import importlib.util
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from runtime.speech.tts import MANNERS, EspeakVoice, SilentVoice, voice

needs_voice = pytest.mark.skipif(
    importlib.util.find_spec("espeakng_loader") is None,
    reason="needs the extra: pip install 'everpaw[voice]'",
)


@needs_voice
def test_words_become_sound_at_once_and_shaped_by_mood() -> None:
    with EspeakVoice() as pet:
        calm, sleepy = pet.speak("Okay, I sit.", "calm"), pet.speak("Okay, I sit.", "sleepy")
        assert calm.dtype == np.int16
        assert 0.4 * 16_000 < len(calm) < len(sleepy) < 3 * 16_000
        assert np.abs(calm[:160].astype(int)).max() > 60
        assert all(len(pet.speak("Hm?", mood)) > 1_000 for mood in (*MANNERS, "unheard of"))


@needs_voice
@pytest.mark.parametrize("text", ["", "   ", "...", "\n", "日本", "a\nb", "\x00", "woof " * 500])
def test_odd_texts_do_not_break_it(text: str) -> None:
    with EspeakVoice() as pet:
        pet.speak(text, "calm")
        assert len(pet.speak("still here", "calm")) > 1_000


@needs_voice
def test_begun_anew_it_says_a_sentence_as_at_first() -> None:
    with EspeakVoice("en-us+steph") as person:
        untouched = person.pid
        person.begin_anew()
        assert person.pid == untouched, "it had said nothing yet"
        first = person.speak("look up", "calm")
        person.speak("the weather is lovely", "calm")
        person.begin_anew()
        np.testing.assert_array_equal(person.speak("look up", "calm"), first)


@needs_voice
def test_it_comes_back_after_being_killed() -> None:
    with EspeakVoice() as pet:
        first = pet.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        assert len(pet.speak("I am back.", "happy")) > 1_000
        assert pet.pid not in {None, first}


@needs_voice
def test_close_leaves_no_process() -> None:
    pet = EspeakVoice()
    pid = pet.pid
    pet.close()
    pet.close()
    assert not Path(f"/proc/{pid}").exists()
    assert pet.pid is None


@needs_voice
def test_two_threads_may_speak() -> None:
    lengths: list[int] = []
    with EspeakVoice() as pet:
        alone = len(pet.speak("one two three", "calm"))
        threads = [
            threading.Thread(target=lambda: lengths.append(len(pet.speak("one two three", "calm"))))
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert lengths == [alone] * 6


def test_silence_says_why() -> None:
    quiet = voice(enabled=False)
    assert "silent" in quiet.why
    assert len(quiet.speak("hello", "calm")) == 0
    quiet.close()


def test_without_the_extra_it_names_the_line_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.speech.tts.find_spec", lambda _: None)
    monkeypatch.setattr("ctypes.util.find_library", lambda _: None)
    chosen = voice()
    assert isinstance(chosen, SilentVoice)
    assert "pip install 'everpaw[voice]'" in chosen.why


@needs_voice
def test_the_library_is_never_loaded_here() -> None:
    """Asked in a fresh process, because the recipes' tests load it into this one."""
    program = (
        "from pathlib import Path; from runtime.speech.tts import EspeakVoice; pet = EspeakVoice();"
        "pet.speak('hello', 'calm'); print('libespeak' in Path('/proc/self/maps').read_text()); pet.close()"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "False"
