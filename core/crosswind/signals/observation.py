"""What a provider or an alarm said about regions, and the neutral events made of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from crosswind_events import AnomalyDetected, Event, Native, RegionRecovered, RegionUnhealthy

from .identity import event_id, shorten
from .outcome import Ignored

Statement = Literal["unhealthy", "recovered", "anomaly"]

_MAX_NAME: Final = 256
_MAX_LABEL: Final = 1000
_MAX_REASON: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One native notification, read.

    Args:
        kind: what it is, such as `aws.health.issue`.
        statement: what it says.
        evidence: who says it: the provider, or an alarm of the user's own.
        regions: references such as `aws/us-east-1`, each once.
        unread: places it names that are no region anybody knows.
        source: URI reference of the native alarm or incident.
        key: the vendor's own names for this statement, from which the event ids derive.
        id: the vendor's id of the alarm or incident, for people.
        time: when the vendor made the statement.
        reason: the vendor's words.
    """

    kind: str
    statement: Statement
    evidence: Literal["provider", "alarm"]
    regions: Iterable[str]
    source: str
    key: tuple[str, ...]
    id: str
    time: datetime
    reason: str
    unread: tuple[str, ...] = ()
    account: str | None = None
    name: str | None = None
    url: str | None = None
    service: str | None = None
    metric: str | None = None
    labels: Mapping[str, str | None] = field(default_factory=dict)
    measured: Mapping[str, float | None] = field(default_factory=dict)

    def events(self) -> list[Event[Any]] | Ignored:
        """One event per region; where no region is named, an anomaly is one event without."""
        regions = tuple(dict.fromkeys(self.regions))
        if regions:
            return [self._event(region) for region in regions]
        if self.statement == "anomaly":
            return [self._event(None)]
        if self.unread:
            named = ", ".join(ascii(shorten(place, 64)) for place in self.unread[:5])
            return Ignored(f"names no region that is known ({named})", self.kind)
        return Ignored("names no region, and none is invented", self.kind)

    def _event(self, region: str | None) -> Event[Any]:
        data: AnomalyDetected | RegionUnhealthy | RegionRecovered
        reason = shorten(self.reason.strip() or "the vendor gave no reason", _MAX_REASON)
        native = self._native()
        if self.statement == "anomaly" or region is None:
            data = AnomalyDetected(
                region=region, metric=_name(self.metric), reason=reason, native=native
            )
        else:
            model = RegionUnhealthy if self.statement == "unhealthy" else RegionRecovered
            data = model(
                region=region,
                evidence=self.evidence,
                reason=reason,
                service=_name(self.service),
                native=native,
                measured={name: n for name, n in self.measured.items() if n is not None},
            )
        return Event.of(
            data,
            id=event_id(self.source, *self.key, self.statement, region or ""),
            source=self.source,
            time=self.time,
            subject=region,
        )

    def _native(self) -> Native:
        labels = {**self.labels, "unread_places": ", ".join(self.unread)}
        web = self.url if self.url and self.url.startswith("https://") else None
        return Native(
            kind=self.kind,
            id=shorten(self.id, _MAX_NAME),
            account=_name(self.account),
            name=_name(self.name),
            url=web if web and len(web) <= _MAX_REASON else None,
            labels={name: shorten(text, _MAX_LABEL) for name, text in labels.items() if text},
        )


def _name(text: str | None) -> str | None:
    return shorten(text, _MAX_NAME) if text else None


def places(cloud: str, codes: Iterable[str | None], named: Iterable[str]) -> Places:
    """Sort what a vendor calls its places into region references and the rest.

    Args:
        cloud: `aws`, `gcp` or `azure`.
        codes: for each name, the region code it folds to, or None where it is none.
        named: the names as the vendor wrote them.
    """
    known: dict[str, None] = {}
    unread: dict[str, None] = {}
    for code, name in zip(codes, named, strict=True):
        if code is not None:
            known[f"{cloud}/{code}"] = None
        elif name.strip():
            unread[name.strip()] = None
    return Places(tuple(known), tuple(unread))


@dataclass(frozen=True, slots=True)
class Places:
    """The regions a notification names, and the names that fold to none."""

    regions: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
