"""A checkpoint learns what its owner says, asks where it is not sure, and keeps what it knew."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from runtime.cli import main
from runtime.contracts.errors import TrainingError
from runtime.lessons.lesson import Lesson, Meaning
from runtime.mind.grammar import Grammar
from runtime.starter import FOLDER
from tests.training.school.conftest import WORDS, sentences
from tests.training.school.lessons import QUICK
from training import provenance
from training.school import (
    checkpoint,
    continuing,
    course,
    examples,
    interactions,
    keeping,
    losses,
    questions,
    rehearsal,
)
from training.school import model as school_model
from training.school.examples import Example

NEW = "bark"
WEAK = ("--set", "keep.ewc=0.0001", "--set", "keep.rounds=1")
"""Small weights go far; what is right for large ones would hold them where they are"""
GRAMMAR = Grammar.load(FOLDER / "grammar.yaml")


def lesson(heard: str, intent: str | None = None, label: str = "", meant: str = "", **more: object) -> Lesson:
    meaning = Meaning(text=f"no {meant}", intent=meant) if meant else None
    told = {
        "heard": heard,
        "clear": 1,
        "belief": 1,
        "intent": intent,
        "label": label,
        "meant": meaning,
        **more,
    }
    return Lesson.model_validate(told)


def written(path: Path, lessons: Sequence[Lesson]) -> Path:
    path.write_text("".join(one.model_dump_json(by_alias=True) + "\n" for one in lessons), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def base(starts: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that knows all but NEW."""
    folder = tmp_path_factory.mktemp("base")
    table = folder / "old.tsv"
    table.write_text("".join(f"{t}\t{label}\n" for t, label in sentences() if label != NEW), encoding="utf-8")
    more = ("length.steps=120", "optimiser.rate=0.005", "optimiser.head_factor=3")
    pairs = (f"start={starts['bert']}", f"data.train={table}", *QUICK, *more)
    words = [word for pair in pairs for word in ("--set", pair)]
    assert main(["train", "behaviour", *words, "--out", str(folder / "base")]) == 0
    return folder / "base"


def line_of(base: Path, lessons: Path) -> list[str]:
    return ["train", "continue", "behaviour", str(base), "--lessons", str(lessons)]


@pytest.fixture(scope="module")
def lessons(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(what the owner corrected and what nobody named, sentences of the new intent to test on)."""
    folder = tmp_path_factory.mktemp("lessons")
    new = [text for text, label in sentences() if label == NEW]
    told = [lesson(text, "sit", "corrected", NEW) for text in new[::3]] + [lesson(text) for text in new[1::3]]
    test = folder / "test.tsv"
    test.write_text("".join(f"{text}\t{NEW}\n" for text in new[2::3]), encoding="utf-8")
    return written(folder / "lessons.jsonl", told), test


def test_a_new_intent_is_learned_and_the_old_are_kept(
    base: Path, lessons: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, (told, test) = tmp_path / "out", lessons
    argv = [*line_of(base, told), "--test", str(test)]
    assert main([*argv, *WEAK, "--retrain", "--out", str(out)]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["before"]["new"]["in_scope_accuracy"]["share"] == 0
    assert found["gain"] > 0.5
    assert found["gain_of_retrain"] > 0.5
    assert found["forgotten"] < 0.3
    card = checkpoint.read_card(out)
    assert card.labels == sorted(WORDS, key=lambda label: (label != "oos", label))
    assert card.counts["replayed"]
    assert "gained on the new" in (out / "report.html").read_text("utf-8")
    assert json.loads((out / "report.json").read_text("utf-8"))["facts"]["forgotten"] == found["forgotten"]
    made = provenance.read_in(out)
    assert made is not None
    assert set(made.datasets) == {"lessons.jsonl", "old.tsv"}
    assert not out.with_name("out.work").exists()
    assert (
        main([*argv[:3], str(out), *argv[4:6], "--set", "keep.rounds=1", "--out", str(tmp_path / "on")]) == 0
    )


def test_a_round_that_was_finished_is_not_learned_again(
    base: Path, lessons: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    argv = [*line_of(base, lessons[0]), "--out", str(tmp_path / "o")]
    calls: list[Path] = []
    real = course.learn

    def dies_in_the_second(*args: object, **more: object) -> course.Learned:
        calls.append(args[2])  # type: ignore[arg-type]
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(course, "learn", dies_in_the_second)
    assert main(argv) == 130
    assert main(argv) == 0
    assert [path.name for path in calls] == ["round-1", "round-2", "round-2"]


def test_it_asks_what_it_does_not_know_and_learns_the_answers(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strange = [
        lesson(text) for text in ("woof woof", "woof please", "please make a noise", "noise now", "bark")
    ]
    told, out = written(tmp_path / "lessons.jsonl", strange), tmp_path / "out"
    argv = [*line_of(base, told), "--set", "keep.guess_weight=0", *WEAK]
    assert main([*argv, "--out", str(out)]) == 1
    asked = tmp_path / "out.questions.tsv"
    assert f"answer {asked}" in capsys.readouterr().err
    lines = asked.read_text("utf-8").splitlines()
    assert lines[2] == questions.HEAD
    asked.write_text("\n".join([*lines[:3], *(NEW + line for line in lines[3:])]) + "\n", encoding="utf-8")
    assert questions.read([asked]) == dict.fromkeys((line.split("\t")[3] for line in lines[3:]), NEW)
    assert main([*argv, "--answers", str(asked), "--out", str(out)]) == 0
    assert NEW in checkpoint.read_card(out).labels


def test_who_says_it_decides_what_it_counts() -> None:
    told = interactions.told(
        [
            lesson("sit down", "sit"), lesson("on your bottom", "walk", "corrected", "sit"),
            lesson("give me a paw", "paw", "praised"), lesson("shake a leg", "walk", "scolded"),
            lesson("call 030 1234567 for anna@example.org"), lesson("Shake a leg!", None),
        ],
        {"shake a leg": "dance"}, GRAMMAR, "behaviour",
    )  # fmt: skip
    by_text = {one.text: one for one in told}
    assert by_text["sit down"].how == ""
    assert by_text["on your bottom"] == interactions.Told(
        "on your bottom", "sit", "corrected", frozenset({"walk"})
    )
    assert by_text["no sit"].label == "sit"
    assert by_text["give me a paw"].how == "praised"
    assert by_text["shake a leg"] == interactions.Told(
        "shake a leg", "dance", "answered", frozenset({"walk"})
    )
    assert not any("anna@" in text for text in by_text)


def test_words_that_say_what_was_done_are_not_blamed() -> None:
    """ "turn left" - "no, turn right": the person changed their mind."""
    parse = GRAMMAR.parse("turn left")
    assert parse is not None
    meant = Meaning(text="no turn right", intent="spin")
    told = interactions.told(
        [lesson("turn left", parse.intent, "corrected", meant="").model_copy(update={"meant": meant})],
        {}, GRAMMAR, "behaviour",
    )  # fmt: skip
    assert {one.text: one.label for one in told} == {"turn left": parse.intent, "no turn right": "spin"}


def test_a_meaning_that_was_scolded_and_none_at_all_are_never_guessed() -> None:
    class Sure:
        card = checkpoint.Card(task="behaviour", start="", labels=["oos", "sit"], several=False, max_tokens=8,
                               settings={}, digests={})  # fmt: skip

        def shares(self, texts: list[str]) -> np.ndarray:
            return np.array([[1.0, 0.0] if text == "a pizza" else [0.0, 1.0] for text in texts])

    unknown = [
        interactions.Told("sit"),
        interactions.Told("no", never=frozenset({"sit"})),
        interactions.Told("a pizza"),
    ]
    new = continuing.New([], unknown, [], {})
    found = continuing.guesses(Sure(), new, continuing.Plan())  # type: ignore[arg-type]
    assert [one.labels for one in found] == [("sit",), (), ()]
    lacks = replace(new, taught=[Example("roll over", ("roll",))])
    found = continuing.guesses(Sure(), lacks, continuing.Plan())  # type: ignore[arg-type]
    assert [one.labels for one in found] == [(), (), ()]


def test_the_most_uncertain_is_asked_first_and_nothing_twice() -> None:
    shares = np.array([[0.9, 0.1], [0.5, 0.5], [0.52, 0.48], [0.6, 0.4]])
    texts = ["turn it on", "what about the cat", "what about the cat now", "hm"]
    assert questions.choose(texts, questions.uncertainty(shares, False), 3) == [1, 3, 0]
    assert questions.uncertainty(np.array([[0.5, 0.5], [0.9, 0.1]]), True).argmax() == 0


def test_columns_of_the_head_follow_their_labels(base: Path) -> None:
    card = checkpoint.read_card(base)
    lesson_ = continuing.Continuing.model_validate({**card.settings, "start": str(base)})
    labels = ["oos", "aardvark", *card.labels[1:]]
    before, after = (
        checkpoint.load(base, "behaviour"),
        school_model.classifier(lesson_, labels, False, 0).eval(),
    )
    texts = ["please sit", "walk on now"]
    old = school_model.logits_of(before.model, before.tokenizer, texts, 16)
    new = school_model.logits_of(after, before.tokenizer, texts, 16)
    assert torch.allclose(new[:, [0, *range(2, len(labels))]], old, atol=1e-5)


def test_a_new_column_begins_where_its_examples_are(base: Path) -> None:
    loaded = checkpoint.load(base, "behaviour")
    lesson_ = continuing.Continuing.model_validate({**loaded.card.settings, "start": str(base)})
    known = loaded.card.labels
    labels = [*known, "zoomies"]
    model = school_model.classifier(lesson_, labels, False, 0)
    old = [Example(text, (label,)) for text, label in sentences() if label in known][::6]
    taught = [Example(text, ("zoomies",)) for text, label in sentences() if label == NEW]
    keeping.imprint(model, loaded.tokenizer, keeping.Keep(old, known, 0.0, taught), labels, 16)
    found = school_model.logits_of(model, loaded.tokenizer, [e.text for e in (*taught, *old)], 16)[:, -1]
    assert float(found[: len(taught)].mean()) > float(found[len(taught) :].mean())
    lengths = school_model.head_of(model, len(labels)).weight.norm(dim=1)
    assert float(lengths[-1]) == pytest.approx(float(lengths[:-1].mean()), rel=1e-4)


def test_what_matters_for_the_old_is_held(base: Path) -> None:
    loaded = checkpoint.load(base, "behaviour")
    old = [Example(text, (label,)) for text, label in sentences()[:20]]
    held = keeping.hold(
        loaded.model, loaded.tokenizer, keeping.Keep(old, ["sit"], 1.0), loaded.card.labels, 16
    )
    mean = sum(float(m.sum()) for m in held.matters.values()) / sum(m.numel() for m in held.matters.values())
    assert mean < 1  # 1 without the columns of labels that are new
    assert float(losses.pull(loaded.model, held.start, held.matters)) == 0
    name = max(held.matters, key=lambda n: float(held.matters[n].max()))
    weights = dict(loaded.model.named_parameters())
    with torch.no_grad():
        weights[name] += 1
    moved = float(losses.pull(loaded.model, held.start, held.matters))
    assert moved == pytest.approx(float(held.matters[name].sum()) / 2, rel=1e-4)


@pytest.mark.parametrize(
    ("key", "value"), [("ewc", 1.0), ("replay", 0.5), ("owner_weight", 9.0), ("guess_weight", 2.0)]
)
def test_each_setting_changes_what_is_learned(
    key: str, value: float, base: Path, lessons: tuple[Path, Path], tmp_path: Path
) -> None:
    weights = []
    for n, pair in enumerate(("keep.ewc=0.01", f"keep.{key}={value}")):
        out = tmp_path / str(n)
        argv = [
            "--lessons",
            str(lessons[0]),
            "--set",
            "length.steps=4",
            "--set",
            f"keep.rounds={2 if key == 'guess_weight' else 1}",
            "--set",
            "keep.sure=0.51",
            "--set",
            pair,
        ]
        assert main(["train", "continue", "behaviour", str(base), *argv, "--out", str(out)]) == 0
        model = checkpoint.load(out, "behaviour").model
        weights.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    assert not torch.allclose(*weights, atol=1e-7)


def test_errors_name_the_cure(
    base: Path, lessons: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def error(task: str, folder: Path, *more: object) -> str:
        argv = ["train", "continue", task, str(folder), "--out", str(tmp_path / "out"), *map(str, more)]
        assert main(argv) == 1
        return capsys.readouterr().err.strip().splitlines()[-1]

    told = lessons[0]
    assert "is a checkpoint of 'behaviour', not of 'mood'" in error("mood", base, "--lessons", told)
    assert "is no checkpoint of the school" in error("behaviour", tmp_path, "--lessons", told)
    assert "cannot be read" in error("behaviour", base, "--lessons", tmp_path / "none.jsonl")
    torn = tmp_path / "torn.jsonl"
    torn.write_text(told.read_text("utf-8") + '{"schema": 1, "heard"', encoding="utf-8")
    assert "is no lesson" in error("behaviour", base, "--lessons", torn)
    badly = tmp_path / "badly.tsv"
    badly.write_text("sit sit down\n", encoding="utf-8")
    assert "has not four parts" in error("behaviour", base, "--answers", badly)
    assert "unknown setting 'keep.shure'" in error(
        "behaviour", base, "--lessons", told, "--set", "keep.shure=1"
    )
    assert "lower optimiser.rate" in error(
        "behaviour", base, "--lessons", told, "--set", "optimiser.name=sgd", "--set", "optimiser.rate=1e30",
        "--set", "optimiser.clip=0",
    )  # fmt: skip
    other = tmp_path / "other.tsv"
    other.write_text("".join(f"{text}\t{label}\n" for text, label in sentences()), encoding="utf-8")
    assert "are not those the checkpoint learned from" in error(
        "behaviour", base, "--lessons", told, "--set", f"data.train={other}"
    )
    with pytest.raises(TrainingError):
        interactions.read([tmp_path])


def test_a_life_is_rehearsed_and_an_owner_who_knows_answers(tmp_path: Path) -> None:
    rows = [
        [f"{word} number {n}", label] for label, words_ in WORDS.items() for word in words_ for n in range(5)
    ]
    dev = [["sit too", "sit"], ["walk too", "walk"], ["bark too", NEW]]
    known = [row for row in rows if row[1] != "oos"]
    sets = {"train": known, "val": dev, "oos_train": [row for row in rows if row[1] == "oos"], "oos_val": []}
    corpus, out = tmp_path / "clinc.json", tmp_path / "life"
    corpus.write_text(json.dumps(sets), encoding="utf-8")
    assert rehearsal.main([str(corpus), "--out", str(out), "--intents", "1", "--told", "0.4"]) == 0
    lessons = interactions.read([out / "lessons.jsonl"])
    old = {e.labels[0] for e in examples.read(out / "old.json", "train")}
    [new] = {one.meant.intent for one in lessons if one.meant}
    assert new not in old
    assert sum(one.label == "corrected" for one in lessons) == 4
    assert {e.labels for e in examples.read(out / "test.tsv", "validation")} == {(new,)}
    silent = [one.heard for one in lessons if not one.label]
    asked = tmp_path / "questions.tsv"
    questions.write(asked, silent, ["sit"] * len(silent), [0.5] * len(silent))
    assert rehearsal.main([str(corpus), "--out", str(out), "--answer", str(asked)]) == 0
    answers = questions.read([asked])
    assert set(answers) == set(silent)
    assert all(label == next(r[1] for r in rows if r[0] == text) for text, label in answers.items())
