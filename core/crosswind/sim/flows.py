"""Flows: what becomes of the requests that a region gets, as rates. Pure functions.

A region serves what it has replicas for and sheds the rest. The nearer it comes to that, the longer
a request waits: a queue before several servers, in Sakasegawa's approximation of the mean wait
(H. Sakasegawa, "An approximation formula L_q = a b^p / (1 - p)", 1977). Latency is log-normal.
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, log, sqrt
from statistics import NormalDist
from typing import Final, NamedTuple

from crosswind.sim.conditions import Condition
from crosswind.sim.nature import Nature

_NORMAL: Final = NormalDist()
_P95: Final = _NORMAL.inv_cdf(0.95)


class Flow(NamedTuple):
    """Requests a second of one workload in one region.

    Attributes:
        sent: that users send there.
        failed: of those, answered badly or not at all.
        slow: of those answered well, slower than the objective.
        median: milliseconds that half of those answered well do not exceed.
    """

    sent: float
    failed: float
    slow: float
    median: float

    @property
    def served(self) -> float:
        """Answered well."""
        return self.sent - self.failed

    @property
    def error_rate(self) -> float:
        """Share that failed, 0 where nothing was sent."""
        return self.failed / self.sent if self.sent else 0.0


STILL: Final = Flow(0.0, 0.0, 0.0, 0.0)


class Place(NamedTuple):
    """What of a workload and a region decides about a flow.

    Attributes:
        per_replica: requests a second that the workload declares for one replica.
        base_ms: milliseconds of an answer without a wait.
        objective_ms: of the workload's latency, where it has one.
    """

    per_replica: float
    base_ms: float
    objective_ms: float | None


@lru_cache(maxsize=65_536)
def flow(sent: float, ready: int, place: Place, condition: Condition, nature: Nature) -> Flow:
    """What becomes of so many requests a second.

    Args:
        ready: replicas that serve.
    """
    if sent <= 0:
        return STILL
    most = ready * place.per_replica * nature.headroom
    if condition.down or most <= 0:
        return Flow(sent, sent, 0.0, 0.0)
    broken = 1.0 - (1.0 - condition.errors) * (1.0 - nature.errors)
    sound = sent * (1.0 - broken)
    shed = max(0.0, sound - most)
    served = sound - shed
    median = place.base_ms * condition.slow + _wait(served / most, ready, place, nature)
    return Flow(sent, sent - served, served * _slower(median, place, nature), median)


def p95(median: float, nature: Nature) -> float:
    """The 95th percentile of latency with this median."""
    return median * exp(_P95 * nature.spread)


def slower_than(limit: float, median: float, nature: Nature) -> float:
    """The share of answers that take longer than a limit, both in milliseconds."""
    if median <= 0:
        return 0.0
    if nature.spread <= 0:
        return float(median > limit)
    return 1.0 - _NORMAL.cdf(log(limit / median) / nature.spread)


def _slower(median: float, place: Place, nature: Nature) -> float:
    if place.objective_ms is None:
        return 0.0
    return slower_than(place.objective_ms, median, nature)


def _wait(used: float, ready: int, place: Place, nature: Nature) -> float:
    """Mean milliseconds in the queue, at most those after which requests are shed."""
    if used >= 1.0:
        return nature.queue_ms
    one = 1000.0 / (place.per_replica * nature.headroom)
    wait: float = one * used ** (sqrt(2 * (ready + 1)) - 1) / (ready * (1.0 - used))
    return min(wait, nature.queue_ms)
