"""The neutral limits, checked alike before any store or bus is asked.

Every adapter calls these checks first, so that what fits one cloud fits all, and so that input
which breaks the protocol is refused with all its faults before anything is written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import isfinite
from typing import Final, NamedTuple

from crosswind.errors import InvalidRequest, TooLarge
from crosswind.ports import (
    ABSENT,
    MAX_CHANGES,
    MAX_ITEM_BYTES,
    MAX_WRITE_BYTES,
    Change,
    Delete,
    Message,
    Put,
)

MAX_NAME_BYTES: Final = 256
"""Neutral limit of a partition, a key and a token: Table Storage allows 512 characters in a key,
DynamoDB 1,024 bytes in a sort key, Firestore 1,500 bytes in an id."""

MAX_EVENT_BYTES: Final = 240_000
"""Neutral limit of a message, all of it: an entry of EventBridge and a message of Service Bus
Standard hold 256 KB together with the envelope that is added on the way."""

_SHOWN: Final = 64
_FEW: Final = 100


class _Rule(NamedTuple):
    pattern: re.Pattern[str]
    words: str

    def faults(self, what: str, name: str) -> tuple[str, ...]:
        if self.pattern.fullmatch(name):
            return ()
        return (f"{what} {_shown(name)} is not allowed; use {self.words}",)


# Printable ASCII without / \ # ? %, which Table Storage, Firestore or a URL would read as syntax.
_CHARACTERS: Final = r"[ !\"$&-.0->@-\[\]-~]"
_WORDS: Final = f"{MAX_NAME_BYTES} printable ASCII characters without / \\ # ? %"

_NAME: Final = _Rule(re.compile(_CHARACTERS + "{1,256}"), f"1 to {_WORDS}")
_PART: Final = _Rule(re.compile(_CHARACTERS + "{0,256}"), f"at most {_WORDS}")
_TOKEN: Final = _Rule(re.compile("[ -~]{1,256}"), f"1 to {MAX_NAME_BYTES} printable ASCII")

# All names of a write in one match, which is what almost every write comes down to: a token may
# hold more characters, and seldom does.
_NAMES: Final = re.compile(f"{_CHARACTERS}{{1,256}}(?:\n{_CHARACTERS}{{1,256}})*")


def check_read(partition: str, key: str) -> None:
    """Check the arguments of `Store.read`.

    Raises:
        InvalidRequest: lists every fault.
    """
    names = f"{partition}\n{key}"
    # A line break inside of a name makes one line too many.
    if not _NAMES.fullmatch(names) or names.count("\n") != 1:
        raise InvalidRequest(_NAME.faults("partition", partition) + _NAME.faults("key", key))


def check_scan(partition: str, prefix: str, after: str, limit: int) -> None:
    """Check the arguments of `Store.scan`; `prefix` and `after` may be empty.

    Raises:
        InvalidRequest: lists every fault.
    """
    _check_range(_NAME.faults("partition", partition), prefix, after, limit)


def check_partitions(prefix: str, after: str, limit: int) -> None:
    """Check the arguments of `partitions` of a store that can list them.

    Raises:
        InvalidRequest: lists every fault.
    """
    _check_range((), prefix, after, limit)


def _check_range(faults: tuple[str, ...], prefix: str, after: str, limit: int) -> None:
    faults += _PART.faults("prefix", prefix) + _PART.faults("after", after)
    if limit < 1:
        faults += (f"limit {limit} is not allowed; ask for at least 1",)
    if faults:
        raise InvalidRequest(faults)


def span(prefix: str, after: str) -> tuple[str, str]:
    """The names that start with `prefix` and come after `after`, as low <= name < high.

    The space is the least character of a name and DEL is beyond the greatest.
    """
    return max(prefix, f"{after} "), f"{prefix}\x7f"


def check_write(partition: str, changes: Sequence[Change], token: str) -> None:
    """Check the arguments of `Store.write`.

    Sizes are those of the values; names are bounded by `MAX_NAME_BYTES`, and the limits leave room
    for them on every cloud.

    Raises:
        InvalidRequest: lists every fault.
        TooLarge: names every item that is too large, or says that the write is.
    """
    if len(changes) > MAX_CHANGES:
        raise TooLarge(f"{len(changes)} changes in one write, at most {MAX_CHANGES} are allowed")
    keys = [change.key for change in changes]
    names = "\n".join((partition, token, *keys))
    # A line break inside of a name makes one line too many.
    well = _NAMES.fullmatch(names) and names.count("\n") == len(keys) + 1
    faults = [] if well else _name_faults(partition, keys, token)
    if len(set(keys)) < len(keys):
        for key in sorted({key for key in keys if keys.count(key) > 1}):
            faults.append(f"key {_shown(key)} occurs twice; a write names a key once")
    large: list[str] = []
    puts = total = 0
    for change in changes:
        if isinstance(change, Put):
            key, value, _, expires = change
            puts += 1
            size = len(value)
            total += size
            if size > MAX_ITEM_BYTES:
                large.append(f"{_shown(key)} has {size} bytes, an item at most {MAX_ITEM_BYTES}")
            if expires is not None and not isfinite(expires):
                faults.append(f"key {_shown(key)} expires at {expires}, which is no time")
        elif isinstance(change, Delete) and change.expect == ABSENT:
            key = _shown(change.key)
            faults.append(f"key {key} is deleted unseen; demand the version that was read")
    if not puts:
        faults.append("nothing is put; a write puts at least one item, which carries its token")
    if faults:
        raise InvalidRequest(faults)
    if total > MAX_WRITE_BYTES:
        large.append(f"the write has {total} bytes, at most {MAX_WRITE_BYTES} are allowed")
    if large:
        raise TooLarge("; ".join(large))


def _name_faults(partition: str, keys: Sequence[str], token: str) -> list[str]:
    faults = [*_NAME.faults("partition", partition), *_TOKEN.faults("token", token)]
    for key in keys:
        faults += _NAME.faults("key", key)
    return faults


def refusal(message: Message) -> str | None:
    """Why no bus takes this message, in words; None where every bus does."""
    if not message.id:
        return "a message has no id"
    kind = message.attributes.get("type")
    if not isinstance(kind, str) or not kind:
        return f"{_shown(message.id)} has no type, by which it would be routed"
    group = message.attributes.get("group", "-")
    if not isinstance(group, str) or not group:
        return f"{_shown(message.id)} is addressed to {group!r}, which names no group"
    if message.due is not None and not isfinite(message.due):
        return f"{_shown(message.id)} is due at {message.due}, which is no time"
    try:
        if _surely_small(message):
            return None
        size = message_bytes(message)
    except UnicodeEncodeError:
        return f"{_shown(message.id)} holds half a surrogate pair, which is no text"
    if size > MAX_EVENT_BYTES:
        return f"{_shown(message.id)} has {size} bytes, a message at most {MAX_EVENT_BYTES}"
    return None


def _surely_small(message: Message) -> bool:
    """Whether a message is far below the limit and all of its texts are ASCII."""
    texts = [message.id, *[v for v in message.attributes.values() if isinstance(v, str)]]
    text = "".join(texts)
    return (
        len(message.body) + 4 * len(text) < MAX_EVENT_BYTES // 2
        and len(message.attributes) < _FEW
        and text.isascii()
    )


def message_bytes(message: Message) -> int:
    """Size of a message as the neutral limit counts it: id, body and attributes with their names.

    Raises:
        UnicodeEncodeError: a text in it cannot be encoded.
    """
    return (
        len(message.id.encode())
        + len(message.body)
        + sum(len(f"{name}{value}".encode()) for name, value in message.attributes.items())
    )


def _shown(name: str) -> str:
    return repr(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}...")
