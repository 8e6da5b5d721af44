"""Capacity of one region: replicas that take time to start, a quota, and a bounded rate.

Plain objects; time is always passed in, in seconds of one monotonic clock.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Final

BURST_SECONDS: Final = 0.25
"""A replica takes this much of its rate at once, so that uneven arrivals are not refused."""

LOAD_SECONDS: Final = 5.0
"""The span over which an endpoint's load is measured."""


class Replicas:
    """Replicas of one workload, each serving from some moment on.

    Args:
        count: how many there are at first.
        ready_at: when those begin to serve.
    """

    def __init__(self, count: int, ready_at: float) -> None:
        self._ready_at = [ready_at] * count

    def __len__(self) -> int:
        return len(self._ready_at)

    def ready(self, now: float) -> int:
        """How many serve now."""
        return bisect_right(self._ready_at, now)

    def starting(self, now: float) -> int:
        """How many do not serve yet."""
        return len(self) - self.ready(now)

    def resize(self, count: int, now: float, start_seconds: float) -> None:
        """Add replicas that start now, or take away those that began last."""
        del self._ready_at[count:]
        self._ready_at += [now + start_seconds] * (count - len(self))
        self._ready_at.sort()


class Bucket:
    """A token bucket whose rate may change from call to call."""

    def __init__(self) -> None:
        self._tokens = 0.0
        self._filled_at: float | None = None

    def wait(self, rate: float) -> float:
        """Seconds from the last call of `take` until a token is there; infinite at rate 0."""
        missing = max(0.0, 1.0 - self._tokens)
        return missing / rate if rate > 0 else inf

    def take(self, rate: float, now: float) -> bool:
        """Take one token at a rate of tokens a second; False where none is left."""
        size = max(1.0, rate * BURST_SECONDS) if rate > 0 else 0.0
        if self._filled_at is None:
            self._tokens = size
        else:
            self._tokens = min(size, self._tokens + rate * (now - self._filled_at))
        self._filled_at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


@dataclass(frozen=True, slots=True)
class Grant:
    """An answer to a wish for replicas; `reason` says why less than requested was granted."""

    requested: int
    granted: int
    reason: str


class Endpoint:
    """One workload's endpoint in the region."""

    def __init__(self, replicas: Replicas, rate: float) -> None:
        self.replicas = replicas
        self._rate = rate
        self._bucket = Bucket()
        self._arrivals: deque[float] = deque(maxlen=50_000)

    def capacity(self, now: float) -> float:
        """Requests a second that it can serve now."""
        return self.replicas.ready(now) * self._rate

    def admit(self, now: float) -> bool:
        """Count one request; whether there is capacity to serve it."""
        self._arrivals.append(now)
        return self._bucket.take(self.capacity(now), now)

    def wait(self, now: float) -> float:
        """Seconds until a request that was not admitted may be; infinite without replicas."""
        return self._bucket.wait(self.capacity(now))

    def load(self, now: float) -> float:
        """Requests a second that arrived lately, refused ones included."""
        while self._arrivals and self._arrivals[0] < now - LOAD_SECONDS:
            self._arrivals.popleft()
        return len(self._arrivals) / LOAD_SECONDS


class Site:
    """The endpoints of one region under one quota.

    Args:
        workloads: replicas by workload at first.
        quota: replicas that the region grants in total.
        rate: requests a second that one replica serves.
        ready_at: when the first replicas begin to serve.
        start_seconds: how long a new replica takes until it serves.

    Raises:
        ValueError: more replicas than the quota.
    """

    def __init__(
        self,
        workloads: Mapping[str, int],
        *,
        quota: int,
        rate: float,
        ready_at: float,
        start_seconds: float,
    ) -> None:
        wanted = sum(workloads.values())
        if wanted > quota:
            raise ValueError(f"{wanted} replicas exceed the quota of {quota}")
        self.quota = quota
        self.start_seconds = start_seconds
        self.endpoints = {
            workload: Endpoint(Replicas(count, ready_at), rate)
            for workload, count in workloads.items()
        }

    def decide(self, workload: str, requested: int) -> Grant:
        """How many of the wanted replicas the quota allows; changes nothing.

        Raises:
            KeyError: the region does not serve this workload.
        """
        mine = self.endpoints[workload].replicas
        others = sum(len(endpoint.replicas) for endpoint in self.endpoints.values()) - len(mine)
        granted = min(requested, self.quota - others)
        if granted == requested:
            return Grant(requested, granted, "")
        held = f", {others} of them held by other workloads" if others else ""
        return Grant(requested, granted, f"the quota is {self.quota} replicas{held}")

    def resize(self, workload: str, count: int, now: float) -> None:
        """Bring a workload to this many replicas."""
        self.endpoints[workload].replicas.resize(count, now, self.start_seconds)
