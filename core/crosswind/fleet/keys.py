"""Where the register keeps what: the partition of a fleet and the keys in it.

fleet:<fleet>                     the partition
    workload:<name>               what is intended for a workload
    region:<cloud>:<region>       the state of a region and what is reserved there
    target:<flight>:<target>      the highest lock epoch seen of a target
    receipt:<action key>          the result of an action
    declared:<digest>             a declaration under which something was decided
    applied                       which declaration was applied last
    applied:<number>              one application of a declaration
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

APPLIED: Final = "applied"
"""The item that says which declaration was applied last."""

_UNSAFE: Final = re.compile(rb"[^A-Za-z0-9._/-]")
_LONGEST: Final = 100
_KEPT: Final = 34


def partition(fleet: str) -> str:
    """The partition of a fleet's register."""
    return f"fleet:{fleet}"


def workload(name: str) -> str:
    """The item of a workload."""
    return f"workload:{name}"


def region(name: str) -> str:
    """The item of a region such as `aws/us-east-1`."""
    return "region:" + name.replace("/", ":")


def target(flight: str, key: str) -> str:
    """The item of a single-flight target; targets are free text, and no two share an item."""
    return f"target:{_encode(flight, separator='~2f')}:{_encode(key)}"


def receipt(action_key: str) -> str:
    """The item with the result of an action."""
    return "receipt:" + _encode(action_key)


def declared(digest: str) -> str:
    """The item with a declaration."""
    return f"declared:{digest}"


def applied(number: int) -> str:
    """The item of one application; they are in the order of their numbers."""
    return f"{APPLIED}:{number:08d}"


def _encode(text: str, separator: str = ":") -> str:
    """Free text as a piece of a key: `/` becomes a separator, what is not allowed `~` and its code.

    A text too long for a key is cut and told apart by its digest.
    """
    raw = text.encode()
    safe = _UNSAFE.sub(lambda match: b"~%02x" % match[0][0], raw).decode()
    safe = safe.replace("/", separator)
    if len(safe) <= _LONGEST:
        return safe
    return f"{safe[:_KEPT]}~~{hashlib.sha256(raw).hexdigest()}"
