"""What keeps an artifact from being made, all of it at once.

CrosswindError
├── PackagingFailed (ValueError)     the project cannot be packaged as it is; lists every fault
├── ToolMissing                      a tool of `crosswind[package]` is not installed
└── IndexUnreachable (ConnectionError)  the package index did not answer
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from crosswind.errors import CrosswindError

Rule = Literal[
    "app",  # it cannot be loaded here, or not in the artifact
    "bytecode",  # a module of the project does not compile for the target
    "conflict",  # requirements that cannot hold together
    "import",  # a module that nothing brings
    "integrity",  # a wheel is not the one that was pinned
    "limit",  # the platform takes no artifact of this size
    "outside",  # a path that leads out of the project
    "requirement",  # a line that cannot be read, or that cannot be packaged
    "resources",  # what is declared to stand for the fleet cannot be read, or stands for none
    "runtime",  # unknown, retired, or too old
    "secret",  # something that looks like one
    "settings",  # `[tool.crosswind.package]` is wrong
    "wheel",  # a package without a wheel for the target
]


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason, in words.

    Attributes:
        where: a file with its line, a package, an option.
        problem: what is wrong.
        remedy: what to do about it.
    """

    rule: Rule
    where: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}; {self.remedy}"


class PackagingFailed(CrosswindError, ValueError):
    """A project cannot be packaged as it is.

    Args:
        faults: all of them that could be found.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        listed = "".join(f"\n  [{fault.rule}] {fault}" for fault in self.faults)
        some = "one fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        super().__init__(f"not packaged, {some}:{listed}")


class ToolMissing(CrosswindError):
    """A tool that packaging needs is not installed."""


class IndexUnreachable(CrosswindError, ConnectionError):
    """The package index did not answer, or a package is not at hand while offline."""


class Faults:
    """Collects faults until somebody asks whether there are any."""

    def __init__(self) -> None:
        self._found: list[Fault] = []

    def add(self, rule: Rule, where: str, problem: str, remedy: str) -> None:
        """Note one; the same one twice is one."""
        fault = Fault(rule, where, problem, remedy)
        if fault not in self._found:
            self._found.append(fault)

    def __bool__(self) -> bool:
        return bool(self._found)

    def check(self) -> None:
        """End here if there are any.

        Raises:
            PackagingFailed: names all of them.
        """
        if self._found:
            raise PackagingFailed(self._found)
