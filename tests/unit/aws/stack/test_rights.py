"""What roles may do: each statement of every template is looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from crosswind_aws.performers.resources import Resources
from crosswind_aws.stack import rights
from unit.aws.stack.apps import everything, ops, purging
from unit.aws.stack.releases import RESOURCES, made

UNAVOIDABLE = {
    # The name of a schedule is a digest of what it sends.
    ("scheduler:CreateSchedule", "schedule/crosswind-ops/crosswind-*"),
    # AWS binds these to nothing smaller: service-authorization reference of each service.
    ("cloudwatch:GetMetricData", "*"),
    ("servicequotas:GetServiceQuota", "*"),
    ("ce:GetCostAndUsage", "*"),
    ("secretsmanager:GetRandomPassword", "*"),
}
"""Every wildcard there may be: the action, and the end of the resource."""

GRANT = {
    "cache.purge": [{"Action": ["example:Purge"], "Resource": ["arn:aws:example:::cache/main"]}]
}


def statements(made: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every statement of every policy in a template."""
    for resource in made["Resources"].values():
        properties = resource["Properties"]
        for policy in properties.get("Policies", ()):
            yield from policy["PolicyDocument"]["Statement"]
        for document in ("PolicyDocument", "AssumeRolePolicyDocument"):
            yield from properties.get(document, {}).get("Statement", ())


def actions(made: dict[str, Any], role: str) -> set[str]:
    found: set[str] = set()
    for policy in made["Resources"][role]["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            found |= set(statement["Action"])
    return found


TEMPLATES = [
    made(ops(), resources=RESOURCES),
    made(everything(), resources=RESOURCES),
    made(purging(), grants=GRANT),
]


@pytest.mark.parametrize("template", TEMPLATES)
def test_no_statement_has_a_wildcard_that_could_be_avoided(template: dict[str, Any]) -> None:
    looked_at = 0
    for statement in statements(template):
        looked_at += 1
        asked = statement["Action"]
        for action in [asked] if isinstance(asked, str) else asked:
            assert "*" not in action
            for resource in statement.get("Resource", ()):
                text = resource if isinstance(resource, str) else resource.get("Fn::Sub", "")
                allowed = any(action == known and text.endswith(end) for known, end in UNAVOIDABLE)
                assert "*" not in text or allowed, f"{action} on {text}"
    assert looked_at > 5


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_statement_allows_and_none_reaches_another_account(template: dict[str, Any]) -> None:
    for statement in statements(template):
        assert statement["Effect"] == "Allow"
        assert statement.get("Principal", {}) != "*"
        assert "AWS" not in statement.get("Principal", {})


def test_a_role_holds_what_its_group_declares_and_no_more() -> None:
    template = made(ops(), resources=RESOURCES)
    assert {"ecs:UpdateService", "route53:ChangeResourceRecordSets"} <= actions(template, "OpsRole")
    assert "sns:Publish" in actions(template, "DeskRole")
    assert not actions(template, "DeskRole") & {"ecs:UpdateService", "ecs:DescribeServices"}
    assert "sns:Publish" not in actions(template, "OpsRole")
    assert not any(one.startswith(("ecs:", "sns:")) for one in actions(template, "ClockRole"))


def test_a_function_takes_from_its_own_queues_alone() -> None:
    template = made(ops())
    for role, group in (("OpsRole", "ops"), ("DeskRole", "desk")):
        text = json.dumps(
            [
                statement["Resource"]
                for policy in template["Resources"][role]["Properties"]["Policies"]
                for statement in policy["PolicyDocument"]["Statement"]
                if "sqs:ReceiveMessage" in statement["Action"]
            ]
        )
        assert text.count("arn:") == 2
        assert f'crosswind-ops-{group}"' in text
        assert f'crosswind-ops-{group}-dead"' in text


def test_kinds_of_the_users_own_get_what_is_granted_with_them() -> None:
    assert "example:Purge" in actions(made(purging(), grants=GRANT), "PurgingRole")
    assert rights.unknown(["cache.purge", "register.accept", "traffic.set-weights"], {}) == [
        "cache.purge"
    ]
    assert rights.unknown(["cache.purge"], GRANT) == []


def test_kinds_without_a_resource_are_named() -> None:
    declared = Resources.read(RESOURCES)
    assert rights.unbound(["endpoint.scale", "secret.renew", "incident.open"], declared) == [
        "secret.renew"
    ]


def test_what_cloudformation_fills_in_is_marked_wherever_it_stands() -> None:
    (statement,) = [
        one
        for one in statements(made(ops(), resources=RESOURCES))
        if "ecs:UpdateService" in one["Action"]
    ]
    assert statement["Resource"] == [
        {"Fn::Sub": "arn:${AWS::Partition}:ecs:us-east-1:${AWS::AccountId}:service/main/chat"}
    ]


def test_a_role_is_taken_by_its_service_alone_and_the_schedulers_for_this_stack_only() -> None:
    template = made(ops())
    services = {}
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::IAM::Role":
            (trust,) = resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            services[name] = (trust["Principal"]["Service"], "Condition" in trust)
    assert services.pop("AppSender") == ("scheduler.amazonaws.com", True)
    assert set(services.values()) == {("lambda.amazonaws.com", False)}
