"""Correlation filters: a message passes when each named property has the given value.

"Topic filters and actions", section "Correlation filters",
https://learn.microsoft.com/azure/service-bus-messaging/topic-filters
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from crosswind_local.servicebus.conditions import argument
from crosswind_local.servicebus.messages import SYSTEM
from crosswind_local.servicebus.rules.expressions import is_number


class Correlated(Protocol):
    """What a correlation filter looks at."""

    @property
    def application(self) -> Mapping[str, object]: ...

    def system(self, name: str) -> str | None: ...


@dataclass(frozen=True)
class CorrelationFilter:
    """Values that properties must have; `system` is by names in lower case.

    Strings are compared with regard to case, and numbers by their value, whatever their width.

    Raises:
        Refused: it names no property, or a system property that cannot be matched.
    """

    system: Mapping[str, str] = field(default_factory=dict)
    application: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = sorted(self.system.keys() - SYSTEM.keys())
        if unknown:
            raise argument(f"A correlation filter cannot match {', '.join(unknown)}.")
        if not self.system and not self.application:
            raise argument("A correlation filter must name at least one property.")

    def lets_pass(self, subject: Correlated) -> bool:
        """Whether a message passes."""
        for name, value in self.system.items():
            if subject.system(name) != value:
                return False
        if not self.application:
            return True
        there = subject.application
        return all(
            name in there and _same(there[name], value) for name, value in self.application.items()
        )


def _same(left: object, right: object) -> bool:
    if is_number(left) and is_number(right):
        return left == right
    return type(left) is type(right) and left == right
