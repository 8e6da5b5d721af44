"""Real traffic held against what was promised: the last round, and burn rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswind.chains.failover.traffic import Finding, failing, heat, question, well
from crosswind.fleet.declaration import Fleet
from crosswind.operations.telemetry import RegionTelemetry, Telemetry, Window
from unit.chains.fleets import CENTRAL, EAST, EUROPE, NOW, fleet, workload

HOUR, MINUTES = 3600.0, 300.0
QUIET = RegionTelemetry(requests=0, errors=0)


def promising(**slo: Any) -> Fleet:
    return fleet(workloads={"chat": workload(slo=slo)})


PLAIN = promising(availability=0.999)
QUICK = promising(availability=0.999, latency_ms=800)


def seen(requests: int = 1000, errors: int = 0, **more: Any) -> RegionTelemetry:
    return RegionTelemetry(requests=requests, errors=errors, **more)


def reading(
    here: RegionTelemetry | None,
    windows: Mapping[float, RegionTelemetry] | None = None,
    *,
    elsewhere: RegionTelemetry | None = None,
    until: float | None = None,
) -> Telemetry:
    regions = {EAST: here, CENTRAL: elsewhere}
    return Telemetry(
        seconds=30,
        regions={region: its for region, its in regions.items() if its is not None},
        windows=tuple(Window(seconds=s, regions={EAST: its}) for s, its in (windows or {}).items()),
        until=until,
    )


def found(telemetry: Telemetry, declared: Fleet = PLAIN) -> Finding | None:
    return failing(telemetry, EAST, "chat", declared, NOW)


def test_it_asks_for_every_window_of_the_policy_and_counts_answers_slower_than_promised() -> None:
    asked = question("chat", QUICK, 30)
    assert asked.windows == (300.0, 1800.0, 3600.0, 21_600.0, 259_200.0)
    assert asked.slower_than == 800
    assert question("chat", PLAIN, 30, burn=False).windows == ()


# -- the last round ---------------------------------------------------------------------------


def test_more_failures_than_a_shift_tolerates_are_evidence() -> None:
    said = found(reading(seen(errors=60)))
    assert said is not None
    assert said.reason == "60 of 1000 requests of chat failed in 30 s, more than 5.0%"
    assert said.measured == {"requests": 1000.0, "error_rate": 0.06, "error_limit": 0.05}


def test_fewer_are_none() -> None:
    assert found(reading(seen(errors=50))) is None


def test_what_the_objective_allows_is_no_evidence_however_little_a_shift_tolerates() -> None:
    lenient = promising(availability=0.9)
    assert found(reading(seen(errors=99)), lenient) is None
    assert found(reading(seen(errors=101)), lenient) is not None


@pytest.mark.parametrize(
    ("requests", "errors", "said"),
    [(19, 19, False), (20, 4, False), (20, 5, True), (20, 20, True), (0, 0, False)],
)
def test_a_round_with_little_in_it_says_nothing(requests: int, errors: int, said: bool) -> None:
    assert (found(reading(seen(requests, errors))) is not None) is said


def test_a_region_that_answers_all_and_most_of_it_too_late_fails_as_well() -> None:
    said = found(reading(seen(slow=600)), QUICK)
    assert said is not None
    assert said.reason == "60.0% of its answers took longer than 800 ms"
    assert said.measured["slow_share"] == 0.6
    assert found(reading(seen(slow=500)), QUICK) is None


def test_where_nobody_counted_slow_answers_the_median_tells() -> None:
    assert found(reading(seen(p50=900.0)), QUICK) is not None
    assert found(reading(seen(p50=700.0, p95=5000.0)), QUICK) is None


def test_slow_answers_are_no_matter_where_no_latency_is_promised() -> None:
    assert found(reading(seen(slow=1000, p50=9000.0))) is None


# -- burn rates -------------------------------------------------------------------------------


def burning(long: int, short: int, *, of: int = 10_000) -> dict[float, RegionTelemetry]:
    return {HOUR: seen(12 * of, long), MINUTES: seen(of, short)}


@pytest.mark.parametrize(
    ("long", "short", "said"),
    [
        (1800, 150, True),  # 15 times and 15 times
        (1800, 140, False),  # it has ceased
        (1700, 200, False),  # it has only begun
        (1728, 144, False),  # 14.4 times is not more than that
        (0, 0, False),
    ],
)
def test_a_burn_rate_is_evidence_while_both_windows_are_above_it(
    long: int, short: int, said: bool
) -> None:
    assert (found(reading(seen(), burning(long, short))) is not None) is said


@pytest.mark.parametrize(
    ("ago", "lag", "said"), [(300, 0, True), (299, 0, False), (310, 11, False)]
)
def test_a_short_window_that_reaches_back_before_the_region_came_back_says_nothing(
    ago: float, lag: float, said: bool
) -> None:
    now = NOW.timestamp()
    telemetry = reading(seen(), burning(1800, 150), until=now - lag)
    found = failing(telemetry, EAST, "chat", PLAIN, NOW, since=now - ago)
    assert (found is not None) is said


def test_it_tells_how_fast_the_budget_is_spent() -> None:
    said = found(reading(seen(errors=20), burning(2400, 180)))
    assert said is not None
    assert said.reason == (
        "chat burns 18 times its budget over 1 h and 5 min, more than 14.4 times"
    )
    assert said.measured["burn.3600.300"] == 18.0


def test_the_same_failures_are_evidence_or_not_by_what_was_promised() -> None:
    windows = burning(1800, 150)
    assert found(reading(seen(), windows), promising(availability=0.999)) is not None
    assert found(reading(seen(), windows), promising(availability=0.99)) is None


def test_a_pair_without_weight_is_told_and_moves_nothing() -> None:
    days, hours = 259_200.0, 21_600.0
    windows = {days: seen(100_000, 200), hours: seen(10_000, 20)}
    assert found(reading(seen(), windows)) is None
    said = found(reading(seen(errors=60), windows))
    assert said is not None
    assert said.measured["burn.259200.21600"] == 2.0
    assert "burns 2 times its budget over 3 d and 6 h" in said.reason


@pytest.mark.parametrize("lost", [HOUR, MINUTES])
def test_a_window_that_is_missing_says_nothing(lost: float) -> None:
    windows = burning(1800, 150)
    del windows[lost]
    assert found(reading(seen(), windows)) is None


@pytest.mark.parametrize(
    ("requests", "errors", "said"), [(19, 19, False), (20, 4, False), (20, 5, True)]
)
def test_one_failed_request_at_night_is_no_outage(requests: int, errors: int, said: bool) -> None:
    windows = {HOUR: seen(200, 20), MINUTES: seen(requests, errors)}
    assert (found(reading(QUIET, windows)) is not None) is said


def test_slow_answers_burn_a_budget_of_their_own() -> None:
    windows = {HOUR: seen(12_000, slow=9000), MINUTES: seen(1000, slow=750)}
    said = found(reading(seen(slow=400), windows), QUICK)
    assert said is not None
    assert said.measured["burn.3600.300"] == 15.0
    within = {HOUR: seen(12_000, slow=600), MINUTES: seen(1000, slow=50)}
    assert found(reading(seen(), within), QUICK) is None, "5 % may be slow"


def test_a_budget_is_not_burnt_by_failures_in_one_window_and_slowness_in_the_other() -> None:
    windows = {HOUR: seen(12_000, 200, slow=0), MINUTES: seen(1000, 0, slow=900)}
    assert found(reading(seen(), windows), QUICK) is None


def test_where_nothing_may_fail_every_failure_burns_without_bound() -> None:
    never = promising(availability=1.0)
    said = found(reading(seen(), burning(60, 5)), never)
    assert said is not None
    assert said.measured["burn.3600.300"] == 1e6


# -- missing, late, wrong ---------------------------------------------------------------------


def test_a_region_that_is_not_in_the_reading_is_neither_well_nor_unwell() -> None:
    nothing = reading(None)
    assert found(nothing) is None
    assert well(nothing, EAST, "chat", PLAIN, NOW) is None


def test_a_reading_that_lags_behind_says_by_how_much() -> None:
    said = found(reading(seen(errors=60), until=NOW.timestamp() - 120))
    assert said is not None
    assert said.measured["age"] == 120.0


def test_a_reading_that_is_older_than_the_window_of_evidence_says_nothing() -> None:
    assert found(reading(seen(errors=60), until=NOW.timestamp() - 301)) is None


def test_a_reading_that_lags_behind_speaks_for_nothing() -> None:
    assert well(reading(seen()), EAST, "chat", PLAIN, NOW) is not None
    assert well(reading(seen(), until=NOW.timestamp() - 5), EAST, "chat", PLAIN, NOW) is None


def test_only_enough_traffic_speaks_for_a_region() -> None:
    assert well(reading(seen(19)), EAST, "chat", PLAIN, NOW) is None
    assert well(reading(seen(20)), EAST, "chat", PLAIN, NOW) == (
        "20 of 20 requests of chat were answered well in the last 30 s"
    )
    assert well(reading(seen(errors=60)), EAST, "chat", PLAIN, NOW) is None
    assert well(reading(seen(slow=600)), EAST, "chat", QUICK, NOW) is None


@pytest.mark.parametrize(
    ("here", "elsewhere", "others", "alike"),
    [
        (seen(errors=1000), seen(errors=1000), 1.0, 1.0),
        (seen(errors=1000), seen(errors=500), 1.0, 1.0),
        (seen(errors=1000), seen(errors=499), 1.0, 0.0),
        (seen(errors=1000), seen(), 1.0, 0.0),
        (seen(errors=60), seen(errors=55), 1.0, 1.0),
        (seen(errors=1000), seen(19, 19), None, None),
        (seen(errors=1000), None, None, None),
    ],
)
def test_it_tells_whether_other_regions_fail_about_as_badly(
    here: RegionTelemetry,
    elsewhere: RegionTelemetry | None,
    others: float | None,
    alike: float | None,
) -> None:
    said = found(reading(here, elsewhere=elsewhere))
    assert said is not None
    assert said.measured.get("others") == others
    assert said.measured.get("others_failed") == alike


def test_a_word_has_room_for_as_many_burn_rates_as_a_policy_may_have() -> None:
    pairs = [{"long": 100 + n, "short": 10 + n, "factor": 2} for n in range(16)]
    many = fleet(workloads={"chat": workload(slo={"latency_ms": 800})}, failover={"burn": pairs})
    windows = {float(s): seen(errors=900, slow=50) for p in pairs for s in (p["long"], p["short"])}
    said = found(reading(seen(errors=500, slow=400), windows, elsewhere=seen()), many)
    assert said is not None
    assert 16 < len(said.measured) <= 64


COUNTS = st.tuples(st.integers(0, 400), st.floats(0, 1), st.floats(0, 1)).map(
    lambda t: seen(t[0], round(t[0] * t[1]), slow=round((t[0] - round(t[0] * t[1])) * t[2]))
)


@settings(max_examples=150, deadline=None)
@given(COUNTS, COUNTS, COUNTS)
def test_what_a_look_finds_is_what_its_word_will_weigh(
    here: RegionTelemetry, long: RegionTelemetry, short: RegionTelemetry
) -> None:
    said = found(reading(here, {HOUR: long, MINUTES: short}, elsewhere=QUIET), QUICK)
    if said is not None:
        weighed = heat(said.measured, QUICK.failover)
        assert weighed is not None
        assert weighed.factor > 0
        assert 0 < len(said.reason) <= 2000


@settings(max_examples=150, deadline=None)
@given(COUNTS, COUNTS, st.integers(0, 200))
def test_more_failures_never_make_it_look_better(
    long: RegionTelemetry, short: RegionTelemetry, more: int
) -> None:
    def worse(window: RegionTelemetry) -> RegionTelemetry:
        return window.model_copy(
            update={"requests": window.requests + more, "errors": window.errors + more}
        )

    def factor(first: RegionTelemetry, second: RegionTelemetry) -> float:
        said = found(reading(second, {HOUR: first, MINUTES: second}))
        weighed = heat(said.measured, PLAIN.failover) if said is not None else None
        return weighed.factor if weighed is not None else 0.0

    assert factor(worse(long), worse(short)) >= factor(long, short)


def test_regions_in_which_a_workload_is_not_are_no_others() -> None:
    telemetry = reading(seen(errors=1000))
    assert EUROPE not in telemetry.regions
    assert found(telemetry) is not None
