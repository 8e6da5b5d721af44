"""Names that derive from the native ones: event ids, sources and region references.

An id is made of what the vendor itself would call the same statement, so that a notification that
arrives twice, or by two routes, becomes the same event twice. A source is one native alarm or one
provider incident: what it said later overrides what it said before, and nothing else does.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Final
from urllib.parse import quote

_NAMESPACE: Final = bytes.fromhex("6f3c1b1e5a6e5d0e9a0c5f1f8f7a2d44")
"""Namespace of these ids; it must never change, or redelivered notifications become new events."""

_MAX_SOURCE: Final = 1024
"""Longest source of an event: what the narrowest bus takes as an attribute."""

_CUT_ESCAPE: Final = re.compile("%[0-9A-F]?$")


def event_id(*parts: str) -> str:
    """A UUIDv5 (RFC 9562, section 5.5) over a list of texts; equal lists give equal ids."""
    name = json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()
    digest = bytearray(hashlib.sha1(_NAMESPACE + name, usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def source(authority: str, *segments: str) -> str:
    """A URI reference `//authority/segments`; a segment may itself be a path or an ARN.

    One that is too long for an event keeps its beginning and is told apart by a digest.
    """
    path = "/".join(quote(part.strip("/"), safe="/:@!$&'()*+,;=") for part in segments if part)
    reference = f"//{authority}/{path}"
    if len(reference) <= _MAX_SOURCE:
        return reference
    beginning = _CUT_ESCAPE.sub("", reference[: _MAX_SOURCE - 37])
    return f"{beginning}~{event_id(reference)}"


def shorten(text: str, limit: int) -> str:
    """The text, or its beginning with a mark that something is missing."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
