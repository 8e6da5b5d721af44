"""The shadow report: what would have been done, at what cost, and what is not known."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from pydantic_core import to_json

from crosswind.journal.shadow.actual import Outage
from crosswind.journal.shadow.markdown import markdown
from crosswind.journal.shadow.report import LIVE, Report, report
from crosswind_events import RegionRecovered
from unit.chains.drama import Drama
from unit.chains.fleets import CENTRAL, EAST, fleet, placement, workload
from unit.journal.month import BEGAN, DAY, Line, alarm
from unit.journal.month import EAST as EAST_OF_MONTH
from unit.journal.test_shadow_rehearsal import APP, Rehearsed, fails, is_well, play

SECTIONS = [
    "## Failovers",
    "## Plans",
    "## Against what really happened",
    "## Back and forth",
    "## What counted for nothing",
    "## What is assumed",
]


def told(played: Rehearsed, outages: Sequence[Outage] | None = None) -> Report:
    return report(played.ledger, APP, 0.0, 0.0, outages)


def text(found: Report) -> str:
    return "\n".join(markdown(found))


@pytest.fixture(scope="module")
def played() -> Rehearsed:
    """A region that fails, recovers, and relapses on its way back; and an alarm nobody mapped."""
    lines: list[Line] = [
        *fails(),
        *is_well(),
        *fails(at=BEGAN + 900, minutes=2),
        *is_well(at=BEGAN + 1_500),
        alarm(EAST_OF_MONTH, "disk-full", BEGAN + 5_000, True, BEGAN + 5_000),
        alarm(EAST_OF_MONTH, "disk-full", BEGAN + 6_000, True, BEGAN + 6_000),
    ]
    return play(lines)


def test_a_report_has_all_its_parts_in_their_order(played: Rehearsed) -> None:
    lines = list(markdown(told(played)))
    assert lines[0] == "# What would have been done"
    assert [line for line in lines if line.startswith("## ")] == SECTIONS
    for heading in SECTIONS:
        assert lines[lines.index(heading) + 2]


def test_it_says_what_came_in_and_what_became_of_it(played: Rehearsed) -> None:
    words = text(told(played))
    assert "**Signals** of h.jsonl, 2026-03-01T00:00:01Z to 2026-03-01T01:40:02Z" in words
    assert f"{played.account.worked} event(s) were worked" in words
    assert played.account.digest[:12] in words


def test_each_failover_is_told_with_when_where_and_at_what_cost(played: Rehearsed) -> None:
    found = told(played)
    (would,) = found.observed.woulds
    assert f"| 2026-03-01T00:00:00Z | {EAST_OF_MONTH} |" in text(found)
    assert f"| {would.chain} |" in text(found), "in full, as old chains are found by nothing less"
    assert "completed, then 1 relapse(s)" in text(found)
    assert found.hours(would) == pytest.approx(((would.back or 0) - (would.moved or 0)) / 3_600)
    assert found.money(would) == pytest.approx(found.hours(would) * would.cost)


def test_what_is_assumed_is_said_every_time(played: Rehearsed) -> None:
    words = text(told(played))
    assert "Capacity: every region grants what is declared" in words
    assert "A fresh look therefore never contradicts a signal" in words


def test_without_a_file_of_what_happened_it_says_that_it_cannot_compare(
    played: Rehearsed,
) -> None:
    words = text(told(played))
    assert "It cannot be compared: nothing is known of what really happened." in words
    assert "a signal said that it was well 9 min 58 s after there was enough evidence" in words


def test_with_it_each_outage_is_told_against_people(played: Rehearsed) -> None:
    outages = [
        Outage(EAST_OF_MONTH, BEGAN - 20, BEGAN + 600, BEGAN + 500),
        Outage("gcp/us-central1", BEGAN, BEGAN + 60, None),
    ]
    found = told(played, outages)
    words = text(found)
    assert "1 of 2 outage(s) were found, 1 missed; 0 failover(s) without an outage" in words
    assert "earlier than people" in words
    assert "gcp/us-central1 at 2026-03-01T00:00:00Z: no signal said anything about it" in words


def test_a_failover_without_an_outage_is_told_with_its_reason(played: Rehearsed) -> None:
    words = text(told(played, []))
    assert "0 of 0 outage(s) were found, 0 missed; 1 failover(s) without an outage" in words
    assert "2 of 2 needed" in words


def test_relapses_are_told_as_going_back_and_forth(played: Rehearsed) -> None:
    assert f"{EAST_OF_MONTH}: relapsed 1 time(s) on its way back" in text(told(played))


def test_a_region_that_would_be_left_twice_in_a_day_is_told_with_how_soon() -> None:
    later = BEGAN + 14_400
    both = play([*fails(), *is_well(), *fails(at=later), *is_well(at=later + 600)])
    (flap,) = told(both).flaps
    assert (flap.times, flap.relapses) == (2, 0)
    assert flap.soonest == pytest.approx(14_400, abs=5)
    assert "left 2 times, again after 4 h" in text(told(both))


def test_alarms_that_nobody_mapped_are_named_with_how_often(played: Rehearsed) -> None:
    assert "alarms that no entry of the fleet maps: disk-full (2)" in text(told(played))


def test_a_report_for_programs_is_json(played: Rehearsed) -> None:
    outages = [Outage(EAST_OF_MONTH, BEGAN - 20, BEGAN + 600, BEGAN + 500)]
    document = json.loads(to_json(told(played, outages).as_json()))
    (failover,) = document["failovers"]
    assert failover["usd"] == pytest.approx(failover["usd_per_hour"] * failover["hours_away"])
    assert document["compared"]["true"][0]["earlier"] > 0
    assert document["rehearsal"]["lines"] == played.account.lines
    assert document["assumptions"]


def test_nothing_at_all_is_a_report_too() -> None:
    quiet = play([alarm(EAST_OF_MONTH, "disk-full", BEGAN, True, BEGAN)])
    words = text(told(quiet))
    assert "0 failover(s) would have been begun" in words
    assert "no failover would have been begun" in words


# -- a fleet that is observed as it runs ---------------------------------------------------------


def live(drama: Drama, outages: Sequence[Outage] | None = None) -> Report:
    return report(drama.engine.ledger, drama.app, drama.now, 30 * DAY, outages)


def test_what_would_only_be_decided_again_is_counted_with_the_first() -> None:
    drama = Drama(fleet(modes={"default": "observe"}))
    for _ in range(4):
        drama.fail()
        drama.pass_time(300)
    found = live(drama)
    (would,) = found.observed.woulds
    assert would.again == 3
    assert "decided 3 more time(s)" in text(found)
    assert found.assumptions == LIVE


def test_after_a_word_that_the_region_is_well_the_next_failover_is_another() -> None:
    drama = Drama(fleet(modes={"default": "observe"}))
    drama.fail()
    drama.pass_time(400)
    drama.cloud.recover(EAST)
    drama.hear(RegionRecovered)
    drama.hear(RegionRecovered, evidence="telemetry")
    drama.pass_time(1_000)
    drama.fail()
    drama.pass_time(300)
    assert [would.again for would in live(drama).observed.woulds] == [0, 0]


def test_what_was_really_done_is_no_shadow() -> None:
    drama = Drama(fleet())
    drama.fail()
    drama.pass_time(300)
    found = live(drama)
    assert found.observed.woulds == ()
    assert found.observed.acted == 1
    assert "**Really done** 1 failover(s)" in text(found)


def test_a_handler_that_gave_up_hides_what_might_have_been_and_is_named() -> None:
    drama = Drama(fleet(modes={"default": "observe"}))
    drama.cloud.mute.add("chat")
    drama.fail()
    drama.pass_time(300)
    assert "a handler gave up: plan_failover: NotReachable" in text(live(drama))


def test_where_no_plan_would_have_been_safe_it_says_so() -> None:
    alone = {"chat": workload(regions={EAST: placement(1.0, 10, 10)})}
    drama = Drama(fleet(modes={"default": "observe"}, workloads=alone))
    drama.fail()
    drama.pass_time(300)
    (would,) = live(drama).observed.woulds
    assert would.outcome == "no-safe-plan"
    assert would.moved is None
    assert would.away(drama.now) == 0
    assert CENTRAL not in text(live(drama))
