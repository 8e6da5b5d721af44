"""What a plan asks for besides is held until its end, and not beyond."""

from __future__ import annotations

from typing import Any

from crosswind.actions import Call
from crosswind.embedded.memory import MemoryStore
from crosswind.fleet.operations import AcceptPlan, AdvanceShift, ReadRegions, ReadRegister
from crosswind.fleet.register import RegisterPerformer
from unit.fleet.fleets import CENTRAL, EAST, EUROPE, document, fleet, workload

LEAVE = {EAST: 0.0, CENTRAL: 1.0}


def register(**changes: Any) -> RegisterPerformer:
    return RegisterPerformer(MemoryStore(), fleet(**changes), clock=lambda: 0.0)


def accept(of: RegisterPerformer, **changes: Any) -> Any:
    fields: dict[str, Any] = {
        "workload": "chat",
        "plan": "p",
        "target_weights": LEAVE,
        "capacity": {CENTRAL: 3},
        "spare": {EUROPE: 2},
        "priority": "failover",
    } | changes
    return of.perform(AcceptPlan(**fields), Call(f"accept-{fields['plan']}", 5.0))


def capacity(of: RegisterPerformer) -> dict[str, int]:
    view: Any = of.answer(ReadRegister(workload="chat"), 1.0)
    return dict(view.workload.capacity)


def held(of: RegisterPerformer, region: str) -> int | None:
    view: Any = of.answer(ReadRegions(regions=(region,)), 1.0)
    others: int | None = view.regions[region].others
    return others


def test_it_is_reserved_while_the_plan_is_under_way() -> None:
    found = register()
    assert accept(found).accepted
    assert capacity(found) == {EAST: 2, CENTRAL: 3, EUROPE: 2}
    assert held(found, EUROPE) == 2


def test_it_goes_back_with_the_last_step() -> None:
    found = register()
    accept(found)
    last = AdvanceShift(workload="chat", plan="p", weights=LEAVE, step=1, of=1, relies_on_epoch=1)
    advanced: Any = found.perform(last, Call("advance", 5.0))
    assert advanced.applied
    assert capacity(found) == {EAST: 2, CENTRAL: 3, EUROPE: 0}
    assert held(found, EUROPE) == 0


def test_no_more_of_it_is_taken_than_may_be() -> None:
    assert "quota" in accept(register(), spare={EUROPE: 5}).reason
    regions = document()["regions"]
    regions[EUROPE]["quota"] = 1
    assert "region-quota" in accept(register(regions=regions)).reason


def test_it_does_not_count_for_the_floor() -> None:
    refused = accept(register(), capacity={CENTRAL: 2}, spare={CENTRAL: 3})
    assert "floor" in refused.reason


def test_gpus_that_others_hold_stand_in_every_view() -> None:
    regions = document()["regions"]
    regions[CENTRAL]["gpus"] = {"h100": 40}
    eight = {"gpu": "h100", "gpus_per_replica": 8}
    found = register(
        regions=regions, workloads={"chat": workload(**eight), "search": workload(**eight)}
    )
    view: Any = found.answer(ReadRegister(workload="chat"), 1.0)
    assert view.regions[CENTRAL].gpus == {"h100": 16}
    all_of_them: Any = found.answer(ReadRegions(regions=(CENTRAL,)), 1.0)
    assert all_of_them.regions[CENTRAL].gpus == {"h100": 32}
    assert view.regions[EAST].gpus is None
