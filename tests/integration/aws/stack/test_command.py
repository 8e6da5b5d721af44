"""What a person types, and programs read."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from shutil import copy

import boto3
import click

from crosswind.cli.faults import NOTHING, USAGE
from crosswind.cli.stacking import stack
from crosswind.cli.teaching import Teaching
from integration.aws.stack.terminal import Terminal


def test_a_stack_lives_and_dies_at_the_command_line(terminal: Terminal) -> None:
    shown = terminal.types("plan", "aws").stdout
    assert re.search(r"\+ +HopsQueue +SQS::Queue +hops", shown)
    assert "to add (by comparison)" in shown

    applied = terminal.reads("apply", "aws", "--yes")
    assert applied["applied"]
    assert applied["deployed"]["digest"] == terminal.digests["first"]
    assert terminal.reads("apply", "aws", "--yes")["applied"] is False
    assert "nothing is to be done" in terminal.types("apply", "aws", "--yes").stdout

    status = terminal.reads("status", "aws")
    assert {part["group"] for part in status["parts"]} == {"hops", "audit"}

    terminal.has("second")
    planned = terminal.reads("plan", "aws", "--memory", "1024")
    assert planned["waiting"][0]["group"] == "audit"
    assert planned["means"] == "change set"
    memory = [
        one
        for change in planned["changes"]
        for one in change["differences"]
        if one["path"] == "MemorySize"
    ]
    assert memory == [{"path": "MemorySize", "before": 512, "after": 1024}]
    shown = terminal.types("apply", "aws", "--memory", "1024", "--yes").stdout
    assert "MemorySize: 512 -> 1024" in shown
    assert "group audit waits: its rules and schedules go now" in shown
    assert "audit (draining)" in terminal.types("status", "aws").stdout

    returned = terminal.reads("rollback", "aws", "--yes")
    assert returned["deployed"]["rollback"]
    assert returned["digest"] == terminal.digests["first"]
    history = terminal.reads("history", "aws")
    assert [one["digest"] for one in history] == [
        terminal.digests[name] for name in ("first", "second", "first")
    ]
    assert "applied (rollback)" in terminal.types("history", "aws").stdout

    assert "nothing is left" in terminal.types("remove", "aws", "--yes").stdout
    assert terminal.bench.left() == {}
    assert "there is no stack crosswind-hops" in terminal.types("status", "aws", code=3).stderr
    assert "nothing was deployed yet" in terminal.types("history", "aws", code=3).stderr


def test_a_stack_whose_queues_hold_events_is_not_removed_unless_they_may_be_lost(
    terminal: Terminal,
) -> None:
    terminal.types("apply", "aws", "--yes")
    sqs = boto3.client("sqs")
    queue = sqs.get_queue_url(QueueName="crosswind-hops-audit")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="{}", DelaySeconds=900)
    refused = terminal.types("remove", "aws", "--yes", code=1).stderr
    assert "1 in audit; wait until they are worked, or give --lose-messages" in refused
    terminal.types("remove", "aws", "--yes", "--lose-messages")
    assert terminal.bench.left() == {}


def test_nothing_is_changed_where_nobody_can_be_asked(terminal: Terminal) -> None:
    assert "then give --yes" in terminal.types("apply", "aws", code=2).stderr
    assert terminal.bench.left() == {}


def test_a_plan_that_must_not_be_applied_is_shown_and_refused(terminal: Terminal) -> None:
    terminal.has("failover")
    planned = terminal.reads("plan", "aws", code=1)
    assert "--share-fate" in planned["refusals"][0]
    assert terminal.reads("apply", "aws", "--yes", code=1)["applied"] is False
    assert terminal.bench.left() == {}


def test_what_is_wrong_with_sizes_is_said_at_once(terminal: Terminal) -> None:
    failed = terminal.types("plan", "aws", "--memory", "1", "--retention", "2", code=1).stderr
    assert "--memory 1" in failed
    assert "--retention 2" in failed


def test_an_artifact_is_found_or_asked_for(terminal: Terminal) -> None:
    copy("dist/hops-aws-test.zip", "dist/other-aws-test.zip")
    assert "name one of them: dist/hops-aws" in terminal.types("plan", "aws", code=2).stderr
    terminal.types("plan", "aws", "dist/other-aws-test.zip")
    for path in Path("dist").iterdir():
        path.unlink()
    assert "crosswind package aws" in terminal.types("plan", "aws", code=2).stderr
    assert "--stack NAME" in terminal.types("status", "aws", code=2).stderr
    terminal.types("status", "aws", "--stack", "crosswind-other", code=3)


def test_files_that_say_what_else_is_needed_are_read(terminal: Terminal) -> None:
    Path("grants.yaml").write_text("cache.purge: nonsense\n")
    wrong = terminal.types("plan", "aws", "--grants", "grants.yaml", code=2).stderr
    assert "must hold, by kind, a list of statements" in wrong
    Path("resources.yaml").write_text("channels: {default: nonsense}\n")
    wrong = terminal.types("plan", "aws", "--resources", "resources.yaml", code=2).stderr
    assert "channels.default" in wrong
    Path("broken.yaml").write_text("a: [")
    wrong = terminal.types("plan", "aws", "--resources", "broken.yaml", code=2).stderr
    assert "is neither YAML nor JSON" in wrong


def test_a_stack_is_exported_for_other_tools(terminal: Terminal) -> None:
    template = json.loads(terminal.types("export", "aws").stdout)
    assert template["Resources"]["HopsQueue"]["Type"] == "AWS::SQS::Queue"
    told = terminal.reads("export", "aws", "--format", "terraform", "--out", "crosswind.tf.json")
    assert told["file"] == "crosswind.tf.json"
    written = json.loads(Path("crosswind.tf.json").read_text())
    assert "HopsFunction" in written["resource"]["aws_lambda_function"]
    assert terminal.bench.left() == {}


def test_an_exported_template_is_one_that_cloudformation_applies(terminal: Terminal) -> None:
    """As a pipeline of a team's own would."""
    terminal.types("export", "aws", "--out", "template.json")
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="artifacts-of-a-team")
    s3.upload_file(
        "dist/hops-aws-test.zip",
        "artifacts-of-a-team",
        f"artifacts/{terminal.digests['first']}.zip",
    )
    formation = boto3.client("cloudformation")
    formation.create_stack(
        StackName="crosswind-hops",
        TemplateBody=Path("template.json").read_text(),
        Parameters=[{"ParameterKey": "ArtifactBucket", "ParameterValue": "artifacts-of-a-team"}],
        Capabilities=["CAPABILITY_IAM"],
    )
    formation.get_waiter("stack_create_complete").wait(
        StackName="crosswind-hops", WaiterConfig={"Delay": 1}
    )
    assert terminal.bench.ends(terminal.bench.ask("1", hops=2), "completed")


def test_every_example_of_the_help_does_what_it_says(terminal: Terminal) -> None:
    terminal.types("apply", "aws", "--yes")
    terminal.types("apply", "aws", "--memory", "1024", "--yes")
    examples = [line for one in stack.commands.values() for _, line in examples_of(one)]
    for line in [*(one for one in examples if "remove" not in one), *removing(examples)]:
        line, _, _ = line.partition(" > ")  # what a shell would do with it
        words = line.removeprefix("crosswind stack ").replace("ARTIFACT", "hops-aws-test")
        words = words.replace("DIGEST", terminal.digests["first"][:8])
        words = words.replace("NAME", "crosswind-hops").replace("crosswind-ops", "crosswind-hops")
        asks = words.startswith(("apply", "rollback", "remove")) and "--yes" not in words
        code = USAGE if asks else 0
        if words == "rollback aws":
            code = NOTHING  # both releases are of one artifact
        if words == "apply aws" or words == "rollback aws " + terminal.digests["first"][:8]:
            words += " --yes"  # nobody sits at this terminal
            code = 0
        terminal.types(*shlex.split(words), code=code)
    assert terminal.bench.left() == {}


def examples_of(command: click.Command) -> Sequence[tuple[str, str]]:
    assert isinstance(command, Teaching)
    return command.examples


def removing(examples: list[str]) -> list[str]:
    return [one for one in examples if "remove" in one]
