"""Chains that race for the register never break a rule together, in whatever order they run.

Each chain is a thread; before every call to the store it waits for its turn, and hypothesis says
whose turn it is. After every write that lands, the whole of the intended state is judged, by
formulas of this test's own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crosswind.embedded.memory import MemoryStore
from crosswind.errors import StoreError, Unreachable
from crosswind.fleet.acceptance import Snapshot
from crosswind.fleet.declaration import Fleet
from crosswind.fleet.register import (
    AcceptPlan,
    AdvanceShift,
    MarkRegion,
    RegionState,
    RegisterPerformer,
    WorkloadState,
)
from crosswind.fleet.state import region_state, workload_state
from crosswind.ports import Change, Check, Item
from unit.fleet.chains import Clock, Desk
from unit.fleet.fleets import CENTRAL, EAST, EUROPE, OHIO, fleet, placement, workload

REGIONS: Final = (EAST, CENTRAL, EUROPE, OHIO)
SPREAD: Final = {
    EAST: placement(0.4, 2, 4),
    CENTRAL: placement(0.4, 2, 4),
    EUROPE: placement(0.2, 1, 3),
}
FLEET: Final = fleet(
    regions={
        EAST: {"jurisdiction": "US", "failing_domains": ["grid:pjm"], "egress": 0.1, "quota": 6},
        CENTRAL: {"jurisdiction": "US", "egress": 0.1, "quota": 6},
        EUROPE: {"jurisdiction": "NL", "failing_domains": ["line:a"], "egress": 0.2, "quota": 4},
        OHIO: {"jurisdiction": "US", "failing_domains": ["grid:pjm", "line:a"], "quota": 5},
    },
    workloads={
        "chat": workload(regions=SPREAD, floor=0.75),
        "search": workload(
            rate=40,
            floor=0.5,
            regions={
                EAST: placement(0.5, 1, 4),
                CENTRAL: placement(0.5, 1, 4),
                OHIO: placement(0, 0, 3),
            },
            residency=["US"],
        ),
    },
)


@dataclass(frozen=True)
class Intended:
    """All that is intended at one moment."""

    workloads: Mapping[str, WorkloadState]
    regions: Mapping[str, RegionState]


def intended(store: MemoryStore, declared: Fleet) -> Intended:
    def value(key: str) -> bytes | None:
        item = store.read("fleet:test", key)
        return None if item is None else item.value

    return Intended(
        {
            name: workload_state(declared, name, value(f"workload:{name}"))
            for name in declared.workloads
        },
        {
            region: region_state(value("region:" + region.replace("/", ":")))
            for region in declared.regions
        },
    )


def served(
    declared: Fleet, name: str, state: WorkloadState, regions: Mapping[str, RegionState]
) -> float:
    """Requests a second that find a replica in a region that is not evacuated."""
    spec = declared.workloads[name]
    total = 0.0
    for region, share in state.weights.items():
        if regions[region].state == "evacuated":
            continue
        total += min(share * spec.rate, state.capacity.get(region, 0) * spec.per_replica)
    return total


def judge(declared: Fleet, before: Intended, after: Intended) -> None:
    """The rules, over what was intended before and after one write."""
    for name, state in after.workloads.items():
        spec, was = declared.workloads[name], before.workloads[name]
        assert abs(sum(state.weights.values()) - 1) < 1e-5
        assert state.epoch - was.epoch in (0, 1)
        assert (state == was) == (state.epoch == was.epoch)
        for region, share in state.weights.items():
            assert share == 0 or region in spec.regions
            assert share == 0 or name != "search" or declared.regions[region].jurisdiction == "US"
            if share > was.weights.get(region, 0.0) + 1e-6:
                assert after.regions[region].state != "evacuated"
                domains = set(declared.regions[region].failing_domains)
                for other, found in after.regions.items():
                    if found.state == "evacuated":
                        assert not domains & set(declared.regions[other].failing_domains)
        for region, replicas in state.capacity.items():
            assert 0 <= replicas <= spec.regions[region].quota
            # What the region has noted is what the workload intends.
            noted = after.regions[region].reserved.get(name, spec.regions[region].replicas)
            assert noted == replicas
        now, then = (served(declared, name, one, after.regions) for one in (state, was))
        floor = spec.floor * spec.rate
        assert now >= min(floor, then) - 1e-4
        if state.weights != was.weights:
            assert any(
                share > 0 and after.regions[region].state != "evacuated"
                for region, share in state.weights.items()
            )
        if was.moving and not state.moving and state.weights == was.moving.target:
            assert state.capacity == {**was.capacity, **was.moving.planned}
    for region, spec_of_region in declared.regions.items():
        total = sum(after.workloads[name].capacity.get(region, 0) for name in declared.workloads)
        assert spec_of_region.quota is not None
        assert total <= spec_of_region.quota
    assert any(state.state != "evacuated" for state in after.regions.values())


class Turns:
    """Lets one thread run at a time, in an order that is given."""

    def __init__(self, names: Sequence[str], order: Sequence[int]) -> None:
        self.order = list(order)
        self.alive = list(names)
        self.gates = {name: threading.Semaphore(0) for name in names}
        self.back = threading.Semaphore(0)

    def wait(self, name: str) -> None:
        """Give the turn back and wait for the next one."""
        self.back.release()
        assert self.gates[name].acquire(timeout=30)

    def run(self, chains: Mapping[str, Callable[[], None]]) -> list[BaseException]:
        """Run all chains to their end; what they raised."""
        raised: list[BaseException] = []

        def live(name: str, chain: Callable[[], None]) -> None:
            self.gates[name].acquire(timeout=30)
            try:
                chain()
            except BaseException as error:  # noqa: BLE001 - handed to the test's own thread
                raised.append(error)
            self.alive.remove(name)
            self.back.release()

        threads = [threading.Thread(target=live, args=pair, daemon=True) for pair in chains.items()]
        for thread in threads:
            thread.start()
        while self.alive:
            turn = self.order.pop(0) if self.order else 0
            self.gates[self.alive[turn % len(self.alive)]].release()
            assert self.back.acquire(timeout=30)
        for thread in threads:
            thread.join(timeout=30)
        return raised


@dataclass
class Watched:
    """The store as one chain sees it: every call waits for its turn, every write is judged."""

    name: str
    store: MemoryStore
    turns: Turns
    losses: list[str]

    def read(self, partition: str, key: str) -> Item | None:
        self.turns.wait(self.name)
        return self.store.read(partition, key)

    def scan(
        self, partition: str, prefix: str = "", after: str = "", limit: int = 100
    ) -> Sequence[Item]:
        self.turns.wait(self.name)
        return self.store.scan(partition, prefix, after, limit)

    def write(self, partition: str, changes: Sequence[Change], token: str) -> Mapping[str, str]:
        self.turns.wait(self.name)
        weather = self.losses.pop(0) if self.losses else "fine"
        if weather == "lost":
            raise Unreachable("no answer")
        before = intended(self.store, FLEET)
        versions = self.store.write(partition, changes, token)
        judge(FLEET, before, intended(self.store, FLEET))
        if weather == "landed":
            raise Unreachable("no answer")
        return versions


SHARES = st.sampled_from([0, 0, 1, 2, 3, 5])
REPLICAS = st.integers(0, 4)


@st.composite
def plans(draw: st.DrawFn) -> dict[str, Any]:
    """A plan that may be good or bad: it is for the register to tell."""
    name = draw(st.sampled_from(["chat", "search"]))
    placed = sorted(FLEET.workloads[name].regions)
    parts = draw(st.lists(SHARES, min_size=len(placed), max_size=len(placed)).filter(any))
    target = {region: part / sum(parts) for region, part in zip(placed, parts, strict=True)}
    condition = draw(st.sampled_from(["evacuated", "evacuated", "soaking", "serving", None]))
    return {
        "workload": name,
        "target_weights": target,
        "capacity": draw(st.dictionaries(st.sampled_from(placed), REPLICAS)),
        "region": None if condition is None else draw(st.sampled_from(REGIONS)),
        "state": condition,
        "priority": draw(st.sampled_from(["failover", "failover", "rollout", "budget"])),
    }


def leave(view_of: Desk, name: str, region: str) -> dict[str, Any]:
    """A sensible failover: out of one region, into the others as far as they have room."""
    view = view_of.view(name)
    spec = FLEET.workloads[name]
    domains = set(FLEET.regions[region].failing_domains)
    room: dict[str, int] = {}
    for other, placed in spec.regions.items():
        if other == region or view.regions[other].state == "evacuated":
            continue
        if domains & set(FLEET.regions[other].failing_domains):
            continue
        quota, state = FLEET.regions[other].quota, view.regions[other]
        assert quota is not None
        assert state.others is not None
        room[other] = max(0, min(placed.quota, quota - state.others))
    total = sum(room.values())
    return {
        "workload": name,
        "target_weights": {r: n / total for r, n in room.items()} if total else {region: 1.0},
        "capacity": room,
        "region": region,
        "state": "evacuated",
        "priority": "failover",
        "relies_on": view.versions,
    }


def carry_out(desk: Desk, chain: str, make: Callable[[], dict[str, Any]], steps: int) -> None:
    """What a chain does: plan, have it accepted, plan again if need be, shift by steps."""
    for attempt in range(3):
        arguments = make()
        plan = f"{chain}-{attempt}"
        accepted = desk.perform(
            AcceptPlan.model_validate(arguments | {"plan": plan, "chain": chain}),
            f"{chain}.accept.{attempt}",
        )
        if accepted.accepted:
            break
        if not accepted.changed:
            return
    else:
        return
    state = desk.workload(arguments["workload"])
    epoch, start = accepted.epoch, state.weights
    target: Mapping[str, float] = arguments["target_weights"]
    for step in range(1, steps + 1):
        part = step / steps
        weights = {
            region: start.get(region, 0.0) * (1 - part) + target.get(region, 0.0) * part
            for region in {*start, *target}
        }
        advanced = desk.perform(
            AdvanceShift(
                workload=arguments["workload"],
                plan=plan,
                weights=weights,
                step=step,
                of=steps,
                relies_on_epoch=epoch,
            ),
            f"{chain}.step.{step}",
        )
        if not advanced.applied:
            return
        epoch = advanced.epoch


Chain = Callable[[str, Desk], None]


def race(
    chains: Sequence[Chain], order: Sequence[int], losses: Sequence[Sequence[str]]
) -> MemoryStore:
    """Run chains against one register in the order given; what they raise is raised here."""
    store = MemoryStore()
    names = [f"chain-{number}" for number in range(len(chains))]
    turns = Turns(names, order)
    running = {}
    for number, (name, chain) in enumerate(zip(names, chains, strict=True)):
        lost = list(losses[number]) if number < len(losses) else []
        desk = Desk(Watched(name, store, turns, lost), FLEET, Clock())

        def live(name: str = name, chain: Chain = chain, desk: Desk = desk) -> None:
            try:
                chain(name, desk)
            except StoreError:
                # The race was lost for the whole time of the call; the engine would try again.
                return

        running[name] = live
    raised = turns.run(running)
    if raised:
        raise raised[0]
    return store


ORDER = st.lists(st.integers(0, 3), max_size=150)
LOSSES = st.lists(
    st.lists(st.sampled_from(["fine", "fine", "lost", "landed"]), max_size=5), max_size=3
)
QUIET = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUIET
@given(ORDER, LOSSES, st.sampled_from(REGIONS[:3]), st.sampled_from(REGIONS[:3]))
def test_two_failovers_of_one_workload_never_break_a_rule_together(
    order: list[int], losses: list[list[str]], one: str, other: str
) -> None:
    def failover(region: str) -> Chain:
        return lambda name, desk: carry_out(desk, name, lambda: leave(desk, "chat", region), 2)

    store = race([failover(one), failover(other)], order, losses)
    assert intended(store, FLEET).workloads["chat"].epoch > 0


@QUIET
@given(ORDER, LOSSES, st.sampled_from(REGIONS[:2]), st.sampled_from(REGIONS[:2]))
def test_two_workloads_that_share_regions_never_break_a_rule_together(
    order: list[int], losses: list[list[str]], one: str, other: str
) -> None:
    def failover(workload: str, region: str) -> Chain:
        return lambda name, desk: carry_out(desk, name, lambda: leave(desk, workload, region), 2)

    store = race([failover("chat", one), failover("search", other)], order, losses)
    assert sum(state.epoch for state in intended(store, FLEET).workloads.values()) > 0


@QUIET
@given(
    st.lists(plans(), min_size=2, max_size=3),
    ORDER,
    LOSSES,
    st.sampled_from(REGIONS),
    st.booleans(),
)
def test_plans_good_or_bad_and_marks_of_regions_never_break_a_rule_together(
    made: list[dict[str, Any]],
    order: list[int],
    losses: list[list[str]],
    region: str,
    careful: bool,
) -> None:
    def planned(plan: dict[str, Any]) -> Chain:
        def chain(name: str, desk: Desk) -> None:
            def make() -> dict[str, Any]:
                versions = desk.view(plan["workload"]).versions if careful else {}
                return plan | {"relies_on": versions}

            carry_out(desk, name, make, 3)

        return chain

    def marks(name: str, desk: Desk) -> None:
        for number, state in enumerate(("evacuated", "soaking", "serving", "evacuated")):
            desk.perform(
                MarkRegion.model_validate({"region": region, "state": state}), f"{name}.{number}"
            )

    race([marks, *map(planned, made)], order, losses)


@QUIET
@given(ORDER, LOSSES)
def test_two_holders_of_one_key_take_effect_once_and_hear_the_same(
    order: list[int], losses: list[list[str]]
) -> None:
    heard: list[Any] = []

    def holder(name: str, desk: Desk) -> None:
        action = AcceptPlan(
            workload="chat",
            plan="plan-1",
            target_weights={EAST: 0.5, CENTRAL: 0.5},
            priority="rollout",
        )
        heard.append(desk.perform(action, "the-key"))

    store = race([holder, holder, holder], order, losses)
    assert len(heard) == 3
    assert heard[0] == heard[1] == heard[2]
    assert intended(store, FLEET).workloads["chat"].epoch == 1


class Forgetful(MemoryStore):
    """A store that does not look at versions that are only to be checked."""

    def write(self, partition: str, changes: Sequence[Change], token: str) -> Mapping[str, str]:
        kept = [change for change in changes if not isinstance(change, Check)]
        return super().write(partition, kept, token)


@pytest.mark.parametrize(("store", "safe"), [(MemoryStore(), True), (Forgetful(), False)])
def test_the_judge_notices_what_an_unchecked_read_would_do(store: MemoryStore, safe: bool) -> None:
    """Somebody evacuates a region between the reading and the writing of a step into it."""
    desk, other = Desk(store, FLEET), Desk(store, FLEET)
    target = {EUROPE: 0.4, CENTRAL: 0.6}
    arguments: dict[str, Any] = {"region": None, "state": None, "priority": "rollout"}
    assert desk.accept(target_weights=target, capacity={EUROPE: 2}, **arguments).accepted

    class Interrupted(RegisterPerformer):
        interrupted = False

        def _for_step(self, action: AdvanceShift) -> Snapshot:
            snapshot = super()._for_step(action)
            if not self.interrupted:
                self.interrupted = True
                mark = MarkRegion(region=EUROPE, state="evacuated")
                assert other.perform(mark, "the-mark").marked
            return snapshot

    desk.performer = Interrupted(store, FLEET, clock=desk.clock, pause=desk.clock.wait)
    before = intended(store, FLEET)
    assert desk.advance(target).applied != safe
    after = intended(store, FLEET)
    if safe:
        judge(FLEET, before, after)
        return
    with pytest.raises(AssertionError):
        judge(FLEET, before, after)
