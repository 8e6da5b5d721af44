"""Which rights each performer needs, and the statements of a role that holds just those.

One table for each service says what its performer asks of AWS, by kind of action and query. A test
compares the tables with the requests that the performers really make. Templates are filled from the
declared resources, so that a right ends where the declaration does.

    statements(["traffic.set-weights", "endpoint.status"], resources, account="123456789012")

A resource of `*` stands only where AWS lets a right be bound to nothing smaller:
docs.aws.amazon.com/service-authorization/latest/reference/. The conditions on records are those of
docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from crosswind_aws.performers.resources import Resources

EVERYTHING: Final = "*"


class Need(NamedTuple):
    """One right that a performer needs.

    Attributes:
        action: of IAM.
        resource: template of the ARN; filled from a target of the declared resources.
        condition: template of the condition under which it is enough.
    """

    action: str
    resource: str
    condition: Mapping[str, Mapping[str, tuple[str, ...]]] = {}


Table = Mapping[str, tuple[Need, ...]]
"""What is needed, by kind of action or query."""

_ZONE: Final = "arn:{partition}:route53:::hostedzone/{zone}"
_SERVICE: Final = "arn:{partition}:ecs:{region}:{account}:service/{cluster}/{name}"
_ENDPOINT: Final = "arn:{partition}:sagemaker:{region}:{account}:endpoint/{endpoint}"
_ARN: Final = "{arn}"

_READ_RECORDS: Final = Need("route53:ListResourceRecordSets", _ZONE)
_OUR_RECORDS: Final = {
    "ForAllValues:StringEquals": {
        "route53:ChangeResourceRecordSetsNormalizedRecordNames": ("{record}", "{note}"),
        "route53:ChangeResourceRecordSetsRecordTypes": ("{type}", "TXT"),
        "route53:ChangeResourceRecordSetsActions": ("CREATE", "DELETE"),
    }
}

ROUTE53: Final[Table] = {
    "traffic.set-weights": (
        _READ_RECORDS,
        Need("route53:ChangeResourceRecordSets", _ZONE, _OUR_RECORDS),
    ),
    "traffic.weights": (_READ_RECORDS,),
}

ARC: Final[Table] = {
    "traffic.set-weights": (
        Need("route53-recovery-cluster:GetRoutingControlState", _ARN),
        Need("route53-recovery-cluster:UpdateRoutingControlStates", _ARN),
    ),
    "traffic.weights": (Need("route53-recovery-cluster:GetRoutingControlState", _ARN),),
}

ECS: Final[Table] = {
    "endpoint.scale": (
        Need("ecs:DescribeServices", _SERVICE),
        Need("ecs:TagResource", _SERVICE),
        Need("ecs:UpdateService", _SERVICE),
    ),
    "endpoint.status": (Need("ecs:DescribeServices", _SERVICE),),
}

SAGEMAKER: Final[Table] = {
    "endpoint.scale": (
        Need("sagemaker:AddTags", _ENDPOINT),
        Need("sagemaker:DescribeEndpoint", _ENDPOINT),
        Need("sagemaker:ListTags", _ENDPOINT),
        Need("sagemaker:UpdateEndpointWeightsAndCapacities", _ENDPOINT),
    ),
    "endpoint.status": (Need("sagemaker:DescribeEndpoint", _ENDPOINT),),
}

SERVICE_QUOTAS: Final[Table] = {
    "endpoint.status": (Need("servicequotas:GetServiceQuota", EVERYTHING),),
}

CLOUDWATCH: Final[Table] = {
    "telemetry.traffic": (Need("cloudwatch:GetMetricData", EVERYTHING),),
    "telemetry.outage": (Need("cloudwatch:GetMetricData", EVERYTHING),),
}

SNS: Final[Table] = {"notify.send": (Need("sns:Publish", _ARN),)}

SECRETS_MANAGER: Final[Table] = {
    "secret.renew": (
        Need("secretsmanager:DescribeSecret", _ARN),
        Need("secretsmanager:PutSecretValue", _ARN),
    ),
    "secret.promote": (
        Need("secretsmanager:DescribeSecret", _ARN),
        Need("secretsmanager:UpdateSecretVersionStage", _ARN),
    ),
    "secret.retire": (
        Need("secretsmanager:DescribeSecret", _ARN),
        Need("secretsmanager:UpdateSecretVersionStage", _ARN),
    ),
    "secret.versions": (Need("secretsmanager:DescribeSecret", _ARN),),
}

KMS: Final[Table] = {
    "key.rotate": (
        Need("kms:DescribeKey", _ARN),
        Need("kms:GetKeyRotationStatus", _ARN),
        Need("kms:ListKeyRotations", _ARN),
        Need("kms:ListResourceTags", _ARN),
        Need("kms:RotateKeyOnDemand", _ARN),
        Need("kms:TagResource", _ARN),
    ),
    "key.enable": (
        Need("kms:DescribeKey", _ARN),
        Need("kms:EnableKey", _ARN),
        Need("kms:ListKeyRotations", _ARN),
    ),
    "key.disable": (
        Need("kms:DescribeKey", _ARN),
        Need("kms:DisableKey", _ARN),
        Need("kms:ListKeyRotations", _ARN),
    ),
    "key.status": (Need("kms:DescribeKey", _ARN), Need("kms:ListKeyRotations", _ARN)),
}

COST_EXPLORER: Final[Table] = {"spend.read": (Need("ce:GetCostAndUsage", EVERYTHING),)}

TABLES: Final[Mapping[str, Table]] = {
    "route53": ROUTE53,
    "arc": ARC,
    "ecs": ECS,
    "sagemaker": SAGEMAKER,
    "servicequotas": SERVICE_QUOTAS,
    "cloudwatch": CLOUDWATCH,
    "sns": SNS,
    "secretsmanager": SECRETS_MANAGER,
    "kms": KMS,
    "ce": COST_EXPLORER,
}
"""By service, as `Target.service` names it."""


def statements(
    kinds: Iterable[str],
    resources: Resources,
    *,
    account: str = "${AWS::AccountId}",
    partition: str = "aws",
) -> list[dict[str, Any]]:
    """The statements of a policy that lets a function do and read just these kinds.

    Args:
        kinds: of the actions and queries that its handlers declare; kinds that AWS has no part in
            need nothing.
        resources: what stands for the fleet; what is not declared there is not granted.
        account: id of the account; unless given, CloudFormation's own, which Fn::Sub fills in.
        partition: `aws`, `aws-cn` or `aws-us-gov`.

    Returns:
        Statements in an order that depends on nothing but their content; none where nothing is
        needed. The rights of one condition and set of resources stand in one.
    """
    wanted = sorted(set(kinds))
    needed: dict[tuple[str, str], set[str]] = {}
    conditions: dict[str, dict[str, dict[str, list[str]]]] = {}
    for target in resources.targets():
        table = TABLES[target.service]
        values = {"account": account, "partition": partition, **target.values}
        for need in (need for kind in wanted for need in table.get(kind, ())):
            condition = {
                test: {key: [one.format_map(values) for one in given] for key, given in its.items()}
                for test, its in need.condition.items()
            }
            conditions[repr(condition)] = condition
            bound = (need.resource.format_map(values), repr(condition))
            needed.setdefault(bound, set()).add(need.action)
    return _merged(needed, conditions)


def _merged(
    needed: Mapping[tuple[str, str], set[str]], conditions: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Resources with the same rights under the same condition, together."""
    alike: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for (resource, condition), actions in needed.items():
        alike.setdefault((tuple(sorted(actions)), condition), []).append(resource)
    return [
        {
            "Effect": "Allow",
            "Action": list(actions),
            "Resource": sorted(found),
            **({"Condition": conditions[condition]} if conditions[condition] else {}),
        }
        for (actions, condition), found in sorted(alike.items())
    ]
