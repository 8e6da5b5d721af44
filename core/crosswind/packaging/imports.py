"""What a module imports, read from its source without running it.

An import counts wherever it stands: at the top, in a function, in a branch. Three cases are apart:

- Under `if TYPE_CHECKING:` nothing is imported when the code runs, so nothing counts; except where
  the module has a `__getattr__` of its own (PEP 562), for there these lines say which names are
  loaded when they are first used.
- In a `try` that catches the ImportError, a missing module is no fault.
- A call of `import_module` or `__import__` whose argument is no constant may import anything. Such
  a module is marked, and whoever prunes keeps everything beside and below it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

When = Literal["always", "perhaps", "optional"]

_BY_NAME: Final = frozenset({"import_module", "__import__"})
_MISSING: Final = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


class Import(NamedTuple):
    """One name that is imported.

    Attributes:
        module: the dotted module; of `from a import b` there are two, `a` and `a.b`.
        line: where.
        when: `always`; `perhaps`, in a function or a branch; or `optional`, where its absence is
            caught.
        sure: whether it is a module; `a.b` may be a name in `a`.
    """

    module: str
    line: int
    when: When
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Imports:
    """What one module imports; `open` says that it may import more than can be read."""

    names: tuple[Import, ...] = ()
    open: bool = False


def read_imports(source: bytes, module: str, *, package: bool) -> Imports:
    """Read what a module imports.

    Args:
        module: its dotted name, against which relative imports are read.
        package: whether it is the `__init__` of a package.

    Raises:
        SyntaxError: it is no Python.
    """
    tree = ast.parse(source)
    reader = _Reader(module if package else module.rpartition(".")[0], lazy=_loads_lazily(tree))
    for statement in tree.body:
        reader.visit(statement)
    return Imports(tuple(reader.found), reader.open)


def _loads_lazily(tree: ast.Module) -> bool:
    """Whether a module has a `__getattr__`, at the top or in a branch at the top."""
    return any(
        isinstance(node, ast.FunctionDef) and node.name == "__getattr__"
        for statement in tree.body
        for node in _unfolded(statement)
    )


def _unfolded(statement: ast.stmt) -> Iterator[ast.stmt]:
    yield statement
    if isinstance(statement, ast.If):
        for inner in (*statement.body, *statement.orelse):
            yield from _unfolded(inner)


@dataclass
class _Reader(ast.NodeVisitor):
    package: str
    lazy: bool
    found: list[Import] = field(default_factory=list)
    open: bool = False
    _when: When = "always"

    def visit_If(self, node: ast.If) -> None:
        if not self.lazy and _is_type_checking(node.test):
            for inner in node.orelse:
                self.visit(inner)
            return
        # What stands in a branch may never run.
        self._perhaps(node)

    def visit_Try(self, node: ast.Try) -> None:
        before = self._when
        if any(_catches_missing(one) for one in node.handlers):
            self._when = "optional"
        for inner in node.body:
            self.visit(inner)
        self._when = "perhaps" if before == "always" else before
        for other in (*node.handlers, *node.orelse):
            self.visit(other)
        self._when = before
        for inner in node.finalbody:
            self.visit(inner)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._perhaps(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._perhaps(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._perhaps(node)

    def _perhaps(self, node: ast.AST) -> None:
        before = self._when
        if before == "always":
            self._when = "perhaps"
        self.generic_visit(node)
        self._when = before

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(alias.name, node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = node.module or ""
        if node.level:
            parents = self.package.split(".")
            above = ".".join(parents[: len(parents) - node.level + 1])
            base = f"{above}.{base}" if base else above
        self._add(base, node.lineno)
        for alias in node.names:
            if alias.name != "*":
                self._add(f"{base}.{alias.name}", node.lineno, sure=False)

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else None
        name = node.func.id if isinstance(node.func, ast.Name) else name
        if name in _BY_NAME:
            given = node.args[0] if node.args else None
            if isinstance(given, ast.Constant) and isinstance(given.value, str):
                self._add(_absolute(given.value, self.package), node.lineno)
            else:
                self.open = True
        self.generic_visit(node)

    def _add(self, module: str, line: int, *, sure: bool = True) -> None:
        self.found.append(Import(module, line, self._when, sure))


def _absolute(name: str, package: str) -> str:
    dots = len(name) - len(name.lstrip("."))
    if not dots:
        return name
    parents = package.split(".")
    return ".".join([*parents[: len(parents) - dots + 1], name.lstrip(".")])


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _catches_missing(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(
        kind is None or (isinstance(kind, ast.Name) and kind.id in _MISSING) for kind in kinds
    )
