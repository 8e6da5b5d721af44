"""Questions to a person before an action is taken."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from crosswind_events.data import EventData
from crosswind_events.fields import Count, Instant, Name, Text, Versions


class ApprovalRequested(EventData, type="dev.crosswind.approval.requested.v1"):
    """An action waits for approval.

    What is approved is this proposal and no other: `arguments_digest` names the arguments,
    `relies_on` the register items with the versions on which they rest. `action` is its kind.
    """

    approval: Name
    chain: Name
    run: Name
    workload: Name | None = None
    action: Name
    summary: Text
    arguments_digest: Name
    relies_on: Versions = Field(default_factory=dict)
    proposal: Count
    expires: Instant


class ApprovalSettled(EventData, type="dev.crosswind.approval.settled.v1"):
    """A question has its answer, once and for all.

    `by` is for the reader; who may approve is decided from verified identity, never from here.
    """

    approval: Name
    chain: Name
    outcome: Literal["granted", "rejected", "expired", "voided"]
    by: Name | None = None
    reason: Text | None = None


TYPES: tuple[type[EventData], ...] = (ApprovalRequested, ApprovalSettled)
