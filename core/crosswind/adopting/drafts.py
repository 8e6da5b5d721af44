"""What can be declared of an account, and what cannot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Left(NamedTuple):
    """What was found and is in no part of the fleet.

    Attributes:
        what: such as `alarm`.
        name: of it.
        why: and what a person may do about it.
    """

    what: str
    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.what} {self.name}: {self.why}"


@dataclass(frozen=True, slots=True)
class Placed:
    """A workload in one region; `guesses` says of which fields what stands there is a guess."""

    weight: float
    replicas: int
    quota: int
    guesses: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Drafted:
    """A workload.

    Attributes:
        regions: where it is.
        rate: requests per second that its replicas serve if each serves one.
        made_of: what it is, for people.
        shared_by: the records that gave its weights; empty where replicas did.
        notes: what a person should know of it.
    """

    name: str
    regions: Mapping[str, Placed]
    rate: float
    made_of: tuple[str, ...]
    shared_by: str = ""
    notes: tuple[str, ...] = ()


class Alert(NamedTuple):
    """A mapping of an alarm.

    Attributes:
        because: what shows that it is about the workload.
        repeats: whether the alarms that it is made of are mapped, and say the same.
    """

    match: str
    workload: str
    because: str
    repeats: bool = False


class Hint(NamedTuple):
    """A mapping that only a name speaks for; `where` is the alarm's regions."""

    match: str
    workload: str
    where: str


@dataclass(slots=True)
class Draft:
    """What can be declared of an account."""

    workloads: list[Drafted] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    hints: list[Hint] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)

    @property
    def regions(self) -> list[str]:
        """Every region in which a workload is."""
        return sorted({region for one in self.workloads for region in one.regions})


def named(name: str, region: str) -> str:
    """Something with its region, for people."""
    return f"{name} ({region})" if region else name
