"""Reading SQL filters and actions: recursive descent over the tokens.

    condition  = conjunction { OR conjunction }
    conjunction = negation { AND negation }
    negation   = NOT negation | test
    test       = EXISTS ( property ) | sum [ comparison | IS .. | [NOT] IN .. | [NOT] LIKE .. ]
    sum        = product { (+ | -) product }
    product    = factor { (* | / | %) factor }
    factor     = (+ | -) factor | ( condition ) | constant | function | property

Conditions and expressions share parentheses, so one method reads both and each place says which
of the two it wants. Grammar: "Subscription Rule SQL Filter Syntax",
https://learn.microsoft.com/azure/service-bus-messaging/service-bus-messaging-sql-filter
"""

from collections.abc import Callable
from typing import cast

from crosswind_local.servicebus.amqp.encoding import INT64
from crosswind_local.servicebus.conditions import Refused
from crosswind_local.servicebus.messages import SYSTEM
from crosswind_local.servicebus.rules.expressions import (
    Chain,
    Constant,
    Expression,
    Negative,
    NewId,
    Property,
    PropertyNamed,
    SystemProperty,
    UserProperty,
)
from crosswind_local.servicebus.rules.predicates import (
    All,
    AnyOf,
    Comparison,
    Exists,
    In,
    IsNull,
    Like,
    Not,
    Predicate,
)
from crosswind_local.servicebus.rules.tokens import Kind, Token, fault, scan

DEPTH = 32
"""How deeply parentheses, NOT and signs may be nested."""

_COMPARISONS = frozenset({"=", "<>", "!=", "<", "<=", ">", ">="})

Node = Expression | Predicate
Reader = Callable[[], Node]


def condition(source: str) -> Predicate:
    """The condition that a SQL filter states.

    Raises:
        Refused: it is not of the grammar; the message names the place.
    """
    parser = Parser(source)
    predicate = parser.predicate()
    parser.finish("the end of the filter")
    return predicate


class Parser:
    """Reads one source."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens = scan(source)
        self._next = 0
        self._depth = 0

    @property
    def token(self) -> Token:
        """The token that is read next."""
        return self._tokens[self._next]

    def predicate(self) -> Predicate:
        """Read a condition."""
        return self._as_predicate(self.token.at, self._condition())

    def expression(self) -> Expression:
        """Read an expression."""
        return self._as_expression(self.token.at, self._sum())

    def a_property(self) -> Property:
        """Read a property with its scope."""
        name = self._name("a property")
        if not self.accept("sign", "."):
            return UserProperty(name.text)
        inner = self._name("the name of a property")
        match name.text.lower():
            case "user":
                return UserProperty(inner.text)
            case "sys" if inner.text.lower() in SYSTEM:
                return SystemProperty(inner.text.lower())
            case "sys":
                raise fault(
                    self._source,
                    inner.at,
                    f"no system property {inner.text!r}; those that rules can use are ContentType, "
                    "CorrelationId, Label, MessageId, ReplyTo, ReplyToSessionId, SessionId and To;",
                )
        raise fault(self._source, name.at, f"no scope {name.text!r}, only sys and user,")

    def accept(self, kind: Kind, text: str) -> bool:
        """Read a token if it is that one."""
        if self.token.kind == kind and self.token.text == text:
            self._next += 1
            return True
        return False

    def accept_word(self, text: str) -> bool:
        """Read a word that is no keyword of filters, in any case."""
        if self.token.kind == "name" and self.token.text.upper() == text:
            self._next += 1
            return True
        return False

    def expect(self, sign: str) -> None:
        """Read a sign that must be there.

        Raises:
            Refused: it is not.
        """
        if not self.accept("sign", sign):
            raise self.wanted(sign)

    def finish(self, wanted: str) -> None:
        """See that all was read.

        Raises:
            Refused: it was not.
        """
        if self.token.kind != "end":
            raise self.wanted(wanted)

    def wanted(self, what: str) -> Refused:
        """The refusal of what stands here instead of what was expected."""
        found = f"found {self.token.text!r}" if self.token.text else "it ends"
        return fault(self._source, self.token.at, f"expected {what}, but {found}")

    def _condition(self) -> Node:
        at, first = self.token.at, self._conjunction()
        if not (self.token.kind == "keyword" and self.token.text == "OR"):
            return first
        predicates = [self._as_predicate(at, first)]
        while self.accept("keyword", "OR"):
            predicates.append(self._as_predicate(self.token.at, self._conjunction()))
        return AnyOf(tuple(predicates))

    def _conjunction(self) -> Node:
        at, first = self.token.at, self._negation()
        if not (self.token.kind == "keyword" and self.token.text == "AND"):
            return first
        predicates = [self._as_predicate(at, first)]
        while self.accept("keyword", "AND"):
            predicates.append(self._as_predicate(self.token.at, self._negation()))
        return All(tuple(predicates))

    def _negation(self) -> Node:
        if self.accept("keyword", "NOT"):
            self._descend()
            inner = Not(self._as_predicate(self.token.at, self._negation()))
            self._depth -= 1
            return inner
        return self._test()

    def _test(self) -> Node:
        if self.accept("keyword", "EXISTS"):
            self.expect("(")
            tested = self.a_property()
            self.expect(")")
            return Exists(tested)
        at, left = self.token.at, self._sum()
        token = self.token
        if token.kind == "sign" and token.text in _COMPARISONS:
            self._next += 1
            right = self.token.at, self._sum()
            return Comparison(
                self._as_expression(at, left), token.text, self._as_expression(*right)
            )
        if self.accept("keyword", "IS"):
            negated = self.accept("keyword", "NOT")
            if not self.accept("keyword", "NULL"):
                raise self.wanted("NULL")
            if not isinstance(left, Property):
                raise fault(self._source, at, "IS NULL is asked of a property only, which is not")
            return Not(IsNull(left)) if negated else IsNull(left)
        negated = self.accept("keyword", "NOT")
        if self.accept("keyword", "IN"):
            found: Predicate = In(self._as_expression(at, left), self._choices())
        elif self.accept("keyword", "LIKE"):
            pattern = self.expression()
            escape = self.expression() if self.accept("keyword", "ESCAPE") else None
            found = Like(self._as_expression(at, left), pattern, escape)
        elif negated:
            raise self.wanted("IN or LIKE")
        else:
            return left
        return Not(found) if negated else found

    def _choices(self) -> tuple[Expression, ...]:
        self.expect("(")
        choices = [self.expression()]
        while self.accept("sign", ","):
            choices.append(self.expression())
        self.expect(")")
        return tuple(choices)

    def _sum(self) -> Node:
        return self._chain("+-", self._product)

    def _product(self) -> Node:
        return self._chain("*/%", self._factor)

    def _chain(self, signs: str, operand: Reader) -> Node:
        at, first = self.token.at, operand()
        rest: list[tuple[str, Expression]] = []
        while self.token.kind == "sign" and self.token.text in signs:
            sign = self.token.text
            self._next += 1
            place, read = self.token.at, operand()
            rest.append((sign, self._as_expression(place, read)))
        return Chain(self._as_expression(at, first), tuple(rest)) if rest else first

    def _factor(self) -> Node:
        for sign in "+-":
            if self.accept("sign", sign):
                self._descend()
                operand = self._as_expression(self.token.at, self._factor())
                self._depth -= 1
                return Negative(operand) if sign == "-" else operand
        if self.accept("sign", "("):
            self._descend()
            inner = self._condition()
            self._depth -= 1
            self.expect(")")
            return inner
        token = self.token
        if token.kind == "name":
            return self._function() or self.a_property()
        constant = _constant(token)
        if constant is None:
            raise self.wanted("a property, a constant or (")
        self._next += 1
        return constant

    def _function(self) -> Expression | None:
        after = self._tokens[self._next + 1]
        if after.kind != "sign" or after.text != "(":
            return None
        name = self.token.text.lower()
        if name not in {"newid", "property", "p"}:
            raise self.wanted("one of the functions newid(), property(name) and p(name)")
        self._next += 2
        if name == "newid":
            self.expect(")")
            return NewId()
        named = PropertyNamed(self.expression())
        self.expect(")")
        return named

    def _name(self, what: str) -> Token:
        token = self.token
        if token.kind != "name":
            raise self.wanted(what)
        self._next += 1
        return token

    def _descend(self) -> None:
        self._depth += 1
        if self._depth > DEPTH:
            raise fault(self._source, self.token.at, f"nested more than {DEPTH} deep")

    def _as_predicate(self, at: int, node: Node) -> Predicate:
        if not hasattr(node, "holds"):
            raise fault(self._source, at, "expected a condition, but this is only a value,")
        return cast(Predicate, node)

    def _as_expression(self, at: int, node: Node) -> Expression:
        if not hasattr(node, "value"):
            raise fault(self._source, at, "expected a value, but this is a condition,")
        return cast(Expression, node)


def _constant(token: Token) -> Constant | None:
    match token.kind, token.text:
        case "string", text:
            return Constant(text)
        case "number", text if text.isdigit():
            number = int(text)
            return Constant(number if number <= INT64[1] else float(text))
        case "number", text:
            return Constant(float(text))
        case "keyword", "TRUE" | "FALSE":
            return Constant(token.text == "TRUE")
        case "keyword", "NULL":
            return Constant(None)
    return None
