"""Many things in requests that take few of them, of which a service may accept some.

A request is carried out entry by entry, and its answer says which failed. Those that may succeed
are sent again; those that cannot are given up at once.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, TypeVar

T = TypeVar("T")

_TRIES: Final = 3
_PAUSE: Final = 0.05


class Limits(NamedTuple):
    """What one request of a service takes: so many entries, and so many bytes in all of them."""

    entries: int
    bytes: int


class Refused(NamedTuple):
    """An entry, by its position in what was sent, that was not accepted: why, and for good?"""

    position: int
    reason: str
    final: bool


def send(
    entries: Sequence[T],
    sizes: Sequence[int],
    limits: Limits,
    request: Callable[[list[T]], list[Refused]],
    sleep: Callable[[float], None] = time.sleep,
) -> list[Refused]:
    """Send entries, and once more those that were refused for now.

    Args:
        sizes: bytes of each, as the service counts them.
        limits: of one request.
        request: sends a few and says which of these were refused.

    Returns:
        Those that were not accepted, by their position in `entries`.
    """
    left = list(range(len(entries)))
    refused: dict[int, Refused] = {}
    for attempt in range(_TRIES):
        if attempt:
            sleep(random.uniform(0, _PAUSE * 2**attempt))  # noqa: S311 - no secret
        again: list[int] = []
        for part in _parts(left, sizes, limits):
            for one in request([entries[position] for position in part]):
                position = part[one.position]
                refused[position] = one._replace(position=position)
                if not one.final:
                    again.append(position)
        if not again:
            break
        left = again
        if attempt < _TRIES - 1:
            for position in again:
                del refused[position]
    return [refused[position] for position in sorted(refused)]


def _parts(positions: Sequence[int], sizes: Sequence[int], limits: Limits) -> Iterator[list[int]]:
    """Positions by request; what is larger than a request goes in one of its own."""
    part: list[int] = []
    total = 0
    for position in positions:
        full = len(part) == limits.entries or total + sizes[position] > limits.bytes
        if part and full:
            yield part
            part, total = [], 0
        part.append(position)
        total += sizes[position]
    if part:
        yield part
