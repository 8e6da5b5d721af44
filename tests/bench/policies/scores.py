"""Scores: what a policy is worth, counted over many incidents.

Outages come in the proportion in which they happen. Of what is harmless each kind is played as
often, and counts for as much as it happens: so the number of false failovers a year follows from
the rates of the mix, however rare a kind is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from statistics import fmean, pvariance
from typing import Any, Final

from bench.policies.mix import DUE, MIX
from bench.policies.plays import Outcome

_SHARES: Final = (0.5, 0.95, 0.99)


def quantile(values: Iterable[float | None], share: float) -> float | None:
    """The value below which that share of those that are there lies; None of none."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return None
    place = share * (len(known) - 1)
    below = int(place)
    above = min(below + 1, len(known) - 1)
    return known[below] + (known[above] - known[below]) * (place - below)


@dataclass(frozen=True, slots=True)
class Rate:
    """False failovers of one region in a year, with the standard error of that number."""

    a_year: float
    error: float


@dataclass(frozen=True)
class Score:
    """One policy over all incidents that were played.

    Args:
        outcomes: of outages and of what is harmless.
    """

    name: str
    outcomes: tuple[Outcome, ...]

    @cached_property
    def outages(self) -> tuple[Outcome, ...]:
        """Those for which a region is to be left."""
        return tuple(one for one in self.outcomes if one.due)

    @cached_property
    def answered(self) -> tuple[Outcome, ...]:
        """Of those, the ones in which users were moved away before it was over."""
        return tuple(one for one in self.outages if one.answered)

    @property
    def missed(self) -> float:
        """The share of outages that were not answered."""
        return 1.0 - len(self.answered) / len(self.outages) if self.outages else 0.0

    def noticed(self, share: float) -> float | None:
        """Seconds from the onset until it was decided, of those answered."""
        return quantile((one.detected for one in self.answered), share)

    def recovery(self, share: float) -> float | None:
        """Seconds from the onset to the last shift, of those answered."""
        return quantile((one.cleared for one in self.answered), share)

    def response(self, share: float) -> float | None:
        """Seconds from the first evidence to the last shift, of those answered."""
        return quantile((one.response for one in self.answered), share)

    @property
    def again(self) -> float:
        """How often a region was left again for the same outage, for each of those."""
        return _mean(max(0, one.departures - 1) for one in self.outages)

    @property
    def lost(self) -> float:
        """Minutes of all users that an outage has cost."""
        return _mean(one.lost for one in self.outages)

    @property
    def broken(self) -> float:
        """Minutes of an outage in which the promise was broken."""
        return _mean(one.broken for one in self.outages)

    @property
    def lasted(self) -> float:
        """Minutes for which outages lasted, the mean."""
        return _mean(one.lasted / 60 for one in self.outages)

    @property
    def untouched(self) -> float:
        """Minutes of all users that it would have cost had nobody done anything."""
        return _mean(one.untouched for one in self.outages)

    @property
    def usd(self) -> float:
        """What answering an outage has cost more than doing nothing."""
        return _mean(one.usd for one in self.outages)

    @property
    def false(self) -> Rate:
        """Regions left though nothing was due."""
        return self._rate(True, True)

    @property
    def blips(self) -> Rate:
        """Of those, for a blip that was over before users could be moved."""
        return self._rate(True, False)

    @property
    def nothing(self) -> Rate:
        """Of those, with nothing wrong with the region."""
        return self._rate(False, True)

    @property
    def usd_false(self) -> float:
        """What a false failover costs."""
        return _mean(one.usd for one in self.outcomes if not one.due and one.wrong)

    def of(self, kind: str) -> tuple[Outcome, ...]:
        """The outcomes of one kind of incident."""
        return tuple(one for one in self.outcomes if one.kind == kind)

    def left(self, kind: str) -> float | None:
        """The share of the incidents of one kind for which a region was left; None of none."""
        found = self.of(kind)
        if not found:
            return None
        return _mean(float(one.answered if one.due else one.wrong > 0) for one in found)

    def as_json(self) -> dict[str, Any]:
        """As one JSON document."""
        spreads = {
            name: {f"p{share * 100:g}": _rounded(of(share)) for share in _SHARES}
            for name, of in (
                ("onset_to_decision", self.noticed),
                ("onset_to_last_shift", self.recovery),
                ("evidence_to_last_shift", self.response),
            )
        }
        return {
            "policy": self.name,
            "outages": len(self.outages),
            "harmless": len(self.outcomes) - len(self.outages),
            **spreads,
            "missed": round(self.missed, 4),
            "left_again": round(self.again, 3),
            "user_minutes_lost": round(self.lost, 3),
            "user_minutes_lost_by_doing_nothing": round(self.untouched, 3),
            "slo_minutes_broken": round(self.broken, 3),
            "usd_an_outage": round(self.usd, 2),
            "usd_a_false_failover": round(self.usd_false, 2),
            "false_a_region_year": round(self.false.a_year, 2),
            "standard_error": round(self.false.error, 2),
            "of_blips": round(self.blips.a_year, 2),
            "of_nothing": round(self.nothing.a_year, 2),
            "left_by_kind": {one.name: _rounded(self.left(one.name), 3) for one in MIX},
        }

    def _rate(self, blips: bool, nothing: bool) -> Rate:
        parts = [
            (trouble.a_year, [float(one.wrong) for one in self.of(trouble.name)])
            for trouble in MIX
            if not trouble.due and (blips if trouble.wrong else nothing)
        ]
        if blips:  # left when it was over, or another region beside it
            parts.append((sum(one.a_year for one in DUE), [float(o.wrong) for o in self.outages]))
        return Rate(
            sum(a_year * _mean(wrong) for a_year, wrong in parts),
            sqrt(sum(a_year**2 * _error(wrong) for a_year, wrong in parts)),
        )


def _mean(values: Iterable[float]) -> float:
    known = tuple(values)
    return fmean(known) if known else 0.0


def _error(values: Sequence[float]) -> float:
    return pvariance(values) / len(values) if values else 0.0


def _rounded(value: float | None, digits: int = 1) -> float | None:
    return None if value is None else round(value, digits)
