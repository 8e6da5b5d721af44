"""How long a service is asked that is throttled or does not answer, before its caller has to wait.

A throttled request was never carried out, and is made again more often. One whose answer was lost
may have been: it is made again once, as the very same request, and left to the engine beyond that.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final, Literal, TypeVar

from crosswind.errors import Throttled, Unreachable

T = TypeVar("T")

Meaning = Literal["throttled", "lost"]
"""What an error says of a request: it was not carried out, or nobody knows."""

_PATIENCE: Final = 4
"""How often a throttled request is made before the caller is asked for patience."""

_REPEATS: Final = 2
"""How often a request is made whose answer is lost; the engine repeats it beyond that."""

_PAUSE: Final = 0.05
"""Mean seconds before the second attempt; doubles with each."""


def persistently(
    call: Callable[[], T],
    meaning: Callable[[Exception], Meaning | None],
    service: str,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Make a request, and make the very same again while it is throttled or its answer lost.

    Args:
        call: makes it.
        meaning: of an error that it raises; None for one that is passed on at once. May itself
            raise what the caller is to see instead.
        service: its name, for people.
        sleep: waits so many seconds.

    Raises:
        Throttled: it was never carried out.
        Unreachable: it may have been carried out, by one of the attempts.
    """
    throttled = lost = 0
    while True:
        try:
            return call()
        except Exception as error:
            means = meaning(error)
            if means is None:
                raise
            last = error
        if means == "lost":
            lost += 1
        else:
            throttled += 1
        if lost >= _REPEATS or (lost and throttled >= _PATIENCE):
            # Refused for now, but an earlier attempt may have been carried out: still in doubt.
            raise Unreachable(f"{service} did not answer: {last}") from last
        if throttled >= _PATIENCE:
            raise Throttled(f"{service} asks for patience: {last}") from last
        sleep(random.uniform(0, _PAUSE * 2 ** (throttled + lost)))  # noqa: S311 - no secret
