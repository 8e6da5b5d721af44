"""Drift: the world is not as the register intends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from crosswind_events.data import EventData, Part
from crosswind_events.fields import Count, Name, Region, Text

from .failover import Replicas, Shares


class DriftDue(EventData, type="dev.crosswind.drift.due.v1"):
    """The world is to be compared with the register for some workloads."""

    workloads: Annotated[tuple[Name, ...], Field(min_length=1, max_length=100)]


class DriftSuspected(EventData, type="dev.crosswind.drift.suspected.v1"):
    """The world differed, perhaps because a step was on its way: it is looked at once more.

    `epoch` is that of the register when it was seen.
    """

    workload: Name
    epoch: Count
    because: Text


class ReplicaDrift(Part):
    """Replicas of one region, as intended and as they are."""

    intended: Count
    actual: Count


class DriftDetected(EventData, type="dev.crosswind.drift.detected.v1"):
    """The world is not as the register intends it, and nothing is under way that would explain it.

    `epoch` is the register's, `actual_epoch` the one that the traffic's target holds. Replicas are
    given for the regions where they differ; `actual` is empty where the traffic does not.
    """

    workload: Name
    epoch: Count
    actual_epoch: Count
    intended: Shares
    actual: Shares = Field(default_factory=dict)
    replicas: Annotated[Mapping[Region, ReplicaDrift], Field(max_length=64)] = Field(
        default_factory=dict
    )
    because: Text


class DriftReconciled(EventData, type="dev.crosswind.drift.reconciled.v1", ends="reconciled"):
    """What the register intends was asserted again and holds."""

    workload: Name
    epoch: Count
    weights: Shares = Field(default_factory=dict)
    replicas: Replicas = Field(default_factory=dict)
    because: Text


class DriftGone(EventData, type="dev.crosswind.drift.gone.v1", ends="nothing-to-do"):
    """There was nothing left to assert: the world has followed, or a plan is under way."""

    workload: Name
    because: Text


class DriftUnresolved(EventData, type="dev.crosswind.drift.unresolved.v1", ends="unresolved"):
    """The world does not follow the register, or a person has refused to let it."""

    workload: Name
    epoch: Count
    because: Text


TYPES: tuple[type[EventData], ...] = (
    DriftDue,
    DriftSuspected,
    DriftDetected,
    DriftReconciled,
    DriftGone,
    DriftUnresolved,
)
