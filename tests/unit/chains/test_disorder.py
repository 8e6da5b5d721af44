"""Whatever the order and however often things are delivered, the world ends up in a safe place."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswind.fleet.rules import servable
from crosswind.operations.traffic import SetWeights
from crosswind.records.record import Record
from crosswind.testing import Fault, FaultPlan, PortCall
from crosswind.testing.faults import FAULTS
from crosswind_events import RegionRecovered, RegionUnhealthy
from crosswind_events.catalogue.deadletter import DeadLettered
from crosswind_events.catalogue.failover import (
    FailoverCompleted,
    FailoverFailed,
    FailoverImpossible,
)
from crosswind_events.catalogue.incident import IncidentOpened
from unit.chains.drama import Drama
from unit.chains.fleets import CENTRAL, EAST, EUROPE, fleet, workload


class Weather(FaultPlan):
    """A few faults of any kind, at any call of store, bus or performer, kills included."""

    def __init__(self, seed: int, most: int) -> None:
        super().__init__()
        self.random = random.Random(seed)
        self.left = most

    def meet(self, call: PortCall) -> Fault:
        if self.left == 0 or self.random.random() > 0.03:
            return "none"
        self.left -= 1
        return self.random.choice(FAULTS)


class Disorder(Drama):
    """Delivers what is due in any order, some of it twice, while ports fail."""

    def __init__(self, seed: int, *, faults: int = 0, **changes: Any) -> None:
        self.random = random.Random(seed)
        self.before: dict[str, dict[str, float]] = {}
        self.weather = Weather(seed, faults)
        names = {"chat": workload(), "search": workload()}
        super().__init__(fleet(**{"workloads": names, **changes}), faults=self.weather)
        self.cloud.on_step = self.watch_step
        self.unsafe: list[str] = []

    def play(self) -> None:
        for _ in range(5000):
            due = self.post.due()
            if not due:
                return
            letter = self.random.choice(due)
            if not letter.copy and self.random.random() < 0.25:
                self.post.duplicate(letter)
            if self.random.random() < 0.1:
                self.weather.land()
            self.deliver(letter)
        raise AssertionError("the stage does not come to rest")

    def watch_step(self, step: SetWeights) -> None:
        """No step of traffic may lack replicas where it leads."""
        spec = self.fleet.workloads[step.workload]
        replicas = {
            region: self.cloud.replicas.get((step.workload, region), 0) for region in spec.regions
        }
        before = self.before.get(step.workload, dict(spec.weights))
        for region, weight in step.weights.items():
            gains = weight > before.get(region, 0.0) + 1e-6
            if gains and replicas[region] * spec.per_replica + 1e-6 < weight * spec.rate:
                self.unsafe.append(f"{step.workload}: {region} gets {weight} of {replicas[region]}")
        self.before[step.workload] = dict(step.weights)

    def all_records(self) -> list[Record]:
        chains = self.store.partitions("chain:", limit=1000)
        return [record for chain in chains for record in self.records(chain[len("chain:") :])]


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["fail", "fail", "recover", "rumour", "short", "err", "wait"]),
        st.sampled_from([EAST, CENTRAL]),
        st.integers(1, 90),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(MOVES, st.integers(0, 10_000), st.sampled_from([0, 8]))
def test_no_order_of_failures_and_deliveries_breaks_a_promise(
    moves: list[tuple[str, str, int]], seed: int, faults: int
) -> None:
    drama = Disorder(seed, faults=faults)
    for what, region, seconds in moves:
        if what == "fail" and region not in drama.cloud.down:
            drama.fail(region)
        elif what == "recover" and region in drama.cloud.down:
            drama.recover(region)
        elif what == "rumour":
            well = drama.random.random() < 0.5
            says = RegionRecovered if well else RegionUnhealthy
            drama.hear(says, region=region, vantage="rumour")
        elif what == "short":
            drama.cloud.most[region] = drama.random.randint(5, 10)
        elif what == "err":
            drama.cloud.errors[region] = drama.random.choice([0.0, 0.5])
        drama.pass_time(float(seconds))
    drama.weather.left = 0
    drama.weather.land()
    drama.pass_time(3000)
    check(drama)


def check(drama: Disorder) -> None:
    assert not drama.unsafe
    # Whichever run makes an event, it makes the same; but for the branch in which that run was.
    said: dict[str, Any] = {}
    for message in drama.post.published:
        body = json.loads(message.body)
        body.pop("branch", None)
        assert said.setdefault(message.id, body) == body
    # A region may go down between the plan and the request; nothing else may be given up.
    for dead in drama.said(DeadLettered):
        assert dead.data.handler.endswith("capacity:scale"), dead.data
    for record in drama.all_records():
        assert record.state in ("committed", "dropped") or record.handler.endswith(":scale")
    for name, spec in drama.fleet.workloads.items():
        state = drama.workload(name)
        assert sum(state.weights.values()) == pytest.approx(1.0)
        assert state.moving is None
        told = drama.cloud.weights[name]
        assert {r: w for r, w in told.items() if w} == pytest.approx(
            {r: w for r, w in state.weights.items() if w}
        )
        assert servable(spec, state.weights, state.capacity, {}) >= spec.rate - 1e-6
    bad = len(drama.said(FailoverFailed)) + len(drama.said(FailoverImpossible))
    assert len(drama.said(IncidentOpened)) >= bad
    for done in drama.said(FailoverCompleted):
        assert set(done.data.outcomes.values()) <= {"moved", "unrelieved", "unaffected"}


@pytest.mark.parametrize("seed", range(5))
def test_two_regions_that_fail_at_once_are_left_in_any_order(seed: int) -> None:
    drama = Disorder(seed)
    drama.fail(EAST)
    drama.pass_time(seed * 4.0)
    drama.fail(CENTRAL)
    drama.pass_time(2000)
    check(drama)
    for name in drama.fleet.workloads:
        assert drama.cloud.weights[name][EUROPE] == pytest.approx(1.0)
