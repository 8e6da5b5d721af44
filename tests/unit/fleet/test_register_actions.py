"""The register's actions as data: what each says, counts against limits, and refuses to be."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from crosswind.actions import Action, Performer
from crosswind.context import Lock
from crosswind.embedded.memory import MemoryStore
from crosswind.fleet.register import AdvanceShift, MarkRegion, ReleasePlan
from unit.fleet.chains import Desk, evacuation
from unit.fleet.fleets import CENTRAL, EAST, fleet


def test_the_register_is_a_performer_of_its_actions() -> None:
    performer: Performer = Desk(MemoryStore(), fleet()).performer
    kinds = {kind.kind for kind in performer.performs} | {kind.kind for kind in performer.answers}
    assert kinds >= {
        "register.accept",
        "register.adopt",
        "register.advance",
        "register.apply",
        "register.conclude",
        "register.declaration",
        "register.mark",
        "register.read",
        "register.read-regions",
        "register.release",
    }
    assert all(kind.startswith("register.") for kind in kinds)


STEP = AdvanceShift(
    workload="chat",
    plan="plan-1",
    weights={EAST: 0.25, CENTRAL: 0.75},
    step=1,
    of=2,
    relies_on_epoch=4,
)
MARK = MarkRegion(region=EAST, state="soaking", because="it answers again")


@pytest.mark.parametrize(
    ("action", "line"),
    [
        (
            evacuation(because="probes fail"),
            "failover of chat: leave aws/us-east-1; send its traffic to gcp/us-central1 100%; "
            "replicas gcp/us-central1 3 because probes fail",
        ),
        (
            evacuation(state="soaking", capacity={}),
            "failover of chat: soak aws/us-east-1; send its traffic to gcp/us-central1 100%",
        ),
        (
            evacuation(region=None, state=None, capacity={}, priority="budget"),
            "budget of chat: send its traffic to gcp/us-central1 100%",
        ),
        (STEP, "step 1/2 of plan-1 for chat: gcp/us-central1 75%, aws/us-east-1 25%"),
        (MARK, "mark aws/us-east-1 as soaking because it answers again"),
        (MarkRegion(region=EAST, state="serving"), "mark aws/us-east-1 as serving"),
        (ReleasePlan(workload="chat", plan="plan-1"), "give up plan-1 for chat"),
        (
            ReleasePlan(workload="chat", plan="plan-1", because="no capacity"),
            "give up plan-1 for chat because no capacity",
        ),
    ],
)
def test_every_action_says_in_one_line_what_it_does(action: Action[Any], line: str) -> None:
    assert action.summary() == line


def test_evacuations_and_added_cost_count_against_limits() -> None:
    assert evacuation().effects() == {"regions-off": 1.0}
    assert evacuation(off=0, added_cost=2.5).effects() == {"money": 2.5}
    assert evacuation(state="serving").effects() == {}
    assert MarkRegion(region=EAST, state="evacuated").effects() == {"regions-off": 1.0}
    assert MARK.effects() == {}
    assert STEP.effects() == {}


def test_a_simulated_action_assumes_that_it_was_taken() -> None:
    assert evacuation(relies_on_epoch=4).assumed().epoch == 5
    assert evacuation().assumed().accepted
    assert STEP.assumed().epoch == 5
    assert STEP.assumed().weights == STEP.weights
    assert MARK.assumed().state == "soaking"
    assert ReleasePlan(workload="chat", plan="plan-1").assumed().released


def test_the_steps_of_a_plan_are_covered_by_it() -> None:
    assert evacuation().covered_by() == STEP.covered_by() == "plan-1"
    assert MARK.covered_by() is None
    assert evacuation().concerns() == STEP.concerns() == "chat"
    assert MARK.concerns() is None


def test_actions_that_make_no_sense_cannot_be_made() -> None:
    with pytest.raises(ValidationError, match="given together or not at all"):
        evacuation(state=None)
    with pytest.raises(ValidationError, match="step 3 of 2 does not exist"):
        AdvanceShift.model_validate(STEP.model_dump() | {"step": 3})
    with pytest.raises(ValidationError):
        evacuation(target_weights={})


def test_an_action_comes_back_from_its_json_as_the_same_action() -> None:
    action = evacuation(lock=Lock("region", EAST, 3), relies_on={"workload:chat": "7"})
    assert type(action).model_validate_json(action.model_dump_json()) == action
