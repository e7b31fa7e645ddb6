"""Two processes on the CPU learn what one does."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.training.school.lessons import lesson_of, words
from training.school import course

ROOT = Path(__file__).parents[3]
SAME = ("switches.dropout=0", "length.steps=6", "optimiser.name=sgd", "length.looks=1")


def test_two_processes_give_the_loss_of_one(starts: dict[str, Path], table: Path, tmp_path: Path) -> None:
    lesson = lesson_of(starts["bert"], table, *SAME, "length.batch=8")
    alone = course.learn(lesson, course.parts_of(lesson), tmp_path / "one").history
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    recipe = ["-m", "training.behaviour", *words(starts["bert"], table, *SAME, "length.batch=4")]
    out = tmp_path / "two"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*launch, *recipe, "--out", str(out)], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr.count("step 6 of 6") == 1
    together = json.loads((out / "report.json").read_text())["curves"]["loss while learning"]
    assert [step for step, _ in together] == [row["step"] for row in alone if "loss" in row]
    gaps = [
        abs(loss - row["loss"])
        for (_, loss), row in zip(together, (r for r in alone if "loss" in r), strict=True)
    ]
    assert max(gaps) < 1e-4
