"""`everpaw train review`: strangers' remarks that a person looks at before a pet learns to answer them.

What the rules of danger know (runtime/mind/rules.toml) is never learned as small talk. What only holds a word
that alarms waits for a person: the command prints such remarks as a table, verdict first and empty; a line
with `keep` or `drop` before its first tab goes into reviewed.tsv. What has no verdict is not taught.
"""

import argparse
import os
import sys
from functools import cache
from pathlib import Path
from typing import Literal

from runtime.contracts.errors import TrainingError
from runtime.mind import rules
from training.data import corpora

REVIEWED = Path(__file__).with_name("reviewed.tsv")
VERDICTS = ("keep", "drop")
Doubt = Literal["", "danger", "alarming"]


def doubt(heard: str) -> Doubt:
    """Why a remark (normalised words) is not simply taught; empty: nothing speaks against it."""
    if rules.first(rules.DANGER, heard):
        return "danger"
    return "alarming" if rules.ALARMING.intersection(heard.split()) else ""


def taught(heard: str) -> bool:
    """Whether a pet may learn to answer it as small talk."""
    why = doubt(heard)
    return not why or (why == "alarming" and verdicts(REVIEWED).get(heard) == "keep")


@cache
def verdicts(path: Path) -> dict[str, str]:
    """Remark -> keep or drop; TrainingError names the line that is neither."""
    found = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("#") or not line.strip():
            continue
        verdict, tab, heard = line.partition("\t")
        if verdict not in VERDICTS or not tab:
            raise TrainingError(
                f"{path}, line {number}: {line[:60]!r} is no verdict; write keep or drop, a tab, the remark"
            )
        found[heard] = verdict
    return found


def queue() -> list[str]:
    """Remarks that wait for a verdict, sorted."""
    said = {heard for pairs in corpora.remarks("train").values() for heard, _ in pairs}
    return sorted(heard for heard in said if doubt(heard) == "alarming" and heard not in verdicts(REVIEWED))


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="everpaw train review", description="Remarks that wait for a person's verdict, as a table."
    )
    parser.parse_args(argv)
    if not os.environ.get("EVERPAW_DATA"):
        raise TrainingError(
            "the remarks come from GoEmotions and CLINC-150; set EVERPAW_DATA to their folder"
        )
    waiting = queue()
    for heard in waiting:
        print(f"\t{heard}")
    said = "write keep or drop before each and add them to" if waiting else "nothing to add to"
    print(f"{len(waiting)} remarks wait; {said} {REVIEWED}", file=sys.stderr)
    return 0
