"""What conditions of filters mean: true, false, or None when it is unknown.

"Subscription Rule SQL Filter Syntax", sections on unknown evaluation and on LIKE,
https://learn.microsoft.com/azure/service-bus-messaging/service-bus-messaging-sql-filter
"""

from dataclasses import dataclass
from typing import Protocol

from crosswind_local.servicebus.rules.expressions import (
    Expression,
    Property,
    Subject,
    equal,
    ordered,
)


class Predicate(Protocol):
    """What holds for a message, or does not, or is unknown."""

    def holds(self, subject: Subject) -> bool | None: ...


@dataclass(frozen=True, slots=True)
class Not:
    predicate: Predicate

    def holds(self, subject: Subject) -> bool | None:
        inner = self.predicate.holds(subject)
        return None if inner is None else not inner


@dataclass(frozen=True, slots=True)
class All:
    """Predicates joined by AND: one that is false decides, else one that is unknown."""

    predicates: tuple[Predicate, ...]

    def holds(self, subject: Subject) -> bool | None:
        result: bool | None = True
        for predicate in self.predicates:
            inner = predicate.holds(subject)
            if inner is False:
                return False
            if inner is None:
                result = None
        return result


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Predicates joined by OR: one that is true decides, else one that is unknown."""

    predicates: tuple[Predicate, ...]

    def holds(self, subject: Subject) -> bool | None:
        result: bool | None = False
        for predicate in self.predicates:
            inner = predicate.holds(subject)
            if inner is True:
                return True
            if inner is None:
                result = None
        return result


@dataclass(frozen=True, slots=True)
class Comparison:
    left: Expression
    sign: str
    right: Expression

    def holds(self, subject: Subject) -> bool | None:
        left, right = self.left.value(subject), self.right.value(subject)
        if self.sign in {"=", "<>", "!="}:
            same = equal(left, right)
            return None if same is None else same is (self.sign == "=")
        order = ordered(left, right)
        if order is None:
            return None
        match self.sign:
            case "<":
                return order < 0
            case "<=":
                return order <= 0
            case ">":
                return order > 0
        return order >= 0


@dataclass(frozen=True, slots=True)
class IsNull:
    property: Property

    def holds(self, subject: Subject) -> bool | None:
        return self.property.value(subject) is None


@dataclass(frozen=True, slots=True)
class Exists:
    property: Property

    def holds(self, subject: Subject) -> bool | None:
        return self.property.exists(subject)


@dataclass(frozen=True, slots=True)
class In:
    left: Expression
    choices: tuple[Expression, ...]

    def holds(self, subject: Subject) -> bool | None:
        left = self.left.value(subject)
        if left is None:
            return None
        return any(equal(left, choice.value(subject)) is True for choice in self.choices)


@dataclass(frozen=True, slots=True)
class Like:
    left: Expression
    pattern: Expression
    escape: Expression | None

    def holds(self, subject: Subject) -> bool | None:
        text, pattern = self.left.value(subject), self.pattern.value(subject)
        escape = None if self.escape is None else self.escape.value(subject)
        if not isinstance(text, str) or not isinstance(pattern, str):
            return None
        if self.escape is None:
            return like(text, pattern, None)
        if not isinstance(escape, str) or len(escape) != 1:
            return None
        return like(text, pattern, escape)


_ONE, _ANY = object(), object()


def like(text: str, pattern: str, escape: str | None) -> bool:
    """Whether a text matches a pattern of % (anything) and _ (any one character).

    It takes at most as many steps as text and pattern are long, multiplied.
    """
    wanted = _pattern(pattern, escape)
    at = place = 0
    retry: tuple[int, int] | None = None
    while at < len(text):
        if place < len(wanted) and wanted[place] is _ANY:
            retry = (at, place)
            place += 1
        elif place < len(wanted) and (wanted[place] is _ONE or wanted[place] == text[at]):
            at, place = at + 1, place + 1
        elif retry is not None:
            # The last % takes one character more; what it took before was too little.
            at, place = retry[0] + 1, retry[1] + 1
            retry = (at, retry[1])
        else:
            return False
    return all(part is _ANY for part in wanted[place:])


def _pattern(pattern: str, escape: str | None) -> list[object]:
    parts: list[object] = []
    characters = iter(pattern)
    for character in characters:
        if character == escape:
            parts.append(next(characters, character))
        elif character == "%":
            parts.append(_ANY)
        elif character == "_":
            parts.append(_ONE)
        else:
            parts.append(character)
    return parts
