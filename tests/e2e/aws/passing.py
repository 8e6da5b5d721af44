"""Time that passes at a deployed app no faster than the app works."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, NamedTuple

import boto3

from crosswind_local.aws_sites import AwsSite

STEP: Final = 10.0
"""Seconds that pass at a time; what is due within them becomes due together."""

LOOKS: Final = 2
"""Looks in a row that have to find nothing: queues are counted one after the other, and a message
may lead to another in one that was counted, and be gone from its own before that is counted."""

PAUSE: Final = 0.1
"""Real seconds between two looks, which take time from what is looked at."""

MARGIN: Final = 10.0
"""Real seconds beside those of a call, after which what is still hidden is not being worked."""

LIMIT: Final = 120.0
"""Real seconds after which an app that does not come to rest is one that never will."""


class _Held(NamedTuple):
    """Messages in all queues: those that could be worked, and those that somebody has received."""

    ready: int
    hidden: int


NOTHING: Final = _Held(0, 0)


class Passing:
    """Moves the clock of the emulator and of its functions, while nothing is under way.

    Args:
        prefix: of the names of the queues.
        call: real seconds that a call of a function takes at the most.

    Raises:
        LookupError: there is no such queue, so that nothing would be waited for.
    """

    def __init__(self, site: AwsSite, prefix: str, call: float) -> None:
        self._site = site
        self._hidden = call + MARGIN
        self._before, self._since = NOTHING, 0.0
        self._sqs = boto3.client("sqs")
        self._urls = self._sqs.list_queues(QueueNamePrefix=prefix).get("QueueUrls", [])
        if not self._urls:
            raise LookupError(f"no queue is called {prefix}*: whose account do the clients ask?")

    def until(self, true: Callable[[], bool], seconds: float, step: float = STEP) -> bool:
        """Whether something becomes true before so many seconds have passed there."""
        end = self._site.now() + seconds
        while True:
            self.settle()
            if true():
                return True
            if self._site.now() >= end:
                return False
            self._site.let_pass(step)

    def pass_by(self, seconds: float, step: float = STEP) -> None:
        """Let so many seconds pass there."""
        self.until(lambda: False, seconds, step)

    def settle(self) -> None:
        """Wait until no queue holds what could be worked now, and no function works.

        What is delayed waits for time to pass. So does what a function has given back, which cannot
        be told from what one is working on, but by that no call takes so long.

        Raises:
            TimeoutError: there is always more to do.
        """
        began, quiet = time.monotonic(), 0
        while quiet < LOOKS:
            held = self._held()
            now = time.monotonic()
            if now - began > LIMIT:
                raise TimeoutError(f"after {LIMIT:g} s there is still work: {held}")
            # What was found to wait need not be found anew at each step.
            if held != self._before:
                self._before, self._since = held, now
            waits = not held.ready and now - self._since > self._hidden
            quiet = quiet + 1 if waits or held == NOTHING else 0
            if quiet < LOOKS:
                time.sleep(PAUSE)

    def _held(self) -> _Held:
        ready = hidden = 0
        for url in self._urls:
            found = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
            counts = {
                str(name): int(value)
                for name, value in found["Attributes"].items()
                if str(name).startswith("ApproximateNumber")
            }
            ready += counts["ApproximateNumberOfMessages"]
            hidden += counts["ApproximateNumberOfMessagesNotVisible"]
        return _Held(ready, hidden)
