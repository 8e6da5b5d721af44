"""The stack as Terraform; its arguments are held against the schemas of hashicorp/aws.

`terraform_arguments.json` holds, of provider 6.x as bound by @cdktf/provider-aws 21.22.1, which
arguments each resource that is used here has, and which of these it needs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from crosswind.chains.failover import failover_app
from crosswind.stacks.driver import Sizing
from crosswind_aws.stack.terraform import translate
from unit.aws.stack.apps import ops
from unit.aws.stack.releases import RESOURCES, made

ARGUMENTS: Mapping[str, Any] = json.loads(
    Path(__file__).with_name("terraform_arguments.json").read_text()
)
FREE = {"depends_on", "tags", "variables", "dimensions"}
TOPIC = "arn:aws:sns:us-east-1:123456789012:oncall"

DOCUMENTS = [
    translate(made(ops(), Sizing(notify=(TOPIC,)), resources=RESOURCES)),
    translate(made(failover_app(), Sizing(concurrency=None))),
]


def faults(where: str, given: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[str]:
    """Arguments that a resource does not have, or lacks."""
    for name, value in given.items():
        if name in FREE:
            continue
        if name not in known:
            yield f"{where} has no {name}"
        elif "block" in known[name]:
            for one in value if isinstance(value, list) else [value]:
                yield from faults(f"{where}.{name}", one, known[name]["block"])
    for name, about in known.items():
        if about["required"] and name not in given:
            yield f"{where} needs {name}"


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_argument_is_one_that_the_provider_has(document: dict[str, Any]) -> None:
    found = [
        fault
        for kind, blocks in document["resource"].items()
        for name, given in blocks.items()
        for fault in faults(f"{kind}.{name}", given, ARGUMENTS[kind])
    ]
    assert found == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    looked_at = 0
    for text in strings(document):
        for reference in re.findall(r"(?<!\$)\$\{([^}]*)\}", text):
            looked_at += 1
            parts = reference.split(".")
            if parts[0] == "var":
                assert parts[1] in document["variable"]
            elif parts[0] == "data":
                assert parts[2] in document["data"][parts[1]]
            else:
                assert parts[1] in document["resource"][parts[0]]
    assert looked_at > 50


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_comes_after_something_names_it(document: dict[str, Any]) -> None:
    for blocks in document["resource"].values():
        for given in blocks.values():
            for address in given.get("depends_on", ()):
                kind, _, name = address.partition(".")
                assert name in document["resource"][kind]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_policies_and_patterns_are_json(document: dict[str, Any]) -> None:
    for kind, argument in (
        ("aws_iam_role_policy", "policy"),
        ("aws_iam_role", "assume_role_policy"),
        ("aws_sqs_queue_policy", "policy"),
        ("aws_cloudwatch_event_rule", "event_pattern"),
    ):
        for given in document["resource"][kind].values():
            assert json.loads(given[argument])


def test_nothing_of_the_template_is_lost() -> None:
    template = made(ops(), resources=RESOURCES)
    translated = translate(template)["resource"]
    count = {kind: len(blocks) for kind, blocks in translated.items()}
    types = [one["Type"] for one in template["Resources"].values()]
    assert count["aws_lambda_function"] == types.count("AWS::Lambda::Function")
    assert count["aws_cloudwatch_event_target"] == types.count("AWS::Events::Rule")
    assert count["aws_sqs_queue_policy"] == 2 * types.count("AWS::SQS::QueuePolicy")
    assert count["aws_scheduler_schedule"] == types.count("AWS::Scheduler::Schedule")


def test_a_property_that_is_not_translated_is_refused() -> None:
    template = made(ops())
    template["Resources"]["OpsFunction"]["Properties"]["SnapStart"] = {}
    with pytest.raises(ValueError, match="OpsFunction: no translation of SnapStart"):
        translate(template)


def test_a_type_that_is_not_translated_is_refused() -> None:
    template = made(ops())
    template["Resources"]["Other"] = {"Type": "AWS::SNS::Topic", "Properties": {}}
    with pytest.raises(ValueError, match="Other: no translation of AWS::SNS::Topic"):
        translate(template)


def test_text_in_which_terraform_would_see_a_template_is_escaped() -> None:
    template = made(ops())
    template["Resources"]["OpsAgeAlarm"]["Properties"]["AlarmDescription"] = "${x} and %{y}"
    translated = translate(template)["resource"]["aws_cloudwatch_metric_alarm"]["OpsAgeAlarm"]
    assert translated["alarm_description"] == "$${x} and %%{y}"
