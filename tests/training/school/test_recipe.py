"""Any start learns, is measured, and goes on after a kill as if nothing had been."""

import errno
import json
import shutil
from pathlib import Path

import pytest
import torch

from runtime.cli import main
from runtime.contracts.errors import ConfigError, TrainingError
from runtime.starter import FOLDER
from tests.training.school.lessons import lesson_of, words
from training.school import checkpoint, course, pupil

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("kind", ["bert", "distilbert", "gpt2", "llama", "qwen2"])
def test_any_architecture_learns_and_is_measured(
    kind: str, starts: dict[str, Path], table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    enough = ("length.steps=120", "optimiser.rate=0.005", "optimiser.head_factor=3")
    assert main(["train", "behaviour", *words(starts[kind], table, *enough), "--out", str(out)]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (
        told["this model"]["in_scope_accuracy"]["share"] > told["start"]["in_scope_accuracy"]["share"] + 0.3
    )
    assert {"linear, same sentences", "this model and the linear one", "start"} < set(told)
    assert {"school.json", "report.html", "report.json", "confusion.png"} < {p.name for p in out.iterdir()}
    assert not out.with_name("out.work").exists()
    again = tmp_path / "again.tsv"
    again.write_text("text\tlabel\nplease sit\tsit\nbark loud\tbark\norder a pizza\toos\n", encoding="utf-8")
    assert main(["eval", "behaviour", str(out), str(again), "--with", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["in_scope_accuracy"]["n"] == 2


def test_early_stopping_stops(starts: dict[str, Path], table: Path, tmp_path: Path) -> None:
    lesson = lesson_of(starts["bert"], table, "optimiser.rate=1e-9", "length.steps=60", "length.patience=1")
    assert course.learn(lesson, course.parts_of(lesson), tmp_path / "w").steps < 60


def test_a_loss_that_is_no_number_ends_the_run(starts: dict[str, Path], table: Path, tmp_path: Path) -> None:
    lesson = lesson_of(
        starts["bert"],
        table,
        "optimiser.rate=1e30",
        "optimiser.clip=0",
        "optimiser.name=sgd",
        "length.steps=30",
    )
    with pytest.raises(TrainingError, match=r"lower optimiser\.rate"):
        course.learn(lesson, course.parts_of(lesson), tmp_path / "w")


def test_a_full_disk_is_named_and_what_was_done_is_kept(
    starts: dict[str, Path], table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson = lesson_of(starts["bert"], table, "length.save_steps=2")
    parts, saved = course.parts_of(lesson), pupil.Pupil._save_optimizer_and_scheduler

    def full(self: pupil.Pupil, folder: str) -> None:
        if self.state.global_step > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        saved(self, folder)

    monkeypatch.setattr(pupil.Pupil, "_save_optimizer_and_scheduler", full)
    with pytest.raises(TrainingError, match=r"disk of .* is full.*checkpoint-2"):
        course.learn(lesson, parts, tmp_path / "w")


def test_errors_name_the_cure(
    starts: dict[str, Path], table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    out = tmp_path / "out"

    def error(*argv: str) -> str:
        assert main([*argv]) == 1
        return capsys.readouterr().err.strip().splitlines()[-1]

    assert "start is not set" in error("train", "behaviour", "--set", "seed=1", "--out", str(out))
    assert "docs/school.md" in error("train", "behaviour", "--set", "sed=1", "--out", str(out))
    assert "nor could a hub give it" in error(
        "train", "behaviour", *words(Path("nowhere/at-all"), table), "--out", str(out)
    )
    assert "is not there" in error(
        "train", "behaviour", *words(starts["bert"], tmp_path / "no.tsv"), "--out", str(out)
    )
    torn = tmp_path / "torn"
    shutil.copytree(starts["bert"], torn)
    (torn / "model.safetensors").write_bytes(b"half of the weights")
    assert "is no checkpoint that can be used" in error(
        "train", "behaviour", *words(torn, table), "--out", str(out)
    )
    assert "is no checkpoint of the school" in error("eval", "behaviour", str(starts["bert"]), str(table))
    assert main(["train", "behaviour", *words(starts["bert"], table), "--out", str(out)]) == 0
    capsys.readouterr()
    assert "is a checkpoint of 'behaviour', not of 'mood'" in error("eval", "mood", str(out), str(table))
    strange = tmp_path / "strange.tsv"
    strange.write_text("fly away\tfly\n", encoding="utf-8")
    assert "labels that were not learned: ['fly']" in error("eval", "behaviour", str(out), str(strange))


def test_a_folder_of_another_run_is_not_gone_on_with(
    starts: dict[str, Path], table: Path, tmp_path: Path
) -> None:
    for pair, fails in (("seed=1", False), ("seed=1", False), ("seed=2", True)):
        lesson = lesson_of(starts["bert"], table, pair)
        parts = course.parts_of(lesson)
        if fails:
            with pytest.raises(TrainingError, match="holds a run with other settings"):
                course.learn(lesson, parts, tmp_path / "w")
        else:
            course.learn(lesson, parts, tmp_path / "w")


def test_half_precision_of_a_gpu_needs_one(starts: dict[str, Path], table: Path, tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    lesson = lesson_of(starts["bert"], table, "machine.precision=fp16")
    with pytest.raises(ConfigError, match="needs a CUDA GPU"):
        course.learn(lesson, course.parts_of(lesson), tmp_path / "w")


def test_several_emotions_a_sentence(
    starts: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moods = (("so glad", "joy"), ("oh no", "fear"), ("glad but oh no", "joy,fear"), ("a table", "neutral"))
    lines = [f"{text} {n}\t{label}" for n in range(4) for text, label in moods]
    path = tmp_path / "moods.tsv"
    path.write_text("\n".join(lines * 3) + "\n", encoding="utf-8")
    pairs = words(
        starts["bert"], path, "data.clean=false", "switches.class_balance=0.5", "switches.r_drop=0.1"
    )
    assert main(["train", "mood", *pairs, "--out", str(tmp_path / "mood")]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(told["this model"]["f1"]) == {"fear", "joy", "neutral"}
    assert len(checkpoint.read_card(tmp_path / "mood").thresholds) == 3


def test_a_pack_s_reader_is_measured_on_the_same_sentences(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "moods.tsv"
    glad = ("i am so happy today", "what a wonderful surprise i love it", "this makes me glad thank you")
    path.write_text("".join(f"{text}\tjoy\n" for text in (*glad, glad[0])), encoding="utf-8")
    assert main(["eval", "mood", str(FOLDER / "reader"), str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["n"] == 3
    assert found["f1"]["joy"] > 0.6
    assert main(["eval", "mood", str(FOLDER / "reader"), str(path)]) == 0
    assert "macro-F1: " in capsys.readouterr().out
