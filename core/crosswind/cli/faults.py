"""Errors as one clear message and an exit code that means something.

| code | meaning                                                          |
|------|------------------------------------------------------------------|
| 0    | done                                                             |
| 1    | the answer is no: differences found, invalid, refused            |
| 2    | usage, or bad input                                              |
| 3    | nothing was found                                                |
| 4    | not possible for the time being; trying again is worth it        |
| 70   | a fault of Crosswind itself (`EX_SOFTWARE` of sysexits.h)        |
"""

from __future__ import annotations

import errno
from typing import Final

import click

from crosswind.cli.output import printable

NO: Final = 1
USAGE: Final = 2
NOTHING: Final = 3
LATER: Final = 4
BUG: Final = 70

CODES: Final = {
    0: "done",
    NO: "the answer is no: differences found, invalid, refused",
    USAGE: "wrong usage or bad input",
    NOTHING: "nothing was found",
    LATER: "not possible for the time being; try again",
    BUG: "a fault of Crosswind itself",
}


class Failure(click.ClickException):
    """A command that ends with a message.

    Args:
        message: what is wrong and what to do next.
        code: the exit code.
    """

    def __init__(self, message: str, code: int = USAGE) -> None:
        super().__init__(printable(message))
        self.code = code

    @property
    def exit_code(self) -> int:  # type: ignore[override]  # click has it as a plain class variable
        """The exit code."""
        return self.code


def explained(error: Exception) -> Failure | None:
    """What a person is told of an error; None where it has to be passed on as it is."""
    from crosswind.engine.approvals import NoSuchProposal, NotAnApprover
    from crosswind.engine.redrive import NotRedrivable
    from crosswind.errors import (
        CrosswindError,
        NotAccepted,
        NotPossible,
        Returned,
        Throttled,
        Unreachable,
    )
    from crosswind.journal.listing import NoSuchChain
    from crosswind.stacks.desk import NoSuchLetter
    from crosswind.stacks.driver import Busy, Denied, NotDeployed
    from crosswind_events import InvalidEvent

    match error:
        case ImportError():
            return None
        case OSError() if error.errno == errno.EPIPE:
            return None
        case NoSuchChain():
            return Failure(f"{error}; list what there is with: crosswind chains", NOTHING)
        case NotAnApprover() | NotPossible() | Denied():
            return Failure(str(error), NO)
        case Busy():
            return Failure(str(error), LATER)
        case NoSuchProposal() | NoSuchLetter() | NotRedrivable() | NotDeployed():
            return Failure(str(error), NOTHING)
        case NotAccepted() | Returned() | Throttled() | Unreachable():
            return Failure(f"{error}; nothing is lost, try again", LATER)
        case CrosswindError() | InvalidEvent():
            return Failure(str(error), USAGE)
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            return Failure(f"{where}{error.strerror or error}", USAGE)
    return Failure(
        f"{type(error).__name__}: {error}. This is a fault of Crosswind; run the command again "
        "with --debug to see where it is, and report it",
        BUG,
    )
