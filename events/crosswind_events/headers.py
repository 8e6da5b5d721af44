"""Attribute values as HTTP header values (HTTP protocol binding 1.0.2, section 3.1.3.2)."""

from __future__ import annotations

import re

PREFIX = "ce-"
CONTENT_TYPE = "content-type"

# Everything but printable ASCII, and of that the blank, the double quote and the percent sign.
_TO_ENCODE = r"[^!#$&-~]+"
_ENCODED = rb"%([0-9A-Fa-f]{2})"
_ESCAPED = r"\\(.)"


def to_header(value: str | int | bool) -> str:
    """Write an attribute's canonical string, percent-encoded."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return re.sub(_TO_ENCODE, _percent, str(value))


def from_header(text: str) -> str:
    """Read a header's value: unquote it, then decode percent signs once.

    A percent sign that begins no escape stands for itself. Raises ValueError where the decoded
    bytes are no UTF-8, which the binding demands.
    """
    text = text.strip(" \t")
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = re.sub(_ESCAPED, r"\1", text[1:-1])
    if "%" not in text:
        return text
    try:
        return re.sub(_ENCODED, _byte, text.encode()).decode()
    except UnicodeError:
        raise ValueError("must be UTF-8 once percent-decoded") from None


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode())


def _byte(match: re.Match[bytes]) -> bytes:
    return bytes.fromhex(match[1].decode())
