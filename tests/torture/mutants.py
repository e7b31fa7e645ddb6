"""Mutation testing of the guard: every mutant of guard.py must be noticed by some test.

`python -m tests.torture.mutants [--every N] [--file guard.py]`: changes one operator, number, sign or
statement at a time, runs the guard's own tests against it in a child process, and names the survivors. Exit 1
below 95 % killed.
"""

import argparse
import ast
import copy
import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from firmware_bridge.dictionary import MCU

GOAL = 0.95
PATIENCE_S = 60
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


def mutants(source: str) -> Iterator[tuple[int, str, str]]:
    """(line, what, source) of every mutant; docstrings and imports stay."""
    tree = ast.parse(source)
    count = len(list(ast.walk(tree)))
    for number in range(count):
        node = list(ast.walk(tree))[number]
        for what, changed in changes(node):
            line = getattr(node, "lineno", 0)
            yield line, what, ast.unparse(_Replace(number, changed).done(copy.deepcopy(tree)))


class _Replace(ast.NodeTransformer):
    """Puts `changed` in place of the `number`th node of the walk."""

    def __init__(self, number: int, changed: ast.AST) -> None:
        self._number, self._changed = number, changed
        self._target: ast.AST | None = None

    def done(self, tree: ast.Module) -> ast.Module:
        self._target = list(ast.walk(tree))[self._number]
        return ast.fix_missing_locations(self.visit(tree))

    def visit(self, node: ast.AST) -> ast.AST:
        return self._changed if node is self._target else super().visit(node)


def survives(name: str, source: str) -> bool:
    """Whether the tests of `name` pass with `source` in its place; each mutant in a child of its own."""
    child = os.fork()
    if child == 0:
        os._exit(_try(name, source))
    give_up_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up_s:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _try(name: str, source: str) -> int:
    import pytest

    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)
    os.dup2(devnull, 2)
    try:
        package = importlib.import_module("firmware_bridge.mcu")
        stem = name.removesuffix(".py")
        module = ModuleType(f"{package.__name__}.{stem}")
        module.__package__ = package.__name__
        exec(compile(source, name, "exec"), module.__dict__)
        sys.modules[module.__name__] = module
        setattr(package, stem, module)
        paths = [str(FOLDER / test) for test in TESTS[name]]
        quick = ["-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=1", "-p", "no:faulthandler"]
        return int(pytest.main([*quick, *paths]))
    except BaseException:
        return 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", default="guard.py", choices=sorted(TESTS))
    parser.add_argument("--every", type=int, default=1, help="try only each Nth mutant")
    args = parser.parse_args()
    source = (MCU / args.file).read_text()
    if not survives(args.file, source):
        print("the tests fail without any mutation; mend them first", file=sys.stderr)
        return 2
    killed = tried = 0
    for number, (line, what, mutant) in enumerate(mutants(source)):
        if number % args.every:
            continue
        tried += 1
        if survives(args.file, mutant):
            print(json.dumps({"survived": f"{args.file}:{line}", "what": what}), flush=True)
        else:
            killed += 1
    share = killed / max(tried, 1)
    print(json.dumps({"file": args.file, "mutants": tried, "killed": killed, "share": round(share, 4)}))
    return int(share < GOAL)


if __name__ == "__main__":
    raise SystemExit(main())
