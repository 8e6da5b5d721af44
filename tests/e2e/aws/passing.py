"""Time that passes at a deployed app no faster than the app works."""

from __future__ import annotations

import time
from collections.abc import Callable

import boto3

from crosswind_local.aws_sites import AwsSite

STEP = 10.0
"""Seconds that pass at a time; what is due within them becomes due together."""

PATIENCE = 20.0
"""Real seconds after which what still waits is held to wait for time to pass."""


class Passing:
    """Moves the clock of the emulator and of its functions, while nothing is under way.

    Args:
        prefix: of the names of the queues.
    """

    def __init__(self, site: AwsSite, prefix: str) -> None:
        self._site = site
        self._sqs = boto3.client("sqs")
        self._urls = self._sqs.list_queues(QueueNamePrefix=prefix)["QueueUrls"]

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
        """Wait until no queue holds what could be worked now."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self._busy():
            # Looking takes time from what is looked at.
            time.sleep(0.1)

    def _busy(self) -> bool:
        for n, url in enumerate(self._urls):
            found = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
            counts = {str(name): value for name, value in found["Attributes"].items()}
            if int(counts["ApproximateNumberOfMessages"]) or int(
                counts["ApproximateNumberOfMessagesNotVisible"]
            ):
                # Where there is work there is soon more: it is looked at first.
                self._urls.insert(0, self._urls.pop(n))
                return True
        return False
