"""What was read of an account, as plain data: nothing in it is a secret or decides anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple


class Mark(NamedTuple):
    """A name by which an alarm or a record says what it is about.

    Attributes:
        region: where it holds.
        kind: of name, such as `sagemaker.endpoint`; the adapter's own word.
        name: what stands there.
    """

    region: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Serving:
    """Something in one region that serves requests.

    Attributes:
        name: as the account has it.
        region: as a fleet names it, such as `aws/us-east-1`.
        kind: for people, such as `SageMaker endpoint`.
        replicas: that it is meant to have; None where that could not be read.
        most: replicas that it may grow to; None where nothing says.
        within: what tells it from another of the same name in the region, such as its cluster.
        marks: by which alarms and records name it.
        notes: what a person should know of it.
        why_not: why it is no workload; empty where it may be one.
    """

    name: str
    region: str
    kind: str
    replicas: int | None
    most: int | None = None
    within: str = ""
    marks: frozenset[Mark] = frozenset()
    notes: tuple[str, ...] = ()
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class FoundAlarm:
    """An alarm.

    Attributes:
        name, region: of the alarm.
        kind: for people, such as `metric alarm`.
        marks: what it watches.
        children: names of alarms of its region that it is made of.
        why_not: why it can be no evidence that a region is unwell; empty where it can.
    """

    name: str
    region: str
    kind: str
    marks: frozenset[Mark] = frozenset()
    children: frozenset[str] = frozenset()
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """One of several records that divide the traffic of a name.

    Attributes:
        name: that they divide, with the kind of record.
        identifier: that tells it from the others.
        weight: relative to the others.
        mark: what it leads to; None where that was not told.
        to: the same, for people.
    """

    name: str
    identifier: str
    weight: float
    mark: Mark | None
    to: str


class FoundBudget(NamedTuple):
    """A budget; `says` is its amount and time, for people."""

    name: str
    says: str


class FoundRotation(NamedTuple):
    """How a key or a secret is renewed.

    Attributes:
        kind: `key` or `secret`.
        says: how often, or that it is not, for people.
        renewed: whether anything renews it.
    """

    kind: Literal["key", "secret"]
    name: str
    region: str
    says: str
    renewed: bool


class Unread(NamedTuple):
    """A part of an account that was not read, or not all of it.

    Attributes:
        part: such as `alarms`.
        region: where; empty for what has no region.
        why: for people.
        needs: the right that is missing; empty where it is another reason.
    """

    part: str
    region: str
    why: str
    needs: str = ""

    def __str__(self) -> str:
        where = f" in {self.region}" if self.region else ""
        needs = f"; it needs {self.needs}" if self.needs else ""
        return f"{self.part}{where} not read: {self.why}{needs}"


@dataclass(slots=True)
class Found:
    """All that was read.

    Attributes:
        cloud: whose it is.
        account: its id.
        regions: that were looked at, each with the code of the country whose law holds there, or
            None where that is not known.
    """

    cloud: str
    account: str
    regions: dict[str, str | None] = field(default_factory=dict)
    serving: list[Serving] = field(default_factory=list)
    alarms: list[FoundAlarm] = field(default_factory=list)
    shares: list[Share] = field(default_factory=list)
    budgets: list[FoundBudget] = field(default_factory=list)
    rotations: list[FoundRotation] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)

    def in_order(self) -> Found:
        """The same, sorted: what is written of it does not depend on who answered first."""
        return Found(
            self.cloud,
            self.account,
            dict(sorted(self.regions.items())),
            sorted(self.serving, key=lambda one: (one.name, one.region, one.within, one.kind)),
            sorted(self.alarms, key=lambda one: (one.name, one.region)),
            sorted(self.shares, key=lambda one: (one.name, one.identifier)),
            sorted(self.budgets),
            sorted(self.rotations),
            sorted(set(self.unread)),
        )
