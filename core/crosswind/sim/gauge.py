"""Gauges: what has flowed in all, exact at every moment, as flows are constant between changes."""

from __future__ import annotations

from bisect import bisect_right
from typing import Final, NamedTuple

from crosswind.sim.flows import STILL, Flow

_KEPT: Final = 4_096
"""Changes that are kept at the least, for who looks back."""

_KEPT_SECONDS: Final = 8 * 86_400.0


class Totals(NamedTuple):
    """Requests since the beginning; `weighed` sums the median latencies of those served."""

    sent: float = 0.0
    failed: float = 0.0
    slow: float = 0.0
    weighed: float = 0.0

    @property
    def served(self) -> float:
        """Answered well."""
        return self.sent - self.failed

    def below(self, errors: float, slow: float) -> bool:
        """Whether no more than these shares failed, or were slow of those served."""
        return self.failed <= errors * self.sent and self.slow <= slow * self.served

    def minus(self, earlier: Totals) -> Totals:
        """What came since then."""
        sent, failed, slow, weighed = earlier
        return Totals(self[0] - sent, self[1] - failed, self[2] - slow, self[3] - weighed)


class Gauge:
    """Counts one flow. Times in seconds since the beginning."""

    __slots__ = ("_flows", "_times", "_totals")

    def __init__(self) -> None:
        self._times: list[float] = [0.0]
        self._totals: list[Totals] = [Totals()]
        self._flows: list[Flow] = [STILL]

    @property
    def flow(self) -> Flow:
        """What flows now."""
        return self._flows[-1]

    def set(self, now: float, flow: Flow) -> bool:
        """Let the flow be another from now on; whether it is another."""
        if flow == self._flows[-1]:
            return False
        if now == self._times[-1]:
            self._flows[-1] = flow
            return True
        self._totals.append(self.totals(now))
        self._times.append(now)
        self._flows.append(flow)
        if len(self._times) > 2 * _KEPT:
            self._forget(now)
        return True

    def totals(self, at: float) -> Totals:
        """What has flowed until a moment; what is forgotten counts as if it had just flowed."""
        if at >= self._times[-1]:
            position = len(self._times) - 1
        else:
            position = max(0, bisect_right(self._times, at) - 1)
        flow, before = self._flows[position], self._totals[position]
        seconds = max(0.0, at - self._times[position])
        if not seconds or flow is STILL:
            return before
        return Totals(
            before.sent + flow.sent * seconds,
            before.failed + flow.failed * seconds,
            before.slow + flow.slow * seconds,
            before.weighed + flow.served * flow.median * seconds,
        )

    def between(self, begins: float, ends: float) -> Totals:
        """What flowed in a span of time."""
        return self.totals(ends).minus(self.totals(begins))

    def stayed_below(self, errors: float, slow: float, since: float) -> bool:
        """Whether at no time since then more than these shares failed, or were slow."""
        for position in range(len(self._times) - 1, -1, -1):
            flow = self._flows[position]
            if flow.failed > errors * flow.sent or flow.slow > slow * (flow.sent - flow.failed):
                return False
            if self._times[position] <= since:
                return True
        return True

    def failures(
        self, since: float, until: float, threshold: float, steady: float
    ) -> tuple[float | None, float | None]:
        """When failures began, and from when on there were none for so many seconds.

        Args:
            threshold: share of requests from which on the flow counts as failing.
        """
        began: float | None = None
        well: float | None = None
        position = max(0, bisect_right(self._times, since) - 1)
        for at, flow in zip(self._times[position:], self._flows[position:], strict=True):
            if at >= until:
                break
            if flow.error_rate >= threshold:
                if well is not None and at - well >= steady:
                    return began, well
                began, well = began if began is not None else max(at, since), None
            elif began is not None and well is None:
                well = at
        ended = well if well is not None and until - well >= steady else None
        return began, ended

    def _forget(self, now: float) -> None:
        old = bisect_right(self._times, now - _KEPT_SECONDS)
        keep = max(_KEPT, len(self._times) - old)
        del self._times[:-keep], self._totals[:-keep], self._flows[:-keep]
