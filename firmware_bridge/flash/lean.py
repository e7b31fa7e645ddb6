"""The firmware for a chip with 16 KiB: no words in it, the dictionary's numbers in place of their names.

Only for a board that could not hold it otherwise; what is left does the same, tick for tick.
"""

import ast
from types import ModuleType
from typing import Any


def lean(source: str, dictionary: ModuleType, aliases: tuple[str, ...] = ("p", "protocol")) -> str:
    """`source` without docstrings and annotations; `p.NAME` becomes the number of that name."""
    tree = _Lean(dictionary, aliases).visit(ast.parse(source))
    tree = _fold(tree)
    text = ast.unparse(ast.fix_missing_locations(tree))
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(_with_tabs(line) for line in lines) + "\n"


def _with_tabs(line: str) -> str:
    body = line.lstrip(" ")
    return " " * ((len(line) - len(body)) // 4) + body


class _Lean(ast.NodeTransformer):
    def __init__(self, dictionary: ModuleType, aliases: tuple[str, ...]) -> None:
        self._dictionary, self._aliases = dictionary, aliases

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        return None if node.level and node.module is None else node

    def visit_Import(self, node: ast.Import) -> ast.AST | None:
        return None if node.names[0].name in self._aliases else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id in self._aliases:
            return ast.Constant(getattr(self._dictionary, node.attr))
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.returns = None
        for argument in node.args.args:
            argument.annotation = None
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """`memoryview(x)` becomes x: the small build has none, and a slice may be copied there."""
        self.generic_visit(node)
        named = isinstance(node.func, ast.Name) and node.func.id == "memoryview"
        return node.args[0] if named else node

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        """Errors without their words."""
        if isinstance(node.exc, ast.Call):
            node.exc = node.exc.func
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        self.generic_visit(node)
        return None if isinstance(node.value, ast.Constant) else node


def _fold(tree: ast.Module) -> ast.Module:
    """Numbers with names in capitals, put where they are used; other names may change, and stay."""
    known: dict[str, Any] = {}
    kept: list[ast.stmt] = []
    for statement in tree.body:
        _Folder(known).visit(statement)
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name, number = statement.targets[0].id, _number(statement.value)
            if name.isupper() and number is not None:
                known[name] = number
        kept.append(statement)
    tree.body = kept
    return tree


class _Folder(ast.NodeTransformer):
    def __init__(self, known: dict[str, Any]) -> None:
        self._known = known

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if isinstance(node.ctx, ast.Load) and node.id in self._known:
            return ast.Constant(self._known[node.id])
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        left, right = _number(node.left), _number(node.right)
        if left is not None and right is not None and isinstance(node.op, ast.Add | ast.Sub):
            return ast.Constant(left + right if isinstance(node.op, ast.Add) else left - right)
        return node


def _number(node: ast.expr) -> int | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, int) else None
