"""What a division means for a workload: its shares and its replicas."""

from __future__ import annotations

from collections.abc import Mapping

from crosswind.planner.problem import Division, Need


def weights_of(need: Need, division: Division) -> Mapping[str, float]:
    """The share of each region at the end; regions that are left have none.

    Of a workload that is left without a plan it is what would stay where it is.
    """
    weights = {stay.region: stay.keep / need.rate for stay in need.stays}
    sent = zip(need.options, division.placed, division.over, strict=True)
    for one, placed, over in sent:
        weights[one.region] = (one.keep + placed + over) / need.rate
    return weights


def replicas_of(need: Need, division: Division) -> Mapping[str, int]:
    """The replicas of each region in total, as far as the workload counts on them."""
    return {
        one.region: one.held + count
        for one, count in zip(need.options, division.replicas, strict=True)
    }
