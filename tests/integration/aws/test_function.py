"""The function as Lambda calls it, with its table, its bus and its queue."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from contract.aws_stack import Stack
from crosswind import App, Context, Event
from crosswind.errors import DeclarationError
from crosswind.records.identity import RUN, chain_id, chain_partition
from crosswind.records.record import Record as Run
from crosswind_aws.function import Function, NotWorked, lambda_handler
from crosswind_events.catalogue.region import RegionUnhealthy
from unit.aws.payloads import EVENT, NOW, payload

CHAIN = chain_id("//probes.example.com/eu", EVENT)


class Invocation(LambdaContext):
    """What a function is told of its invocation.

    Args:
        left: seconds until it is ended.
    """

    def __init__(self, left: float) -> None:
        self._aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
        self._left = left

    def get_remaining_time_in_millis(self) -> int:  # type: ignore[override]  # static there
        return int(self._left * 1000)


@pytest.fixture
def app() -> App:
    app = App("ops")

    @app.on(name="note")
    def note(event: Event[RegionUnhealthy], ctx: Context) -> None:
        return None

    return app


@pytest.fixture
def stack(lay: Callable[..., Stack], app: App) -> Stack:
    return lay(app)


@pytest.fixture
def function(stack: Stack, app: App) -> Function:
    return lambda_handler(app, environ=stack.deployment("ops").to_env(), clock=lambda: NOW)


def call(function: Function, event: Any, left: float = 300.0) -> Any:
    return function(event, Invocation(left))


def runs(stack: Stack) -> list[Run]:
    return [Run.decode(item.value) for item in stack.store.scan(chain_partition(CHAIN), RUN)]


@pytest.mark.parametrize("name", ["sqs-event", "sqs-eventbridge", "sqs-sns-event"])
def test_what_was_worked_is_answered_as_no_failure(
    function: Function, stack: Stack, name: str
) -> None:
    assert call(function, payload(name)) == {"batchItemFailures": []}

    assert [run.state for run in runs(stack)] == ["committed"]


@pytest.mark.parametrize("name", ["sns-event", "eventbridge-event"])
def test_what_comes_without_a_queue_is_answered_with_nothing(
    function: Function, stack: Stack, name: str
) -> None:
    assert call(function, payload(name)) is None

    assert [run.state for run in runs(stack)] == ["committed"]


def test_a_mixed_batch_is_worked_whole(function: Function, stack: Stack) -> None:
    assert call(function, payload("sqs-mixed")) == {"batchItemFailures": []}

    assert [one.message[:4] for one in function.engine.parking.list()] in (
        ["2e14", "c80e"],
        ["c80e", "2e14"],
    )
    # The AWS Health notification is on the bus by now, as what it means.
    (record,) = stack.receive("ops")["Records"]
    assert json.loads(record["body"])["data"]["evidence"] == "provider"


class TestReturning:
    def test_what_cannot_be_begun_is_the_only_failure_and_comes_again_at_once(
        self, function: Function, stack: Stack, app: App
    ) -> None:
        event = json.dumps(json.loads(payload("sqs-event")["Records"][0]["body"]))
        queue = stack.deployment("ops").queue("ops")
        stack.sqs.send_message(QueueUrl=stack.urls[queue], MessageBody=event)
        batch = stack.receive("ops")

        answer = call(function, batch, left=0.0)

        assert answer == {
            "batchItemFailures": [{"itemIdentifier": batch["Records"][0]["messageId"]}]
        }
        stack.settle(batch, answer)
        (again,) = stack.receive("ops")["Records"]
        assert again["attributes"]["ApproximateReceiveCount"] == "2"

    def test_what_must_wait_is_hidden_for_as_long_as_it_asks(
        self, function: Function, stack: Stack
    ) -> None:
        unknown = json.loads(payload("sqs-event")["Records"][0]["body"])
        unknown = {**unknown, "type": "com.example.unknown.v1"}
        queue = stack.deployment("ops").queue("ops")
        stack.sqs.send_message(QueueUrl=stack.urls[queue], MessageBody=json.dumps(unknown))
        batch = stack.receive("ops")

        stack.settle(batch, call(function, batch))

        stack.site.let_pass(function.engine.settings.wait - 1)
        assert stack.receive("ops")["Records"] == []
        stack.site.let_pass(1)
        assert len(stack.receive("ops")["Records"]) == 1

    def test_the_answer_is_that_of_powertools_own_processor(self, function: Function) -> None:
        batch = payload("sqs-mixed")
        batch["Records"] = batch["Records"][:1]

        def fail(record: Any) -> None:
            raise ValueError

        processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
        theirs = process_partial_response(batch, fail, processor)

        assert call(function, batch, left=0.0) == theirs

    def test_without_a_queue_a_copy_is_sent_to_it(self, function: Function, stack: Stack) -> None:
        assert call(function, payload("eventbridge-event"), left=0.0) is None

        (record,) = stack.receive("ops")["Records"]
        assert json.loads(record["body"])["detail"]["id"] == EVENT
        call(function, {"Records": [record]})
        assert [run.state for run in runs(stack)] == ["committed"]

    def test_without_a_queue_that_takes_it_the_invocation_fails(
        self, function: Function, stack: Stack
    ) -> None:
        stack.sqs.delete_queue(QueueUrl=stack.urls[stack.deployment("ops").queue("ops")])

        with pytest.raises(NotWorked, match="no time left"):
            call(function, payload("eventbridge-event"), left=0.0)


def test_a_dead_letter_is_buried_where_its_queue_says_so(function: Function, stack: Stack) -> None:
    batch = payload("sqs-dead-letter")
    batch["Records"][0]["eventSourceARN"] = stack.deployment("ops").dead_letters("ops")

    assert call(function, batch) == {"batchItemFailures": []}

    assert [run.state for run in runs(stack)] == ["failed"]


def test_a_delayed_event_goes_back_to_the_queue_for_what_is_left(
    function: Function, stack: Stack
) -> None:
    batch = payload("sqs-later")
    body = batch["Records"][0]["body"]
    batch["Records"][0]["body"] = body.replace("1772370000.5", str(NOW + 30))

    assert call(function, batch) == {"batchItemFailures": []}

    stack.site.let_pass(29)
    assert stack.receive("ops")["Records"] == []
    stack.site.let_pass(2)
    (record,) = stack.receive("ops")["Records"]
    assert json.loads(record["body"])["id"] == EVENT


class TestUrl:
    @pytest.mark.parametrize("name", ["url-structured", "url-structured-base64", "url-binary"])
    def test_an_event_over_http_is_on_the_bus_when_it_is_answered(
        self, function: Function, stack: Stack, name: str
    ) -> None:
        answer = call(function, payload(name))

        assert answer["statusCode"] == 202
        assert json.loads(answer["body"]) == {"accepted": [EVENT]}
        (record,) = stack.receive("ops")["Records"]
        event = json.loads(record["body"])
        assert (event["id"], event["subject"]) == (EVENT, "aws/us-east-1")
        assert event["data"]["workload"] == "chat"

    def test_of_a_batch_the_bad_record_alone_is_refused_with_its_faults(
        self, function: Function, stack: Stack
    ) -> None:
        answer = call(function, payload("url-batch"))

        told = json.loads(answer["body"])
        assert answer["statusCode"] == 400
        assert len(told["accepted"]) == 2
        assert [(one["record"], one["faults"][0]["where"]) for one in told["refused"]] == [
            (1, "time")
        ]
        assert len(stack.receive("ops")["Records"]) == 2

    def test_a_notification_by_webhook_is_translated(
        self, function: Function, stack: Stack
    ) -> None:
        answer = call(function, payload("url-health"))

        assert answer["statusCode"] == 202
        (record,) = stack.receive("ops")["Records"]
        assert json.loads(record["body"])["data"]["evidence"] == "provider"

    @pytest.mark.parametrize("body", ["", "{", "not JSON", '{"specversion":"1.0"}', "\ud800"])
    def test_what_cannot_be_read_is_refused_with_its_faults(
        self, function: Function, stack: Stack, body: str
    ) -> None:
        request = {**payload("url-structured"), "body": body}

        answer = call(function, request)

        assert answer["statusCode"] == 400
        assert json.loads(answer["body"])["refused"][0]["faults"]
        assert stack.receive("ops")["Records"] == []

    def test_a_bus_that_takes_nothing_is_answered_so_that_it_is_sent_again(
        self, function: Function, stack: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            function.bus, "_events", boto3.client("events", endpoint_url="http://127.0.0.1:9")
        )

        answer = call(function, payload("url-structured"))

        assert answer["statusCode"] == 503
        assert answer["headers"]["Retry-After"] == "1"
        assert json.loads(answer["body"])["again"] == [EVENT]

    def test_another_method_is_not_found(self, function: Function) -> None:
        request = payload("url-structured")
        request["requestContext"]["http"]["method"] = "GET"

        assert call(function, request)["statusCode"] == 404


def test_a_group_that_the_app_does_not_have_is_refused_at_the_start(app: App) -> None:
    environ = {
        "CROSSWIND_GROUP": "audit",
        "CROSSWIND_TABLE": "t",
        "CROSSWIND_BUS": "b",
        "CROSSWIND_QUEUES": "arn:aws:sqs:eu-west-1:123456789012:crosswind-ops-",
    }

    with pytest.raises(DeclarationError, match="app ops has no group audit; it has ops"):
        lambda_handler(app, environ=environ)
