"""Threshold alarms without a quorum: one alarm, one failover.

What is modelled, after Amazon CloudWatch's evaluation of metric alarms:

- A datapoint is the share of failed requests of one region over one period of 60 s, on the minute.
- The alarm fires when `datapoints` of the last `of` breach the threshold. Where some are missing,
  the newest that exist of a somewhat longer range are looked at; where none exists, there is
  insufficient data, and nothing is done.
  https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
  https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
- It is evaluated as soon as the metric has arrived, which lags as all telemetry of the world does.

What follows is modelled as most runbooks have it: the region is left at once, by a balancer that
obeys at once, and a person returns to it an hour later, or as soon as a probe is answered then.
The alarm is about errors. It does not see that answers are slow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from bench.policies.fleet import PLACES, WORKLOAD
from bench.policies.healthchecks import Caches, answered
from crosswind.sim import probe, telemetry

if TYPE_CHECKING:
    from crosswind.sim import Accounts, World

State = Literal["ok", "alarm", "insufficient-data"]

PERIOD: Final = 60.0
"""Seconds of one datapoint."""

_RANGE: Final = 2
"""Periods that are looked at beyond those asked for, where datapoints are missing."""

_AWAY: Final = 3600.0
_AGAIN: Final = 600.0
"""Seconds after which a person returns to a region, and looks again where it still fails."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A metric alarm.

    Args:
        datapoints, of: how many of how many must breach.
        threshold: share of failed requests that must be exceeded.
    """

    datapoints: int = 1
    of: int = 1
    threshold: float = 0.05

    def state(self, newest_first: Sequence[float | None]) -> State:
        """What it comes to of the datapoints of the last periods, None where one is missing."""
        known = [value for value in newest_first[: self.of + _RANGE] if value is not None]
        if not known:
            return "insufficient-data"
        breaching = sum(value > self.threshold for value in known[: self.of])
        return "alarm" if breaching >= self.datapoints else "ok"


class AlarmFailover:
    """Steers a world by one alarm for each region.

    Args:
        begins: seconds since the beginning from which on it is played.
        ttl: seconds for which clients keep where they were sent; 0 behind a balancer.
    """

    def __init__(
        self, world: World, accounts: Accounts, begins: float, *, alarm: Alarm, ttl: float = 0.0
    ) -> None:
        self.world, self.accounts, self.alarm = world, accounts, alarm
        self.declared: Mapping[str, float] = dict(world.fleet.workloads[WORKLOAD].weights)
        self._points: dict[str, list[float | None]] = {region: [] for region in self.declared}
        self._back: dict[str, float] = {}
        self._caches = Caches(world, ttl)
        lag = world.nature.telemetry_lag
        self._evaluated = begins - begins % PERIOD + lag

    def next(self) -> float:
        """When it does something next."""
        return min(self._evaluated, self._caches.next(), *self._back.values())

    def act(self) -> None:
        """Do what is due by now."""
        self._caches.act()
        for region in [name for name, at in self._back.items() if at <= self.world.now]:
            self._return(region)
        if self._evaluated <= self.world.now:
            self._evaluated += PERIOD
            self._evaluate()

    def _evaluate(self) -> None:
        shown = telemetry(self.world, WORKLOAD, PERIOD)
        left = set(self._back)
        for region, points in self._points.items():
            seen = shown.get(region)
            points.insert(0, None if seen is None else seen.errors / seen.requests)
            del points[self.alarm.of + _RANGE :]
            if seen is not None and seen.errors / seen.requests > self.alarm.threshold:
                self.accounts.outages.evidence(region)
            if region not in left and self.alarm.state(points) == "alarm":
                self.accounts.outages.confirmed(region)
                self._back[region] = self.world.now + _AWAY
        self._steer(left)

    def _return(self, region: str) -> None:
        if probe(self.world, WORKLOAD, region, PLACES[0], 3).failed:
            self._back[region] = self.world.now + _AGAIN
            return
        before = set(self._back)
        del self._back[region]
        self._points[region].clear()
        self._steer(before)

    def _steer(self, before: set[str]) -> None:
        if set(self._back) != before:
            self._caches.answer(answered(self.declared, self.declared.keys() - self._back.keys()))
