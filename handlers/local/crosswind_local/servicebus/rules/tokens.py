"""The tokens of SQL filters and actions.

"Subscription Rule SQL Filter Syntax",
https://learn.microsoft.com/azure/service-bus-messaging/service-bus-messaging-sql-filter
"""

import re
from typing import Literal, NamedTuple

from crosswind_local.servicebus import limits
from crosswind_local.servicebus.conditions import Refused, argument

Kind = Literal["number", "string", "name", "keyword", "sign", "end"]

KEYWORDS = frozenset(
    {"AND", "OR", "NOT", "IN", "LIKE", "ESCAPE", "IS", "NULL", "EXISTS", "TRUE", "FALSE"}
)
"""Words that are no property names unless delimited."""

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
      | (?P<string>'(?:[^']|'')*')
      | (?P<bracketed>\[(?:[^\]]|\]\])+\])
      | (?P<quoted>"(?:[^"]|"")+")
      | (?P<word>[^\W\d_]\w*)
      | (?P<sign><>|!=|<=|>=|[-+*/%=<>(),.;])
    )""",
    re.VERBOSE,
)


class Token(NamedTuple):
    """A token; `text` is a keyword in capitals, and a name or string without its delimiters."""

    kind: Kind
    text: str
    at: int


def scan(source: str) -> list[Token]:
    """The tokens of an expression, ending with one of the kind `end`.

    Raises:
        Refused: it is too long, or holds what is no token.
    """
    if len(source) > limits.EXPRESSION:
        raise argument(
            f"The expression has {len(source)} characters, more than {limits.EXPRESSION}."
        )
    tokens: list[Token] = []
    at, end = 0, len(source.rstrip())
    while at < end:
        match = _TOKEN.match(source, at)
        if match is None or match.lastgroup is None:
            unread = source[at:].lstrip()
            raise fault(source, len(source) - len(unread), f"cannot read {unread[:16].strip()!r}")
        tokens.append(_token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()
    tokens.append(Token("end", "", end))
    return tokens


def fault(source: str, at: int, problem: str) -> Refused:
    """The refusal of an expression, naming the place."""
    return argument(f"The expression {source!r} is not valid: {problem} at character {at + 1}.")


def _token(group: str, text: str, at: int) -> Token:
    match group:
        case "number":
            return Token("number", text, at)
        case "string":
            return Token("string", text[1:-1].replace("''", "'"), at)
        case "bracketed":
            return Token("name", text[1:-1].replace("]]", "]"), at)
        case "quoted":
            return Token("name", text[1:-1].replace('""', '"'), at)
        case "word" if text.upper() in KEYWORDS:
            return Token("keyword", text.upper(), at)
        case "word":
            return Token("name", text, at)
    return Token("sign", text, at)
