"""Traffic by routing controls of Application Recovery Controller (ARC), through its data plane.

A control turns the traffic of one region on or off; how it is shared between those that are on is
said by the records behind the controls, and not changed here. All five endpoints of the cluster
are tried, beginning with any of them: ARC promises that three answer.

Sources: docs.aws.amazon.com/r53recovery/latest/dg/routing-control.update.api.html,
route53-arc-best-practices.regional.html (begin with a random endpoint, try each), and
.../routing-control/latest/APIReference/API_UpdateRoutingControlStates.html (all entries or none).
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from crosswind.operations.traffic import SetWeights, WeightsSet
from crosswind_aws.performers.asking import LEAST, Deadline, Service
from crosswind_aws.performers.failures import InConflict, Refused, Throttled, Unreachable
from crosswind_aws.performers.resources import ClusterEndpoint, RoutingControls

if TYPE_CHECKING:
    from crosswind.fleet.state import WorkloadState
    from crosswind_aws.performers.intentions import Intentions

SERVICE: Final = "route53-recovery-cluster"
WAIT: Final = 2.0
"""Seconds to wait for an endpoint: it answers in milliseconds, or another is to be tried."""

ON: Final = "On"
OFF: Final = "Off"

_TOLERANCE: Final = 1e-6


class Switches:
    """Turns routing controls on and off, and reads them.

    Args:
        intentions: of the register.
    """

    def __init__(self, intentions: Intentions | None = None) -> None:
        self._intentions = intentions
        self._services: dict[ClusterEndpoint, Service] = {}

    def set(self, controls: RoutingControls, action: SetWeights, deadline: Deadline) -> WeightsSet:
        """Turn on the regions that are to get traffic, and off all others, in one request.

        Raises:
            CallFailed: see `failures`.
        """
        newer = self._newer(action)
        if newer is None:
            self._turn(controls, _on(controls, action.weights), deadline)
            newer = self._newer(action)
        if newer is None:
            weights = _shares(controls, _on(controls, action.weights))
            reason = "" if _alike(weights, action.weights) else _COARSE
            return WeightsSet(applied=True, epoch=action.epoch, weights=weights, reason=reason)
        on = _on(controls, newer.weights)
        self._turn(controls, on, deadline)
        return WeightsSet(
            applied=False,
            epoch=newer.epoch,
            weights=_shares(controls, on),
            reason=f"the register intends epoch {newer.epoch}, which is asserted again",
        )

    def read(self, controls: RoutingControls, deadline: Deadline) -> WeightsSet:
        """The shares in force; ARC keeps no epoch.

        Raises:
            CallFailed: see `failures`.
        """
        weights = _shares(controls, self._states(controls, deadline))
        return WeightsSet(applied=True, epoch=0, weights=weights)

    def _newer(self, action: SetWeights) -> WorkloadState | None:
        if self._intentions is None:
            return None
        return self._intentions(action.workload, action.epoch)

    def _turn(
        self, controls: RoutingControls, wanted: Mapping[str, bool], deadline: Deadline
    ) -> None:
        states = self._states(controls, deadline)
        entries = [
            {
                "RoutingControlArn": controls.controls[region],
                "RoutingControlState": ON if on else OFF,
            }
            for region, on in sorted(wanted.items())
            if states[region] != on
        ]
        if entries:
            self._ask(
                controls,
                "update_routing_control_states",
                deadline,
                UpdateRoutingControlStateEntries=entries,
            )

    def _states(self, controls: RoutingControls, deadline: Deadline) -> dict[str, bool]:
        return {
            region: self._ask(
                controls, "get_routing_control_state", deadline, RoutingControlArn=arn
            )["RoutingControlState"]
            == ON
            for region, arn in controls.controls.items()
        }

    def _ask(
        self, controls: RoutingControls, operation: str, deadline: Deadline, **arguments: Any
    ) -> Mapping[str, Any]:
        """Ask one endpoint after another; setting a state twice does no harm."""
        endpoints = random.sample(controls.endpoints, len(controls.endpoints))
        silent: list[str] = []
        throttled = 0
        for number, endpoint in enumerate(endpoints):
            # What is left is shared, so that one that is silent does not use it up.
            share = Deadline(max(LEAST, deadline.left / (len(endpoints) - number)))
            try:
                return self._service(endpoint)(operation, share, **arguments)
            except (Unreachable, Throttled) as failed:
                silent.append(f"{endpoint.region}: {failed.code}")
                throttled += isinstance(failed, Throttled)
        kind = Throttled if throttled == len(endpoints) else Unreachable
        raise kind(f"{SERVICE} {operation}", "NoEndpoint", "; ".join(silent))

    def _service(self, endpoint: ClusterEndpoint) -> Service:
        if endpoint not in self._services:
            self._services[endpoint] = Service(
                SERVICE, endpoint.region, endpoint=endpoint.url, meaning=_meaning, wait=WAIT
            )
        return self._services[endpoint]


_COARSE: Final = "routing controls are on or off: the shares between those that are on stay"


def _meaning(code: str, said: str) -> type[InConflict] | type[Refused] | None:
    """A safety rule of the cluster forbids it: as ConflictException, for good."""
    return Refused if code == "ConflictException" and "safety rule" in said.lower() else None


def _on(controls: RoutingControls, weights: Mapping[str, float]) -> dict[str, bool]:
    """Which regions are to be on.

    Raises:
        Refused: a region is to get traffic that has no control, or none is to be on.
    """
    strange = [r for r, share in weights.items() if share > 0 and r not in controls.controls]
    if strange:
        raise Refused(
            f"{SERVICE} set-weights",
            "RegionNotDeclared",
            f"{', '.join(sorted(strange))} has no routing control declared",
        )
    on = {region: weights.get(region, 0.0) > 0 for region in controls.controls}
    if not any(on.values()):
        raise Refused(f"{SERVICE} set-weights", "AllOff", "no region would get traffic")
    return on


def _shares(controls: RoutingControls, on: Mapping[str, bool]) -> dict[str, float]:
    """The share of each region, by the records behind the controls."""
    total = sum(share for region, share in controls.shares.items() if on[region])
    return {
        region: share / total if on[region] and total else 0.0
        for region, share in controls.shares.items()
    }


def _alike(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    regions = {*one, *other}
    return all(abs(one.get(r, 0.0) - other.get(r, 0.0)) <= _TOLERANCE for r in regions)
