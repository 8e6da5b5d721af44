"""Where all workloads of a region are intended to be, in one reading."""

from __future__ import annotations

from typing import Any

from crosswind.actions import Call
from crosswind.embedded.memory import MemoryStore
from crosswind.fleet.operations import AcceptPlan, AdvanceShift
from crosswind.fleet.placements import Placements, ReadPlacements
from crosswind.fleet.register import RegisterPerformer
from unit.chains.fleets import CENTRAL, EAST, EUROPE, OHIO, fleet, placement, workload

AWAY = {EAST: 0.0, CENTRAL: 0.5, EUROPE: 0.5}


def moved(names: tuple[str, ...], many: int = 3) -> RegisterPerformer:
    """A register in which some of the workloads have been moved out of the east."""
    elsewhere = workload(regions={OHIO: placement(1.0, 10, 10), CENTRAL: placement(0.0, 0, 10)})
    workloads = {f"w{number}": workload() for number in range(many)} | {"other": elsewhere}
    register = RegisterPerformer(MemoryStore(), fleet(workloads=workloads), clock=lambda: 0.0)
    for name in names:
        do(register, "accept", AcceptPlan(
            workload=name, plan="p", target_weights=AWAY, capacity={EUROPE: 5}, priority="failover",
        ))  # fmt: skip
        do(register, "advance", AdvanceShift(
            workload=name, plan="p", weights=AWAY, step=1, of=1, relies_on_epoch=1,
        ))  # fmt: skip
    return register


def do(register: RegisterPerformer, key: str, action: Any) -> None:
    result: Any = register.perform(action, Call(f"{key}-{action.workload}", 5.0))
    assert getattr(result, "accepted", True), result
    assert getattr(result, "applied", True), result


def read(register: RegisterPerformer) -> Placements:
    found = register.answer(ReadPlacements(region=EAST), 1.0)
    assert isinstance(found, Placements)
    return found


def test_only_those_that_are_elsewhere_than_declared_are_told() -> None:
    found = read(moved(("w1",)))
    assert list(found.rows) == ["w1"]


def test_the_others_are_as_declared() -> None:
    register = moved(("w1",))
    weights, replicas = read(register).of(register.fleet, "w0")
    assert weights == register.fleet.workloads["w0"].weights
    assert replicas == register.fleet.workloads["w0"].replicas


def test_shares_and_replicas_are_those_of_the_register() -> None:
    register = moved(("w1",))
    weights, replicas = read(register).of(register.fleet, "w1")
    assert weights == {CENTRAL: 0.5, EUROPE: 0.5, EAST: 0.0}
    assert replicas == {EAST: 5, CENTRAL: 5, EUROPE: 5}


def test_workloads_that_are_not_declared_there_are_not_told() -> None:
    register = moved(())
    do(register, "accept", AcceptPlan(
        workload="other", plan="p", target_weights={OHIO: 0.5, CENTRAL: 0.5},
        capacity={CENTRAL: 5}, priority="failover",
    ))  # fmt: skip
    assert not read(register).rows


def test_many_that_were_moved_fit_in_a_journal() -> None:
    names = tuple(f"w{number}" for number in range(250))
    found = read(moved(names, many=250))
    assert set(found.rows) == set(names)
    assert len(found.model_dump_json()) < 100 * len(names)
