"""A rule of a subscription: a name, a filter, and perhaps an action."""

from collections.abc import Iterable
from dataclasses import dataclass

from crosswind_local.servicebus import limits
from crosswind_local.servicebus.conditions import argument
from crosswind_local.servicebus.messages import Message
from crosswind_local.servicebus.rules.actions import Action
from crosswind_local.servicebus.rules.actions import parse as parse_action
from crosswind_local.servicebus.rules.correlation import CorrelationFilter
from crosswind_local.servicebus.rules.predicates import Predicate
from crosswind_local.servicebus.rules.syntax import condition

DEFAULT = "$Default"
"""The name of the rule that a subscription has when it is made without any: all pass."""


@dataclass(frozen=True, slots=True)
class SqlFilter:
    """A condition in SQL, with its source."""

    source: str
    predicate: Predicate

    def lets_pass(self, message: Message) -> bool:
        """Whether a message passes: what is unknown does not."""
        return self.predicate.holds(message) is True


@dataclass(frozen=True, slots=True)
class BooleanFilter:
    """All messages pass, or none."""

    passes: bool

    def lets_pass(self, message: Message) -> bool:
        return self.passes


Filter = SqlFilter | BooleanFilter | CorrelationFilter


@dataclass(frozen=True, slots=True)
class Rule:
    """What a subscription takes, under a name."""

    name: str
    filter: Filter
    action: Action | None = None


def sql_filter(source: str) -> SqlFilter | BooleanFilter:
    """The filter of a SQL expression; 1=1 and 1=0 are the boolean filters.

    Raises:
        Refused: it is not of the grammar.
    """
    match source.replace(" ", ""):
        case "1=1":
            return BooleanFilter(True)
        case "1=0":
            return BooleanFilter(False)
    return SqlFilter(source, condition(source))


def rule(name: str, passing: Filter, action: str | None = None) -> Rule:
    """A rule; `action` is its source.

    Raises:
        Refused: the name or the action is not valid.
    """
    if not 0 < len(name) <= limits.NAME:
        raise argument(f"The name of a rule has 1 to {limits.NAME} characters: {name!r}.")
    return Rule(name, passing, None if not action else parse_action(action))


def matched(rules: Iterable[Rule], message: Message) -> list[Message]:
    """What a subscription with these rules takes of a message.

    "Topic filters and actions", https://learn.microsoft.com/azure/service-bus-messaging/topic-filters:
    all rules without an action give one copy together, and each rule with one gives a copy of its
    own, with the property RuleName.
    """
    plain = False
    copies: list[Message] = []
    for each in rules:
        if each.action is None:
            plain = plain or each.filter.lets_pass(message)
        elif each.filter.lets_pass(message):
            changed = each.action.applied(message)
            copies.append(changed.with_application({"RuleName": each.name}))
    return [message, *copies] if plain else copies
