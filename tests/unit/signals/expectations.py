"""How the tables of the three clouds say what a fixture becomes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crosswind.signals import Ignored, SignalRejected, Translated
from crosswind_events import AnomalyDetected, Event, RegionRecovered, RegionUnhealthy

FIXTURES = Path(__file__).parents[2] / "fixtures" / "signals"

Each = Callable[[Any, Mapping[str, str] | None], list[Translated]]


@dataclass(frozen=True)
class Says:
    """One event: what, where, when, and on whose word."""

    statement: str
    region: str | None
    time: str
    evidence: str | None = None


@dataclass(frozen=True)
class Silent:
    """Nothing, and why: the kind, and a part of the reason."""

    kind: str | None
    reason: str


@dataclass(frozen=True)
class Bad:
    """A refusal, with the paths of its faults."""

    where: tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """One fixture, what stands beside it on the wire, and what it becomes, record by record."""

    fixture: str
    becomes: list[Any] = field(default_factory=list)
    attributes: Mapping[str, str] | None = None


def load(cloud: str, name: str) -> bytes:
    """The bytes of a fixture."""
    return (FIXTURES / cloud / f"{name}.json").read_bytes()


def value(cloud: str, name: str) -> Any:
    """A fixture, decoded."""
    return json.loads(load(cloud, name))


def names(cloud: str) -> set[str]:
    """All fixtures of a cloud."""
    return {path.stem for path in (FIXTURES / cloud).glob("*.json")}


def said(event: Event[Any]) -> Says:
    """An event in the terms of a table."""
    statements = {RegionUnhealthy: "unhealthy", RegionRecovered: "recovered"}
    time = event.time.isoformat().replace("+00:00", "Z")
    if isinstance(event.data, AnomalyDetected):
        return Says("anomaly", event.data.region, time)
    return Says(statements[type(event.data)], event.data.region, time, event.data.evidence)


def matches(outcome: Translated, expected: Any) -> bool:
    """Whether a record became what the table says."""
    if isinstance(expected, Silent):
        return (
            isinstance(outcome, Ignored)
            and outcome.kind == expected.kind
            and expected.reason in outcome.reason
        )
    if isinstance(expected, Bad):
        return (
            isinstance(outcome, SignalRejected)
            and tuple(fault.where for fault in outcome.faults) == expected.where
        )
    return isinstance(outcome, list) and [said(event) for event in outcome] == expected


def verify(case: Case, cloud: str, each: Each) -> None:
    """Translate a fixture as bytes, as text and decoded, and compare with its row."""
    body = load(cloud, case.fixture)
    for payload in (body, body.decode(), json.loads(body)):
        outcomes = each(payload, case.attributes)
        assert len(outcomes) == len(case.becomes), outcomes
        for outcome, expected in zip(outcomes, case.becomes, strict=True):
            assert matches(outcome, expected), (outcome, expected)
