"""The template of an app."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from crosswind import App, Context, Event
from crosswind.chains.failover import failover_app
from crosswind.stacks.driver import Sizing
from crosswind.stacks.release import NotDeployable
from crosswind_aws.deployment import BATCH, Deployment
from crosswind_aws.stack.comparison import compare
from crosswind_aws.stack.template import Template, about, written
from crosswind_events import RegionUnhealthy
from crosswind_events.catalogue.schedule import Tick
from unit.aws.stack.apps import ops, purging
from unit.aws.stack.releases import DIGEST, RESOURCES, STACK, made

LEAST = 4


def of_type(made: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {
        name: one["Properties"] for name, one in made["Resources"].items() if one["Type"] == kind
    }


def references(value: Any) -> Iterator[str]:
    """The resources that a value refers to."""
    if isinstance(value, dict):
        if "Ref" in value:
            yield value["Ref"]
        elif "Fn::GetAtt" in value:
            yield value["Fn::GetAtt"][0]
        else:
            for one in value.values():
                yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)


def test_each_group_has_a_function_with_two_queues_that_feed_it() -> None:
    functions = of_type(made(ops()), "AWS::Lambda::Function")
    assert set(functions) == {"OpsFunction", "DeskFunction", "ClockFunction"}
    feeds = of_type(made(ops()), "AWS::Lambda::EventSourceMapping")
    assert feeds["OpsFeed"]["EventSourceArn"] == {"Fn::GetAtt": ["OpsQueue", "Arn"]}
    assert feeds["OpsBurial"]["EventSourceArn"] == {"Fn::GetAtt": ["OpsDead", "Arn"]}
    for feed in feeds.values():
        assert feed["BatchSize"] == BATCH
        assert feed["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_names_of_queues_are_those_that_a_function_derives() -> None:
    queues = of_type(made(ops()), "AWS::SQS::Queue")
    deployment = Deployment("ops", STACK, STACK, f"arn:aws:sqs:us-east-1:123456789012:{STACK}-")
    for group, name in (("ops", "Ops"), ("desk", "Desk"), ("clock", "Clock")):
        assert deployment.queue(group).endswith(":" + queues[f"{name}Queue"]["QueueName"])
        assert deployment.dead_letters(group).endswith(":" + queues[f"{name}Dead"]["QueueName"])


def test_the_function_is_told_what_it_reads() -> None:
    told = of_type(made(ops()), "AWS::Lambda::Function")["OpsFunction"]["Environment"]["Variables"]
    assert {name: value if isinstance(value, str) else "" for name, value in told.items()} | {
        "CROSSWIND_GROUP": told["CROSSWIND_GROUP"]
    } == {
        "CROSSWIND_BUS": "",
        "CROSSWIND_GROUP": "ops",
        "CROSSWIND_QUEUES": "",
        "CROSSWIND_SCHEDULER_ROLE": "",
        "CROSSWIND_SCHEDULES": "",
        "CROSSWIND_TABLE": "",
    }


def test_a_message_is_delivered_more_often_than_a_batch_is_long() -> None:
    for name, queue in of_type(made(ops()), "AWS::SQS::Queue").items():
        if name.endswith("Queue"):
            assert queue["RedrivePolicy"]["maxReceiveCount"] == 2 * BATCH


@pytest.mark.parametrize("timeout", [1, 30, 900])
def test_a_queue_hides_what_was_received_for_six_times_the_function_timeout(timeout: int) -> None:
    queues = of_type(made(ops(), Sizing(timeout=timeout)), "AWS::SQS::Queue")
    assert {queue["VisibilityTimeout"] for queue in queues.values()} == {6 * timeout}


def test_pollers_together_use_no_more_than_is_reserved() -> None:
    found = made(ops(), Sizing(concurrency=LEAST))
    assert (
        of_type(found, "AWS::Lambda::Function")["OpsFunction"]["ReservedConcurrentExecutions"]
        == LEAST
    )
    feeds = of_type(found, "AWS::Lambda::EventSourceMapping")
    most = [feeds[name]["ScalingConfig"]["MaximumConcurrency"] for name in ("OpsFeed", "OpsBurial")]
    assert sum(most) == LEAST
    assert min(most) >= 2


def test_nothing_is_reserved_where_that_is_asked_for() -> None:
    found = made(ops(), Sizing(concurrency=None))
    assert "ReservedConcurrentExecutions" not in written(found)
    assert "ScalingConfig" not in of_type(found, "AWS::Lambda::EventSourceMapping")["OpsFeed"]


def test_a_rule_comes_after_the_policy_that_lets_it_send_and_has_a_dead_letter_target() -> None:
    found = made(ops())
    rules = [one for one in found["Resources"].values() if one["Type"] == "AWS::Events::Rule"]
    assert rules
    for rule in rules:
        (policy,) = rule["DependsOn"]
        (target,) = rule["Properties"]["Targets"]
        assert target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0] == policy.replace(
            "Policy", "Dead"
        )
        named = rule["Properties"]["Name"]
        allowed = found["Resources"][policy]["Properties"]["PolicyDocument"]["Statement"][0]
        arns = [one["Fn::Sub"] for one in allowed["Condition"]["ArnEquals"]["aws:SourceArn"]]
        bus = f"{STACK}/" if "EventBusName" in rule["Properties"] else ""
        assert sum(arn.endswith(f":rule/{bus}{named}") for arn in arns) == 1


def test_native_signals_come_to_one_group_alone_as_they_are() -> None:
    rules = of_type(made(ops()), "AWS::Events::Rule")
    native = {name: rule for name, rule in rules.items() if "EventBusName" not in rule}
    assert set(native) == {"AppHealthRule", "AppAlarmRule"}
    assert all("InputPath" not in rule["Targets"][0] for rule in native.values())
    assert hearers(made(ops())) == {"DeskQueue"}


def hearers(template: Template) -> set[str]:
    """The queues to which native signals go."""
    return {
        rule["Targets"][0]["Arn"]["Fn::GetAtt"][0]
        for rule in of_type(template, "AWS::Events::Rule").values()
        if "EventBusName" not in rule
    }


def test_whoever_deploys_says_which_group_hears_native_signals() -> None:
    assert hearers(made(ops(), signals="clock")) == {"ClockQueue"}
    assert hearers(made(ops(), signals="none")) == set()
    with pytest.raises(NotDeployable, match=r"--signals dusk: there is no such group; there are:"):
        made(ops(), signals="dusk")


def test_a_rule_for_native_signals_keeps_its_name_when_another_group_hears_them() -> None:
    """Made anew it would find its name taken, and the change would fail."""
    before, after = made(ops(), signals="ops"), made(ops(), signals="clock")
    changed = {one.resource: one.action for one in compare(before, after)}
    assert changed == {
        "AppHealthRule": "change",
        "AppAlarmRule": "change",
        "OpsPolicy": "change",
        "ClockPolicy": "change",
    }


def test_alarms_of_the_stack_itself_are_no_evidence() -> None:
    alarm = of_type(made(ops()), "AWS::Events::Rule")["AppAlarmRule"]
    own = of_type(made(ops()), "AWS::CloudWatch::Alarm")
    (passed,) = alarm["EventPattern"]["detail"]["alarmName"]
    assert all(
        one["AlarmName"].startswith(passed["anything-but"]["prefix"]) for one in own.values()
    )


def test_an_app_that_does_not_care_for_regions_hears_no_native_signals() -> None:
    app = App("quiet")

    @app.schedule(every=60.0, name="look")
    def look(event: Event[Tick], ctx: Context) -> None: ...

    assert "aws.health" not in written(made(app))


def test_each_group_has_alarms_for_age_and_dead_letters_that_tell_whom_they_are_to() -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:oncall"
    alarms = of_type(made(ops(), Sizing(notify=(topic,), max_age=60)), "AWS::CloudWatch::Alarm")
    assert set(alarms) == {
        f"{group}{kind}Alarm"
        for group in ("Ops", "Desk", "Clock")
        for kind in ("Age", "Letters", "Burial")
    }
    assert all(alarm["AlarmActions"] == [topic] for alarm in alarms.values())
    assert alarms["OpsAgeAlarm"]["Threshold"] == 60


def test_everything_that_bears_tags_says_whose_it_is() -> None:
    for name, one in made(ops())["Resources"].items():
        if one["Type"] in ("AWS::SQS::QueuePolicy", "AWS::Scheduler::Schedule"):
            continue
        told = {tag["Key"]: tag["Value"] for tag in one["Properties"]["Tags"]}
        assert told["crosswind:app"] == "ops", name
        assert ("crosswind:group" in told) == (not name.startswith("App")), name


def test_the_template_says_of_itself_what_it_was_made_from() -> None:
    said = about(json.loads(written(made(ops()))))
    assert (said["app"], said["digest"]) == ("ops", DIGEST)
    assert said["groups"]["ops"] == {"takes": [RegionUnhealthy.event_type], "handlers": ["move"]}


def test_every_reference_leads_to_a_resource() -> None:
    for app in (ops(), failover_app(), purging()):
        found = made(app)
        known = {*found["Resources"], *found["Parameters"], "AWS::AccountId"}
        assert set(references(found)) <= known


def test_a_function_that_loops_through_queues_on_purpose_is_not_stopped_for_it() -> None:
    for function in of_type(made(ops()), "AWS::Lambda::Function").values():
        assert function["RecursiveLoop"] == "Allow"


def test_what_holds_state_is_never_replaced_in_silence() -> None:
    table = made(ops())["Resources"]["AppTable"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Delete", "Retain")


def test_the_same_app_makes_the_same_template() -> None:
    assert written(made(failover_app())) == written(made(failover_app()))


def test_every_reason_why_an_app_cannot_be_deployed_is_given_at_once() -> None:
    app = App("wrong")

    @app.on(name="move", group="g" * 61)
    def move(event: Event[RegionUnhealthy], ctx: Context) -> None: ...

    with pytest.raises(NotDeployable) as refused:
        made(app, Sizing(memory=1, timeout=901, concurrency=3, retention=2))
    for words in ("is no part of a queue's name", "--memory 1", "--timeout 901",
                  "--concurrency 3", "--retention 2"):  # fmt: skip
        assert words in str(refused.value)


def test_a_stack_whose_queues_would_have_names_too_long_is_refused() -> None:
    with pytest.raises(NotDeployable, match="shorter name with --stack"):
        made(ops(), stack="s" * 74)


@pytest.mark.parametrize("stack", ["", "1st", "with space", "under_score"])
def test_a_stack_has_a_name_that_cloudformation_takes(stack: str) -> None:
    with pytest.raises(NotDeployable, match="is no name for a stack"):
        made(ops(), stack=stack)


def test_schedules_that_aws_cannot_keep_are_refused_with_what_it_can() -> None:
    app = App("wrong")

    @app.schedule(every=7.0, name="odd")
    def odd(event: Event[Tick], ctx: Context) -> None: ...

    with pytest.raises(NotDeployable, match="use a whole number of minutes"):
        made(app)


def test_resources_are_declared_or_no_rights_are_given() -> None:
    bound, unbound = made(ops(), resources=RESOURCES), made(ops())
    assert "ecs:UpdateService" in written(bound)
    assert "ecs:UpdateService" not in written(unbound)
    counted = Counter(one["Type"] for one in bound["Resources"].values())
    assert counted == Counter(one["Type"] for one in unbound["Resources"].values())
