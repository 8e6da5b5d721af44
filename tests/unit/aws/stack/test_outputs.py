"""What a stack says of itself, and what people who work with it may do."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, get_args

import pytest

from crosswind.chains.failover import failover_app
from crosswind.cli.demonstration import demonstration_fleet
from crosswind.stacks.desk import ROLES, Role
from crosswind.stacks.driver import Request, StackError
from crosswind.stacks.release import Group, Release
from crosswind_aws.stack.outputs import outputs, read
from crosswind_aws.stack.policies import policy
from crosswind_aws.stack.template import template
from crosswind_aws.stack.terraform import translate
from unit.aws.stack.apps import ops
from unit.aws.stack.releases import DIGEST, STACK, made, release

LONGEST = 1_024
"""Characters of a value: docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/
cloudformation-limits.html."""

PREFIX = f"arn:aws:sqs:eu-west-1:123456789012:{STACK}-"
BUS = f"arn:aws:events:eu-west-1:123456789012:event-bus/{STACK}"


def filled(said: dict[str, Any]) -> dict[str, str]:
    """Outputs as CloudFormation gives them, with what it fills in."""
    known = {"Bus": BUS, "Table": STACK, "Queues": PREFIX}
    return {name: known.get(name) or one["Value"] for name, one in said.items()}


def grouped(*names: str) -> Release:
    return replace(release(ops()), groups=tuple(Group(n, (), (), (), ()) for n in names))


def test_a_stack_says_where_all_is_and_what_is_deployed() -> None:
    found = read(STACK, filled(made(ops())["Outputs"]))
    assert (found.app, found.digest) == ("ops", DIGEST)
    assert (found.bus, found.table, found.queues) == (BUS, STACK, PREFIX)
    assert set(found.groups) == {"ops", "desk", "clock"}
    assert (found.fleet, found.declared) == (None, None)


def test_a_stack_says_which_fleet_is_packed_in_it() -> None:
    fleet = demonstration_fleet()
    whole = replace(release(failover_app()), fleet=fleet)
    found = read(STACK, filled(template(STACK, Request(whole))["Outputs"]))
    assert (found.fleet, found.declared) == (fleet.name, fleet.digest)


def test_the_groups_of_a_large_app_stand_in_several_outputs_in_their_order() -> None:
    names = [f"group-{n}-{'x' * 40}" for n in range(120)]
    said = outputs(STACK, grouped(*names))
    assert sum(name.startswith("Groups") for name in said) > 5
    assert max(len(str(one["Value"])) for one in said.values()) <= LONGEST
    assert read(STACK, filled(said)).groups == tuple(names)


def test_what_queues_begin_with_is_what_they_are_named() -> None:
    whole = made(ops())
    begun = whole["Outputs"]["Queues"]["Value"]["Fn::Sub"].rpartition(":")[2]
    queues = [
        one["Properties"]["QueueName"]
        for one in whole["Resources"].values()
        if one["Type"] == "AWS::SQS::Queue"
    ]
    groups = whole["Outputs"]["Groups"]["Value"].split(",")
    assert sorted(queues) == sorted(f"{begun}{g}{end}" for g in groups for end in ("", "-dead"))


@pytest.mark.parametrize("missing", ["App", "Bus", "Digest", "Groups", "Queues", "Table"])
def test_a_stack_that_does_not_say_it_is_refused_with_what_to_do(missing: str) -> None:
    said = filled(made(ops())["Outputs"])
    del said[missing]
    with pytest.raises(StackError, match=rf"no output {missing}.*crosswind stack apply aws"):
        read(STACK, said)


def test_terraform_says_the_same() -> None:
    said = translate(made(ops()))["output"]
    assert said["app"]["value"] == "ops"
    assert set(said["groups"]["value"].split(",")) == {"ops", "desk", "clock"}
    assert said["queues"]["value"].endswith(f":{STACK}-")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_bound_to_the_stack_and_has_no_wildcard_but_its_id(role: Role) -> None:
    granted = policy(role, STACK, read(STACK, filled(made(ops())["Outputs"])))
    assert json.loads(json.dumps(granted)) == granted
    for statement in granted["Statement"]:
        assert not any("*" in action for action in statement["Action"])
        for resource in statement["Resource"]:
            assert STACK in resource
            assert "*" not in resource or resource.endswith(f":stack/{STACK}/*")


def test_a_reader_changes_nothing_and_an_operator_may_all_that_a_reader_may() -> None:
    told = read(STACK, filled(made(ops())["Outputs"]))
    reader, operator = (
        {action for one in policy(role, STACK, told)["Statement"] for action in one["Action"]}
        for role in ROLES
    )
    assert reader < operator
    changing = ("Put", "Delete", "Send", "Update", "Create")
    assert not any(action.partition(":")[2].startswith(changing) for action in reader)


def test_roles_are_those_that_the_core_names() -> None:
    assert get_args(Role) == ROLES


def test_who_lives_in_another_partition_has_its_policy_there() -> None:
    told = read(STACK, filled(made(ops())["Outputs"]))
    abroad = told._replace(
        queues=PREFIX.replace("arn:aws:", "arn:aws-cn:"), bus=BUS.replace("arn:aws:", "arn:aws-cn:")
    )
    granted = policy("operator", STACK, abroad)
    for statement in granted["Statement"]:
        assert all(one.startswith("arn:aws-cn:") for one in statement["Resource"])
