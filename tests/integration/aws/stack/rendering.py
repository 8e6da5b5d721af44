"""What CloudFormation makes of the references in a template, as far as policies have them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

PSEUDO: Final = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
}

_ARNS: Final = {
    "AWS::DynamoDB::Table": ("dynamodb", "table/{TableName}"),
    "AWS::Events::EventBus": ("events", "event-bus/{Name}"),
    "AWS::Logs::LogGroup": ("logs", "log-group:{LogGroupName}:*"),
    "AWS::SQS::Queue": ("sqs", "{QueueName}"),
}


def rendered(value: Any, template: Mapping[str, Any]) -> Any:
    """A value with its references filled in."""
    match value:
        case {"Ref": str() as name} if name in PSEUDO:
            return PSEUDO[name]
        case {"Fn::Sub": str() as words}:
            return re.sub(r"\$\{([^}]*)\}", lambda found: PSEUDO[found[1]], words)
        case {"Fn::GetAtt": [str() as name, "Arn"]}:
            return _arn(name, template["Resources"][name])
        case Mapping():
            return {name: rendered(one, template) for name, one in value.items()}
        case list():
            return [rendered(one, template) for one in value]
    return value


def _arn(name: str, resource: Mapping[str, Any]) -> str:
    if resource["Type"] == "AWS::IAM::Role":
        return f"arn:aws:iam::{PSEUDO['AWS::AccountId']}:role/{name}"
    service, end = _ARNS[resource["Type"]]
    place = f"{PSEUDO['AWS::Region']}:{PSEUDO['AWS::AccountId']}"
    return f"arn:aws:{service}:{place}:{end.format_map(resource['Properties'])}"
