"""`everpaw train TASK`: one recipe a task, each read from top to bottom; ablate and search vary one."""

import importlib
import sys

from runtime.contracts.errors import TrainingError

RECIPES = {
    "wake": "training.wake.recipe",
    "stop": "training.wake.recipe",
    "asr": "training.asr.recipe",
    "behaviour": "training.behaviour.recipe",
    "mood": "training.mood",
    "continue": "training.school.continuing",
    "ablate": "training.school.ablate",
    "search": "training.school.search",
    "dialogue": "training.dialogue.recipe",
    "start": "training.dialogue.start",
    "reader": "training.reader.recipe",
    "sounds": "training.sounds",
    "demo-voice": "training.demo_voice",
    "review": "training.data.review",
    "listen": "training.data.listen",
}
_DEFAULTS = {"stop": ["--name", "stop"]}


def main(argv: list[str]) -> int:
    """Run the recipe of the first word; the rest is its own command line."""
    if not argv or argv[0] in {"-h", "--help"}:
        print(f"usage: everpaw train {{{','.join(RECIPES)}}} --out DIR ...", file=sys.stderr)
        return 0 if argv else 2
    task, *rest = argv
    if task not in RECIPES:
        raise TrainingError(f"no recipe named {task!r}; known: {', '.join(RECIPES)}")
    recipe = importlib.import_module(RECIPES[task])
    return int(recipe.main([*_DEFAULTS.get(task, []), *rest]))
