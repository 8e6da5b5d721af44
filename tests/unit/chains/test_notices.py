"""Clouds' own notices and mapped alarms, as they really come, weigh what the rules say."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crosswind.chains.failover.evidence import Verdict, failing
from crosswind.fleet.declaration import Fleet
from crosswind.signals import Ignored
from crosswind_aws import signals as aws
from crosswind_azure import signals as azure
from crosswind_events import Event
from crosswind_gcp import signals as gcp
from unit.chains.fleets import document, heard, placement, workload

SIGNALS = Path(__file__).parents[2] / "fixtures" / "signals"
CLOUDS: dict[str, Any] = {"aws": aws, "gcp": gcp, "azure": azure}

ALARMS = ["aws/alarm-event-alarm", "gcp/incident-open", "azure/metric-fired"]
OVER = ["aws/alarm-event-ok", "gcp/incident-closed", "azure/metric-resolved"]
NOTICES = ["aws/health-issue-open", "gcp/service-health-active", "azure/service-health-active"]
CLOSED = ["aws/health-issue-closed", "gcp/service-health-closed", "azure/service-health-resolved"]


def read(name: str) -> Event[Any]:
    """The first event that a cloud's notification becomes."""
    cloud, _, file = name.partition("/")
    translated = CLOUDS[cloud].translate((SIGNALS / cloud / f"{file}.json").read_bytes())
    assert not isinstance(translated, Ignored)
    event: Event[Any] = translated[0]
    return event


def fleet_in(region: str, alerts: tuple[dict[str, Any], ...] = ()) -> Fleet:
    """A fleet with one workload in that region and in another."""
    other = "gcp/europe-west1"
    return Fleet.model_validate(
        document(
            regions={region: {"jurisdiction": "US"}, other: {"jurisdiction": "US"}},
            workloads={
                "chat": workload(
                    regions={region: placement(0.5, 5, 10), other: placement(0.5, 5, 10)}
                )
            },
            alerts=list(alerts),
        )
    )


def judged(event: Event[Any], *more: Event[Any], mapped: bool = True) -> Verdict:
    alert = {"match": "*", "workload": "chat", "weight": 1.0}
    declared = fleet_in(event.data.region, (alert,) if mapped else ())
    last = max(one.time for one in (event, *more))
    return failing((event, *more), event.data.region, declared, last + timedelta(seconds=1))


def probe(event: Event[Any]) -> Event[Any]:
    """A probe that saw the same region fail in the same moment."""
    word = heard(region=event.data.region, vantage="home", workload="chat")
    return Event.of(word.data, id="probe", source=word.source, time=event.time)


@pytest.mark.parametrize("name", NOTICES)
def test_a_providers_notice_counts_and_never_alone(name: str) -> None:
    notice = read(name)
    alone = judged(notice)
    assert (alone.total, alone.reached) == (1.0, False)
    assert judged(notice, probe(notice)).workloads == frozenset({"chat"})


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_counts_where_it_is_mapped_and_only_there(name: str) -> None:
    alarm = read(name)
    assert judged(alarm, probe(alarm)).workloads == frozenset({"chat"})
    unmapped = judged(alarm, probe(alarm), mapped=False)
    assert not unmapped.reached
    assert any("unmapped" in piece.because for piece in unmapped.pieces)


@pytest.mark.parametrize(
    ("begun", "over"), [*zip(ALARMS, OVER, strict=True), *zip(NOTICES, CLOSED, strict=True)]
)
def test_what_is_over_takes_back_what_its_own_source_has_said(begun: str, over: str) -> None:
    first, last = read(begun), read(over)
    if first.source != last.source:
        last = Event.of(last.data, id=last.id, source=first.source, time=last.time)
    last = Event.of(
        last.data.model_copy(update={"region": first.data.region}),
        id=last.id,
        source=last.source,
        time=first.time + timedelta(seconds=60),
    )
    assert judged(first, last).total == 0.0


@pytest.mark.parametrize("name", [*ALARMS, *NOTICES])
def test_what_a_cloud_measured_is_not_read_as_something_of_ours(name: str) -> None:
    ours = {"age", "others", "others_failed", "error_limit", "slow_limit"}
    assert not ours & set(read(name).data.measured)
