"""Changes that were begun: a note is laid beside the stack before, and taken away at the end.

So whoever comes next knows of a change whose maker was stopped, finds what it has left, and adds to
the history what went through without anybody to write it down.
"""

from __future__ import annotations

import time
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from crosswind.stacks.history import Deployed

FORMAT: Final = 1

LEASE: Final = 900.0
"""Seconds after which a change that the platform does not carry out is given up: longer than it may
take to upload an artifact and have the platform look at the change."""

_SHORT: Final = 12

Found = Literal["under way", "done", "recent", "lost"]
"""What became of a change: the platform carries it out; it went through; it was begun a moment ago,
and may go on still; it never came to anything."""


class Attempt(BaseModel):
    """A change that was begun.

    Attributes:
        at: when, seconds since the epoch.
        by: who, as the platform knows them.
        digest: of the artifact.
        template: of the template by which the release is deployed again.
        final: of the template that is applied.
        needs: names of everything beside the stack that it refers to.
        fresh: those of them that were not there before.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal[1] = FORMAT
    at: float
    by: str
    app: str
    digest: str
    template: str
    final: str
    needs: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()
    rollback: bool = False

    def found(self, standing: str | None, *, changing: bool, now: float) -> Found:
        """What became of it.

        Args:
            standing: digest of the template that stands; None where nothing does.
            changing: whether the platform changes the stack now.
            now: seconds since the epoch.
        """
        if changing:
            return "under way"
        if standing == self.final:
            return "done"
        return "recent" if now - self.at < LEASE else "lost"

    def told(self, found: Found) -> str:
        """What became of it, for people, with what follows."""
        begun = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(self.at))
        what = f"{self.by} began to apply {self.digest[:_SHORT]} at {begun}"
        return {
            "under way": f"{what}, and it is under way",
            "done": f"{what} and was stopped; it went through, and the next apply adds it to the "
            "history",
            "recent": f"{what}, and has not ended; it is under way still, or was stopped",
            "lost": f"{what} and was stopped; the next apply clears up what it has left",
        }[found]

    def ended(self, outcome: Literal["applied", "reverted"], why: str = "") -> Deployed:
        """It, as the history has it; the same however often it is written down."""
        return Deployed(
            at=self.at,
            by=self.by,
            app=self.app,
            digest=self.digest,
            template=self.template,
            outcome=outcome,
            why=why,
            rollback=self.rollback,
        )


def parse(body: bytes) -> Attempt | None:
    """A note; None where another version of Crosswind has written what this one cannot read."""
    try:
        return Attempt.model_validate_json(body)
    except ValidationError:
        return None
