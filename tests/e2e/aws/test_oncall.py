"""A deployed app in the hands of whoever is on call, by the commands that work on a file as well.

What is deployed is `production`, whose fleet here asks before a plan is accepted. Evidence comes in
as in `test_production`; everything else is typed.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple

import boto3
import pytest
import yaml
from botocore.exceptions import ClientError

from contract.aws_stack import eventually
from crosswind.records.identity import chain_id
from crosswind_aws.deployment import DELIVERIES
from crosswind_local.aws_sites import AwsSite
from e2e.aws.conftest import HOME, TIMEOUT
from e2e.aws.estate import Estate, serving
from e2e.aws.oncall import OnCall
from e2e.aws.production.ops import Filed
from e2e.aws.terminal import Terminal, project
from e2e.aws.watching import SOURCE, STACK, Watch
from integration.aws.performers.wire import Wire, json_error

OURS: Final = ("--app", "ops:app")
LETTERS: Final = ("dlq", "list", "--since", "1h", *OURS)
RECOVERED: Final = {"region": "aws/us-east-1", "evidence": "operator", "reason": "it is well"}
ROOT: Final = "arn:aws:iam::{account}:root"


class Duty(NamedTuple):
    """A deployed app, and who is on call for it."""

    site: AwsSite
    watch: Watch
    account: str
    person: OnCall
    stranger: OnCall
    """Somebody with the same credentials, in a folder that has nothing of the app."""


@pytest.fixture(scope="module")
def duty(
    local_aws: AwsSite,
    aws_module_account: str,
    wheels: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Duty]:
    """The app of `production`, which asks before a plan is accepted."""
    if local_aws.is_real:
        pytest.skip("records, services and metrics of a real account are not for tests to make")
    account = aws_module_account
    place = local_aws.env(account, HOME)
    tmp = tmp_path_factory.mktemp("duty")
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        for name, value in place.items():
            patch.setenv(name, value)
        estate = Estate(stack.enter_context(serving()))
        folder = project(tmp / "ops")
        fleet = yaml.safe_load((folder / "fleet.yaml").read_text())
        fleet["modes"] = {
            "default": "act",
            "kinds": {"register.*": "propose"},
            "approvers": [{"who": "arn:aws:*"}],
        }
        (folder / "fleet.yaml").write_text(yaml.safe_dump(fleet))
        terminal = Terminal(folder, wheels, place)
        estate.declare(folder)
        terminal.package()
        terminal.applies(TIMEOUT)
        elsewhere = tmp / "elsewhere"
        elsewhere.mkdir()
        data = f"aws:{STACK}"
        yield Duty(
            local_aws,
            Watch(account),
            account,
            OnCall(folder, place, data),
            OnCall(elsewhere, place, data),
        )


def waits(text: str) -> Any:
    return lambda chains: any(text in one["waits"] for one in chains)


def test_a_failover_is_frozen_let_go_approved_and_told(duty: Duty) -> None:
    person, stranger = duty.person, duty.stranger
    root = ROOT.format(account=duty.account)

    # The brake needs neither the app nor its fleet: the stack knows which fleet it has.
    frozen = stranger.reads("freeze", "--for", "1h", "--reason", "the quarter is being closed")
    assert (frozen["fleet"], frozen["by"]) == ("production", root)

    duty.watch.notices()
    report = json.dumps(
        {"region": "aws/us-east-1", "evidence": "probe", "vantage": "home", "reason": "no answers"}
    )
    told = person.reads(
        "publish", "region.unhealthy", *OURS, "--data-json", report, "--subject", "aws/us-east-1"
    )
    assert told["worked"] == []
    (held,) = [
        one
        for one in person.sees(waits("the quarter is being closed"), "chains", "--open", *OURS)
        if one["target"] == "aws/us-east-1"
    ]
    assert stranger.reads("freeze", "--end") == {"ended": True}

    duty.site.let_pass(60)
    found = person.sees(waits("approval of register."), "chains", "--open", *OURS)
    assert held["chain"] in [one["chain"] for one in found if one["waits"].startswith("approval")]
    traced = person.reads("trace", held["chain"], *OURS)
    assert traced["chain"] == held["chain"]
    shown = person.says("trace", held["chain"][:8], *OURS)
    assert "the quarter is being closed" not in shown
    assert "approval is" in shown

    answered = person.reads(
        "approve", held["chain"], *OURS, "--all", "--yes", "--reason", "seen it"
    )
    assert {(one["outcome"], one["by"]) for one in answered["answers"]} == {("granted", root)}
    done = person.sees(
        lambda chains: any(one["outcome"] == "completed" for one in chains), "chains", *OURS
    )
    assert any(one["chain"] == held["chain"] for one in done)

    reported = person.reads("report", "--shadow", *OURS, "--since", "1d")
    # It was no shadow: what is reported of it is that the app itself has acted.
    assert reported["acted"] >= 1
    assert reported["failovers"] == []


def test_what_no_chain_could_take_is_listed_shown_and_put_aside(duty: Duty) -> None:
    person = duty.person
    duty.watch.put_raw(['{"specversion": "1.0", "type": "com.example.filed.v1", "id": "no form"}'])

    (parked,) = desks(person.sees(desks, *LETTERS))
    assert parked["kind"] == "parked"
    assert "no form" in person.reads("dlq", "show", parked["id"][:8], *OURS)["body"]
    refused = person.says("dlq", "redrive", parked["id"][:8], *OURS, code=1)
    assert "it would be parked again" in refused
    put_aside = person.reads(
        "dlq", "discard", parked["id"][:8], *OURS, "--reason", "of the old site", "--yes"
    )

    assert put_aside["by"] == ROOT.format(account=duty.account)
    assert not desks(person.reads(*LETTERS, "--all"), discarded=False)
    (kept,) = desks(person.reads(*LETTERS, "--all"))
    assert kept["discarded"] == f"by {put_aside['by']}: of the old site"


def test_what_lies_in_a_queue_of_dead_letters_is_seen_as_often_as_wanted_and_sent_again(
    duty: Duty,
) -> None:
    person = duty.person
    with duty.watch.unfed("desk", dead=True):
        duty.watch.put([(Filed(), "lost"), (Filed(), "unwanted")])
        # As if the function could not be started: what it is handed always comes back.
        give_up(2)
        for _ in range(3):
            lying = desks(person.reads(*LETTERS))
            assert [one["kind"] for one in lying] == ["queued"] * 2
            assert {one["type"] for one in lying} == {Filed.event_type}
        shown = [person.reads("dlq", "show", one["id"][:12], *OURS) for one in lying]
        (lost,) = [one["id"] for one in shown if '"lost"' in one["body"]]
        (unwanted,) = [one["id"] for one in shown if '"unwanted"' in one["body"]]

        # Who has nothing of the app can look and put aside as well.
        stranger = duty.stranger
        stranger.reads("dlq", "discard", unwanted[:12], "--reason", "a joke", "--yes")
        left = desks(stranger.reads("dlq", "list", "--since", "1h"))
        assert [one["id"] for one in left] == [lost]
        assert person.reads("dlq", "redrive", lost[:12], *OURS)["redriven"] == lost
        assert not desks(person.reads(*LETTERS, "--all"), discarded=False)
        assert duty.watch.depth("desk", dead=True) == 0
        assert duty.watch.depth("desk") == 1

    assert eventually(lambda: duty.watch.outcome("lost") == "completed", 60.0)
    assert duty.watch.outcome("unwanted") is None
    aside = [one["discarded"] for one in desks(person.reads(*LETTERS, "--all"))]
    assert f"by {ROOT.format(account=duty.account)}: a joke" in aside


def test_a_run_that_was_given_up_is_redriven_by_its_function(duty: Duty) -> None:
    person = duty.person
    duty.watch.put([(Filed(fails=True), "failing")])
    (failed,) = desks(person.sees(desks, *LETTERS))
    assert (failed["kind"], failed["handler"]) == ("run", "answer")
    assert "is a failed run" in person.says(
        "dlq", "discard", failed["id"][:12], *OURS, "--reason", "no", "--yes", code=1
    )

    before = len(person.reads("dlq", "show", failed["id"][:12], *OURS)["attempts"])
    assert person.reads("dlq", "redrive", failed["id"][:12], *OURS)["redriven"] == failed["id"]

    # It fails again, with as many attempts as before.
    again = person.sees(
        lambda found: len(found["attempts"]) > before,
        "dlq", "show", failed["id"][:12], *OURS,
    )  # fmt: skip
    assert again["chain"] == failed["chain"]


def test_a_glass_that_is_broken_opens_an_incident_which_a_person_closes(duty: Duty) -> None:
    person = duty.person
    person.reads("break-glass", *OURS, "--for", "5m", "--reason", "nobody answers")
    (incident,) = [
        one
        for one in person.sees(
            lambda several: any("broken the glass" in one["title"] for one in several),
            "incident", "list", "--open", *OURS,
        )
        if "broken the glass" in one["title"]
    ]  # fmt: skip
    assert person.reads("break-glass", *OURS, "--end") == {"ended": True}
    assert "nobody answers" in person.says("incident", "show", incident["id"][:8], *OURS)
    person.reads(
        "incident", "resolve", incident["id"][:8], *OURS, "--reason", "they were on a train"
    )
    resolved = person.sees(
        lambda several: any(one["state"] == "resolved" for one in several),
        "incident", "list", *OURS,
    )  # fmt: skip
    assert incident["id"] in [one["id"] for one in resolved]


ASKED: Final = {
    "BatchGetItem": "dynamodb:BatchGetItem",
    "ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "DeleteMessage": "sqs:DeleteMessage",
    "DescribeStacks": "cloudformation:DescribeStacks",
    "GetItem": "dynamodb:GetItem",
    "PutEvents": "events:PutEvents",
    "PutItem": "dynamodb:PutItem",
    "Query": "dynamodb:Query",
    "ReceiveMessage": "sqs:ReceiveMessage",
    "Scan": "dynamodb:Scan",
    "SendMessageBatch": "sqs:SendMessage",
    "TransactWriteItems": "dynamodb:PutItem",
}
"""Requests, and the right that each needs; a transaction needs those of its parts."""


@pytest.mark.parametrize(
    "words",
    [
        ("trace", *OURS),
        ("chains", *OURS),
        (*LETTERS, "--all"),
        ("incident", "list", *OURS),
        ("report", "--shadow", "--since", "2d", *OURS),
        ("fleet", "show"),
        ("fleet", "history"),
    ],
    ids=lambda words: words[0],
)
def test_whoever_looks_needs_no_more_than_a_reader_may_and_scans_no_table(
    duty: Duty, wire: Wire, words: tuple[str, ...]
) -> None:
    duty.watch.put([(Filed(), "looked at")])
    assert eventually(lambda: duty.watch.outcome("looked at") == "completed", 60.0)
    done = duty.person.ran(*words, env={"AWS_ENDPOINT_URL": wire.url})
    assert done.returncode in (0, 3), done.stderr
    assert needed(wire) <= granted(duty, "reader")
    assert wire.count("Scan") == 0


def test_a_chain_is_traced_by_as_many_reads_however_many_there_are(duty: Duty, wire: Wire) -> None:
    duty.watch.put([(Filed(), f"one of many {n}") for n in range(8)])
    assert eventually(lambda: duty.watch.outcome("one of many 7") == "completed", 60.0)
    chain = chain_id(SOURCE, "one of many 7")
    done = duty.person.ran("trace", chain, *OURS, "--json", env={"AWS_ENDPOINT_URL": wire.url})
    assert json.loads(done.stdout)["chain"] == chain
    assert len(wire.asked) <= 5, wire.asked
    replayed = duty.person.reads("replay", chain, *OURS)
    assert {one["verdict"] for one in replayed["runs"]} == {"same"}


def test_whoever_answers_needs_no_more_than_an_operator_may(duty: Duty, wire: Wire) -> None:
    through = {"AWS_ENDPOINT_URL": wire.url}
    for words in (
        ("freeze", "--reason", "a rehearsal", "--for", "1m"),
        ("freeze", "--end"),
        ("publish", "region.recovered", *OURS, "--data-json", json.dumps(RECOVERED)),
    ):
        done = duty.person.ran(*words, env=through)
        assert done.returncode == 0, done.stderr
    assert "PutEvents" in wire.asked
    assert "PutItem" in wire.asked
    assert needed(wire) <= granted(duty, "operator")
    assert not needed(wire) <= granted(duty, "reader")


def test_a_reader_who_may_not_look_into_queues_is_told_and_sees_the_rest(
    duty: Duty, wire: Wire
) -> None:
    wire.strike("ReceiveMessage", json_error("AccessDenied", "sqs:ReceiveMessage"), times=100)
    done = duty.person.ran(*LETTERS, "--all", env={"AWS_ENDPOINT_URL": wire.url})
    assert done.returncode in (0, 3), done.stderr
    assert "only what is in the table is listed" in done.stderr
    assert "sqs:ReceiveMessage" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("run", *OURS), 2, "there the functions of the stack work"),
        (("publish", "region.recovered", "--wait", "5s"), 2, "--wait is for work on this machine"),
        (("publish", "region.recovered", "--world", "w"), 2, "--world names processes of this"),
        (
            ("publish", "region.recovered", "--data-json", '{"region": "aws/us-east-1", '
             '"evidence": "operator", "reason": "well"}'),
            2,
            "runs app ops, and this is app failover; name the app",
        ),
        (("trace", *OURS, "--data", "aws:crosswind-none"), 3, "there is no stack crosswind-none"),
        (("trace", *OURS, "--data", "aws:bare"), 2, "was deployed by an older version"),
        (("trace", *OURS, "--data", f"aws:{STACK}@eu-west-3"), 3, "in aws/eu-west-3"),
    ],
    ids=["run", "wait", "world", "app", "missing", "bare", "region"],
)  # fmt: skip
def test_what_cannot_be_done_there_is_refused_with_what_to_do(
    duty: Duty, words: tuple[str, ...], code: int, said: str
) -> None:
    topic = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    with contextlib.suppress(ClientError):
        boto3.client("cloudformation").create_stack(
            StackName="bare", TemplateBody=json.dumps(topic)
        )
    assert said in duty.person.says(*words, code=code)


def test_whoever_is_not_signed_in_is_told_to_do_so(duty: Duty) -> None:
    nobody = {"AWS_ENDPOINT_URL": duty.person.place["AWS_ENDPOINT_URL"], "AWS_REGION": HOME}
    nobody |= {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(duty.stranger.folder)}
    stranger = OnCall(duty.stranger.folder, nobody, duty.stranger.data)
    assert "there are no credentials of AWS" in stranger.says("chains", code=2)


def desks(letters: list[Any], *, discarded: bool = True) -> list[Any]:
    """The dead letters of the group `desk`; other groups have work of their own meanwhile.

    Args:
        discarded: also those that were put aside.
    """
    own = [one for one in letters if one["group"] == "desk"]
    return own if discarded else [one for one in own if not one.get("discarded")]


def give_up(count: int) -> None:
    """Receive what is in the queue of the desk until SQS gives it up."""
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{STACK}-desk")["QueueUrl"]
    dead = sqs.get_queue_url(QueueName=f"{STACK}-desk-dead")["QueueUrl"]

    def is_dead() -> bool:
        for _ in range(DELIVERIES):
            sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        attributes = sqs.get_queue_attributes(
            QueueUrl=dead, AttributeNames=["ApproximateNumberOfMessages"]
        )["Attributes"]
        return int(attributes["ApproximateNumberOfMessages"]) == count

    assert eventually(is_dead, 60.0)


def needed(wire: Wire) -> set[str]:
    """The rights that it took to be answered."""
    return {ASKED[one] for one in wire.asked if one != "GetCallerIdentity"}


def granted(duty: Duty, role: str) -> set[str]:
    """The rights that a role has, by the policy that is printed."""
    printed = duty.person.says("stack", "rights", "aws", "--stack", STACK, "--for", role)
    policy = json.loads(printed)
    for statement in policy["Statement"]:
        assert not any(resource == "*" for resource in statement["Resource"])
    return {action for one in policy["Statement"] for action in one["Action"]}
