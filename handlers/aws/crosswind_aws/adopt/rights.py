"""Every question that is ever asked of an account, with the right that it needs.

What is not in this table cannot be asked, so that the policy can neither lack a right nor hold one
too many. Nothing here changes anything, and nothing here reads what is in a secret.

Source: the service authorization reference, docs.aws.amazon.com/service-authorization/latest/
reference/, which also says that a policy can bind none of these to fewer resources without leaving
some of them out: what an account has is not known before it is read.
"""

from __future__ import annotations

from typing import Any, Final

RIGHTS: Final[dict[tuple[str, str], str]] = {
    ("application-autoscaling", "DescribeScalableTargets"): (
        "application-autoscaling:DescribeScalableTargets"
    ),
    ("budgets", "DescribeBudgets"): "budgets:ViewBudget",
    ("cloudwatch", "DescribeAlarmHistory"): "cloudwatch:DescribeAlarmHistory",
    ("cloudwatch", "DescribeAlarms"): "cloudwatch:DescribeAlarms",
    ("ec2", "DescribeRegions"): "ec2:DescribeRegions",
    ("ecs", "DescribeServices"): "ecs:DescribeServices",
    ("ecs", "ListClusters"): "ecs:ListClusters",
    ("ecs", "ListServices"): "ecs:ListServices",
    ("elbv2", "DescribeLoadBalancers"): "elasticloadbalancing:DescribeLoadBalancers",
    ("elbv2", "DescribeTargetGroups"): "elasticloadbalancing:DescribeTargetGroups",
    ("health", "DescribeEventDetails"): "health:DescribeEventDetails",
    ("health", "DescribeEvents"): "health:DescribeEvents",
    ("kms", "DescribeKey"): "kms:DescribeKey",
    ("kms", "GetKeyRotationStatus"): "kms:GetKeyRotationStatus",
    ("kms", "ListAliases"): "kms:ListAliases",
    ("kms", "ListKeys"): "kms:ListKeys",
    ("route53", "ListHostedZones"): "route53:ListHostedZones",
    ("route53", "ListResourceRecordSets"): "route53:ListResourceRecordSets",
    ("sagemaker", "DescribeEndpoint"): "sagemaker:DescribeEndpoint",
    ("sagemaker", "ListEndpoints"): "sagemaker:ListEndpoints",
    ("secretsmanager", "ListSecrets"): "secretsmanager:ListSecrets",
    # Whoever has credentials may ask whose they are: no policy grants or denies it.
    ("sts", "GetCallerIdentity"): "",
}
"""By service, as the SDK names it, and operation: the right, as IAM names it."""


def policy() -> dict[str, Any]:
    """The policy that grants all of it."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "CrosswindAdopt",
                "Effect": "Allow",
                "Action": sorted(filter(None, RIGHTS.values())),
                "Resource": "*",
            }
        ],
    }
