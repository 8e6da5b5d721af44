"""A role holds the rights of the declared kinds on the declared resources, and no others."""

from __future__ import annotations

import pytest

from contract.performers_estate import EAST, EUROPE
from crosswind_aws.performers.permissions import TABLES, statements
from crosswind_aws.performers.resources import Resources
from unit.aws.performers.samples import CONTROLS, SERVICE, declared

ACCOUNT = "123456789012"
ZONE = "arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ"
TOPIC = "arn:aws:sns:us-east-1:123456789012:people"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/chat-AbCdEf"

RESOURCES = Resources.read(
    declared(
        regions={
            EAST: {"endpoint": SERVICE, "metrics": {"service": "sagemaker", "endpoint": "chat"}},
            EUROPE: {"endpoint": SERVICE},
        }
    )
    | {"channels": {"default": TOPIC}, "secrets": {"api": SECRET}, "spend": {}}
)


def granted(*kinds: str, resources: Resources = RESOURCES) -> dict[str, set[str]]:
    """By action, the resources on which it is granted."""
    found: dict[str, set[str]] = {}
    for one in statements(kinds, resources, account=ACCOUNT):
        assert one["Effect"] == "Allow"
        for action in one["Action"]:
            found.setdefault(action, set()).update(one["Resource"])
    return found


def test_records_may_be_changed_in_their_zone_only() -> None:
    assert granted("traffic.set-weights") == {
        "route53:ListResourceRecordSets": {ZONE},
        "route53:ChangeResourceRecordSets": {ZONE},
    }


def test_and_only_those_that_are_declared() -> None:
    (change,) = [
        one
        for one in statements(["traffic.set-weights"], RESOURCES)
        if "route53:ChangeResourceRecordSets" in one["Action"]
    ]

    bound = change["Condition"]["ForAllValues:StringEquals"]
    assert bound["route53:ChangeResourceRecordSetsNormalizedRecordNames"] == [
        "chat.example.com",
        "_crosswind.chat.example.com",
    ]
    assert bound["route53:ChangeResourceRecordSetsRecordTypes"] == ["CNAME", "TXT"]
    assert bound["route53:ChangeResourceRecordSetsActions"] == ["CREATE", "DELETE"]


def test_who_only_reads_may_change_nothing() -> None:
    readers = [kind for table in TABLES.values() for kind in table if _reads(kind)]

    assert all(
        action.partition(":")[2].startswith(("Describe", "Get", "List"))
        for action in granted(*readers)
    )


def _reads(kind: str) -> bool:
    ends = ("weights", "status", "versions", "traffic", "outage", "read")
    return kind.partition(".")[2] in ends


def test_services_are_named_in_their_regions() -> None:
    arns = {
        f"arn:aws:ecs:{region}:{ACCOUNT}:service/serving/chat"
        for region in ("us-east-1", "eu-west-1")
    }

    assert granted("endpoint.scale")["ecs:UpdateService"] == arns


def test_routing_controls_need_no_right_on_records() -> None:
    resources = Resources.read(declared(CONTROLS))

    found = granted("traffic.set-weights", resources=resources)

    assert all(action.startswith("route53-recovery-cluster:") for action in found)
    assert found["route53-recovery-cluster:UpdateRoutingControlStates"] == set(
        CONTROLS["controls"].values()
    )


def test_a_wildcard_stands_only_where_aws_knows_nothing_smaller() -> None:
    kinds = [kind for table in TABLES.values() for kind in table]

    found = granted(*kinds)

    everywhere = {action for action, arns in found.items() if "*" in arns}
    assert everywhere == {"cloudwatch:GetMetricData", "ce:GetCostAndUsage"}
    assert all("*" not in arn for arns in found.values() for arn in arns - {"*"})


def test_what_is_not_declared_is_not_granted() -> None:
    assert granted("notify.send", resources=Resources()) == {}
    assert granted("key.rotate", "endpoint.scale") == granted("endpoint.scale")


def test_kinds_of_the_register_need_nothing_here() -> None:
    assert granted("register.accept", "incident.open", "mine.own") == {}


def test_the_order_of_kinds_changes_nothing() -> None:
    kinds = ["notify.send", "secret.renew", "traffic.set-weights", "endpoint.scale"]

    assert statements(kinds, RESOURCES) == statements([*reversed(kinds), *kinds], RESOURCES)


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_arns_are_of_the_partition(partition: str) -> None:
    found = statements(["endpoint.status"], RESOURCES, partition=partition)

    assert all(arn.startswith(f"arn:{partition}:") for one in found for arn in one["Resource"])


def test_unless_told_the_account_is_that_of_the_stack() -> None:
    (found,) = statements(["endpoint.status"], RESOURCES)

    assert all("${AWS::AccountId}" in arn for arn in found["Resource"])
