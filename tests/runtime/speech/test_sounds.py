"""The sound bank: by kind and mood, varied, seeded."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from runtime.contracts.errors import PackError
from runtime.mind.acts import load_actions
from runtime.speech.sounds import MOOD_POINTS, SoundBank

STARTER = Path(__file__).parents[3] / "runtime/starter"


def bank(folder: Path, rows: list[tuple[str, str, float, float]], seed: int = 1) -> SoundBank:
    """Sounds that are told apart by their level."""
    text = ""
    for i, (file, kind, valence, arousal) in enumerate(rows):
        soundfile.write(folder / file, np.full(1_600, 1_000 * 3**i, np.int16), 16_000)
        text += f'[[sound]]\nfile = "{file}"\nkind = "{kind}"\nvalence = {valence}\narousal = {arousal}\n'
    (folder / "sounds.toml").write_text(text)
    return SoundBank(folder, seed)


def level(samples: np.ndarray) -> int:
    """Number of the file; a mood makes a sound up to 4.5 dB quieter."""
    return round(float(np.log(np.median(samples) / 1_000) / np.log(3) + 0.25)) + 1


def test_the_mood_chooses(tmp_path: Path) -> None:
    sounds = bank(tmp_path, [("a.flac", "woof", -0.6, -0.2), ("b.flac", "woof", 0.6, 0.7)])
    assert level(sounds.pick("woof", "sad")) == 1
    assert level(sounds.pick("woof", "excited")) == 2


def test_equals_take_turns_and_vary(tmp_path: Path) -> None:
    sounds = bank(tmp_path, [(f"{c}.flac", "woof", 0.1, 0.0) for c in "abc"])
    picks = [sounds.pick("woof", "calm") for _ in range(12)]
    levels = [level(p) for p in picks]
    assert all(one != other for one, other in pairwise(levels))
    assert len({len(p) for p in picks}) > 6
    assert all(1_600 * 0.84 < len(p) < 1_600 * 1.21 for p in picks)


def test_the_seed_decides(tmp_path: Path) -> None:
    rows = [(f"{c}.flac", "woof", 0.1, 0.0) for c in "abc"]
    one, other = bank(tmp_path, rows, 5), bank(tmp_path, rows, 5)
    assert all(np.array_equal(one.pick("woof", "calm"), other.pick("woof", "calm")) for _ in range(9))


def test_an_unknown_kind_is_silence(tmp_path: Path) -> None:
    assert len(bank(tmp_path, [("a.flac", "woof", 0, 0)]).pick("moo", "calm")) == 0


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    bank(tmp_path, [("a.flac", "woof", 0, 0)])
    (tmp_path / "a.flac").write_bytes(b"no sound")
    with pytest.raises(PackError, match=r"a\.flac"):
        SoundBank(tmp_path)


def test_the_starter_has_every_sound_its_actions_name() -> None:
    sounds = SoundBank(STARTER / "sounds")
    named = {row.sound for row in load_actions(STARTER / "actions.toml").values() if row.sound}
    assert named <= set(sounds.kinds)
    assert sum(path.stat().st_size for path in (STARTER / "sounds").glob("*.flac")) <= 600_000


def test_a_thousand_calls_are_all_different_and_stay_in_bounds() -> None:
    sounds = SoundBank(STARTER / "sounds")
    picked = [sounds.pick("yip", mood) for mood in MOOD_POINTS for _ in range(40)]
    assert len({samples.tobytes() for samples in picked}) == len(picked)
    assert all(0 < np.abs(samples.astype(int)).max() <= 29_200 for samples in picked)


def test_a_single_call_becomes_a_bout_where_the_mood_is_lively(tmp_path: Path) -> None:
    bank(tmp_path, [("a.flac", "bark", 0, 0)])
    listed = (tmp_path / "sounds.toml").read_text()
    (tmp_path / "sounds.toml").write_text(f"{listed}single = true\npitch_hz = [0, 0, 400]\n")
    sounds = SoundBank(tmp_path, 1)
    assert all(len(sounds.pick("bark", "sleepy")) < 2_000 for _ in range(5))
    assert all(len(sounds.pick("bark", "excited")) > 2 * 1_360 + 3_000 for _ in range(5))


def test_of_its_own_will_it_takes_the_first_kind_it_has_and_breath_lasts() -> None:
    sounds = SoundBank(STARTER / "sounds")
    assert len(sounds.of_own_will(("purr", "pant"), "happy")) > 1.9 * 16_000
    assert len(sounds.of_own_will(("purr", "hiss"), "happy")) == 0
    assert len(sounds.sustain("pant", "calm", 7.0)) == 7 * 16_000
    assert len(sounds.sustain("purr", "calm", 7.0)) == 0


def test_sounds_are_made_ready_one_by_one(tmp_path: Path) -> None:
    sounds = bank(tmp_path, [("a.flac", "woof", 0, 0), ("b.flac", "woof", 0, 0)])
    assert [sounds.prepare() for _ in range(3)] == [True, True, False]
