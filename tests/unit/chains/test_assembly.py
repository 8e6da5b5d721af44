"""How the failover app is put together."""

from __future__ import annotations

import pytest

from crosswind.app import App
from crosswind.chains.failover import app, failover_app, probes_app
from crosswind_events import CATALOGUE
from crosswind_events.catalogue.failover import EvidenceContradicted
from crosswind_events.catalogue.incident import IncidentResolved

FOR_PEOPLE = {IncidentResolved, EvidenceContradicted}
"""What is said for the record only."""


def test_every_event_of_the_chain_is_heard_in_it_or_ends_it() -> None:
    heard = {data for handler in app.handlers for data in handler.takes}
    for handler in app.handlers:
        for emitted in handler.emits:
            known = emitted.data in heard or emitted.data.ends or emitted.data in FOR_PEOPLE
            assert known, f"{handler.name} emits {emitted.data.__name__}, which nobody hears"


def test_every_event_of_the_chain_is_in_the_catalogue() -> None:
    emitted = {one.data for handler in app.handlers for one in handler.emits}
    assert emitted <= set(CATALOGUE)


def test_a_first_event_can_lead_to_an_end() -> None:
    for name in ("hear_unhealthy", "hear_recovered"):
        (handler,) = [one for one in app.handlers if one.name.endswith(name)]
        assert app.can_end(handler)
        assert handler.flight is not None


def test_the_probes_run_as_often_as_is_said_or_not_at_all() -> None:
    (schedule,) = failover_app(probe_every=5.0, drift_every=None).schedules
    assert schedule.every == 5.0
    assert failover_app(probe_every=None, drift_every=None).schedules == ()


def test_the_world_is_compared_with_the_register_unless_that_is_not_wanted() -> None:
    (schedule,) = failover_app(probe_every=None).schedules
    assert (schedule.handler, schedule.every) == ("crosswind.chains.drift.detection:tick", 300.0)


def test_it_can_be_included_in_an_app_of_ones_own() -> None:
    own = App("ops")
    own.include(failover_app(probe_every=7.0))
    assert {"failover", "incidents", "probes"} <= set(own.groups)


@pytest.mark.parametrize("name", ["probe", "tick", "watch"])
def test_the_probes_only_read(name: str) -> None:
    (handler,) = [h for h in probes_app(5.0).handlers if h.name.endswith(f":{name}")]
    assert handler.acts == ()
