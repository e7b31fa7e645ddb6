"""A run that is killed at any moment goes on as if nothing had been."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import load_file

from tests.training.school.lessons import words
from training.school import checkpoint, pupil, recipe

ROOT = Path(__file__).parents[3]


def test_a_run_that_is_killed_ends_as_if_nothing_had_been(
    starts: dict[str, Path], table: Path, tmp_path: Path
) -> None:
    noisy = ("switches.speech_noise=0.7", "switches.average=0.9", "switches.r_drop=0.5", "switches.fgm=0.1",
             "length.steps=40", "length.save_steps=3", "length.looks=3")  # fmt: skip

    def command(out: Path) -> list[str]:
        return [
            sys.executable,
            "-m",
            "training.behaviour",
            *words(starts["bert"], table, *noisy),
            "--out",
            str(out),
        ]

    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    killed = tmp_path / "killed"
    process = subprocess.Popen(command(killed), env=env, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    work = killed.with_name("killed.work")
    while pupil.last_whole(work) is None and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not killed.exists()
    begun = pupil.last_whole(work)
    assert begun is not None
    for out in (killed, tmp_path / "whole"):
        assert recipe.main("behaviour", command(out)[3:]) == 0
    one, other = (load_file(out / "model.safetensors") for out in (killed, tmp_path / "whole"))
    assert all(torch.equal(one[name], other[name]) for name in one)
    cards = [checkpoint.read_card(out) for out in (killed, tmp_path / "whole")]
    assert cards[0].metrics == cards[1].metrics


def test_a_checkpoint_that_a_kill_left_half_is_not_gone_on_with(tmp_path: Path) -> None:
    for step, whole in ((3, True), (10, True), (12, False)):
        folder = pupil.checkpoint_of(tmp_path, step)
        folder.mkdir()
        if whole:
            (folder / pupil.WHOLE).touch()
    assert pupil.last_whole(tmp_path) == pupil.checkpoint_of(tmp_path, 10)
