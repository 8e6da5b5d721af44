"""Rule actions: SET and REMOVE statements that change the properties of a message.

"Subscription Rule SQL Action Syntax",
https://learn.microsoft.com/azure/service-bus-messaging/service-bus-messaging-sql-rule-action
"""

from dataclasses import dataclass

from crosswind_local.servicebus import limits
from crosswind_local.servicebus.amqp.values import Array, Described
from crosswind_local.servicebus.conditions import argument
from crosswind_local.servicebus.messages import NULL, Message
from crosswind_local.servicebus.rules.expressions import Expression, Property, SystemProperty
from crosswind_local.servicebus.rules.syntax import Parser


@dataclass(frozen=True, slots=True)
class Statement:
    """`SET property = expression`, or `REMOVE property` when there is no expression."""

    property: Property
    expression: Expression | None


@dataclass(frozen=True, slots=True)
class Action:
    """Statements in their order; each sees what those before it have changed.

    Raises:
        Refused: the source is not of the grammar, or has too many statements.
    """

    source: str
    statements: tuple[Statement, ...]

    def applied(self, message: Message) -> Message:
        """The message as the action leaves it; the given one is not touched."""
        for statement in self.statements:
            message = _applied(statement, message)
        return message


def parse(source: str) -> Action:
    """Read an action.

    Raises:
        Refused: it is not of the grammar, or has too many statements.
    """
    parser = Parser(source)
    statements: list[Statement] = []
    while parser.token.kind != "end" or not statements:
        statements.append(_statement(parser))
        if len(statements) > limits.STATEMENTS_PER_ACTION:
            raise argument(
                f"The action has more than {limits.STATEMENTS_PER_ACTION} statements: {source!r}."
            )
        while parser.accept("sign", ";"):
            pass
    return Action(source, tuple(statements))


def _statement(parser: Parser) -> Statement:
    if parser.accept_word("SET"):
        changed = parser.a_property()
        parser.expect("=")
        return Statement(changed, parser.expression())
    if parser.accept_word("REMOVE"):
        return Statement(parser.a_property(), None)
    raise parser.wanted("SET or REMOVE")


def _applied(statement: Statement, message: Message) -> Message:
    value = None if statement.expression is None else statement.expression.value(message)
    if isinstance(value, (list, dict, Array, Described)):
        value = None  # A property that is no simple value cannot be computed with, nor set.
    name = statement.property.name
    if isinstance(statement.property, SystemProperty):
        return message.with_system({name: None if value is None else str(value)})
    if statement.expression is None:
        return message.with_application({name: None})
    return message.with_application({name: NULL if value is None else value})
