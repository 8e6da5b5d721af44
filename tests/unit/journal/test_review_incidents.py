"""Which incidents there are: those that were remembered, and those that only the journal knows."""

from __future__ import annotations

import pytest

from crosswind.chains.incidents.kept import TELLINGS
from crosswind.journal.review.incidents import (
    AmbiguousIncident,
    Found,
    NoSuchIncident,
    find_incident,
    incidents,
)
from crosswind.testing import FaultPlan, On
from crosswind_events.catalogue.incident import IncidentOpened, IncidentResolved
from unit.chains.drama import Drama
from unit.chains.fleets import CENTRAL, EAST, EUROPE, fleet, placement, workload

LONELY = {"chat": workload(regions={EAST: placement(1.0, 10, 10)})}
DAY = 86_400.0


def listed(drama: Drama, since: float = 30 * DAY, region: str | None = None) -> list[Found]:
    return incidents(drama.engine.ledger, ["shop"], drama.now, since, region=region)


def opens(drama: Drama, name: str, severity: str = "major") -> None:
    said = IncidentOpened.model_validate(
        {"incident": name, "title": f"about {name}", "cause": "c", "severity": severity}
    )
    drama.say(said, event_id=f"{name}-{drama.now}")


def resolves(drama: Drama, name: str) -> None:
    drama.say(IncidentResolved(incident=name, summary="over"), event_id=f"over-{drama.now}")


def test_open_ones_come_first_the_gravest_at_the_top_then_the_newest() -> None:
    drama = Drama(fleet())
    for name, severity in (("a", "major"), ("b", "critical"), ("c", "minor"), ("d", "critical")):
        opens(drama, name, severity)
        drama.pass_time(10)
    resolves(drama, "b")
    assert [(one.name, one.state) for one in listed(drama)] == [
        ("d", "open"),
        ("a", "open"),
        ("c", "open"),
        ("b", "resolved"),
    ]


def test_one_that_is_over_is_listed_for_so_long_and_one_that_is_open_always() -> None:
    drama = Drama(fleet())
    opens(drama, "open")
    opens(drama, "over")
    resolves(drama, "over")
    drama.pass_time(10 * DAY)
    assert {one.name for one in listed(drama, since=20 * DAY)} == {"open", "over"}
    assert {one.name for one in listed(drama, since=DAY)} == {"open"}


def test_one_that_came_again_is_listed_for_each_time() -> None:
    drama = Drama(fleet())
    for _ in range(2):
        opens(drama, "a")
        drama.pass_time(10)
        resolves(drama, "a")
        drama.pass_time(10)
    found = listed(drama)
    assert [one.name for one in found] == ["a", "a"]
    assert len({one.id for one in found}) == 2


def test_only_those_of_a_region_are_listed_where_they_are_wanted() -> None:
    drama = Drama(fleet(workloads=LONELY))
    drama.fail()
    opens(drama, "something else")
    assert [one.region for one in listed(drama, region=EAST)] == [EAST]
    assert listed(drama, region=EUROPE) == []


def test_what_would_have_been_opened_is_known_from_the_journal_alone() -> None:
    drama = Drama(fleet(modes={"default": "observe"}, workloads=LONELY))
    drama.fail()
    drama.pass_time(10)
    (one,) = listed(drama)
    assert (one.state, one.severity, one.region) == ("observed", "critical", EAST)
    assert one.workloads == ("chat",)


def test_what_was_observed_again_and_again_is_one() -> None:
    drama = Drama(fleet(modes={"default": "observe"}, workloads=LONELY))
    for number in range(TELLINGS + 6):
        drama.hear(evidence="operator", source=f"//people.example.com/{number}")
        drama.pass_time(20)
    (one,) = listed(drama)
    assert one.times == TELLINGS + 6
    assert len(one.met) == TELLINGS


def test_an_incident_that_could_not_be_remembered_is_not_lost() -> None:
    faults = FaultPlan(On("perform", about="incident.open", fault="lost", times=9_999))
    drama = Drama(fleet(), faults=faults)
    drama.cloud.most |= {CENTRAL: 0, EUROPE: 0}
    drama.fail()
    drama.pass_time(900)
    (one,) = listed(drama)
    assert one.state == "untold"


def test_the_many_times_that_are_not_kept_are_not_listed_on_their_own() -> None:
    drama = Drama(fleet(workloads=LONELY))
    for number in range(TELLINGS + 6):
        drama.hear(evidence="operator", source=f"//people.example.com/{number}")
        drama.pass_time(20)
    (one,) = listed(drama)
    assert one.state == "open"
    assert one.times == TELLINGS + 6


def test_an_incident_is_found_by_its_id_its_name_or_its_region() -> None:
    drama = Drama(fleet(workloads=LONELY))
    drama.fail()
    opens(drama, "other")
    found = listed(drama)
    one = next(one for one in found if one.region == EAST)
    for given in (one.id, one.id[:8], one.id[:8].upper(), f"region:{EAST}", EAST, f" {EAST} "):
        assert find_incident(found, given) is one


def test_of_the_same_name_the_open_one_is_meant_else_the_newest() -> None:
    drama = Drama(fleet())
    opens(drama, "a")
    drama.pass_time(10)
    resolves(drama, "a")
    drama.pass_time(10)
    opens(drama, "a")
    assert find_incident(listed(drama), "a").state == "open"
    drama.pass_time(10)
    resolves(drama, "a")
    newest = max(listed(drama), key=lambda one: one.since)
    assert find_incident(listed(drama), "a").id == newest.id


def test_what_is_not_there_and_what_is_not_unique_are_refused() -> None:
    drama = Drama(fleet())
    for number in range(17):
        opens(drama, f"incident {number}")
    found = listed(drama)
    with pytest.raises(NoSuchIncident, match="no incident has the id or name 'nothing'"):
        find_incident(found, "nothing")
    with pytest.raises(NoSuchIncident):
        find_incident(found, "")
    digits = [one.id[0] for one in found]
    doubled = next(digit for digit in digits if digits.count(digit) > 1)
    with pytest.raises(AmbiguousIncident, match="give more of it"):
        find_incident(found, doubled)
