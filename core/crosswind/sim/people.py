"""People: who approves what is proposed, and when; or never, or twice, or wrongly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from crosswind.sim.draws import Draws
    from crosswind_events.catalogue.approval import ApprovalRequested

Says = Literal["granted", "rejected"]

_NO_PROPOSAL: Final = "00000000-0000-5000-8000-000000000000"


class Reply(NamedTuple):
    """What somebody does about a proposal.

    Attributes:
        after: seconds after it was published.
        approval: which proposal is answered; the one that was asked unless given.
    """

    after: float
    says: Says = "granted"
    by: str = "person@example.com"
    reason: str = ""
    approval: str | None = None


class People(Protocol):
    """Those who are asked."""

    def asked(self, question: ApprovalRequested, draws: Draws) -> Iterable[Reply]:
        """What they do about a proposal: nothing, or one or several replies.

        Args:
            draws: named by the proposal, for what differs between people.
        """
        ...


@dataclass(frozen=True, slots=True)
class Answering:
    """People who answer, most of them as they should.

    Args:
        after: seconds that they take, the median of a log-normal.
        spread: standard deviation of its logarithm.
        never, rejects, twice, confused: shares of proposals that nobody answers, that are
            rejected, that two people answer, and for which first another one is approved that
            does not exist.
        by: who says so.
    """

    after: float = 60.0
    spread: float = 0.5
    never: float = 0.0
    rejects: float = 0.0
    twice: float = 0.0
    confused: float = 0.0
    by: str = "person@example.com"

    def asked(self, question: ApprovalRequested, draws: Draws) -> Iterable[Reply]:
        """See `People.asked`."""
        if draws.chance(self.never, "never"):
            return
        says: Says = "rejected" if draws.chance(self.rejects, "rejects") else "granted"
        after = draws.lognormal(self.after, self.spread, "after")
        if draws.chance(self.confused, "confused"):
            yield Reply(
                after / 2, "granted", self.by, approval="00000000-0000-5000-8000-000000000000"
            )
        yield Reply(after, says, self.by)
        if draws.chance(self.twice, "twice"):
            other: Says = "granted" if draws.chance(0.5, "other") else "rejected"
            yield Reply(
                draws.lognormal(self.after, self.spread, "second"), other, f"other-{self.by}"
            )


class Nobody:
    """People who never answer."""

    def asked(self, question: ApprovalRequested, draws: Draws) -> Iterable[Reply]:
        """See `People.asked`."""
        return ()
