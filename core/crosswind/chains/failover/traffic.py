"""Real traffic as evidence: what is measured of a region, held against what was promised.

Two looks at the same reading:

- the last round: more requests fail than a shift tolerates and the objective allows, or most of
  those that are answered take longer than the objective (a grey failure: slow, not down);
- burn rates: how many times too fast the error budget is spent, over a long and a short window,
  as in The Site Reliability Workbook, chapter 5 (https://sre.google/workbook/alerting-on-slos/).
  A pair of which the short window reaches back before the region came into its present state
  says nothing: it still holds the outage that is over.

Failures are held against `slo.availability`, slow answers against `slo.latency_ms`, which is
promised to 95 % of those that are answered. A window with little in it says nothing, and so does
one that is missing or was measured too long ago: nobody takes silence for well or for unwell.

What a look has found stands in the `measured` of the word that it leads to. What that weighs is
read from there alone, so that a word of the past can be weighed by another policy.

| in `measured`                 | says                                                             |
|-------------------------------|------------------------------------------------------------------|
| `requests`                    | of the last round                                                |
| `error_rate`, `error_limit`   | share that failed; more than the limit is evidence               |
| `slow_share`, `slow_limit`    | share of the answered that were slow; likewise                   |
| `burn.LONG.SHORT`             | times the budget, in that one of both windows where it is less   |
| `others`, `others_failed`     | other regions seen in the same moment; those no better than this |
| `age`                         | seconds by which the reading lags behind                         |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from crosswind.chains.failover.steps import ENOUGH_REQUESTS
from crosswind.chains.failover.words import AGE
from crosswind.fleet.declaration import FailoverPolicy, Fleet, WorkloadSpec
from crosswind.fleet.policies import BurnRate
from crosswind.operations.telemetry import ReadTelemetry, RegionTelemetry, Telemetry

ENOUGH_BAD: Final = 5
"""Bad requests below which nothing is said: at night one failed request of twenty is no outage."""

LATENCY_SHARE: Final = 0.95
"""The share of answers to which `slo.latency_ms` is promised."""

_MOST: Final = 0.5
"""Of the answers of a round: where more are slow, its median misses what 95 % were promised."""

_AS_BADLY: Final = 0.5
"""A region that fails by this much of another one's share fails as well."""

_FASTEST: Final = 1e6
"""A burn rate is told up to here; where nothing at all may fail it would be infinite."""


_NOW: Final = 1.0
"""Seconds by which a reading may lag behind and still be one of now."""


class Finding(NamedTuple):
    """What a look at real traffic has found of a region, as the word that it leads to has it."""

    reason: str
    measured: dict[str, float]


class Heat(NamedTuple):
    """What the measurements of a word amount to: a factor of its weight, and why."""

    factor: float
    because: str


def question(workload: str, fleet: Fleet, seconds: float, *, burn: bool = True) -> ReadTelemetry:
    """What has to be read of a workload.

    Args:
        seconds: the window of the last round.
        burn: whether burn rates are looked at as well.
    """
    pairs = fleet.failover.burn if burn else ()
    windows = sorted({window for pair in pairs for window in (pair.long, pair.short)})
    return ReadTelemetry(
        workload=workload,
        seconds=seconds,
        slower_than=fleet.workloads[workload].slo.latency_ms,
        windows=tuple(windows),
    )


def failing(
    seen: Telemetry,
    region: str,
    workload: str,
    fleet: Fleet,
    now: datetime,
    since: float = 0.0,
) -> Finding | None:
    """What a reading says against a region; None where it says nothing, or is out of date.

    Args:
        since: when the region came into its present state, in seconds since the epoch.
    """
    spec, policy = fleet.workloads[workload], fleet.failover
    here, lag = seen.regions.get(region), _lag(seen, now)
    if here is None or lag > policy.window:
        return None
    measured = {
        **_last_round(here, spec),
        **dict(_burning(seen, region, spec, policy, now.timestamp() - lag - since)),
    }
    found = heat(measured, policy)
    if found is None or found.factor <= 0:
        return None
    measured |= {"requests": float(here.requests)} | _elsewhere(seen, region, spec)
    if lag > _NOW:
        measured[AGE] = round(lag, 3)
    return Finding(_said(workload, seen, here, measured, spec, policy), measured)


def well(seen: Telemetry, region: str, workload: str, fleet: Fleet, now: datetime) -> str | None:
    """Why a reading speaks for a region; None where it does not, says too little, or lags."""
    spec = fleet.workloads[workload]
    here = seen.regions.get(region)
    if here is None or here.requests < ENOUGH_REQUESTS or _lag(seen, now) > _NOW:
        return None
    if here.error_rate > _limit(spec) or _slow_share(here, spec) > _MOST:
        return None
    return (
        f"{here.answered} of {here.requests} requests of {workload} were answered well in the last "
        f"{seen.seconds:.3g} s"
    )


def heat(measured: Mapping[str, float], policy: FailoverPolicy) -> Heat | None:
    """What the measurements of a telemetry word amount to under a policy.

    None where it measured none of this: the word of an observer who judges by rules of its own.
    """
    found = [
        Heat(
            float(_above(measured, name)),
            f"{measured[share]:.1%} {does}, {measured[limit]:.1%} may",
        )
        for name, (share, limit, does) in _ROUND.items()
        if share in measured and limit in measured
    ]
    for pair in policy.burn:
        burn = measured.get(_key(pair))
        if burn is not None:
            above = burn > pair.factor
            said = (
                f"burns {burn:.3g} times its budget over {_span(pair)}, "
                f"{'more' if above else 'not more'} than {pair.factor:g} times"
            )
            found.append(Heat(pair.weight if above else 0.0, said))
    if not found and not any(name.startswith(_BURN) for name in measured):
        return None
    nothing = Heat(0.0, "it measured nothing that the policy looks at")
    return max(found, key=lambda one: one.factor, default=nothing)


_BURN: Final = "burn."
_ROUND: Final = {
    "error": ("error_rate", "error_limit", "fail"),
    "slow": ("slow_share", "slow_limit", "are slow"),
}


def _above(measured: Mapping[str, float], name: str) -> bool:
    share, limit, _ = _ROUND[name]
    return share in measured and limit in measured and measured[share] > measured[limit]


def _key(pair: BurnRate) -> str:
    return f"{_BURN}{pair.long:.10g}.{pair.short:.10g}"


def _span(pair: BurnRate) -> str:
    return f"{_spoken(pair.long)} and {_spoken(pair.short)}"


def _spoken(seconds: float) -> str:
    for unit, size in (("d", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def _limit(spec: WorkloadSpec) -> float:
    """The share of a round's requests that may fail: never less than the objective allows."""
    return max(spec.shift.max_error_rate, 1.0 - spec.slo.availability)


def _slow_share(here: RegionTelemetry, spec: WorkloadSpec) -> float:
    """The share of the answers that were slow; 0 where no latency is promised or known."""
    objective = spec.slo.latency_ms
    if objective is None or not here.answered:
        return 0.0
    if here.slow is not None:
        return here.slow / here.answered
    # Of a reading that does not count them it is known whether the median was slow.
    return 1.0 if here.p50 is not None and here.p50 > objective else 0.0


def _last_round(here: RegionTelemetry, spec: WorkloadSpec) -> dict[str, float]:
    """What is worth telling of the last round; nothing where there is too little in it."""
    if here.requests < ENOUGH_REQUESTS:
        return {}
    told: dict[str, float] = {"error_rate": round(here.error_rate, 6)}
    if here.errors >= ENOUGH_BAD:
        told["error_limit"] = _limit(spec)
    share = _slow_share(here, spec)
    if here.answered >= ENOUGH_REQUESTS and share * here.answered >= ENOUGH_BAD:
        told |= {"slow_share": round(share, 6), "slow_limit": _MOST}
    return told


def _burning(
    seen: Telemetry, region: str, spec: WorkloadSpec, policy: FailoverPolicy, span: float
) -> Iterator[tuple[str, float]]:
    """Of each pair of windows the burn rate in that one where it is less, of the worse promise.

    Nothing is told of a pair where one window is missing or has too little in it, or the short
    one is longer than the span for which the region has been in its present state.
    """
    windows = {window.seconds: window.regions.get(region) for window in seen.windows}
    for pair in policy.burn:
        long, short = windows.get(pair.long), windows.get(pair.short)
        if pair.short <= span and long is not None and short is not None:
            both = zip(_rates(long, spec), _rates(short, spec), strict=True)
            rates = [min(a, b) for a, b in both if a is not None and b is not None]
            if rates:
                yield _key(pair), round(max(rates), 4)


def _rates(window: RegionTelemetry, spec: WorkloadSpec) -> tuple[float | None, float | None]:
    """How many times too fast a window spends what may fail, and what may be slow."""
    slow = window.slow if spec.slo.latency_ms is not None else None
    return (
        _rate(window.errors, window.requests, 1.0 - spec.slo.availability),
        None if slow is None else _rate(slow, window.answered, 1.0 - LATENCY_SHARE),
    )


def _rate(bad: int, of: int, budget: float) -> float | None:
    if of < ENOUGH_REQUESTS or bad < ENOUGH_BAD:
        return None
    return min(bad / of / budget, _FASTEST) if budget > 0 else _FASTEST


def _badness(here: RegionTelemetry, spec: WorkloadSpec) -> float:
    """The share of a round's requests that failed or were slow."""
    if not here.requests:
        return 0.0
    slow = _slow_share(here, spec) * here.answered
    return (here.errors + slow) / here.requests


def _elsewhere(seen: Telemetry, region: str, spec: WorkloadSpec) -> dict[str, float]:
    """How other regions look in the same reading: what is bad everywhere is no matter of one."""
    here = _badness(seen.regions[region], spec)
    others = [
        _badness(its, spec)
        for name, its in seen.regions.items()
        if name != region and its.requests >= ENOUGH_REQUESTS
    ]
    if not others or not here:
        return {}
    alike = [bad for bad in others if bad >= here * _AS_BADLY]
    return {"others": float(len(others)), "others_failed": float(len(alike))}


def _lag(seen: Telemetry, now: datetime) -> float:
    return 0.0 if seen.until is None else max(0.0, now.timestamp() - seen.until)


def _said(
    workload: str,
    seen: Telemetry,
    here: RegionTelemetry,
    measured: Mapping[str, float],
    spec: WorkloadSpec,
    policy: FailoverPolicy,
) -> str:
    """Everything that was found, in words."""
    parts: list[str] = []
    if _above(measured, "error"):
        parts.append(
            f"{here.errors} of {here.requests} requests of {workload} failed in "
            f"{seen.seconds:g} s, more than {_limit(spec):.1%}"
        )
    if _above(measured, "slow"):
        parts.append(
            f"{measured['slow_share']:.1%} of its answers took longer than "
            f"{spec.slo.latency_ms:g} ms"
        )
    for pair in policy.burn:
        burn = measured.get(_key(pair), 0.0)
        if burn > pair.factor:
            parts.append(
                f"{workload} burns {burn:.3g} times its budget over {_span(pair)}, "
                f"more than {pair.factor:g} times"
            )
    return "; ".join(parts)[:2000]
