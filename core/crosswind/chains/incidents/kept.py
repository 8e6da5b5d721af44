"""Incidents as they are stored: the latest of each name, and each that is over.

incident:<digest of the name>    the latest incident of that name
past:<since>:<id>                each that was resolved, written together with its end
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Final, Self

from pydantic_core import from_json, to_json

from crosswind.chains.incidents.operations import Findings, Incident
from crosswind.ports import Store
from crosswind.records.identity import name_id

PARTITION: Final = "incidents:"
CURRENT: Final = "incident:"
PAST: Final = "past:"

TELLINGS: Final = 24
"""How often an incident was met is kept for so many times: the first, and the latest."""

KEEP: Final = 400 * 86_400.0
"""Seconds for which an incident that is over is kept: a year, and the quarter's review after it."""

_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Telling:
    """One time that an incident was met; `at` in seconds since the epoch.

    Attributes:
        key: of the action that told it.
        raised: it made the incident graver.
    """

    key: str
    at: float
    title: str
    cause: str
    severity: str
    chain: str | None = None
    workload: str | None = None
    raised: bool = False
    findings: Findings = field(default_factory=Findings)

    def as_json(self) -> dict[str, Any]:
        """As stored, and for programs."""
        return {
            "key": self.key,
            "at": self.at,
            "title": self.title,
            "cause": self.cause,
            "severity": self.severity,
            "chain": self.chain,
            "workload": self.workload,
            "raised": self.raised,
            "findings": self.findings.model_dump(mode="json"),
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """From the store."""
        findings = Findings.model_validate(stored.pop("findings"))
        return cls(**stored, findings=findings)


@dataclass(frozen=True, slots=True)
class Kept:
    """One incident, from the moment it was opened.

    Attributes:
        name: the same trouble has the same name, also when it comes again later.
        id: of this one.
        title: as it was told first.
        severity: the gravest so far.
        since, until: when it was opened and resolved, seconds since the epoch.
        told: the times it was met; the first, and the latest.
        untold: how many between them are not kept.
        resolved_by: the key of the action that resolved it.
        because, by: how it ended, and who said so where it was a person.
    """

    name: str
    id: str
    title: str
    severity: str
    since: float
    region: str | None
    told: tuple[Telling, ...]
    untold: int = 0
    until: float | None = None
    resolved_by: str = ""
    because: str = ""
    by: str | None = None

    @classmethod
    def begun(cls, name: str, region: str | None, first: Telling) -> Self:
        """A new one."""
        own = name_id("incident", name, first.key)
        return cls(name, own, first.title, first.severity, first.at, region, (first,))

    @property
    def open(self) -> bool:
        """Whether it goes on."""
        return self.until is None

    @property
    def incident(self) -> Incident:
        """What handlers see of it."""
        return Incident(
            incident=self.name,
            title=self.title,
            severity=self.severity,
            since=self.since,
            chain=self.told[0].chain,
            latest=self.told[-1].title,
            told=self.told[-1].at,
        )

    def telling(self, key: str) -> Telling | None:
        """The telling of one action, if it is kept."""
        return next((one for one in self.told if one.key == key), None)

    def met(self, again: Telling) -> Self:
        """This one, met once more."""
        told = (*self.told, again)
        dropped = max(0, len(told) - TELLINGS)
        return replace(
            self,
            severity=again.severity if again.raised else self.severity,
            told=(told[0], *told[1 + dropped :]),
            untold=self.untold + dropped,
        )

    def over(self, key: str, at: float, because: str, by: str | None) -> Self:
        """This one, resolved."""
        return replace(self, until=at, resolved_by=key, because=because, by=by)

    def encode(self) -> bytes:
        """As stored."""
        return to_json(
            {
                "name": self.name,
                "id": self.id,
                "title": self.title,
                "severity": self.severity,
                "since": self.since,
                "region": self.region,
                "told": [one.as_json() for one in self.told],
                "untold": self.untold,
                "until": self.until,
                "resolved_by": self.resolved_by,
                "because": self.because,
                "by": self.by,
            }
        )

    @classmethod
    def decode(cls, value: bytes) -> Self:
        """From the store."""
        stored: dict[str, Any] = from_json(value)
        told = tuple(Telling.from_json(one) for one in stored.pop("told"))
        return cls(**stored, told=told)


def partition(fleet: str) -> str:
    """Where the incidents of a fleet are kept."""
    return f"{PARTITION}{fleet}"


def current_key(name: str) -> str:
    """Under which the latest incident of a name is kept."""
    return f"{CURRENT}{sha256(name.encode()).hexdigest()[:40]}"


def past_key(kept: Kept) -> str:
    """Under which an incident that is over is kept; in the order in which they were opened."""
    return f"{PAST}{kept.since:017.6f}:{kept.id}"


def current(store: Store, fleet: str) -> Iterator[Kept]:
    """The latest incident of every name."""
    yield from _scan(store, partition(fleet), CURRENT, "")


def past(store: Store, fleet: str, since: float = 0.0) -> Iterator[Kept]:
    """Those that are over and were opened at `since` (seconds since the epoch) or later."""
    yield from _scan(store, partition(fleet), PAST, f"{PAST}{max(since, 0.0):017.6f}")


def _scan(store: Store, where: str, prefix: str, after: str) -> Iterator[Kept]:
    while True:
        page = store.scan(where, prefix, after, _PAGE)
        for item in page:
            yield Kept.decode(item.value)
        if len(page) < _PAGE:
            return
        after = page[-1].key
