"""A watchman between a command and AWS: he does something when a certain request comes by."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Final
from urllib.parse import unquote

from contract.proxy import Fault, FaultyProxy, Pass, Refuse, Request, Say

Asks = Callable[[Request], bool]
"""Whether a request is one that is meant."""


class Watchman(FaultyProxy):
    """Carries everything out; at one request he acts before it is answered.

    Args:
        upstream: the URL of AWS.
        asks: which request it is.
        act: what he does; called once.
        lets_pass: whether the request is carried out before that, or never.
        time: at which such request he acts, from 1.
    """

    def __init__(
        self,
        upstream: str,
        asks: Asks,
        act: Callable[[], None] | None = None,
        *,
        lets_pass: bool = True,
        time: int = 1,
    ) -> None:
        super().__init__(upstream)
        self.act = act
        self._asks = asks
        self._lets_pass = lets_pass
        self._left = time
        self._guarded = Lock()

    def meet(self, request: Request) -> Fault:
        if not self._asks(request):
            return Pass()
        with self._guarded:
            self._left -= 1
            due = self._left == 0
        if not due:
            return Pass()
        answered = self.forward(request) if self._lets_pass else None
        assert self.act is not None, "he was not told what to do"
        self.act()
        if answered is None:
            return Refuse()
        return Say(answered.status, answered.body, tuple(answered.headers))


def action(name: str) -> Asks:
    """A request to CloudFormation."""
    return lambda request: f"Action={name}&".encode() in request.body + b"&"


def puts(prefix: str) -> Asks:
    """A request to S3 that lays something there under such a name."""
    return lambda request: request.method == "PUT" and f"/{prefix}" in unquote(request.path)


PHASES: Final[dict[str, tuple[Asks, bool]]] = {
    "before-anything-is-uploaded": (puts("artifacts/"), False),
    "after-the-artifact-is-uploaded": (puts("artifacts/"), True),
    "after-the-change-set-is-asked-for": (action("CreateChangeSet"), True),
    "before-the-change-set-is-executed": (action("ExecuteChangeSet"), False),
    "after-the-change-set-is-executed": (action("ExecuteChangeSet"), True),
    "before-the-history-is-written": (puts("releases/"), False),
}
"""The phases of an apply, each with the request at which it is stopped, and whether that passes."""

UNCHANGED: Final = frozenset(list(PHASES)[:4])
"""Phases in which nothing is changed yet."""
