"""The kinds that Crosswind knows: what they use of a limit, and what is assumed of them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from crosswind.operations.endpoints import Scaled, ScaleEndpoint
from crosswind.operations.notification import Notified, Notify
from crosswind.operations.telemetry import (
    MeasureOutage,
    Outage,
    Probed,
    ReadTelemetry,
    RegionTelemetry,
    Telemetry,
)
from crosswind.operations.traffic import SetWeights, WeightsSet

EAST, WEST = "aws/us-east-1", "aws/us-west-2"


def test_scaling_counts_the_replicas_it_takes_away_and_assumes_all_are_granted() -> None:
    down = ScaleEndpoint(workload="chat", region=EAST, replicas=2, epoch=1, removed=3)
    assert down.effects() == {"replicas-removed": 3.0}
    assert down.model_copy(update={"removed": 0}).effects() == {}
    assert down.assumed() == Scaled(requested=2, granted=2, ready=2)
    assert down.summary() == "scale chat in aws/us-east-1 to 2 replicas"
    assert (down.concerns(), down.covered_by()) == ("chat", None)


def test_steering_counts_the_share_it_moves_and_assumes_it_is_taken() -> None:
    weights = {EAST: 0.25, WEST: 0.75, "gcp/us-central1": 0.0}
    steer = SetWeights(workload="chat", weights=weights, epoch=4, moved=0.5, plan="p")
    assert steer.effects() == {"traffic-share": 0.5}
    assert steer.model_copy(update={"moved": 0.0}).effects() == {}
    assert steer.assumed() == WeightsSet(applied=True, epoch=4, weights=weights)
    assert steer.summary() == "send traffic of chat to aws/us-west-2 75%, aws/us-east-1 25%"
    assert steer.covered_by() == "p"


def test_people_may_be_told_after_the_end() -> None:
    notice = Notify(title="over")
    assert notice.after_close
    assert notice.assumed() == Notified(channel="default")


@pytest.mark.parametrize(("failed", "healthy"), [(0, True), (1, True), (2, False), (3, False)])
def test_a_probe_is_well_when_most_requests_were_answered(failed: int, healthy: bool) -> None:
    assert Probed(region=EAST, sent=3, failed=failed).healthy is healthy


def test_a_rate_of_nothing_is_zero() -> None:
    quiet = RegionTelemetry(requests=0, errors=0)
    busy = RegionTelemetry(requests=10, errors=5)
    assert (quiet.error_rate, busy.error_rate) == (0.0, 0.5)
    assert Telemetry(seconds=10, regions={}).error_rate == 0.0
    assert Telemetry(seconds=10, regions={EAST: quiet, WEST: busy}).error_rate == 0.5


def test_an_outage_lasts_from_its_beginning_to_its_end_where_both_are_known() -> None:
    assert Outage(began=10, ended=25, failed=3).seconds == 15
    assert Outage(began=10, ended=None, failed=3).seconds is None
    assert Outage(began=None, ended=25, failed=3).seconds is None


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(ValidationError):
        ReadTelemetry(workload="chat", seconds=0)
    with pytest.raises(ValidationError):
        SetWeights(workload="chat", weights={}, epoch=0, moved=1.5)
    assert MeasureOutage(workload="chat", since=0.0).threshold == 0.01
