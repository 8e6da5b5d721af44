"""Notes of changes that were begun, in the bucket of a stack, and clearing up after them.

    attempts/TIME-DIGEST.json     laid before anything is uploaded, taken away at the end

What an apply that was stopped can leave: the note; what it uploaded; a change set that nobody
executes, and with a first one a stack that has nothing but that; and a change that went through and
stands in no history.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from crosswind.stacks import attempt as begun
from crosswind.stacks.attempt import LEASE, Attempt, Found
from crosswind.stacks.driver import Denied
from crosswind.stacks.history import Deployed
from crosswind_aws.stack import states
from crosswind_aws.stack.artifacts import DRAFTS, keys_of
from crosswind_aws.stack.changesets import forget, withdraw_unmade
from crosswind_aws.stack.template import digest, written

if TYPE_CHECKING:
    from crosswind_aws.stack.artifacts import Shelf
    from crosswind_aws.stack.aws import Aws
    from crosswind_aws.stack.standing import Standing

ATTEMPTS: Final = "attempts/"

_NOBODY: Final = "whoever applied it was stopped, and CloudFormation took it back"


class Attempts:
    """What was begun on one stack.

    Args:
        shelf: where the notes lie.
    """

    def __init__(self, aws: Aws, shelf: Shelf, stack: str) -> None:
        self._aws = aws
        self._shelf = shelf
        self._stack = stack

    def begin(self, attempt: Attempt) -> None:
        """Lay a note."""
        self._shelf.put(_key(attempt), attempt.model_dump_json().encode())

    def end(self, attempt: Attempt) -> None:
        """Take a note away."""
        self._shelf.drop([_key(attempt)])

    def all(self) -> list[Attempt]:
        """Every note, oldest first."""
        if not self._shelf.exists():
            return []
        bodies = [self._shelf.read(key) for key in self._shelf.keys(ATTEMPTS)]
        return [one for body in bodies if body and (one := begun.parse(body)) is not None]

    def judged(self, standing: Standing | None, now: float) -> Iterator[tuple[Attempt, Found]]:
        """Every note, with what became of it."""
        for one in self.all():
            yield one, _found(one, standing, now)

    def told(self, standing: Standing | None, now: float) -> list[str]:
        """What became of what was begun, for people."""
        try:
            return [one.told(found) for one, found in self.judged(standing, now)]
        except Denied as error:
            return [f"whether an apply was stopped cannot be seen: {error}"]

    def passed(self, standing: Standing | None, now: float) -> list[Deployed]:
        """What went through, and stands in no history yet."""
        return [
            one.ended("applied") for one, found in self.judged(standing, now) if found == "done"
        ]

    def clear(self, standing: Standing | None, own: Attempt, now: float) -> None:
        """Write down what went through, and take away what the others have left.

        Args:
            standing: the stack, which nobody changes now.
            own: what is begun now; what it needs stays.
            now: seconds since the epoch.
        """
        for one, found in list(self.judged(standing, now)):
            if one == own:
                continue
            if found == "done":
                self._shelf.record(one.ended("applied"))
            elif found != "lost":
                continue
            elif standing is not None and _took_back(standing, one):
                self._shelf.record(one.ended("reverted", _NOBODY))
            self.end(one)
            self.withdraw(one)
        self._shelf.drop(self._shelf.keys(DRAFTS, before=now - LEASE))
        forget(self._aws, self._stack, before=now - LEASE)

    def supersede(self, own: Attempt) -> None:
        """Take away what others have left that began before a change that went through.

        Whatever they have asked for is void by it.
        """
        for one in self.all():
            if one != own and one.at <= own.at:
                self.end(one)
                self.withdraw(one)

    def withdraw(self, attempt: Attempt) -> None:
        """Take away what a change has uploaded, but for what is of use to anybody else."""
        used = {key for one in self.all() if one != attempt for key in one.needs}
        used |= {key for one in self._shelf.history() for key in keys_of(one)}
        self._shelf.drop([key for key in attempt.fresh if key not in used])

    def undo(self, attempt: Attempt) -> None:
        """Leave no trace of a change that was never carried out, whoever else is at work here."""
        self.withdraw(attempt)
        self.end(attempt)
        if withdraw_unmade(self._aws, self._stack) or self._shelf.history() or self.all():
            return
        self._shelf.remove()


def _found(attempt: Attempt, standing: Standing | None, now: float) -> Found:
    stands = None if standing is None or not standing.exists else standing
    changing = standing is not None and states.is_changing(standing.state)
    said = None if stands is None else digest(written(dict(stands.template)))
    return attempt.found(said, changing=changing, now=now)


def _took_back(standing: Standing, attempt: Attempt) -> bool:
    return standing.state in states.TAKEN_BACK and standing.changed >= attempt.at


def _key(attempt: Attempt) -> str:
    return f"{ATTEMPTS}{round(attempt.at * 1_000):014}-{attempt.digest[:12]}.json"
