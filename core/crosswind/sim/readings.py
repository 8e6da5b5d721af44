"""Readings: what observers see of a world, which need not be what is the case.

Probes ask a region itself. Telemetry counts real traffic; it may lag behind, stand still, miss a
region or be wrong.
"""

from __future__ import annotations

from math import exp, inf
from typing import TYPE_CHECKING, Final, NamedTuple

from crosswind.sim.conditions import Conditions, sized
from crosswind.sim.faults import Kind
from crosswind.sim.flows import p95, slower_than

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crosswind.sim.gauge import Totals
    from crosswind.sim.world import World

_FASTEST: Final = (0.0, 0.564, 0.846, 1.029, 1.163)
"""By how many standard deviations the least of so many normal numbers lies below their mean."""

_ROUNDING: Final = 1e-9

PROBE_TIMEOUT_MS: Final = 5_000.0
"""What a synthetic request may take."""


class Look(NamedTuple):
    """Answers to synthetic requests; milliseconds of those that were answered, if any were."""

    sent: int
    failed: int
    median_ms: float | None
    fastest_ms: float | None


class Counted(NamedTuple):
    """Real requests of one region over a window."""

    requests: int
    errors: int
    slow: int
    median_ms: float | None
    p95_ms: float | None


def probe(world: World, workload: str, region: str, vantage: str, count: int) -> Look:
    """Send synthetic requests to a region, past any steering."""
    fails = failing_probes(world, workload, region, vantage)
    name = ("probe", workload, region, vantage, world.now)
    failed = (
        round(count * fails)
        if fails in (0.0, 1.0)
        else sum(world.draws.chance(fails, *name, number) for number in range(count))
    )
    if failed == count:
        return Look(count, failed, None, None)
    median = world.latency(workload, region)
    # The least of so few: about as likely below it as the median is of one.
    fastest = median * exp(-world.nature.spread * _FASTEST[min(count - failed, len(_FASTEST)) - 1])
    return Look(count, failed, median, fastest)


def failing_probes(world: World, workload: str, region: str, vantage: str) -> float:
    """The share of synthetic requests that fail, 0 where all is well."""
    conditions = world.conditions
    well = 1.0
    if conditions.faulty(region):
        if any(_seen_from(conditions, "blind-probe", region, workload, vantage)):
            return 0.0
        for size in _seen_from(conditions, "false-alarm", region, workload, vantage):
            well *= 1.0 - size
    fails = world.failing(workload, region)
    # What fails though all is well is so little that no probe is ever said to meet it.
    fails = 0.0 if fails <= world.nature.errors + _ROUNDING else fails
    late = slower_than(PROBE_TIMEOUT_MS, world.latency(workload, region), world.nature)
    return 1.0 - well * (1.0 - fails) * (1.0 - (late if late > 1e-6 else 0.0))


class View(NamedTuple):
    """What telemetry shows of a workload in a region.

    Attributes:
        missing: nothing.
        lag: what was measured so many seconds ago and before.
        frozen: what was measured up to then, whatever the time is.
        wrong: this share of failed requests instead of the true one.
    """

    missing: bool = False
    lag: float = 0.0
    frozen: float = inf
    wrong: float | None = None

    def until(self, now: float) -> float:
        """Up to when it was measured."""
        return max(0.0, min(now - self.lag, self.frozen))


def view(world: World, workload: str, region: str) -> View:
    """What telemetry shows of a workload in a region."""
    conditions, lag = world.conditions, world.nature.telemetry_lag
    if not conditions.faulty(region):
        return View(lag=lag)
    frozen = [one.begins for one in conditions.active("stale-telemetry", region, workload)]
    wrong = [sized(one) for one in conditions.active("wrong-telemetry", region, workload)]
    return View(
        missing=any(conditions.active("missing-telemetry", region, workload)),
        lag=lag + sum(sized(one) for one in conditions.active("late-telemetry", region, workload)),
        frozen=min(frozen, default=inf),
        wrong=wrong[-1] if wrong else None,
    )


def measured_until(world: World, workload: str) -> float:
    """Up to when telemetry of a workload reaches; of the region where it lags most."""
    return min(
        view(world, workload, region).until(world.now)
        for region in world.fleet.workloads[workload].regions
    )


def telemetry(world: World, workload: str, seconds: float) -> dict[str, Counted]:
    """Real traffic of a workload over the last seconds, as it is shown, by region."""
    return windows(world, workload, (seconds,))[0]


def windows(world: World, workload: str, spans: Sequence[float]) -> list[dict[str, Counted]]:
    """Real traffic of a workload over several windows, each of so many seconds up to now.

    A region that has nothing in a window is not named there.
    """
    shown: list[dict[str, Counted]] = [{} for _ in spans]
    for region in world.fleet.workloads[workload].regions:
        seen = view(world, workload, region)
        if seen.missing:
            continue
        gauge, ends = world.steered.flows[workload, region], seen.until(world.now)
        until = gauge.totals(ends)
        for window, seconds in zip(shown, spans, strict=True):
            within = until.minus(gauge.totals(max(0.0, ends - seconds)))
            if round(within.sent):
                window[region] = _counted(world, within, seen.wrong)
    return shown


def outage(
    world: World, workload: str, since: float, threshold: float
) -> tuple[float | None, float | None, int, int]:
    """When users began to see failures, when these ceased, how many they were, and of how many."""
    gauge = world.steered.totals[workload]
    until = world.now - world.nature.telemetry_lag
    since = max(0.0, since)
    # What always fails is no outage.
    threshold = max(threshold, 2 * world.nature.errors)
    began, ended = gauge.failures(since, until, threshold, world.nature.steady)
    counted = round(gauge.between(since, until).sent)
    if began is None:
        return None, None, 0, counted
    failed = gauge.between(began, until if ended is None else ended).failed
    return began, ended, round(failed), counted


def _counted(world: World, seen: Totals, wrong: float | None) -> Counted:
    requests = round(seen.sent)
    errors = min(round(seen.failed if wrong is None else seen.sent * wrong), requests)
    served = seen.sent - seen.failed
    median = seen.weighed / served if served > _ROUNDING else None
    return Counted(
        requests=requests,
        errors=errors,
        slow=min(round(seen.slow), requests - errors),
        median_ms=median,
        p95_ms=None if median is None else p95(median, world.nature),
    )


def _seen_from(
    conditions: Conditions, kind: Kind, region: str, workload: str, vantage: str
) -> list[float]:
    return [
        1.0 if fault.size is None else fault.size
        for fault in conditions.active(kind, region, workload)
        if fault.vantage in (None, vantage)
    ]
