"""Threshold alarms without a quorum, as they are modelled after CloudWatch's evaluation."""

from __future__ import annotations

import pytest

from bench.policies.alarms import Alarm, AlarmFailover, State
from bench.policies.fleet import NATURE, WORKLOAD, fleet
from crosswind.sim import Accounts, Fault, Faults, World

EAST = "aws/us-east-1"
BEGINS = 610.0

ONE, THREE, TWO_OF_THREE = Alarm(1, 1), Alarm(3, 3), Alarm(2, 3)


@pytest.mark.parametrize(
    ("alarm", "newest_first", "state"),
    [
        (ONE, [0.06], "alarm"),
        (ONE, [0.05], "ok"),  # the threshold has to be exceeded
        (ONE, [0.0, 1.0], "ok"),  # only the last period counts
        (THREE, [1.0, 1.0], "ok"),
        (THREE, [1.0, 1.0, 1.0], "alarm"),
        (THREE, [1.0, 0.0, 1.0, 1.0], "ok"),
        (TWO_OF_THREE, [1.0, 0.0, 1.0], "alarm"),
        (TWO_OF_THREE, [0.0, 0.0, 1.0], "ok"),
    ],
)
def test_an_alarm_fires_when_enough_of_the_last_datapoints_breach(
    alarm: Alarm, newest_first: list[float | None], state: State
) -> None:
    assert alarm.state(newest_first) == state


@pytest.mark.parametrize(
    ("alarm", "newest_first", "state"),
    [
        (ONE, [None, 1.0], "alarm"),
        (THREE, [None, 1.0, None, 1.0, 1.0], "alarm"),
        (THREE, [None, None, None, 1.0, 1.0], "ok"),
        (ONE, [None, None, None, 1.0], "insufficient-data"),
        (ONE, [], "insufficient-data"),
    ],
)
def test_where_datapoints_are_missing_the_newest_that_exist_are_looked_at(
    alarm: Alarm, newest_first: list[float | None], state: State
) -> None:
    assert alarm.state(newest_first) == state


@pytest.mark.parametrize(("alarm", "datapoints"), [(ONE, 1), (THREE, 3)])
def test_a_region_that_is_dead_is_left_once_enough_minutes_of_it_have_arrived(
    alarm: Alarm, datapoints: int
) -> None:
    _, accounts = played(alarm, Fault("outage", BEGINS, 3000, region=EAST))
    (outage,) = accounts.outages.outages
    # It begins 10 s into a minute, 50 s of which breach; telemetry lags for a minute.
    assert outage.detection == 50.0 + 60.0 * (datapoints - 1) + NATURE.telemetry_lag
    assert outage.recovery == outage.detection
    assert outage.complete


def test_a_blip_of_ten_seconds_is_a_failover_for_one_datapoint_and_none_for_three() -> None:
    blip = Fault("outage", BEGINS, BEGINS + 10, region=EAST)
    assert len(played(ONE, blip)[1].outages.failovers) == 1
    assert not played(THREE, blip)[1].outages.failovers


def test_telemetry_that_is_wrong_is_believed() -> None:
    _, accounts = played(THREE, Fault("wrong-telemetry", BEGINS, 3000, region=EAST, size=0.3))
    assert [one.truth for one in accounts.outages.failovers] == ["false"]


@pytest.mark.parametrize("kind", ["slow", "missing-telemetry"])
def test_what_makes_no_errors_in_its_metric_is_not_seen(kind: str) -> None:
    made = {
        "slow": [Fault("slow", BEGINS, 3000, region=EAST, size=20)],
        "missing-telemetry": [
            Fault("outage", BEGINS, 3000, region=EAST),
            Fault("missing-telemetry", BEGINS, 3180, region=EAST),
        ],
    }
    _, accounts = played(ONE, *made[kind])
    assert not accounts.outages.failovers


def test_a_person_returns_to_the_region_after_an_hour() -> None:
    world, accounts = played(ONE, Fault("outage", BEGINS, 1200, region=EAST))
    (failover,) = accounts.outages.failovers
    assert failover.back == failover.moved + 3600.0
    assert world.steered.weights[WORKLOAD] == pytest.approx(fleet().workloads[WORKLOAD].weights)


def test_and_later_where_it_still_fails_then() -> None:
    _, accounts = played(ONE, Fault("outage", BEGINS, 5000, region=EAST))
    (failover,) = accounts.outages.failovers
    assert failover.back == failover.moved + 3600.0 + 600.0 * 2


def played(alarm: Alarm, *faults: Fault) -> tuple[World, Accounts]:
    """A world of 7,200 s under some faults, steered by alarms."""
    world = World(fleet(), Faults(faults), seed=3, nature=NATURE)
    accounts = Accounts(world)
    world.advance(300.0)
    steering = AlarmFailover(world, accounts, 300.0, alarm=alarm)
    while (at := steering.next()) <= 7200.0:
        world.advance(at)
        steering.act()
    return world, accounts
