"""`everpaw train search TASK`: settings found by Optuna, on the held-back part alone; resumable and pruned.

A space is a TOML file: `"optimiser.rate" = {low = 1e-5, high = 3e-4, log = true}`,
`"length.batch" = {choices = [16, 32]}`. Trials are kept in `search.db`; typed again, the same command goes
on. The reported part is never looked at. `best.toml` is a `--config`.
"""

import argparse
import contextlib
import json
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

import optuna
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from runtime.contracts.config import load_config
from runtime.contracts.errors import ConfigError, EverpawError
from runtime.pace import Pace
from runtime.picture_file import picture
from training.school import course
from training.school.settings import Lesson


class Pruned(TrainerCallback):
    """Ends a trial that falls behind the others at the same look."""

    def __init__(self, trial: optuna.Trial) -> None:
        self._trial = trial

    def on_evaluate(
        self,
        _a: TrainingArguments,
        state: TrainerState,
        _c: TrainerControl,
        metrics: dict[str, float],
        **_: Any,
    ) -> None:
        self._trial.report(metrics[f"eval_{course.METRIC}"], state.global_step)
        if self._trial.should_prune():
            raise optuna.TrialPruned


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="everpaw train search", description="Look for better settings.")
    parser.add_argument("task", choices=("behaviour", "mood"))
    parser.add_argument("--config", type=Path, help="the lesson that is varied")
    parser.add_argument("--set", action="append", default=[], metavar="PART.KEY=VALUE")
    parser.add_argument(
        "--space", type=Path, required=True, help="TOML: setting -> {low, high, log} or {choices}"
    )
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--out", type=Path, required=True, help="folder for search.db, best.toml, search.png")
    args = parser.parse_args(argv)
    space = read_space(args.space)
    lesson = load_config(Lesson, args.config, args.set)
    parts = course.parts_of(lesson)
    args.out.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name=f"{args.task}-{lesson.digest[:12]}", storage=f"sqlite:///{args.out / 'search.db'}",
        direction="maximize", load_if_exists=True, sampler=optuna.samplers.TPESampler(seed=lesson.seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4),
    )  # fmt: skip

    def score(trial: optuna.Trial) -> float:
        pairs = [f"{name}={draw(trial, name, span)}" for name, span in space.items()]
        one = load_config(Lesson, args.config, [*args.set, *pairs])
        work = args.out / f"trial-{trial.number}"
        try:
            learned = course.learn(one, parts, work, [Pruned(trial)])
            return max(
                row[f"eval_{course.METRIC}"] for row in learned.history if f"eval_{course.METRIC}" in row
            )
        finally:
            shutil.rmtree(work, ignore_errors=True)

    for name, span in space.items():
        probe = span["choices"][0] if "choices" in span else span["low"]
        load_config(Lesson, args.config, [*args.set, f"{name}={probe}"])
    left = args.trials - len([t for t in study.trials if t.state.is_finished()])
    pace = Pace(max(1, left))
    for done in range(1, left + 1):
        study.optimize(score, n_trials=1, catch=(EverpawError,))
        last = study.trials[-1]
        print(
            f"trial {last.number}: {last.state.name} {last.value} {last.params}  {pace.left(done)}",
            file=sys.stderr,
        )
    tell(study, args.out)
    return 0


def read_space(path: Path) -> dict[str, dict[str, Any]]:
    """ConfigError names what is no span and no choice."""
    try:
        space = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path} cannot be read ({error}); give a TOML file of settings and their spans"
        ) from error
    for name, span in space.items():
        if not isinstance(span, dict) or not (_is_span(span) or span.get("choices")):
            raise ConfigError(f"{path}: {name} = {span!r} needs low and a higher high, or choices")
    return space


def _is_span(span: dict[str, Any]) -> bool:
    low, high = span.get("low"), span.get("high")
    if not (isinstance(low, int | float) and isinstance(high, int | float)):
        return False
    return low < high and (low > 0 or not span.get("log"))


def draw(trial: optuna.Trial, name: str, span: dict[str, Any]) -> Any:
    if "choices" in span:
        return trial.suggest_categorical(name, span["choices"])
    if isinstance(span["low"], int) and isinstance(span["high"], int):
        return trial.suggest_int(name, span["low"], span["high"], log=span.get("log", False))
    return trial.suggest_float(name, span["low"], span["high"], log=span.get("log", False))


def tell(study: optuna.Study, out: Path) -> None:
    """The best settings as a file for `--set` or `--config`, every trial as a picture; the best on stdout."""
    done = [t for t in study.trials if t.value is not None]
    if not done:
        raise ConfigError("no trial came to its end; widen the space or lengthen the lesson")
    lines = [f"# {study.best_value:.4f} on the held-back part, the best of {len(done)} trials"]
    lines += [f"{name} = {json.dumps(value)}" for name, value in study.best_params.items()]
    (out / "best.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with contextlib.suppress(EverpawError), picture(out / "search.png", 7, 4) as figure:
        axes = figure.add_subplot()
        axes.plot([t.number for t in done], [t.value for t in done], "o")
        axes.set_xlabel("trial")
        axes.set_ylabel("right, held back")
    print("\n".join(lines))
