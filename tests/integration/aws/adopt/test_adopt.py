"""An account becomes a first fleet, whatever may be read of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.proxy import Say
from crosswind.fleet.load import load_fleet
from crosswind_aws.adopt.rights import RIGHTS, policy
from integration.aws.adopt.estate import SECRET
from integration.aws.adopt.guard import Guard
from integration.aws.adopt.terminal import TWO, reads, types


def test_a_first_fleet_is_valid_and_only_observes(guard: Guard) -> None:
    shown = types("adopt", "aws", *TWO)
    assert "2 workload(s) in 2 region(s), 2 alarm(s) mapped, 1 perhaps" in shown.stdout
    assert reads("fleet", "validate", "fleet.yaml")["valid"] is True

    fleet = load_fleet("fleet.yaml")
    assert fleet.modes.default == "observe"
    assert {region: one.jurisdiction for region, one in fleet.regions.items()} == {
        "aws/eu-west-1": "IE",
        "aws/us-east-1": "US",
    }
    chat, speech = fleet.workloads["chat"], fleet.workloads["speech"]
    assert chat.replicas == {"aws/eu-west-1": 1, "aws/us-east-1": 3}
    assert chat.regions["aws/us-east-1"].quota == 8
    assert speech.weights == {"aws/eu-west-1": 0.3, "aws/us-east-1": 0.7}
    assert {(one.match, one.workload) for one in fleet.alerts} == {
        ("chat-5xx", "chat"),
        ("speech [[]hosts]", "speech"),
    }
    assert any(one.admits("speech [hosts]", {}) for one in fleet.alerts)


def test_what_has_no_place_is_named_with_its_reason(guard: Guard) -> None:
    document = reads("adopt", "aws", *TWO, "--out", "-")
    left = {(one["what"], one["name"].partition(" (")[0]): one["why"] for one in document["left"]}
    assert left["alarm", "bill"].startswith("metrics of AWS/Billing")
    assert left["alarm", "disk"] == "watches nothing of a workload that was found"
    assert left["budget", "models"].startswith("3000 USD monthly")
    assert left["key", "alias/models"].startswith("rotated every 365 days")
    assert left["secret", "chat/api"].startswith("rotation is off")
    assert "leads requests to it" in left["ECS service", "worker"]
    assert sum(what == "key" for what, _ in left) == 3
    assert document["hints"] == [
        {"match": "speech-queue", "workload": "speech", "where": "aws/us-east-1"}
    ]
    for one in document["left"]:
        assert f"# - {one['what']} {one['name']}: {one['why']}" in document["text"]
    assert document["unread"] == []


def test_only_what_the_policy_grants_is_asked_and_no_secret(guard: Guard) -> None:
    text = types("adopt", "aws", *TWO, "--out", "-").stdout
    named = {one for one in guard.asked if " " not in one}
    assert named <= {operation for _, operation in RIGHTS}
    assert {"DescribeAlarms", "DescribeBudgets", "ListSecrets", "DescribeServices"} <= named
    # What is told by its path is of SageMaker's or Route 53's protocol, and reads.
    assert all(one.startswith("GET /2013-04-01/hostedzone") for one in guard.asked - named)
    assert SECRET not in text


DENIED = {
    "DescribeAlarms": ("alarms in aws/us-east-1", "cloudwatch:DescribeAlarms"),
    "DescribeBudgets": ("budgets", "budgets:ViewBudget"),
    "ListKeys": ("keys in aws/us-east-1", "kms:ListKeys"),
    "GetKeyRotationStatus": ("keys in aws/us-east-1", "kms:GetKeyRotationStatus"),
    "ListSecrets": ("secrets in aws/us-east-1", "secretsmanager:ListSecrets"),
    "ListEndpoints": ("SageMaker endpoints in aws/us-east-1", "sagemaker:ListEndpoints"),
    "DescribeEndpoint": ("what each endpoint has in aws/us-east-1", "sagemaker:DescribeEndpoint"),
    "ListClusters": ("ECS services in aws/us-east-1", "ecs:ListClusters"),
    "DescribeTargetGroups": (
        "load balancers in aws/us-east-1",
        "elasticloadbalancing:DescribeTargetGroups",
    ),
    "DescribeScalableTargets": (
        "how far ecs may grow in aws/us-east-1",
        "application-autoscaling:DescribeScalableTargets",
    ),
    "ListHostedZones": ("weighted records", "route53:ListHostedZones"),
}


@pytest.mark.parametrize("operation", DENIED)
def test_a_missing_right_is_named_and_costs_its_part_alone(guard: Guard, operation: str) -> None:
    part, needs = DENIED[operation]
    whole = reads("adopt", "aws", *TWO, "--out", "whole.yaml")
    guard.denied = {operation}
    shown = types("adopt", "aws", *TWO)
    assert f"{part} not read: these credentials may not; it needs {needs}\n" in shown.stderr
    assert needs in policy()["Statement"][0]["Action"]
    assert load_fleet("fleet.yaml").modes.default == "observe"
    assert needs in Path("fleet.yaml").read_text("utf-8")

    # Whatever else was found is still told.
    less = reads("adopt", "aws", *TWO, "--out", "-")
    told = {one["what"] for one in less["left"]} | set(less["fleet"]["workloads"])
    lost = {
        "DescribeAlarms": {"alarm"},
        "DescribeBudgets": {"budget"},
        "ListKeys": {"key"},
        "ListSecrets": {"secret"},
        "ListEndpoints": {"chat"},
        "ListClusters": {"speech", "ECS service"},
    }.get(operation, set())
    before = {one["what"] for one in whole["left"]} | set(whole["fleet"]["workloads"])
    # Records and alarms that lead to what is not known any more are told of instead.
    assert before - told - {"weighted records"} <= lost


def test_without_any_right_nothing_is_written(guard: Guard) -> None:
    guard.denied = {operation for _, operation in RIGHTS} - {"GetCallerIdentity"}
    result = types("adopt", "aws", code=3)
    assert "nothing that serves requests was found" in result.stderr
    assert "only aws/us-east-1 was looked at" in result.stderr
    assert "ec2:DescribeRegions" in result.stderr
    assert not Path("fleet.yaml").exists()


def test_all_regions_are_read_unless_some_are_named(guard: Guard) -> None:
    document = reads("adopt", "aws", "--out", "-")
    assert {"aws/us-east-1", "aws/eu-west-1", "aws/ap-south-1"} <= set(document["regions"])
    assert set(document["fleet"]["regions"]) == {"aws/us-east-1", "aws/eu-west-1"}


def test_a_file_is_never_written_over_unless_told_so(guard: Guard) -> None:
    Path("fleet.yaml").write_text("mine", encoding="utf-8")
    refused = types("adopt", "aws", *TWO, code=2)
    assert "fleet.yaml exists" in refused.stderr
    assert guard.asked == set()
    assert Path("fleet.yaml").read_text("utf-8") == "mine"
    types("adopt", "aws", *TWO, "--force")
    assert load_fleet("fleet.yaml").name == "main"
    assert [one.name for one in Path().iterdir()] == ["fleet.yaml"]


def test_only_names_the_workloads_that_are_declared(guard: Guard) -> None:
    document = reads("adopt", "aws", *TWO, "--only", "ch*", "--name", "models", "--out", "-")
    assert set(document["fleet"]["workloads"]) == {"chat"}
    assert document["fleet"]["name"] == "models"
    why = {one["name"]: one["why"] for one in document["left"]}
    assert why["speech (aws/eu-west-1)"] == "left out by --only"


def test_a_time_that_is_over_is_said_of_each_part(guard: Guard) -> None:
    result = types("adopt", "aws", *TWO, "--within", "0s", code=2)
    assert "the time was over" in result.stderr
    assert not Path("fleet.yaml").exists()


def test_a_region_that_is_none_is_refused(guard: Guard) -> None:
    result = types("adopt", "aws", "--region", "Ohio", code=2)
    assert "Ohio: no region of AWS" in result.stderr


def test_who_is_not_signed_in_is_told_so(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    result = types("adopt", "aws", code=2)
    assert "sign in" in result.stderr


def test_a_profile_that_is_not_there_is_named(
    guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    result = types("adopt", "aws", code=2)
    assert "nobody" in result.stderr


def test_a_busy_aws_is_asked_again(guard: Guard) -> None:
    error = "<Code>Throttling</Code><Message>Rate exceeded</Message>"
    body = f"<ErrorResponse><Error>{error}</Error><RequestId>1</RequestId></ErrorResponse>"
    busy = Say(400, body.encode(), (("Content-Type", "text/xml"),))
    guard.plan([busy])
    assert reads("adopt", "aws", *TWO, "--out", "-")["unread"] == []


def test_the_policy_is_printed_without_asking_anything(guard: Guard) -> None:
    printed = types("adopt", "aws", "--print-policy").stdout
    assert '"cloudwatch:DescribeAlarms"' in printed
    assert guard.asked == set()
