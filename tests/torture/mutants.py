"""Mutation testing of the guard: every mutant of guard.py must be noticed by some test.

`python -m tests.torture mutants`: changes one operator, number, sign or statement of guard.py and vitals.py
at a time, runs their own tests against it in a child process, and names the survivors. Below 95 % killed it
fails. A mutant that loops is ended by the processor time it used, not by the clock on the wall, so that a
busy machine kills none.
"""

import ast
import copy
import importlib
import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest
from _pytest.main import pytest_runtestloop as run_tests
from hypothesis import Phase, settings

from firmware_bridge.dictionary import MCU
from tests.torture.ledger import Piece, Proof, Row, Verdict

GOAL = 0.95
MOST_CPU_S = 8
"""Five times what the tests take"""
EVERY_SHORT = 60
UNCHANGED = "unchanged"
TESTS = {
    "guard.py": (
        "test_guard_orders.py",
        "test_guard.py",
        "test_vitals.py",
        "test_tightening.py",
        "test_guard_machine.py",
    ),
    "vitals.py": ("test_vitals.py", "test_guard_machine.py"),
}
FOLDER = Path(__file__).parents[1] / "firmware_bridge"
COMPARE: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.LShift: ast.RShift,
}
CALLS = {"min": "max", "max": "min"}


def changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """(what, changed copy) of one node, children left alone."""
    if isinstance(node, ast.Compare):
        for other in COMPARE.get(type(node.ops[0]), ()):
            yield (
                f"{type(node.ops[0]).__name__} -> {other.__name__}",
                _with(node, ops=[other(), *node.ops[1:]]),
            )
        for at in range(1, len(node.ops)):
            for other in COMPARE.get(type(node.ops[at]), ())[:1]:
                ops = [*node.ops[:at], other(), *node.ops[at + 1 :]]
                yield f"{type(node.ops[at]).__name__} -> {other.__name__}", _with(node, ops=ops)
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in BINARY:
        other_op = BINARY[type(node.op)]
        yield f"{type(node.op).__name__} -> {other_op.__name__}", _with(node, op=other_op())
    elif isinstance(node, ast.BoolOp):
        flipped = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
        yield "and <-> or", _with(node, op=flipped)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield "operator dropped", node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield f"{node.value} -> {not node.value}", ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield f"{node.value} -> {node.value + 1}", ast.Constant(node.value + 1)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
        yield (
            f"{node.func.id} -> {CALLS[node.func.id]}",
            _with(node, func=ast.Name(CALLS[node.func.id], ast.Load())),
        )
    elif isinstance(node, ast.If):
        yield "if -> never", _with(node, test=ast.Constant(False))
    elif isinstance(node, ast.Assign | ast.AugAssign) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ):
        yield "statement dropped", ast.Pass()


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.deepcopy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


class Mutant(NamedTuple):
    line: int
    what: str
    number: int
    """Of the changed node in a walk of the tree"""
    changed: ast.AST


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant; docstrings and imports stay."""
    for number, node in enumerate(ast.walk(ast.parse(source))):
        for what, changed in changes(node):
            yield Mutant(getattr(node, "lineno", 0), what, number, changed)


def mutated(source: str, mutant: Mutant) -> str:
    tree = ast.parse(source)
    target = next(islice(ast.walk(tree), mutant.number, None))
    return ast.unparse(_Replace(target, mutant.changed).visit(tree))


class _Replace(ast.NodeTransformer):
    def __init__(self, target: ast.AST, changed: ast.AST) -> None:
        self._target, self._changed = target, changed

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self._target:
            return ast.fix_missing_locations(ast.copy_location(self._changed, node))
        return super().visit(node)


def survives(name: str, source: str) -> bool:
    """Whether the tests of `name` pass with `source` in its place."""
    if name not in _TRIALS:
        _TRIALS[name] = _trial(name)
    _TRIALS[name].send(source)
    return bool(_TRIALS[name].recv())


_TRIALS: dict[str, Connection] = {}


def _trial(name: str) -> Connection:
    """A child that has collected the tests of `name`, and runs them for every source it is sent."""
    here, there = Pipe()
    if os.fork() == 0:
        here.close()
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 1)
        os.dup2(devnull, 2)
        paths = [str(FOLDER / test) for test in TESTS[name]]
        # That it fails is all that is asked; the smallest example would take most of the time.
        settings.register_profile("mutants", phases=(Phase.explicit, Phase.generate), database=None)
        settings.load_profile("mutants")
        quick = ["-x", "-q", "--hypothesis-seed=1", "-pno:cacheprovider", "-pno:faulthandler"]
        pytest.main([*quick, *paths], plugins=[_Collected(name, there)])
        os._exit(0)
    there.close()
    return here


class _Collected:
    """In place of pytest's own loop over the tests: one for each mutant, in a child of its own."""

    def __init__(self, name: str, asked: Connection) -> None:
        self._name, self._asked = name, asked

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        with suppress(EOFError):
            while True:
                source = self._asked.recv()
                child = os.fork()
                if child == 0:
                    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S + 1))
                    os._exit(int(self._fails(session, source)))
                self._asked.send(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0)
        return True

    def _fails(self, session: pytest.Session, source: str) -> bool:
        try:
            graft(importlib.import_module(f"firmware_bridge.mcu.{self._name.removesuffix('.py')}"), source)
            run_tests(session)
        except BaseException:
            return True
        return session.testsfailed > 0 or not session.items


def graft(module: ModuleType, source: str) -> None:
    """Make `module` what `source` says, for those too who hold its classes already."""
    fresh = ModuleType(module.__name__)
    fresh.__package__ = module.__package__
    exec(compile(source, module.__name__, "exec"), fresh.__dict__)
    for key, value in vars(fresh).items():
        held = vars(module).get(key)
        if not isinstance(value, type) or not isinstance(held, type):
            setattr(module, key, value)
            continue
        for part, changed in vars(value).items():
            if part not in ("__dict__", "__weakref__"):
                setattr(held, part, changed)


def _row(name: str, source: str, mutant: Mutant) -> Row:
    survived = survives(name, mutated(source, mutant))
    return {"where": f"{name}:{mutant.line}", "what": mutant.what, "survived": survived}


def _unchanged(name: str) -> Row:
    return {"where": name, "what": UNCHANGED, "survived": survives(name, (MCU / name).read_text())}


def pieces(short: bool) -> list[Piece]:
    found = []
    for name in TESTS:
        found.append(Piece(f"{name} {UNCHANGED}", partial(_unchanged, name)))
        source = (MCU / name).read_text()
        for number, mutant in enumerate(mutants(source)):
            if not short or number % EVERY_SHORT == EVERY_SHORT - 1:
                key = f"{name}:{mutant.line} {mutant.what} #{number}"
                found.append(Piece(key, partial(_row, name, source, mutant)))
    return found


def judge(rows: list[Row]) -> Verdict:
    broken = sum(row["what"] == UNCHANGED and not row["survived"] for row in rows)
    tried = [row for row in rows if row["what"] != UNCHANGED]
    words, missed = [], 0
    for name in TESTS:
        of_file = [row for row in tried if row["where"].startswith(name)]
        killed = sum(not row["survived"] for row in of_file)
        if of_file:
            words.append(f"{name} {killed} of {len(of_file)} killed ({killed / len(of_file):.1%})")
            missed += int(killed / len(of_file) < GOAL)
    return Verdict(
        broken + missed, "; ".join(words) or "the tests fail without any mutation; mend them first"
    )


PROOF = Proof(
    "mutants",
    "every change of guard and vitals is noticed by a test",
    (
        "firmware_bridge/mcu/guard.py",
        "firmware_bridge/mcu/vitals.py",
        "firmware_bridge/mcu/limits.py",
        *(f"tests/firmware_bridge/{test}" for test in TESTS["guard.py"]),
        "tests/torture/mutants.py",
    ),
    pieces,
    judge,
)
