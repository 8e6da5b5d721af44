"""The performer of a simulated world: every action and query that a cloud would carry out.

Calls fail as the faults of the world say: refused, done and not answered, landed late, or under
way without an end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from crosswind.actions import Action, Call, Pending, Query
from crosswind.operations.endpoints import (
    EndpointState,
    EndpointStates,
    EndpointStatus,
    Scaled,
    ScaleEndpoint,
)
from crosswind.operations.keys import DisableKey, EnableKey, KeyStatus, RotateKey
from crosswind.operations.notification import Notified, Notify
from crosswind.operations.secrets import (
    PromoteSecret,
    RenewSecret,
    RetireSecret,
    SecretVersions,
)
from crosswind.operations.spend import ReadSpend, Spent
from crosswind.operations.telemetry import (
    MeasureOutage,
    Outage,
    Probed,
    ProbeEndpoint,
    ReadTelemetry,
    RegionTelemetry,
    Telemetry,
    Window,
)
from crosswind.operations.traffic import CurrentWeights, SetWeights, WeightsSet
from crosswind.sim import readings
from crosswind.sim.conditions import sized
from crosswind.sim.estate import Grant
from crosswind.sim.faults import Kind
from crosswind.sim.vault import Vault

if TYPE_CHECKING:
    from crosswind.sim.world import World

_NOTICES: Final = 1_000
"""Notices to people that are kept, the newest."""

_REMEMBERED: Final = 20_000
"""Keys that are remembered; far more than can still be asked for again."""


class SimulatedPerformer:
    """Carries out actions on a simulated world, and answers what is asked of it.

    A repeated key: the world keeps every key with its first answer, changes nothing and gives that
    answer again; how far replicas are is read anew. A lower epoch: it compares and sets in one
    step; refused, what is in force is returned with the reason. A call that lands late is treated
    like any other at the moment at which it lands.

    Args:
        world: what is steered.
        start: seconds since the epoch at which the world began.
        later: is given what is to happen after so many seconds.

    Attributes:
        told: what people were told.
    """

    performs: tuple[type[Action[Any]], ...] = (
        SetWeights,
        ScaleEndpoint,
        Notify,
        RenewSecret,
        PromoteSecret,
        RetireSecret,
        RotateKey,
        EnableKey,
        DisableKey,
    )
    answers: tuple[type[Query[Any]], ...] = (
        CurrentWeights,
        EndpointStatus,
        ProbeEndpoint,
        ReadTelemetry,
        MeasureOutage,
        SecretVersions,
        KeyStatus,
        ReadSpend,
    )

    def __init__(
        self, world: World, start: float, later: Callable[[float, Callable[[], None]], None]
    ) -> None:
        self.world = world
        self.start = start
        self.later = later
        self.told: deque[Notify] = deque(maxlen=_NOTICES)
        self._done: dict[str, Any] = {}
        self._vault = Vault()

    # -- actions --------------------------------------------------------------------------------

    def perform(self, action: Any, call: Call) -> Any | Pending:
        """Carry out one action.

        Raises:
            TimeoutError: no answer; it may have been done, or be done later.
            ConnectionError: the region takes no orders, or refused this call.
            LookupError: the workload is not declared there.
        """
        region = getattr(action, "region", None)
        if region is not None and self.world.conditions.unreachable(region):
            raise ConnectionError(f"{region} takes no orders")
        for fault in self._meets("call-hangs", action):
            rest = fault.ends - self.world.now
            return Pending(min(self.world.nature.check_after, rest) + 0.001, "no sign of an end")
        name = ("call", call.key, call.attempt)
        if any(self._draw(sized(one), *name) for one in self._meets("call-fails", action)):
            raise ConnectionRefusedError(f"{action.kind}: too many requests")
        for fault in self._meets("call-late", action):
            self.later(sized(fault), lambda: self._land(action, call))
            raise TimeoutError(f"{action.kind} was not answered")
        answer = self._effect(action, call)
        if any(self._draw(sized(one), *name) for one in self._meets("call-unanswered", action)):
            raise TimeoutError(f"{action.kind} was not answered")
        return answer

    def _meets(self, kind: Kind, action: Any) -> list[Any]:
        """The faults of a kind that this call meets."""
        region = getattr(action, "region", None)
        return [
            fault
            for fault in self.world.conditions.active(kind, region, action.concerns())
            if fnmatchcase(action.kind, fault.action)
            # What concerns no region meets what is everywhere.
            and (region is not None or not (fault.region or fault.domain or fault.cloud))
        ]

    def _draw(self, share: float, *name: object) -> bool:
        return self.world.draws.chance(share, *name)

    def _land(self, action: Any, call: Call) -> None:
        """What was asked for long ago takes effect; nobody hears what comes of it."""
        self._effect(action, call)

    def _effect(self, action: Any, call: Call) -> Any | Pending:
        match action:
            case SetWeights():
                return self._once(call.key, lambda: self._set(action))
            case ScaleEndpoint():
                self._once(call.key, lambda: self._scale(action, call.key))
                return self._scaled(action, self._done[call.key])
            case Notify():
                return self._once(call.key, lambda: self._notify(action))
        return self._once(call.key, lambda: self._keep(action, call.key))

    def _keep(self, action: Any, key: str) -> Any:
        vault = self._vault
        match action:
            case RenewSecret():
                return vault.renew(action.secret, key)
            case PromoteSecret():
                return vault.promote(action)
            case RetireSecret():
                return vault.retire(action)
            case RotateKey():
                return vault.rotate(action.key, self.start + self.world.now)
            case EnableKey() | DisableKey():
                return vault.enable(action.key, enabled=isinstance(action, EnableKey))
        raise TypeError(f"a simulated world does not perform {type(action).__name__}")

    def _once(self, key: str, effect: Callable[[], Any]) -> Any:
        if key not in self._done:
            self._done[key] = effect()
            if len(self._done) > _REMEMBERED:
                del self._done[next(iter(self._done))]
        return self._done[key]

    def _set(self, action: SetWeights) -> WeightsSet:
        steered = self.world.order_weights(action.workload, action.weights, action.epoch)
        reason = "" if steered.applied else f"epoch {steered.epoch} is in force"
        return WeightsSet(
            applied=steered.applied, epoch=steered.epoch, weights=steered.weights, reason=reason
        )

    def _scale(self, action: ScaleEndpoint, key: str) -> Grant:
        world = self.world
        if (action.workload, action.region) not in world.steered.estate.endpoints:
            raise LookupError(f"{action.workload} is not declared in {action.region}")
        grant = world.order_replicas(
            action.workload, action.region, action.replicas, action.epoch, key
        )
        endpoint = world.endpoint(action.workload, action.region)
        if grant is None:
            reason = f"epoch {endpoint.epoch} is in force"
            return Grant(action.replicas, endpoint.held, reason)
        return grant

    def _scaled(self, action: ScaleEndpoint, grant: Grant) -> Scaled | Pending:
        world = self.world
        endpoint = world.endpoint(action.workload, action.region)
        ready = endpoint.ready(world.now)
        reason = grant.reason
        if endpoint.epoch > action.epoch:
            granted, reason = endpoint.held, f"epoch {endpoint.epoch} has taken its place"
        else:
            granted = grant.granted
            if ready < min(granted, endpoint.held):
                note = f"{ready} of {granted} replicas serve in {action.region}"
                return Pending(world.nature.check_after, note)
        return Scaled(requested=grant.requested, granted=granted, ready=ready, reason=reason)

    def _notify(self, action: Notify) -> Notified:
        self.told.append(action)
        return Notified(channel=action.channel)

    # -- queries --------------------------------------------------------------------------------

    def answer(self, query: Any, timeout: float) -> Any:
        """Read the world, as far as it can be seen."""
        match query:
            case ProbeEndpoint():
                return self._probe(query)
            case ReadTelemetry():
                return self._telemetry(query)
            case EndpointStatus():
                return EndpointStates(
                    states={region: self._state(query.workload, region) for region in query.regions}
                )
            case MeasureOutage():
                return self._outage(query)
            case CurrentWeights():
                return WeightsSet(
                    applied=True,
                    epoch=self.world.epochs[query.workload],
                    weights=self.world.steered.weights[query.workload],
                )
            case SecretVersions():
                return self._vault.secret(query.secret)
            case KeyStatus():
                return self._vault.key(query.key)
            case ReadSpend():
                return self._spend(query)
        raise TypeError(f"a simulated world does not answer {type(query).__name__}")

    def _probe(self, query: ProbeEndpoint) -> Probed:
        look = readings.probe(self.world, query.workload, query.region, query.vantage, query.count)
        return Probed(
            region=query.region,
            sent=look.sent,
            failed=look.failed,
            latency=look.median_ms,
            fastest=look.fastest_ms,
            error="no answer" if look.failed else "",
        )

    def _telemetry(self, query: ReadTelemetry) -> Telemetry:
        world, name = self.world, query.workload
        objective = world.fleet.workloads[name].slo.latency_ms
        # Slow answers are counted against the objective, and against nothing else.
        counts = query.slower_than is not None and query.slower_than == objective
        until = readings.measured_until(world, name)
        spans = (query.seconds, *query.windows)
        shown = [
            Window(seconds=seconds, regions=_regions(window, counts))
            for seconds, window in zip(spans, readings.windows(world, name, spans), strict=True)
        ]
        return Telemetry(
            seconds=query.seconds,
            regions=shown[0].regions,
            windows=tuple(shown[1:]),
            until=None if until >= world.now else until + self.start,
        )

    def _state(self, workload: str, region: str) -> EndpointState:
        world = self.world
        endpoint = world.steered.estate.endpoints.get((workload, region))
        if endpoint is None or world.conditions.unreachable(region):
            return EndpointState(region=region, reachable=False)
        ready = 0 if world.conditions.of(region, workload).down else endpoint.ready(world.now)
        return EndpointState(
            region=region,
            reachable=True,
            ready=ready,
            starting=endpoint.held - endpoint.ready(world.now),
            quota=world.steered.estate.quota(workload, region),
        )

    def _spend(self, query: ReadSpend) -> Spent:
        """What replicas have cost; answers on their way are on no bill of days."""
        estate, now = self.world.steered.estate, self.world.now
        begins, ends = (self._midnight(day) for day in (query.begins, query.ends))
        workloads: dict[str, float] = {}
        for name, region in estate.endpoints:
            cost = estate.spent_by(name, region, min(max(ends, 0.0), now)).usd
            before = estate.spent_by(name, region, min(max(begins, 0.0), now)).usd
            workloads[name] = workloads.get(name, 0.0) + cost - before
        return Spent(
            begins=query.begins,
            ends=query.ends,
            currency="USD",
            total=_cents(sum(workloads.values())),
            workloads={name: _cents(cost) for name, cost in workloads.items()},
            estimated=ends > now,
        )

    def _midnight(self, day: date) -> float:
        """When a day begins, in seconds since the beginning."""
        return datetime.combine(day, time.min, UTC).timestamp() - self.start

    def _outage(self, query: MeasureOutage) -> Outage:
        began, ended, failed, counted = readings.outage(
            self.world, query.workload, query.since - self.start, query.threshold
        )
        return Outage(
            began=None if began is None else began + self.start,
            ended=None if ended is None else ended + self.start,
            failed=failed,
            counted=counted,
        )


def _cents(usd: float) -> Decimal:
    return Decimal(usd).quantize(Decimal("0.01"))


def _regions(window: dict[str, readings.Counted], counts: bool) -> dict[str, RegionTelemetry]:
    return {
        region: RegionTelemetry(
            requests=seen.requests,
            errors=seen.errors,
            p50=seen.median_ms,
            p95=seen.p95_ms,
            slow=seen.slow if counts else None,
        )
        for region, seen in window.items()
    }
