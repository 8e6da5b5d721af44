"""The filter language of subscriptions: parsed once, then matched against attributes.

Grammar and meaning: "Filter messages from a subscription",
https://cloud.google.com/pubsub/docs/subscription-message-filter

    filter     = term { "AND" term } | term { "OR" term }
    term       = [ "NOT" | "-" ] ( "(" filter ")" | comparison )
    comparison = "attributes" ":" key                          the key is there
               | "attributes" "." key ( "=" | "!=" ) string    equal, and its complement
               | "hasPrefix" "(" "attributes" "." key "," string ")"
    key        = letters, digits, "_" and inner or trailing "-" | string

AND and OR are not mixed without parentheses, everything is case-sensitive, and a filter has at
most 256 bytes. `!=` is the complement of `=`, so it also matches a message that lacks the key:
the page reads it as "messages without the attribute and value".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from crosswind_local.errors import ServiceError
from crosswind_local.pubsub.limits import FILTER_BYTES

Attributes = Mapping[str, str]


class Filter(Protocol):
    """A condition on the attributes of a message."""

    def matches(self, attributes: Attributes) -> bool:
        """Whether a message with these attributes is delivered."""
        ...


@dataclass(frozen=True, slots=True)
class Has:
    """`attributes:key`."""

    key: str

    def matches(self, attributes: Attributes) -> bool:
        return self.key in attributes


@dataclass(frozen=True, slots=True)
class Equals:
    """`attributes.key = "value"`."""

    key: str
    value: str

    def matches(self, attributes: Attributes) -> bool:
        return attributes.get(self.key) == self.value


@dataclass(frozen=True, slots=True)
class HasPrefix:
    """`hasPrefix(attributes.key, "prefix")`."""

    key: str
    prefix: str

    def matches(self, attributes: Attributes) -> bool:
        value = attributes.get(self.key)
        return value is not None and value.startswith(self.prefix)


@dataclass(frozen=True, slots=True)
class Not:
    """`NOT condition`; also what `!=` becomes."""

    condition: Filter

    def matches(self, attributes: Attributes) -> bool:
        return not self.condition.matches(attributes)


@dataclass(frozen=True, slots=True)
class All:
    """Conditions joined by AND."""

    conditions: tuple[Filter, ...]

    def matches(self, attributes: Attributes) -> bool:
        return all(condition.matches(attributes) for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Conditions joined by OR."""

    conditions: tuple[Filter, ...]

    def matches(self, attributes: Attributes) -> bool:
        return any(condition.matches(attributes) for condition in self.conditions)


def parse(source: str) -> Filter | None:
    """Read a filter; None when it is empty, which lets every message pass.

    Raises:
        ServiceError: it is too long or not of the grammar (INVALID_ARGUMENT); the message names
            the place.
    """
    if len(source.encode()) > FILTER_BYTES:
        raise ServiceError(
            "INVALID_ARGUMENT",
            f"Invalid filter: it has {len(source.encode())} bytes, more than {FILTER_BYTES}.",
        )
    if not source.strip():
        return None
    return _Parser(source).whole()


_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<word>[A-Za-z0-9_][A-Za-z0-9_-]*)
      | (?P<sign>!=|[=:.,()-])
    )""",
    re.VERBOSE | re.DOTALL,
)

_ESCAPE = re.compile(
    r"\\(?:(?P<octal>[0-3][0-7]{2})|x(?P<hex>[0-9A-Fa-f]{2})|u(?P<u4>[0-9A-Fa-f]{4})"
    r"|U(?P<u8>[0-9A-Fa-f]{8})|(?P<char>.))",
    re.DOTALL,
)
_CHARACTERS = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", '"': '"', "'": "'", "?": "?", "`": "`",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


_END = "end"


class _Parser:
    """Recursive descent; its depth is bounded by the length that a filter may have."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens = self._scan()
        self._next = 0

    def whole(self) -> Filter:
        parsed = self._filter()
        if self._token.kind != _END:
            raise self._fault("the end of the filter")
        return parsed

    def _filter(self) -> Filter:
        terms = [self._term()]
        joint = self._token.text if self._token.text in {"AND", "OR"} else None
        while joint is not None and self._accept("word", joint):
            terms.append(self._term())
        if self._token.kind == "word" and self._token.text in {"AND", "OR"}:
            raise self._fault("parentheses around one of AND and OR, which may not be mixed")
        if joint is None:
            return terms[0]
        return All(tuple(terms)) if joint == "AND" else AnyOf(tuple(terms))

    def _term(self) -> Filter:
        if self._accept("word", "NOT") or self._accept("sign", "-"):
            return Not(self._term())
        if self._accept("sign", "("):
            inner = self._filter()
            self._expect(")")
            return inner
        if self._accept("word", "hasPrefix"):
            self._expect("(")
            key = self._attribute()
            self._expect(",")
            prefix = self._string()
            self._expect(")")
            return HasPrefix(key, prefix)
        if self._accept("word", "attributes"):
            if self._accept("sign", ":"):
                return Has(self._key())
            self._expect(".")
            key = self._key()
            if self._accept("sign", "="):
                return Equals(key, self._string())
            if self._accept("sign", "!="):
                return Not(Equals(key, self._string()))
            raise self._fault("= or !=")
        raise self._fault("attributes, hasPrefix, NOT or (")

    def _attribute(self) -> str:
        if not self._accept("word", "attributes"):
            raise self._fault("attributes")
        self._expect(".")
        return self._key()

    def _key(self) -> str:
        token = self._token
        if token.kind == "word":
            self._next += 1
            return token.text
        return self._string()

    def _string(self) -> str:
        token = self._token
        if token.kind != "string":
            raise self._fault("a string in double quotes")
        self._next += 1
        return _ESCAPE.sub(lambda escape: self._unescape(escape, token.at), token.text[1:-1])

    def _unescape(self, escape: re.Match[str], at: int) -> str:
        if (char := escape["char"]) is not None:
            if char not in _CHARACTERS:
                raise self._error(f"unknown escape \\{char} in the string at character {at + 1}")
            return _CHARACTERS[char]
        code = (
            int(escape["octal"], 8)
            if escape["octal"]
            else int(escape["hex"] or escape["u4"] or escape["u8"], 16)
        )
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise self._error(f"no such character as {escape[0]} at character {at + 1}")
        return chr(code)

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _accept(self, kind: str, text: str) -> bool:
        if self._token.kind == kind and self._token.text == text:
            self._next += 1
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._accept("sign", sign):
            raise self._fault(sign)

    def _scan(self) -> list[_Token]:
        tokens: list[_Token] = []
        source, at, end = self._source, 0, len(self._source.rstrip())
        while at < end:
            match = _TOKEN.match(source, at)
            if match is None or match.lastgroup is None:
                raise self._error(f"cannot read {source[at:].strip()[:16]!r} at character {at + 1}")
            tokens.append(
                _Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup))
            )
            at = match.end()
        tokens.append(_Token(_END, "", end))
        return tokens

    def _fault(self, wanted: str) -> ServiceError:
        found = f"found {self._token.text}" if self._token.text else "it ends"
        return self._error(f"expected {wanted} at character {self._token.at + 1}, but {found}")

    def _error(self, problem: str) -> ServiceError:
        return ServiceError("INVALID_ARGUMENT", f"Invalid filter: {problem}.")
