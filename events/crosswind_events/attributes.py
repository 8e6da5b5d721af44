"""The rules for context attributes (CloudEvents 1.0.2, "Context Attributes" and "Type System").

Each check returns the problem as a sentence, or None where the value is good. Checks of values
that recur from event to event (types, sources, names) are remembered in small bounded caches;
the patterns are compiled on first use, which keeps them out of a cold start.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

# The narrowest of the buses decides what every event must fit: Pub/Sub takes attribute values of
# 1,024 bytes and 100 attributes a message (cloud.google.com/pubsub/quotas, "Resource limits").
MAX_ATTRIBUTE_BYTES = 1024
MAX_EXTENSIONS = 64
MAX_NAME = 20  # "Naming Conventions": names SHOULD NOT exceed 20 characters; here they may not
_SURELY_FITS = MAX_ATTRIBUTE_BYTES // 4  # no character takes more than four bytes

CORE = frozenset(
    ("specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema")
)

# The extensions that Crosswind itself sets; their names need no check.
OURS = frozenset(
    (
        "correlationid",
        "causationid",
        "traceparent",
        "tracestate",
        "hop",
        "expirytime",
        "partitionkey",
        "place",
        "group",
        "join",
        "branch",
    )
)

# Those of them that are Integers. In binary mode every attribute arrives as text, and a
# handler must find the same value whichever bus carried the event.
INTEGER_EXTENSIONS = frozenset(("hop",))

JSON_MEDIA = "application/json"

_NAME = r"[a-z0-9]+"
_INTEGER = r"-?(?:0|[1-9][0-9]{0,9})"

# "Type System", String: no control characters, surrogates or noncharacters.
_LAST_TWO = "".join(chr(plane << 16 | 0xFFFE) + chr(plane << 16 | 0xFFFF) for plane in range(17))
_DISALLOWED = f"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef{_LAST_TWO}]"

# RFC 3986, appendix A. A reference without a scheme may not hold a colon in its first segment.
_PCHAR = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})"
_TAIL = rf"(?:\?(?:{_PCHAR}|[/?])*)?(?:\#(?:{_PCHAR}|[/?])*)?"
_AUTHORITY = (
    r"(?:(?:[A-Za-z0-9\-._~!$&'()*+,;=:]|%[0-9A-Fa-f]{2})*@)?"
    r"(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)"
    r"(?::[0-9]*)?"
)
_ROOTED = rf"(?://{_AUTHORITY}(?:/{_PCHAR}*)*|/(?:{_PCHAR}+(?:/{_PCHAR}*)*)?)"
_ROOTLESS = rf"{_PCHAR}+(?:/{_PCHAR}*)*"
_NO_COLON = _PCHAR.replace(":@", "@") + rf"+(?:/{_PCHAR}*)*"
_URI = rf"[A-Za-z][A-Za-z0-9+.\-]*:(?:{_ROOTED}|{_ROOTLESS})?{_TAIL}"
_REFERENCE = rf"{_URI}|(?:{_ROOTED}|{_NO_COLON})?{_TAIL}"

# RFC 2046 names the form, RFC 2045 section 5.1 gives the grammar.
_WORD = r"[A-Za-z0-9!#$%&'*+\-.^_`|~]+"
_PARAMETER = rf'[ \t]*{_WORD}=(?:{_WORD}|"(?:[ !#-\[\]-~]|\\[ -~])*")'
_MEDIA_TYPE = rf"{_WORD}/{_WORD}(?:[ \t]*;(?:{_PARAMETER})?)*[ \t]*"


def text_problem(value: object) -> str | None:
    """Check a String attribute that must not be empty."""
    if isinstance(value, str):
        # What Python calls printable holds none of the disallowed characters.
        if value.isprintable() and 0 < len(value) <= _SURELY_FITS:
            return None
        return _closely(value) if value else "must not be empty"
    return "must be a string"


def type_problem(value: object) -> str | None:
    """Check the type attribute."""
    if isinstance(value, str) and len(value) <= MAX_ATTRIBUTE_BYTES:
        return _type_problem(value)
    return text_problem(value)


def source_problem(value: object) -> str | None:
    """Check the source attribute: a URI-reference that is not empty."""
    if isinstance(value, str) and len(value) <= MAX_ATTRIBUTE_BYTES:
        return _reference_problem(value)
    return text_problem(value)


def schema_problem(value: object) -> str | None:
    """Check the dataschema attribute: a URI; a fragment is let through, schemas often have one."""
    if isinstance(value, str) and len(value) <= MAX_ATTRIBUTE_BYTES:
        return _uri_problem(value)
    return text_problem(value)


def media_problem(value: object) -> str | None:
    """Check the datacontenttype attribute."""
    if isinstance(value, str) and len(value) <= MAX_ATTRIBUTE_BYTES:
        return _media_problem(value)
    return text_problem(value)


def name_problem(name: str) -> str | None:
    """Check an extension's name ("Naming Conventions")."""
    if len(name) <= MAX_NAME:
        return _name_problem(name)
    return f"an attribute's name must not exceed {MAX_NAME} characters"


def are_regular(extensions: Mapping[str, object]) -> bool:
    """Say whether all extensions are surely good; False means: look at each for its problem."""
    if len(extensions) > MAX_EXTENSIONS:
        return False
    value: Any
    for name, value in extensions.items():
        if name not in OURS and (len(name) > MAX_NAME or _name_problem(name)):
            return False
        kind = type(value)
        if kind is str:
            if len(value) > _SURELY_FITS or not value.isprintable() or name in INTEGER_EXTENSIONS:
                return False
        elif kind is int:
            if not -(2**31) <= value < 2**31:
                return False
        elif kind is not bool:
            return False
    return True


def extension_problem(value: object) -> str | None:
    """Check an extension's value: a String, a Boolean or a 32-bit Integer."""
    if isinstance(value, str):
        return _closely(value)
    if isinstance(value, int):  # a bool is one
        return None if -(2**31) <= value < 2**31 else "must fit a signed 32-bit integer"
    return "must be a string, a whole number or a boolean"


def is_json(media: str) -> bool:
    """Say whether a media type declares JSON: `*/json` or `*/*+json` (JSON format, 3.1.1)."""
    subtype = media.partition(";")[0].partition("/")[2].strip().lower()
    return subtype == "json" or subtype.endswith("+json")


def integer(text: str) -> int | None:
    """Read an Integer's canonical string; None where it is not one."""
    return int(text) if re.fullmatch(_INTEGER, text) else None


# Only what is short enters a cache, so that no cache can be made to hold megabytes.


@lru_cache(maxsize=256)
def _name_problem(name: str) -> str | None:
    if not re.fullmatch(_NAME, name):
        return "an attribute's name must consist of lower-case letters a-z and digits"
    if name in CORE or name == "data":
        return "is a name that the CloudEvents specification reserves"
    return None


@lru_cache(maxsize=256)
def _type_problem(value: str) -> str | None:
    return text_problem(value)


@lru_cache(maxsize=256)
def _reference_problem(value: str) -> str | None:
    if problem := text_problem(value):
        return problem
    return None if re.fullmatch(_REFERENCE, value) else "must be a URI-reference (RFC 3986)"


@lru_cache(maxsize=256)
def _uri_problem(value: str) -> str | None:
    if problem := text_problem(value):
        return problem
    return None if re.fullmatch(_URI, value) else "must be a URI (RFC 3986)"


@lru_cache(maxsize=256)
def _media_problem(value: str) -> str | None:
    if problem := text_problem(value):
        return problem
    return None if re.fullmatch(_MEDIA_TYPE, value) else "must be a media type (RFC 2046)"


def _closely(value: str) -> str | None:
    if re.search(_DISALLOWED, value):
        return "must not hold control characters, surrogates or noncharacters"
    if len(value.encode()) > MAX_ATTRIBUTE_BYTES:
        return f"must not exceed {MAX_ATTRIBUTE_BYTES} bytes"
    return None
