"""Synthetic voices, rough treatment and bulk clips; what is not installed skips with its reason."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from runtime.contracts.errors import TrainingError
from training.data import animals, augment, noise, sentences, speech, voices
from training.data.embeddings import embed
from training.data.workers import spread

needs_a_voice = pytest.mark.skipif(
    not voices.all_voices(), reason="no synthesiser: pip install 'everpaw[voice]'"
)


def tone(length_s: float = 1.0) -> augment.Floats:
    return (0.3 * np.sin(np.arange(int(16_000 * length_s)) * 0.2)).astype(np.float32)


@needs_a_voice
def test_held_out_voices_are_never_trained_on() -> None:
    train, held_out = voices.voices(), voices.voices(held_out=True)
    assert train
    assert held_out
    assert not {v.id for v in train} & {v.id for v in held_out}
    variants = [
        {v.name.partition("+")[2] for v in part if v.engine == "espeak"} for part in (train, held_out)
    ]
    assert not variants[0] & variants[1]


@needs_a_voice
@pytest.mark.parametrize("engine", ["espeak", "flite", "festival", "pico"])
def test_each_engine_speaks(engine: str) -> None:
    of_engine = [v for v in voices.all_voices() if v.engine == engine]
    if not of_engine:
        pytest.skip(f"{engine} is not installed")
    sound = voices.synthesize('hey buddy, "sit" down', of_engine[-1], np.random.default_rng(1))
    assert sound.dtype == np.float32
    assert 0.4 < len(sound) / 16_000 < 5
    assert np.abs(sound).max() == pytest.approx(0.5, abs=0.01)


@needs_a_voice
@pytest.mark.parametrize("text", ["", "  ", "123 !?", "a" * 1000])
def test_what_cannot_be_spoken_is_refused(text: str) -> None:
    with pytest.raises(TrainingError, match="cannot speak"):
        voices.synthesize(text, voices.voices()[0], np.random.default_rng(0))


def test_without_a_synthesiser_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voices, "all_voices", lambda: ())
    with pytest.raises(TrainingError, match=r"pip install 'everpaw\[voice\]'"):
        next(speech.clips(["hello"], 1, seed=0, workers=0))
    assert len(voices.missing()) == 4


@needs_a_voice
def test_a_seed_fixes_texts_and_voices(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EVERPAW_CACHE", str(tmp_path))
    made = [
        [(text, voice) for _, text, voice in speech.clips(["sit", "stand up"], 12, 3, workers=0)]
        for _ in "ab"
    ]
    assert made[0] == made[1]
    assert len(set(made[0])) > 6


def test_recorded_voices_come_from_the_cache_the_second_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EVERPAW_CACHE", str(tmp_path))
    recorded = [v for v in voices.all_voices() if v.engine == "flite"]
    if not recorded:
        pytest.skip("flite is not installed")
    plan = voices.plan("good boy", recorded[0], np.random.default_rng(0))
    first = speech.spoken(plan)
    (file,) = tmp_path.rglob("*.npy")
    monkeypatch.setattr(voices, "render", lambda utterance: pytest.fail("spoken again"))
    np.testing.assert_array_equal(speech.spoken(plan), first)
    file.write_bytes(b"cut short")
    with pytest.raises(pytest.fail.Exception):
        speech.spoken(plan)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0, 2.0])
def test_rough_treatment_keeps_sound_finite_and_in_range(level: float) -> None:
    for seed in range(6):
        rough = augment.roughen(tone(), np.random.default_rng(seed), level)
        assert rough.dtype == np.float32
        assert np.isfinite(rough).all()
        assert np.abs(rough).max() <= 1.0
        assert 0.6 < len(rough) / 16_000 < 1.6


def test_rough_treatment_is_seeded() -> None:
    made = [augment.roughen(tone(), np.random.default_rng(5)) for _ in range(2)]
    np.testing.assert_array_equal(*made)


@pytest.mark.parametrize("snr_db", [0.0, 20.0])
def test_a_noisy_place_is_as_noisy_as_was_asked_for(snr_db: float, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    monkeypatch.setattr(augment, "add_noise", lambda s, rng, ratio: asked.append(ratio) or s)
    for seed in range(8):
        augment.room(tone(), np.random.default_rng(seed), 0.3, (snr_db, snr_db + 1.0))
    assert len(asked) == 8
    assert all(snr_db <= ratio <= snr_db + 1.0 for ratio in asked)


def test_mixing_gives_the_asked_signal_to_noise_ratio() -> None:
    other = np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
    added = augment.mix(tone(), other, 10.0) - tone()
    loud = np.abs(tone()) > 0.03
    ratio = float((tone()[loud] ** 2).mean() / (added**2).mean())
    assert 10 * np.log10(ratio) == pytest.approx(10, abs=0.2)


def test_moving_formants_keeps_the_length_and_a_plain_pass_keeps_the_sound() -> None:
    rng, flat = np.random.default_rng(0), np.ones(257, np.float32)
    np.testing.assert_allclose(augment.reshape_spectrum(tone(), 1.0, flat, 0.0, rng), tone(), atol=1e-3)
    assert len(augment.reshape_spectrum(tone(), 1.2, flat, 0.3, rng)) == 16_000


def test_noises_and_animals_are_sound() -> None:
    rng = np.random.default_rng(0)
    for kind in ("white", "pink", "hum", "motors"):
        stretch = noise.stretch(4000, rng, kind)
        assert len(stretch) == 4000
        assert 0.001 < np.abs(stretch).max() < 2
    assert np.abs(animals.animal(rng)).max() == pytest.approx(0.5, abs=0.01)


@needs_a_voice
def test_neighbours_sound_alike() -> None:
    assert {"body", "bunny", "muddy"} <= set(sentences.neighbours("buddy", 12))
    assert "stop" not in sentences.neighbours("stop", 50)
    assert sentences.distance("kitten", "sitting") == 3


def test_clip_embeddings_equal_the_stream() -> None:
    from runtime.audio.embeddings import WakeFeatures

    rng = np.random.default_rng(0)
    sound = (rng.normal(0, 3000, 40_000) * np.repeat(rng.random(40), 1000)).astype(np.int16)
    streamed = np.stack([embedding for _, embedding in WakeFeatures().step(sound)])
    np.testing.assert_allclose(embed(sound), streamed, atol=1e-3)


def _square_or_die(job: tuple[int, str]) -> int:
    number, mark = job
    if number == 3 and not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2


def test_a_killed_worker_costs_no_result(tmp_path: Path) -> None:
    jobs = [(n, str(tmp_path / "died")) for n in range(8)]
    assert list(spread(_square_or_die, jobs, workers=1)) == [n**2 for n in range(8)]
    assert (tmp_path / "died").exists()
