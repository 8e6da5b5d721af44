"""What expressions of filters and actions mean: each gives a value, or None when it is unknown.

"Subscription Rule SQL Filter Syntax", sections "Considerations" and "Property evaluation
semantics", https://learn.microsoft.com/azure/service-bus-messaging/service-bus-messaging-sql-filter.
Operators follow C#: whole numbers are 64 bits wide and divide toward zero, and + joins strings.
Where C# would have no operator, as for a string minus a number, the result is unknown.
"""

import math
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from crosswind_local.servicebus.amqp.encoding import INT64

Value = object
"""A string, a number, a truth value, a UUID, or None for what is unknown."""


class Subject(Protocol):
    """What rules look at: the properties of a message."""

    @property
    def folded(self) -> Mapping[str, object]:
        """The application properties by their names in lower case."""
        ...

    def system(self, name: str) -> str | None:
        """A system property by its name in lower case."""
        ...


class Expression(Protocol):
    """What gives a value for a message."""

    def value(self, subject: Subject) -> Value: ...


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that stands in the source."""

    constant: Value

    def value(self, subject: Subject) -> Value:
        return self.constant


@dataclass(frozen=True, slots=True)
class UserProperty:
    """An application property; its name is kept in lower case for looking up."""

    name: str

    def value(self, subject: Subject) -> Value:
        return subject.folded.get(self.name.lower())

    def exists(self, subject: Subject) -> bool:
        return self.name.lower() in subject.folded


@dataclass(frozen=True, slots=True)
class SystemProperty:
    """A system property, by its name in lower case."""

    name: str

    def value(self, subject: Subject) -> Value:
        return subject.system(self.name)

    def exists(self, subject: Subject) -> bool:
        return subject.system(self.name) is not None


Property = UserProperty | SystemProperty


@dataclass(frozen=True, slots=True)
class PropertyNamed:
    """`property(name)`: the application property that an expression names."""

    name: Expression

    def value(self, subject: Subject) -> Value:
        name = self.name.value(subject)
        return subject.folded.get(name.lower()) if isinstance(name, str) else None


@dataclass(frozen=True, slots=True)
class NewId:
    """`newid()`: a new identifier each time."""

    def value(self, subject: Subject) -> Value:
        return uuid.uuid4()


@dataclass(frozen=True, slots=True)
class Chain:
    """Operands joined by operators of one rank, from left to right."""

    first: Expression
    rest: tuple[tuple[str, Expression], ...]

    def value(self, subject: Subject) -> Value:
        result = self.first.value(subject)
        for sign, operand in self.rest:
            result = _computed(sign, result, operand.value(subject))
        return result


@dataclass(frozen=True, slots=True)
class Negative:
    """`- expression`."""

    operand: Expression

    def value(self, subject: Subject) -> Value:
        return _computed("-", 0, self.operand.value(subject))


def equal(left: Value, right: Value) -> bool | None:
    """Whether two values are equal; None when they cannot be compared."""
    if is_number(left) and is_number(right):
        return left == right
    return left == right if left is not None and type(left) is type(right) else None


def ordered(left: Value, right: Value) -> int | None:
    """Less than 0, 0 or more than 0 as `left` compares to `right`; None when it does not."""
    # Spelt out for the type checker, which cannot compare two objects of one unknown type.
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    if is_number(left) and is_number(right):
        first, second = _number(left), _number(right)
        if math.isnan(first) or math.isnan(second):
            return None
        return (first > second) - (first < second)
    return None


def is_number(value: Value) -> bool:
    """Whether it is a number; a truth value is none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(value: Value) -> int | float:
    assert isinstance(value, (int, float))
    return value


def _computed(sign: str, left: Value, right: Value) -> Value:
    if left is None or right is None:
        return None
    if sign == "+" and (isinstance(left, str) or isinstance(right, str)):
        return f"{left}{right}"
    if not is_number(left) or not is_number(right):
        return None
    first, second = _number(left), _number(right)
    try:
        if isinstance(first, float) or isinstance(second, float):
            return _REAL[sign](float(first), float(second))
        result = _WHOLE[sign](first, second)
    except (ZeroDivisionError, OverflowError):
        return None
    return result if INT64[0] <= result <= INT64[1] else None


_WHOLE: dict[str, Callable[[int, int], int]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: _quotient(left, right),
    "%": lambda left, right: left - right * _quotient(left, right),
}
_REAL: dict[str, Callable[[float, float], float]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
    "%": math.fmod,
}


def _quotient(left: int, right: int) -> int:
    """Division toward zero."""
    result = abs(left) // abs(right)
    return result if (left < 0) == (right < 0) else -result
