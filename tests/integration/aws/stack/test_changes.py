"""What happens to a stack that stands: changed, drained, returned, taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import boto3
import pytest

from contract.aws_stack import eventually
from contract.proxy import Fault, FaultyProxy, Request, Say
from crosswind.stacks.driver import Busy, Denied, Reverted, Sizing, StackError
from crosswind_aws.stack.aws import Aws
from crosswind_aws.stack.deployed import AwsStack
from crosswind_aws.stack.draining import QUIET
from crosswind_local.aws_sites import AwsSite
from integration.aws.stack.bench import Bench


def queues() -> set[str]:
    return {
        url.rpartition("/")[2].removeprefix("crosswind-hops-")
        for url in boto3.client("sqs").list_queues()["QueueUrls"]
    }


def rules() -> set[str]:
    found = boto3.client("events").list_rules(EventBusName="crosswind-hops")["Rules"]
    return {rule["Name"] for rule in found}


def test_a_group_that_leaves_the_app_goes_in_two_steps(bench: Bench) -> None:
    bench.apply(bench.artifacts.first)
    sqs = boto3.client("sqs")
    audit = sqs.get_queue_url(QueueName="crosswind-hops-audit")["QueueUrl"]
    sqs.send_message(QueueUrl=audit, MessageBody="{}", DelaySeconds=600)

    plan = bench.plan(bench.artifacts.second)
    assert [one.group for one in plan.waiting] == ["audit"]
    assert {one.resource for one in plan.changes if one.action == "remove"} == {"AuditRule0"}
    bench.apply(bench.artifacts.second)
    assert rules() == {"crosswind-hops-hops-0"}
    assert queues() == {"hops", "hops-dead", "audit", "audit-dead"}
    assert [part.group for part in bench.stack.status().parts if part.draining] == ["audit"]

    # Something may still be on its way; then a message waits; then nothing does.
    assert "may still be on its way" in bench.plan(bench.artifacts.second).waiting[0].reason
    bench.site.let_pass(QUIET)
    (waiting,) = bench.plan(bench.artifacts.second).waiting
    assert waiting.messages == 1
    sqs.purge_queue(QueueUrl=audit)

    plan = bench.plan(bench.artifacts.second)
    assert plan.waiting == ()
    assert {one.action for one in plan.changes if one.group == "audit"} == {"remove"}
    bench.apply(bench.artifacts.second)
    assert queues() == {"hops", "hops-dead"}
    assert [part.group for part in bench.stack.status().parts] == ["hops"]
    chain = bench.ask("1", hops=3)
    assert bench.ends(chain, "completed")


def test_a_function_that_drains_keeps_the_code_that_knows_its_group(bench: Bench) -> None:
    first = bench.apply(bench.artifacts.first)
    second = bench.apply(bench.artifacts.second)
    digests = {part.group: part.digest for part in bench.stack.status().parts}
    assert digests == {"audit": first.digest, "hops": second.digest}
    assert bench.stack.status().troubles == ()


def test_the_change_set_and_the_comparison_say_the_same(bench: Bench) -> None:
    bench.apply(bench.artifacts.first)
    sizing = Sizing(memory=1024, retention=7)
    asked = bench.plan(bench.artifacts.second, sizing)
    compared = bench.plan(bench.artifacts.second, sizing, look_only=True)
    assert (asked.means, compared.means) == ("change set", "comparison")
    assert {(one.resource, one.action) for one in asked.changes if not one.indirect} == {
        (one.resource, one.action) for one in compared.changes
    }
    (memory,) = [
        difference
        for one in asked.changes
        if one.resource == "HopsFunction"
        for difference in one.differences
        if difference.path == "MemorySize"
    ]
    assert (memory.before, memory.after) == (512, 1024)


def test_planning_leaves_nothing_behind(bench: Bench) -> None:
    bench.apply(bench.artifacts.first)
    before, executed = bench.left(), change_sets()
    plan = bench.plan(bench.artifacts.second)
    assert plan.means == "change set"
    assert bench.left() == before
    assert change_sets() == executed
    assert len(bench.stack.history()) == 1


def change_sets() -> list[str]:
    found = Aws().cloudformation.list_change_sets(StackName="crosswind-hops")["Summaries"]
    return [one["ChangeSetId"] for one in found]


def test_whoever_may_only_look_sees_the_plan_as_well(
    bench: Bench, refusing: Callable[[], None]
) -> None:
    bench.apply(bench.artifacts.first)
    asked = bench.plan(bench.artifacts.second)
    refusing()
    looking = AwsStack("crosswind-hops", Aws(), clock=bench.site.now)
    plan = looking.plan(bench.request(bench.artifacts.second))
    assert plan.means == "comparison"
    assert "is not authorized to perform: cloudformation:CreateChangeSet" in plan.notes[0]
    assert {one.resource for one in plan.changes} == {
        one.resource for one in asked.changes if not one.indirect
    }


def test_whoever_may_not_deploy_is_told_which_right_is_missing_and_leaves_nothing(
    bench: Bench, refusing: Callable[[], None]
) -> None:
    refusing()
    deploying = AwsStack("crosswind-hops", Aws(), clock=bench.site.now)
    plan = deploying.plan(bench.request(bench.artifacts.first))
    with pytest.raises(Denied, match="not authorized to perform: cloudformation:CreateChangeSet"):
        deploying.apply(plan, bench.steps.append)
    assert bench.left() == {}


class Blind(FaultyProxy):
    """Lets nobody see the bucket of a stack."""

    def meet(self, request: Request) -> Fault:
        if request.path.startswith("/crosswind-hops-"):
            return Say(403, b"")
        return super().meet(request)


def test_whoever_may_not_see_the_bucket_sees_the_plan_and_that_something_may_be_unseen(
    bench: Bench, emulated: AwsSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.apply(bench.artifacts.first)
    assert emulated.url is not None
    with Blind(emulated.url) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        looking = AwsStack("crosswind-hops", Aws(), clock=bench.site.now)
        plan = looking.plan(bench.request(bench.artifacts.first, Sizing(memory=1024)))
        troubles = looking.status().troubles
    assert {one.resource for one in plan.changes if not one.indirect} == {
        "HopsFunction",
        "AuditFunction",
    }
    for told in (plan.notes, troubles):
        assert any("whether an apply was stopped cannot be seen" in one for one in told)


def test_a_first_deployment_that_fails_leaves_nothing_and_says_why(bench: Bench) -> None:
    events = boto3.client("events")
    events.create_event_bus(Name="crosswind-hops")
    with pytest.raises(Reverted, match=r"nothing was deployed: AppBus: .*already exists"):
        bench.apply(bench.artifacts.first)
    assert bench.left() == {"buses": ["crosswind-hops"]}
    events.delete_event_bus(Name="crosswind-hops")
    bench.apply(bench.artifacts.first)


def test_a_change_that_fails_is_taken_back_and_the_history_says_why(bench: Bench) -> None:
    first = bench.apply(bench.artifacts.first)
    before = bench.left()
    second = bench.request(bench.artifacts.second).release.digest
    boto3.client("s3").put_object(
        Bucket=f"crosswind-hops-{bench.account}-us-east-1",
        Key=f"artifacts/{second}.zip",
        Body=b"whoever has put this here, it is no artifact",
    )
    why = r"everything stands as before: HopsFunction: .*Could not unzip"
    with pytest.raises(Reverted, match=why):
        bench.apply(bench.artifacts.second)

    status = bench.stack.status()
    assert status.state == "UPDATE_ROLLBACK_COMPLETE"
    assert {part.digest for part in status.parts} == {status.digest} == {first.digest}
    assert status.troubles == ()
    assert bench.left() == before
    assert [one.outcome for one in bench.stack.history()] == ["applied", "reverted"]
    assert "Could not unzip" in bench.stack.history()[1].why
    assert any(step.failed and step.resource == "HopsFunction" for step in bench.steps)
    assert bench.ends(bench.ask("1", hops=2), "completed")


def test_a_release_is_returned_to_by_its_digest(bench: Bench) -> None:
    second = bench.apply(bench.artifacts.second)
    first = bench.apply(bench.artifacts.first)
    plan = bench.stack.plan_return(second.digest[:8])
    assert (plan.before, plan.digest) == (first.digest, second.digest)
    returned = bench.stack.apply(plan, bench.steps.append)
    assert (returned.digest, returned.rollback) == (second.digest, True)
    digests = {part.group: part.digest for part in bench.stack.status().parts}
    assert digests == {"hops": second.digest, "audit": first.digest}

    plan = bench.stack.plan_return(None)
    assert plan.digest == first.digest
    assert [one.digest for one in bench.stack.history()] == [
        second.digest,
        first.digest,
        second.digest,
    ]


def test_other_code_of_the_same_handlers_is_a_release_and_the_same_artifact_is_nothing_to_do(
    bench: Bench, tmp_path: Path
) -> None:
    first = bench.apply(bench.artifacts.first)
    assert bench.plan(bench.artifacts.first).is_empty
    other = recoded(bench.artifacts.first, tmp_path / "other.zip")

    plan = bench.plan(other)
    assert {one.type for one in plan.changes if not one.indirect} == {"AWS::Lambda::Function"}
    assert {one.path for change in plan.changes for one in change.differences} == {"Code.S3Key"}
    second = bench.apply(other)
    assert second.digest != first.digest
    assert [one.digest for one in bench.stack.history()] == [first.digest, second.digest]
    assert {part.digest for part in bench.stack.status().parts} == {second.digest}
    assert bench.plan(other).is_empty
    assert bench.stack.plan_return(None).digest == first.digest


def recoded(artifact: Path, out: Path) -> Path:
    """The artifact with one more comment in its code."""
    with ZipFile(artifact) as old, ZipFile(out, "w") as new:
        for entry in old.infolist():
            more = b"# Said once more.\n" if entry.filename == "hops.py" else b""
            new.writestr(entry, old.read(entry) + more)
    return out


def test_another_app_does_not_take_over_a_stack(bench: Bench) -> None:
    bench.apply(bench.artifacts.first)
    plan = bench.plan(bench.artifacts.failover, share_fate=True)
    assert any("the stack has app hops in it" in one for one in plan.refusals)
    with pytest.raises(StackError, match="the stack has app hops in it"):
        bench.stack.apply(plan, bench.steps.append)


def test_a_stack_that_is_not_ours_is_left_alone(bench: Bench) -> None:
    formation = Aws().cloudformation
    formation.create_stack(
        StackName="crosswind-hops",
        TemplateBody='{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}',
    )
    formation.get_waiter("stack_create_complete").wait(
        StackName="crosswind-hops", WaiterConfig={"Delay": 1}
    )
    with pytest.raises(StackError, match="was not made by this version of Crosswind"):
        bench.plan(bench.artifacts.first)


def test_only_the_plan_that_was_made_last_is_applied(bench: Bench) -> None:
    early = bench.plan(bench.artifacts.first)
    bench.plan(bench.artifacts.second)
    with pytest.raises(StackError, match="plan again"):
        bench.stack.apply(early, bench.steps.append)


def test_an_endpoint_that_does_not_answer_is_worth_another_try(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(Busy, match="cannot be asked to look at stack"):
        AwsStack("crosswind-hops", Aws()).plan(bench.request(bench.artifacts.first))


def test_removal_waits_for_nobody_and_can_be_repeated_where_it_was_interrupted(
    bench: Bench,
) -> None:
    bench.apply(bench.artifacts.first)
    Aws().cloudformation.delete_stack(StackName="crosswind-hops")
    assert eventually(lambda: not queues_left())
    assert set(bench.left()) == {"buckets"}
    bench.remove()
    assert bench.left() == {}


def queues_left() -> bool:
    return bool(boto3.client("sqs").list_queues().get("QueueUrls"))
