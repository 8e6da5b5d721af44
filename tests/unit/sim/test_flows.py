"""What becomes of requests: served, shed, slow, and counted exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.sim.conditions import NOMINAL, Condition
from crosswind.sim.flows import STILL, Flow, Place, flow, p95, slower_than
from crosswind.sim.gauge import Gauge
from crosswind.sim.nature import NATURE, Nature

PLACE = Place(per_replica=20, base_ms=80, objective_ms=500)
RATES = st.floats(0, 1_000, allow_nan=False)
CONDITIONS = st.builds(Condition, st.booleans(), st.floats(0, 1), st.floats(1, 50))


@given(RATES, st.integers(0, 50), CONDITIONS)
def test_every_request_is_served_or_fails(sent: float, ready: int, condition: Condition) -> None:
    seen = flow(sent, ready, PLACE, condition, NATURE)
    assert seen.sent == sent
    assert 0 <= seen.failed <= sent + 1e-9
    assert -1e-9 <= seen.slow <= seen.served + 1e-9
    assert seen.served <= ready * 20 * NATURE.headroom + 1e-6


@given(st.floats(1, 500), st.integers(1, 20))
def test_more_load_is_never_answered_sooner(sent: float, ready: int) -> None:
    light = flow(sent, ready, PLACE, NOMINAL, NATURE)
    heavy = flow(sent * 1.5, ready, PLACE, NOMINAL, NATURE)
    assert heavy.median >= light.median
    assert heavy.error_rate >= light.error_rate - 1e-12


def test_a_region_with_room_answers_at_once() -> None:
    seen = flow(40, 4, PLACE, NOMINAL, NATURE)
    assert seen.error_rate == pytest.approx(NATURE.errors)
    assert 80 <= seen.median < 85
    assert seen.slow < 1e-4


def test_a_region_without_room_sheds_what_it_cannot_serve() -> None:
    seen = flow(200, 4, PLACE, NOMINAL, NATURE)
    assert seen.served == pytest.approx(100)
    assert seen.median == pytest.approx(80 + NATURE.queue_ms)


@pytest.mark.parametrize("ready", [0, 4])
def test_nothing_is_served_where_nothing_answers(ready: int) -> None:
    condition = NOMINAL if ready == 0 else Condition(down=True)
    seen = flow(40, ready, PLACE, condition, NATURE)
    assert (seen.sent, seen.failed, seen.slow) == (40, 40, 0)


def test_a_brown_out_fails_its_share_and_a_slow_region_is_slow() -> None:
    assert flow(40, 4, PLACE, Condition(errors=0.3), NATURE).error_rate == pytest.approx(0.3, 1e-2)
    slow = flow(40, 4, PLACE, Condition(slow=20.0), NATURE)
    assert slow.median > 1_600
    assert slow.slow / slow.served > 0.99


def test_the_95th_percentile_is_what_5_percent_exceed() -> None:
    assert slower_than(p95(100, NATURE), 100, NATURE) == pytest.approx(0.05)
    assert slower_than(500, 0, NATURE) == 0
    assert slower_than(100, 200, Nature(spread=0)) == 1


SPANS = st.lists(
    st.tuples(st.floats(0.01, 500), st.floats(0, 50), st.floats(0, 1), st.floats(0, 300)),
    min_size=1,
    max_size=12,
)


def played(spans: list[tuple[float, float, float, float]]) -> tuple[Gauge, float]:
    gauge, now = Gauge(), 0.0
    for seconds, sent, failing, median in spans:
        gauge.set(now, Flow(sent, sent * failing, 0.0, median))
        now += seconds
    return gauge, now


@given(SPANS)
def test_a_gauge_counts_exactly_what_has_flowed(
    spans: list[tuple[float, float, float, float]],
) -> None:
    gauge, end = played(spans)
    totals = gauge.totals(end)
    assert totals.sent == pytest.approx(sum(seconds * sent for seconds, sent, _, _ in spans))
    assert totals.failed == pytest.approx(sum(s * sent * f for s, sent, f, _ in spans))


@given(SPANS, st.floats(0, 1), st.floats(0, 1))
def test_what_flowed_in_two_spans_flowed_in_both_together(
    spans: list[tuple[float, float, float, float]], one: float, other: float
) -> None:
    gauge, end = played(spans)
    first, second = sorted((one * end, other * end))
    parts = [
        gauge.between(0, first).sent,
        gauge.between(first, second).sent,
        gauge.between(second, end).sent,
    ]
    assert sum(parts) == pytest.approx(gauge.totals(end).sent)


def test_a_flow_that_stays_as_it_is_is_no_change() -> None:
    gauge = Gauge()
    assert gauge.set(1, Flow(5, 0, 0, 80))
    assert not gauge.set(2, Flow(5, 0, 0, 80))
    assert gauge.set(1, STILL), "two changes at one moment are one"
    assert gauge.totals(100).sent == 0


def test_failures_begin_and_end_where_they_do() -> None:
    gauge = Gauge()
    for at, failing in ((0, 0.0), (100, 0.5), (130, 0.0), (133, 0.5), (160, 0.0)):
        gauge.set(at, Flow(10, 10 * failing, 0, 80))
    assert gauge.failures(0, 200, 0.01, steady=10) == (100, 160)
    assert gauge.failures(0, 165, 0.01, steady=10) == (100, None), "not yet steady"
    assert gauge.failures(0, 200, 0.01, steady=2) == (100, 130), "the first is over"
    assert gauge.failures(145, 200, 0.01, steady=10) == (145, 160), "seen from within"
    assert gauge.failures(170, 200, 0.01, steady=10) == (None, None)


def test_a_gauge_forgets_the_oldest_changes_and_keeps_the_sum() -> None:
    gauge, day = Gauge(), 86_400.0
    for number in range(9_000):
        gauge.set(number * day / 10, Flow(1.0 + number % 2, 0, 0, 80))
    assert gauge.totals(900 * day).sent == pytest.approx(1.5 * 900 * day)


@given(SPANS, st.floats(0, 1), st.floats(0, 1))
def test_what_stayed_below_is_below_in_every_window(
    spans: list[tuple[float, float, float, float]], limit: float, since: float
) -> None:
    gauge, end = played(spans)
    if gauge.stayed_below(limit, 1.0, since * end):
        assert gauge.between(since * end, end).failed <= limit * gauge.totals(end).sent + 1e-6
