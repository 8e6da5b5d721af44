"""How the register decides: pure functions from what it holds and an action to a decision.

Each is given everything that was read, and the write that follows demands the version of all of
it: a decision holds exactly for the state that it was made from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from pydantic_core import to_json

from crosswind.fleet import keys
from crosswind.fleet.operations import (
    Accepted,
    AcceptPlan,
    Advanced,
    AdvanceShift,
    Marked,
    MarkRegion,
    Released,
    ReleasePlan,
    shares,
)
from crosswind.fleet.quantities import TOLERANCE
from crosswind.fleet.rules import Violation, strays, violations
from crosswind.fleet.state import PRECEDENCE, Condition, Movement, RegionState, WorkloadState

if TYPE_CHECKING:
    from pydantic import BaseModel

    from crosswind.context import Lock
    from crosswind.fleet.declaration import Fleet

R = TypeVar("R", bound="BaseModel")

_LISTED: Final = 16

_TIMES: Final = 8
"""Evacuations of a region that are remembered."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was read of the register for one decision.

    Attributes:
        regions: states of the regions that were read, absent items as their default.
        versions: the version of every item read, by key; `ABSENT` where there is none.
        workload: the state of the workload, where the action has one.
        lock_epoch: the highest lock epoch seen of the action's target.
    """

    fleet: Fleet
    now: float
    regions: Mapping[str, RegionState]
    versions: Mapping[str, str]
    workload: WorkloadState | None = None
    lock_epoch: int = 0

    def changed(self, relies_on: Mapping[str, str]) -> tuple[str, ...]:
        """Keys of items that do not have the version relied on, or were not to be found."""
        return tuple(k for k, version in relies_on.items() if self.versions.get(k) != version)


@dataclass(frozen=True, slots=True)
class Decision(Generic[R]):
    """The result of an action, and the values to be put by key together with it."""

    result: R
    puts: Mapping[str, bytes] = field(default_factory=dict)


def accept(snapshot: Snapshot, action: AcceptPlan) -> Decision[Accepted]:
    """Make a plan the intended one."""
    state = _workload(snapshot)

    def refused(reason: str, changed: tuple[str, ...] = ()) -> Decision[Accepted]:
        return Decision(Accepted(accepted=False, epoch=state.epoch, reason=reason, changed=changed))

    fenced = _fenced(snapshot, action.lock) or _outranked(snapshot, state, action)
    if fenced:
        return refused(fenced)
    changed = snapshot.changed(action.relies_on)
    if not changed and action.relies_on_epoch not in (None, state.epoch):
        changed = (keys.workload(action.workload),)
    if changed:
        return refused("the register has changed since the plan was made", changed)

    regions = dict(snapshot.regions)
    if action.region is not None and action.state is not None:
        regions[action.region] = _marked(
            regions[action.region], action.state, snapshot.now, action.plan
        )
    planned = {**state.capacity, **action.capacity}
    asked = {
        region: max(planned.get(region, 0), action.spare.get(region, 0))
        for region in {**planned, **action.spare}
    }
    # Both what is left and what is gone to are held until the last step, so that neither the
    # floor nor a reservation is given up while traffic is between them; and so is what is asked
    # for besides.
    capacity = {
        region: max(replicas, state.capacity.get(region, 0)) for region, replicas in asked.items()
    }
    broken = violations(
        snapshot.fleet, action.workload, state, regions, action.target_weights, planned
    )
    if action.spare and not broken:
        broken = violations(
            snapshot.fleet, action.workload, state, regions, action.target_weights, asked
        )
    if broken:
        return refused(_reasons(broken))

    accepted = WorkloadState(
        epoch=state.epoch + 1,
        weights=state.weights,
        capacity=capacity,
        revision=state.revision,
        plan=action.plan,
        moving=Movement(
            plan=action.plan,
            owner=action.chain,
            priority=action.priority,
            start=state.weights,
            target=action.target_weights,
            planned=planned,
            revision=action.revision or state.revision,
            until=snapshot.now + snapshot.fleet.failover.deadline,
            because=action.because,
        ),
    )
    puts = {keys.workload(action.workload): encoded(accepted)}
    puts.update(reservations(snapshot, regions, action.workload, capacity))
    puts.update(_seen(snapshot, action.lock))
    return Decision(Accepted(accepted=True, epoch=accepted.epoch), puts)


def advance(snapshot: Snapshot, action: AdvanceShift) -> Decision[Advanced]:
    """Intend one step of the plan under way."""
    state = _workload(snapshot)

    def refused(reason: str) -> Decision[Advanced]:
        return Decision(
            Advanced(applied=False, epoch=state.epoch, weights=state.weights, reason=reason)
        )

    moving = state.moving
    if moving is None or moving.plan != action.plan:
        return refused(_not_under_way(state, action.plan))
    if state.epoch != action.relies_on_epoch:
        return refused(f"the epoch is {state.epoch}, the step relies on {action.relies_on_epoch}")
    astray = strays(moving, action.weights)
    if astray:
        return refused(f"the shares of {', '.join(astray)} are off the accepted way")
    last = action.step == action.of
    if last and _apart(action.weights, moving.target):
        return refused(f"the last step must end at {shares(moving.target)}")
    broken = violations(
        snapshot.fleet,
        action.workload,
        state,
        snapshot.regions,
        action.weights,
        moving.planned if last else state.capacity,
        underway=True,
    )
    if broken:
        return refused(_reasons(broken))

    advanced = WorkloadState(
        epoch=state.epoch + 1,
        weights=action.weights,
        capacity=moving.planned if last else state.capacity,
        revision=moving.revision if last else state.revision,
        plan=state.plan,
        moving=None if last else moving.model_copy(update={"step": action.step, "of": action.of}),
    )
    puts = {keys.workload(action.workload): encoded(advanced)}
    if last:
        puts.update(reservations(snapshot, snapshot.regions, action.workload, moving.planned))
    return Decision(Advanced(applied=True, epoch=advanced.epoch, weights=advanced.weights), puts)


def release(snapshot: Snapshot, action: ReleasePlan) -> Decision[Released]:
    """Give up the plan under way where it stands."""
    state = _workload(snapshot)
    if state.moving is None or state.moving.plan != action.plan:
        reason = _not_under_way(state, action.plan)
        return Decision(Released(released=False, epoch=state.epoch, reason=reason))
    released = state.model_copy(update={"epoch": state.epoch + 1, "moving": None})
    return Decision(
        Released(released=True, epoch=released.epoch),
        {keys.workload(action.workload): encoded(released)},
    )


def mark(snapshot: Snapshot, action: MarkRegion) -> Decision[Marked]:
    """Bring a region into a state."""
    state = snapshot.regions[action.region]

    def refused(reason: str, changed: tuple[str, ...] = ()) -> Decision[Marked]:
        return Decision(
            Marked(
                marked=False, state=state.state, since=state.since, reason=reason, changed=changed
            )
        )

    fenced = _fenced(snapshot, action.lock)
    if fenced:
        return refused(fenced)
    changed = snapshot.changed(action.relies_on)
    if changed:
        return refused("the register has changed since this was decided", changed)
    others = (other for name, other in snapshot.regions.items() if name != action.region)
    leaves = action.state == "evacuated" != state.state
    if leaves and all(other.state == "evacuated" for other in others):
        return refused("all-regions-off: no region of the fleet would serve")
    marked = _marked(state, action.state, snapshot.now, action.plan)
    return Decision(
        Marked(marked=True, state=marked.state, since=marked.since),
        {keys.region(action.region): encoded(marked), **_seen(snapshot, action.lock)},
    )


def _workload(snapshot: Snapshot) -> WorkloadState:
    assert snapshot.workload is not None, "the workload is read for every action that has one"
    return snapshot.workload


def _fenced(snapshot: Snapshot, lock: Lock | None) -> str:
    """Why the holder of a lock no longer may write, if so."""
    if lock is None or lock.epoch >= snapshot.lock_epoch:
        return ""
    return (
        f"another chain holds {lock.flight} {lock.target} since: "
        f"its epoch is {snapshot.lock_epoch}, this one's {lock.epoch}"
    )


def _outranked(snapshot: Snapshot, state: WorkloadState, action: AcceptPlan) -> str:
    """Which stronger plan is under way and still has its time, if one is."""
    moving = state.moving
    if moving is None or moving.plan == action.plan or snapshot.now >= moving.until:
        return ""
    if PRECEDENCE.index(action.priority) <= PRECEDENCE.index(moving.priority):
        return ""
    return f"{moving.priority} {moving.plan} is under way and goes before {action.priority}"


def _not_under_way(state: WorkloadState, plan: str) -> str:
    if state.moving is not None:
        return f"plan {state.moving.plan} has taken the place of {plan}"
    if state.plan == plan:
        return f"plan {plan} has ended"
    return f"plan {plan} was not accepted, or another has ended since"


def _reasons(broken: Sequence[Violation]) -> str:
    """Violations in one line that fits in a journal."""
    listed = [str(violation) for violation in broken[:_LISTED]]
    if len(broken) > _LISTED:
        listed.append(f"and {len(broken) - _LISTED} more")
    return "; ".join(listed)


def _marked(state: RegionState, condition: Condition, now: float, plan: str | None) -> RegionState:
    if state.state == condition:
        return state
    left = (*state.left, now)[-_TIMES:] if condition == "evacuated" else state.left
    return state.model_copy(update={"state": condition, "since": now, "plan": plan, "left": left})


def reservations(
    snapshot: Snapshot,
    regions: Mapping[str, RegionState],
    workload: str,
    capacity: Mapping[str, int],
) -> Mapping[str, bytes]:
    """The items of regions whose state, or what the workload holds there, differs from before.

    A reservation is written also where it equals the declaration, which may change later.
    """
    puts: dict[str, bytes] = {}
    for region, state in regions.items():
        if region in capacity:
            reserved = {**state.reserved, workload: capacity[region]}
            state = state.model_copy(update={"reserved": reserved})
        if state != snapshot.regions[region]:
            puts[keys.region(region)] = encoded(state)
    return puts


def _seen(snapshot: Snapshot, lock: Lock | None) -> Mapping[str, bytes]:
    if lock is None or lock.epoch <= snapshot.lock_epoch:
        return {}
    return {keys.target(lock.flight, lock.target): to_json({"epoch": lock.epoch})}


def _apart(these: Mapping[str, float], those: Mapping[str, float]) -> bool:
    return any(
        abs(these.get(region, 0.0) - those.get(region, 0.0)) > TOLERANCE
        for region in {*these, *those}
    )


def encoded(state: BaseModel) -> bytes:
    """A state as it is stored."""
    return state.model_dump_json(exclude_defaults=True).encode()
