"""The short form of each long proof; `make torture` runs them in full."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.broker import available_kind
from tests.firmware_bridge import micropython
from tests.torture.__main__ import PROOFS, main, table
from tests.torture.ledger import ROOT, Outcome, Piece, Proof, Row, Verdict, look, prove


@pytest.mark.parametrize("name", PROOFS)
def test_the_short_form_of_each_proof_holds(name: str, tmp_path: Path) -> None:
    if name in ("frames", "without"):
        micropython.module()  # skips where it cannot be had
    if name == "campaign" and available_kind() is None:
        pytest.skip("neither mosquitto nor amqtt is installed")
    # A process of its own: mutants must be the first of their modules that their tests import.
    line = [sys.executable, "-m", "tests.torture", name, "--short", "--out", str(tmp_path)]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    [outcome] = json.loads((tmp_path / "torture-short.json").read_text())
    assert outcome["done"] == outcome["of"] > 0


def counting(
    fails_at: int | None = None, sources: tuple[str, ...] = ("Makefile",)
) -> tuple[Proof, list[int]]:
    """A proof of five pieces that notes what it ran; one of them may be interrupted."""
    ran: list[int] = []

    def work(number: int) -> Callable[[], Row]:
        def run() -> Row:
            if number == fails_at:
                raise KeyboardInterrupt
            ran.append(number)
            return {"number": number, "bad": number == 3}

        return run

    def judge(rows: list[Row]) -> Verdict:
        return Verdict(sum(row["bad"] for row in rows), f"{len(rows)} rows")

    pieces = [Piece(str(number), work(number)) for number in range(5)]
    return Proof("counting", "counts", sources, lambda short: pieces, judge), ran


def test_an_interrupted_proof_goes_on_where_it_was(tmp_path: Path) -> None:
    proof, ran = counting(fails_at=3)
    with pytest.raises(KeyboardInterrupt):
        prove(proof, tmp_path)
    assert ran == [0, 1, 2]
    assert look(proof, tmp_path).done == 3
    assert not look(proof, tmp_path).ok
    again, more = counting()
    outcome = prove(again, tmp_path)
    assert more == [3, 4]
    assert (outcome.done, outcome.failed, outcome.ok) == (5, 1, False)


def test_a_line_cut_short_is_run_again_and_other_sources_begin_anew(tmp_path: Path) -> None:
    proof, _ = counting()
    prove(proof, tmp_path)
    path = tmp_path / "counting.jsonl"
    path.write_text(path.read_text()[:-5])
    again, ran = counting()
    prove(again, tmp_path)
    assert ran == [4]
    other, ran = counting(sources=("LICENSE",))
    prove(other, tmp_path)
    assert ran == [0, 1, 2, 3, 4]
    with pytest.raises(FileNotFoundError, match="nowhere"):
        prove(counting(sources=("nowhere/*.py",))[0], tmp_path)


def test_the_table_tells_holds_fails_and_open_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        Outcome(name, "", done, 5, failed, "")
        for name, done, failed in (("a", 5, 0), ("b", 5, 1), ("c", 2, 0))
    ]
    assert [line.split()[1] for line in table(rows).splitlines()[1:]] == ["holds", "FAILS", "open"]
    assert main(["noise", "--short", "--status", "--out", str(tmp_path)]) == 1
    assert "open" in capsys.readouterr().out
    assert json.loads((tmp_path / "torture-short.json").read_text())[0]["ok"] is False
