"""The rules of a subscription, added, removed and listed through its management node.

"AMQP 1.0 in Azure Service Bus: request-response-based operations", section "Rule operations",
https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-request-response
"""

from collections.abc import Callable, Mapping

from crosswind_local.servicebus import limits
from crosswind_local.servicebus.amqp.values import Described, ULong
from crosswind_local.servicebus.conditions import argument
from crosswind_local.servicebus.rules.correlation import CorrelationFilter
from crosswind_local.servicebus.rules.rule import (
    BooleanFilter,
    Filter,
    Rule,
    SqlFilter,
    rule,
    sql_filter,
)
from crosswind_local.servicebus.topics import Subscription
from crosswind_local.servicebus.wire.arguments import Arguments
from crosswind_local.servicebus.wire.requests import Answer

_RULE = ULong(0x0000_0137_0000_0004)
_NO_ACTION = ULong(0x0000_0137_0000_0005)
_SQL = ULong(0x0000_0137_0000_0006)
_TRUE = ULong(0x0000_0137_0000_0007)
_FALSE = ULong(0x0000_0137_0000_0008)
_CORRELATION = ULong(0x0000_0137_0000_0009)

_CORRELATED = {
    "correlation-id": "correlationid",
    "message-id": "messageid",
    "to": "to",
    "reply-to": "replyto",
    "label": "label",
    "session-id": "sessionid",
    "reply-to-session-id": "replytosessionid",
    "content-type": "contenttype",
}
"""The fields of a correlation filter, in the order in which they are listed."""


class RuleOperations:
    """What can be asked of a subscription about its rules."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription

    def by_name(self) -> Mapping[str, Callable[[Arguments], Answer]]:
        return {
            "add-rule": self.add,
            "remove-rule": self.remove,
            "enumerate-rules": self.list,
        }

    def add(self, asked: Arguments) -> Answer:
        told = asked.map("rule-description")
        if told is None:
            raise argument("rule-description is missing.")
        described = Arguments.of(told, "rule-description")
        action = described.map("sql-rule-action")
        source = (
            None if action is None else Arguments.of(action, "sql-rule-action").text("expression")
        )
        self._subscription.add_rule(rule(asked.text("rule-name"), _filter(described), source))
        return Answer()

    def remove(self, asked: Arguments) -> Answer:
        self._subscription.remove_rule(asked.text("rule-name"))
        return Answer()

    def list(self, asked: Arguments) -> Answer:
        skip, top = asked.integer("skip"), asked.integer("top")
        every = sorted(self._subscription.rules.values(), key=lambda each: each.name)
        page = every[max(skip, 0) : max(skip, 0) + max(min(top, limits.RULES_PER_PAGE), 0)]
        if not page:
            return Answer(status=204)
        return Answer({"rules": [{"rule-description": _described(each)} for each in page]})


def _filter(described: Arguments) -> Filter:
    sql, correlated = described.map("sql-filter"), described.map("correlation-filter")
    if (sql is None) == (correlated is None):
        raise argument("A rule has either a sql-filter or a correlation-filter.")
    if sql is not None:
        return sql_filter(Arguments.of(sql, "sql-filter").text("expression"))
    fields = Arguments.of(correlated, "correlation-filter")
    given = {place: fields.optional_text(name) for name, place in _CORRELATED.items()}
    return CorrelationFilter(
        {name: value for name, value in given.items() if value is not None},
        fields.properties("properties"),
    )


def _described(each: Rule) -> Described:
    if each.action is None:
        action = Described(_NO_ACTION, [])
    else:
        action = Described(_SQL, [each.action.source])
    return Described(_RULE, [_described_filter(each.filter), action, each.name])


def _described_filter(passing: Filter) -> Described:
    if isinstance(passing, SqlFilter):
        return Described(_SQL, [passing.source])
    if isinstance(passing, BooleanFilter):
        return Described(_TRUE if passing.passes else _FALSE, [])
    fields: list[object] = [passing.system.get(name) for name in _CORRELATED.values()]
    return Described(_CORRELATION, [*fields, dict(passing.application)])
