"""What works events: functions with what feeds them, roles, the table, alarms."""

from __future__ import annotations

from collections.abc import Iterator

from crosswind_aws.stack.terraform.words import Block, Properties, Words


def table(name: str, left: Properties, words: Words) -> Iterator[Block]:
    """A table."""
    keys = {one["KeyType"]: one["AttributeName"] for one in left.pop("KeySchema")}
    ttl = left.pop("TimeToLiveSpecification")
    recovery = left.pop("PointInTimeRecoverySpecification")
    yield Block(
        "aws_dynamodb_table",
        name,
        {
            "name": words.translated(left.pop("TableName")),
            "billing_mode": left.pop("BillingMode"),
            "hash_key": keys["HASH"],
            "range_key": keys["RANGE"],
            "attribute": [
                {"name": one["AttributeName"], "type": one["AttributeType"]}
                for one in left.pop("AttributeDefinitions")
            ],
            "ttl": {"attribute_name": ttl["AttributeName"], "enabled": ttl["Enabled"]},
            "point_in_time_recovery": {"enabled": recovery["PointInTimeRecoveryEnabled"]},
        },
    )


def role(name: str, left: Properties, words: Words) -> Iterator[Block]:
    """A role, and its policies."""
    yield Block(
        "aws_iam_role",
        name,
        {
            "description": words.translated(left.pop("Description")),
            "assume_role_policy": words.document(left.pop("AssumeRolePolicyDocument")),
        },
    )
    for policy in left.pop("Policies"):
        yield Block(
            "aws_iam_role_policy",
            f"{name}{policy['PolicyName']}",
            {
                "name": policy["PolicyName"],
                "role": f"${{aws_iam_role.{name}.id}}",
                "policy": words.document(policy["PolicyDocument"]),
            },
        )


def function(name: str, left: Properties, words: Words) -> Iterator[Block]:
    """A function, and that it may be part of a loop."""
    code, logs = left.pop("Code"), left.pop("LoggingConfig")
    loop = left.pop("RecursiveLoop")
    variables = left.pop("Environment")["Variables"]
    reserved = (
        {"reserved_concurrent_executions": left.pop("ReservedConcurrentExecutions")}
        if "ReservedConcurrentExecutions" in left
        else {}
    )
    role = left.pop("Role")
    yield Block(
        "aws_lambda_function",
        name,
        {
            "function_name": words.translated(left.pop("FunctionName")),
            "description": words.translated(left.pop("Description")),
            "runtime": left.pop("Runtime"),
            "architectures": left.pop("Architectures"),
            "handler": left.pop("Handler"),
            "s3_bucket": words.translated(code["S3Bucket"]),
            "s3_key": code["S3Key"],
            "role": words.translated(role),
            "memory_size": left.pop("MemorySize"),
            "timeout": left.pop("Timeout"),
            "environment": {"variables": words.translated(variables)},
            "logging_config": {
                "log_format": "Text",
                "log_group": words.translated(logs["LogGroup"]),
            },
            **reserved,
            # A poller begins at once, and needs what the role may do.
            "depends_on": [f"aws_iam_role_policy.{role['Fn::GetAtt'][0]}Function"],
        },
    )
    yield Block(
        "aws_lambda_function_recursion_config",
        name,
        {"function_name": f"${{aws_lambda_function.{name}.function_name}}", "recursive_loop": loop},
    )


def mapping(name: str, left: Properties, words: Words) -> Iterator[Block]:
    """What feeds a function."""
    scaling = left.pop("ScalingConfig", None)
    bounded = (
        {}
        if scaling is None
        else {"scaling_config": {"maximum_concurrency": scaling["MaximumConcurrency"]}}
    )
    yield Block(
        "aws_lambda_event_source_mapping",
        name,
        {
            "event_source_arn": words.translated(left.pop("EventSourceArn")),
            "function_name": words.translated(left.pop("FunctionName")),
            "batch_size": left.pop("BatchSize"),
            "function_response_types": left.pop("FunctionResponseTypes"),
            **bounded,
        },
    )


def alarm(name: str, left: Properties, words: Words) -> Iterator[Block]:
    """An alarm."""
    dimensions = {one["Name"]: words.translated(one["Value"]) for one in left.pop("Dimensions")}
    actions = {"alarm_actions": left.pop("AlarmActions")} if "AlarmActions" in left else {}
    yield Block(
        "aws_cloudwatch_metric_alarm",
        name,
        {
            "alarm_name": words.translated(left.pop("AlarmName")),
            "alarm_description": words.translated(left.pop("AlarmDescription")),
            "namespace": left.pop("Namespace"),
            "metric_name": left.pop("MetricName"),
            "dimensions": dimensions,
            "statistic": left.pop("Statistic"),
            "period": left.pop("Period"),
            "evaluation_periods": left.pop("EvaluationPeriods"),
            "threshold": left.pop("Threshold"),
            "comparison_operator": left.pop("ComparisonOperator"),
            "treat_missing_data": left.pop("TreatMissingData"),
            **actions,
        },
    )
