"""What the engine says to itself about chains and their runs."""

from __future__ import annotations

from crosswind_events.data import EventData
from crosswind_events.fields import Count, Instant, Name, Report, Text


class RunResume(EventData, type="dev.crosswind.run.resume.v1"):
    """A suspended or retrying run is to go on, if `turn` is still its turn."""

    chain: Name
    run: Name
    turn: Count
    handler: Name


class ChainDeadline(EventData, type="dev.crosswind.chain.deadline.v1"):
    """A chain's time is over, unless it has ended."""

    chain: Name
    opened: Instant
    deadline: Instant


class ChainStalled(EventData, type="dev.crosswind.chain.stalled.v1", ends="stalled"):
    """A chain did not end in its time; `because` says what it was waiting for."""

    chain: Name
    opened: Instant
    because: Text
    target: Name | None = None


class BranchFailed(EventData, type="dev.crosswind.chain.branch_failed.v1"):
    """A branch that a join waits for ended in a dead letter; the chain goes on."""

    join: Name
    member: Name
    handler: Name
    reason: Report


TYPES: tuple[type[EventData], ...] = (RunResume, ChainDeadline, ChainStalled, BranchFailed)
