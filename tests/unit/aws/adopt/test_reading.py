"""What each service answers, and what of it is told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from crosswind.adopting.found import Mark
from crosswind_aws.adopt import alarms, budgets, endpoints, records, rotations
from crosswind_aws.adopt.asking import NotRead
from crosswind_aws.adopt.places import country
from unit.aws.adopt.stubs import Stubs, until_refused

EAST = "us-east-1"
NOW = datetime(2026, 3, 2, tzinfo=UTC)
ARN = "arn:aws:ecs:us-east-1:123456789012"


def nothing_lacks(part: str, error: NotRead) -> None:
    raise AssertionError(f"{part}: {error}")


def metric_alarm(name: str = "errors", **more: Any) -> dict[str, Any]:
    return {
        "AlarmName": name,
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocation5XXErrors",
        "Dimensions": [
            {"Name": "EndpointName", "Value": "chat"},
            {"Name": "VariantName", "Value": "main"},
        ],
        **more,
    }


def read_alarms(*found: dict[str, Any], rule: str = "") -> list[Any]:
    composite = [{"AlarmName": "all", "AlarmRule": rule}] if rule else []
    with Stubs() as stubs:
        for kind, alarms_of_it in (("Metric", list(found)), ("Composite", composite)):
            stubs.answers(
                "cloudwatch",
                "describe_alarms",
                {f"{kind}Alarms": alarms_of_it},
                {"AlarmTypes": [f"{kind}Alarm"]},
            )
        return list(alarms.read(stubs.asker(), EAST))


def test_an_alarm_names_the_endpoint_that_it_watches() -> None:
    (alarm,) = read_alarms(metric_alarm())
    assert alarm.marks == {Mark("aws/us-east-1", "sagemaker.endpoint", "chat")}
    assert alarm.why_not == ""


def test_an_alarm_on_metric_math_names_what_its_metrics_do() -> None:
    def query(number: int, service: str) -> dict[str, Any]:
        dimensions = {"ClusterName": "serving", "ServiceName": service}
        metric = {
            "Namespace": "AWS/ECS",
            "MetricName": "CPUUtilization",
            "Dimensions": [{"Name": n, "Value": v} for n, v in dimensions.items()],
        }
        stat = {"Metric": metric, "Period": 60, "Stat": "Average"}
        return {"Id": f"m{number}", "MetricStat": stat, "ReturnData": False}

    (alarm,) = read_alarms(
        {
            "AlarmName": "math",
            "Metrics": [
                query(1, "chat"),
                query(2, "speech"),
                {"Id": "e1", "Expression": "m1/m2", "ReturnData": True},
            ],
        }
    )
    assert {mark.name for mark in alarm.marks} == {"serving/chat", "serving/speech"}


@pytest.mark.parametrize(
    ("alarm", "why"),
    [
        (metric_alarm("TargetTracking-endpoint/chat-AlarmHigh-1"), "belongs to autoscaling"),
        (metric_alarm(Namespace="AWS/Route53"), "say nothing about the region"),
        (
            {
                "AlarmName": "band",
                "Metrics": [{"Id": "e1", "Expression": "ANOMALY_DETECTION_BAND(m1, 2)"}],
            },
            "no evidence of an outage",
        ),
    ],
)
def test_what_is_no_evidence_says_why(alarm: dict[str, Any], why: str) -> None:
    (found,) = read_alarms(alarm)
    assert why in found.why_not


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        ("ALARM(one)", {"one"}),
        ("ALARM(\"a b\") AND NOT OK('c') OR INSUFFICIENT_DATA( d )", {"a b", "c", "d"}),
        ("ALARM(arn:aws:cloudwatch:us-east-1:123456789012:alarm:one)", {"one"}),
        ("TRUE", set()),
    ],
)
def test_an_alarm_is_made_of_those_that_its_rule_names(rule: str, names: set[str]) -> None:
    (alarm,) = read_alarms(rule=rule)
    assert alarm.children == names
    assert alarm.kind == "composite alarm"


def read_endpoint(*variants: dict[str, Any], most: int | None = None, **more: Any) -> Any:
    scaled = [] if most is None else [{**SCALABLE, "MaxCapacity": most}]
    with Stubs() as stubs:
        one = {
            "EndpointName": "chat",
            "EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/chat",
            "CreationTime": NOW,
            "LastModifiedTime": NOW,
            "EndpointStatus": more.pop("status", "InService"),
        }
        described = {**one, "ProductionVariants": list(variants), **more}
        stubs.answers("sagemaker", "list_endpoints", {"Endpoints": [one]})
        stubs.answers(
            "application-autoscaling", "describe_scalable_targets", {"ScalableTargets": scaled}
        )
        stubs.answers("sagemaker", "describe_endpoint", described, {"EndpointName": "chat"})
        (found,) = endpoints.sagemaker(stubs.asker(), EAST, nothing_lacks)
        return found


SCALABLE = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/chat/variant/main",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    "MinCapacity": 1,
    "RoleARN": "arn:aws:iam::123456789012:role/scaling",
    "CreationTime": NOW,
}


def test_an_endpoint_has_the_instances_of_all_its_variants() -> None:
    found = read_endpoint(
        {"VariantName": "main", "DesiredInstanceCount": 3},
        {"VariantName": "next", "DesiredInstanceCount": 1},
        most=10,
    )
    assert (found.replicas, found.most) == (4, 11)


def test_an_endpoint_that_nothing_scales_says_no_more() -> None:
    found = read_endpoint({"VariantName": "main", "DesiredInstanceCount": 3})
    assert (found.replicas, found.most, found.notes) == (3, None, ())


def test_what_is_unusual_of_an_endpoint_is_noted() -> None:
    found = read_endpoint(
        {
            "VariantName": "main",
            "CurrentServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5},
        },
        status="Failed",
        AsyncInferenceConfig={"OutputConfig": {"S3OutputPath": "s3://example/out"}},
    )
    assert found.replicas is None
    assert [note.partition(" is ")[2] for note in found.notes[:2]] == [
        "Failed",
        "serverless: it has no instances to count",
    ]
    assert "asynchronously" in found.notes[2]


def test_endpoints_are_listed_though_they_may_not_be_described() -> None:
    lacked = []
    with Stubs() as stubs:
        two = [
            {
                "EndpointName": name,
                "EndpointArn": f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{name}",
                "CreationTime": NOW,
                "LastModifiedTime": NOW,
                "EndpointStatus": "InService",
            }
            for name in ("a", "b")
        ]
        stubs.answers("sagemaker", "list_endpoints", {"Endpoints": two})
        stubs.answers(
            "application-autoscaling", "describe_scalable_targets", {"ScalableTargets": []}
        )
        stubs.refuses("sagemaker", "describe_endpoint", "AccessDeniedException")
        found = list(
            endpoints.sagemaker(stubs.asker(), EAST, lambda part, error: lacked.append(part))
        )
    assert [(one.name, one.replicas) for one in found] == [("a", None), ("b", None)]
    assert lacked == ["what each endpoint has"]  # once, not once for each


def test_a_service_is_known_by_its_load_balancers() -> None:
    group = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/chat/0123"
    balancer = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/chat/4567"
    service = {
        "serviceName": "chat",
        "status": "ACTIVE",
        "desiredCount": 2,
        "loadBalancers": [{"targetGroupArn": group}],
    }
    connect = {"enabled": True, "services": [{"portName": "http"}]}
    inner = {
        "serviceName": "inner",
        "status": "ACTIVE",
        "desiredCount": 0,
        "deployments": [{"serviceConnectConfiguration": connect}],
    }
    gone = {"serviceName": "gone", "status": "INACTIVE"}
    worker = {"serviceName": "worker", "status": "ACTIVE", "desiredCount": 1}
    cluster = f"{ARN}:cluster/serving"
    arns = [f"{ARN}:service/serving/{number}" for number in range(11)]
    with Stubs() as stubs:
        stubs.answers("ecs", "list_clusters", {"clusterArns": [cluster]})
        stubs.answers("ecs", "list_services", {"serviceArns": arns}, {"cluster": cluster})
        stubs.answers(
            "ecs",
            "describe_services",
            {"services": [service, inner, gone]},
            {"cluster": cluster, "services": arns[:10]},
        )
        stubs.answers(
            "ecs",
            "describe_services",
            {"services": [worker]},
            {"cluster": cluster, "services": arns[10:]},
        )
        stubs.answers(
            "application-autoscaling",
            "describe_scalable_targets",
            {
                "ScalableTargets": [
                    {
                        **SCALABLE,
                        "ServiceNamespace": "ecs",
                        "ResourceId": "service/serving/chat",
                        "ScalableDimension": "ecs:service:DesiredCount",
                        "MaxCapacity": 9,
                    }
                ]
            },
            {"ServiceNamespace": "ecs"},
        )
        stubs.answers(
            "elbv2",
            "describe_target_groups",
            {"TargetGroups": [{"TargetGroupArn": group, "LoadBalancerArns": [balancer]}]},
        )
        stubs.answers(
            "elbv2",
            "describe_load_balancers",
            {
                "LoadBalancers": [
                    {"LoadBalancerArn": balancer, "DNSName": "Chat-1.us-east-1.elb.amazonaws.com"}
                ]
            },
        )
        found = {one.name: one for one in endpoints.ecs(stubs.asker(), EAST, nothing_lacks)}
    assert set(found) == {"chat", "inner", "worker"}
    assert (found["chat"].replicas, found["chat"].most, found["chat"].within) == (2, 9, "serving")
    assert found["chat"].marks == {
        Mark("aws/us-east-1", "ecs.service", "serving/chat"),
        Mark("aws/us-east-1", "target-group", "targetgroup/chat/0123"),
        Mark("aws/us-east-1", "load-balancer", "app/chat/4567"),
        Mark("", "dns", "chat-1.us-east-1.elb.amazonaws.com"),
    }
    assert found["inner"].why_not == ""
    assert found["inner"].notes == ("inner in aws/us-east-1 is to have no tasks",)
    assert "leads requests to it" in found["worker"].why_not


def record(**more: Any) -> dict[str, Any]:
    return {"Name": "chat.example.com.", "Type": "A", "SetIdentifier": "east", "Weight": 3, **more}


def alias(name: str) -> dict[str, Any]:
    return {"HostedZoneId": "Z1", "DNSName": name, "EvaluateTargetHealth": True}


@pytest.mark.parametrize(
    ("found", "leads"),
    [
        (record(AliasTarget=alias("dualstack.LB.example.com.")), "lb.example.com"),
        (record(Type="CNAME", ResourceRecords=[{"Value": "lb.example.com"}]), "lb.example.com"),
        (record(ResourceRecords=[{"Value": "192.0.2.1"}]), None),
        (record(Type="CNAME", ResourceRecords=[{"Value": "a"}, {"Value": "b"}]), None),
    ],
)
def test_a_weighted_record_leads_to_a_name(found: dict[str, Any], leads: str | None) -> None:
    plain = {"Name": "www.example.com.", "Type": "A", "ResourceRecords": [{"Value": "192.0.2.1"}]}
    zone = {"Id": "/hostedzone/Z9", "Name": "example.com.", "CallerReference": "1"}
    with Stubs() as stubs:
        stubs.answers(
            "route53",
            "list_hosted_zones",
            {"HostedZones": [zone], "Marker": "", "IsTruncated": False, "MaxItems": "100"},
        )
        stubs.answers(
            "route53",
            "list_resource_record_sets",
            {"ResourceRecordSets": [plain, found], "IsTruncated": False, "MaxItems": "300"},
            {"HostedZoneId": "Z9"},
        )
        (share,) = records.read(stubs.asker(), EAST)
    assert share.name == f"chat.example.com {found['Type']}"
    assert (share.identifier, share.weight) == ("east", 3)
    assert share.mark == (Mark("", "dns", leads) if leads else None)


def test_a_budget_says_its_amount_and_what_was_spent() -> None:
    money = {"Amount": "1200.5", "Unit": "USD"}
    with Stubs() as stubs:
        stubs.answers(
            "budgets",
            "describe_budgets",
            {
                "Budgets": [
                    {
                        "BudgetName": "models",
                        "BudgetLimit": {"Amount": "3000", "Unit": "USD"},
                        "TimeUnit": "MONTHLY",
                        "BudgetType": "COST",
                        "CalculatedSpend": {"ActualSpend": money, "ForecastedSpend": money},
                    },
                    {"BudgetName": "hours", "TimeUnit": "DAILY", "BudgetType": "USAGE"},
                ]
            },
            {"AccountId": "123456789012"},
        )
        found = dict(budgets.read(stubs.asker(), EAST, "123456789012"))
    assert found == {
        "models": "3000 USD monthly, 1200.5 USD spent, 1200.5 USD forecast",
        "hours": "a planned amount daily, of usage",
    }


def key(number: str, **more: Any) -> dict[str, Any]:
    return {
        "KeyMetadata": {"KeyId": number, "KeyManager": "CUSTOMER", "KeyState": "Enabled", **more}
    }


def test_keys_say_how_they_are_rotated() -> None:
    numbers = ["a", "b", "c", "d", "e", "f"]
    with Stubs() as stubs:
        stubs.answers(
            "kms",
            "list_aliases",
            {"Aliases": [{"AliasName": "alias/a", "TargetKeyId": "a"}, {"AliasName": "alias/x"}]},
        )
        stubs.answers("kms", "list_keys", {"Keys": [{"KeyId": number} for number in numbers]})
        stubs.answers("kms", "describe_key", key("a"), {"KeyId": "a"})
        stubs.answers(
            "kms",
            "get_key_rotation_status",
            {"KeyRotationEnabled": True, "RotationPeriodInDays": 180},
        )
        stubs.answers("kms", "describe_key", key("b", KeyManager="AWS"))
        stubs.answers("kms", "describe_key", key("c", KeyState="PendingDeletion"))
        stubs.answers("kms", "describe_key", key("d", KeySpec="RSA_2048"))
        stubs.answers("kms", "describe_key", key("e", Origin="EXTERNAL"))
        # The key's own policy shuts out whom IAM lets in.
        stubs.refuses("kms", "describe_key", "AccessDeniedException")
        found, denied = until_refused(rotations.keys(stubs.asker(), EAST))
    assert denied.needs == "kms:DescribeKey"
    assert [(one.name, one.says, one.renewed) for one in found] == [
        ("alias/a", "rotated every 180 days", True),
        ("d", "its kind, RSA_2048, is not rotated by KMS", False),
        ("e", "its material comes from elsewhere (EXTERNAL)", False),
    ]


def test_keys_are_read_though_their_names_may_not_be() -> None:
    with Stubs() as stubs:
        stubs.refuses("kms", "list_aliases", "AccessDeniedException")
        stubs.answers("kms", "list_keys", {"Keys": [{"KeyId": "a"}]})
        stubs.answers("kms", "describe_key", key("a"))
        stubs.answers("kms", "get_key_rotation_status", {"KeyRotationEnabled": False})
        found, denied = until_refused(rotations.keys(stubs.asker(), EAST))
    assert [(one.name, one.says, one.renewed) for one in found] == [
        ("a", "automatic rotation is off", False)
    ]
    assert denied.needs == "kms:ListAliases"


def test_keys_that_aws_is_too_busy_for_are_given_up() -> None:
    with Stubs() as stubs:
        stubs.answers("kms", "list_aliases", {"Aliases": []})
        stubs.answers("kms", "list_keys", {"Keys": [{"KeyId": "a"}, {"KeyId": "b"}]})
        stubs.refuses("kms", "describe_key", "ThrottlingException")
        found, busy = until_refused(rotations.keys(stubs.asker(), EAST))
    assert found == []
    assert "patience" in busy.why


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({}, "rotation is off"),
        ({"RotationEnabled": True}, "rotated"),
        (
            {"RotationEnabled": True, "RotationRules": {"AutomaticallyAfterDays": 30}},
            "rotated every 30 days",
        ),
        (
            {"RotationEnabled": True, "RotationRules": {"ScheduleExpression": "rate(10 days)"}},
            "rotated as rate(10 days)",
        ),
    ],
)
def test_secrets_say_how_they_are_rotated(more: dict[str, Any], says: str) -> None:
    with Stubs() as stubs:
        stubs.answers("secretsmanager", "list_secrets", {"SecretList": [{"Name": "api", **more}]})
        (found,) = rotations.secrets(stubs.asker(), EAST)
    assert (found.name, found.says) == ("api", says)
    assert found.renewed == more.get("RotationEnabled", False)


@pytest.mark.parametrize(
    ("region", "code"),
    [("eu-central-1", "DE"), ("us-gov-west-1", "US"), ("ca-west-1", "CA"), ("xx-new-1", None)],
)
def test_a_region_has_a_country(region: str, code: str | None) -> None:
    assert country(region) == code


def test_every_region_of_the_sdk_has_a_country() -> None:
    session = Stubs().session
    known = session.get_available_regions("ec2")
    assert known
    assert [region for region in known if country(region) is None] == []
