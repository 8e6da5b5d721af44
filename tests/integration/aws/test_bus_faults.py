"""EventBridge, SQS and Scheduler that take only some of what they are given."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from contract.bus_contract import UNHEALTHY, message, sized
from contract.proxy import FaultyProxy, Lose, Refuse, Say
from crosswind.buses.routing import Binding, Routes
from crosswind.errors import NotAccepted
from crosswind.limits import MAX_EVENT_BYTES
from crosswind_aws.bus import EventBridgeBus
from crosswind_aws.deployment import Deployment
from crosswind_aws.queues import Queues
from crosswind_aws.schedules import Schedules
from crosswind_local.aws_sites import AwsSite

NOW = 1_800_000_000.0
JSON = (("Content-Type", "application/x-amz-json-1.1"),)


@pytest.fixture(scope="module")
def proxy(local_aws: AwsSite, aws_module_account: str) -> Iterator[FaultyProxy]:
    if local_aws.url is None:
        pytest.skip("real services are reached over TLS, which this proxy does not speak")
    events, sqs = boto3.client("events"), boto3.client("sqs")
    events.create_event_bus(Name="crosswind-test")
    for group in ("ops", "audit"):
        sqs.create_queue(QueueName=f"crosswind-test-{group}")
    with FaultyProxy(local_aws.url) as proxy:
        yield proxy


@pytest.fixture
def bus(proxy: FaultyProxy, aws_module_account: str) -> EventBridgeBus:
    """A bus beyond the proxy, with two groups that want everything."""
    proxy.plan([])
    deployment = Deployment(
        group="ops",
        table="none",
        bus="crosswind-test",
        queues=f"arn:aws:sqs:us-east-1:{aws_module_account}:crosswind-test-",
        scheduler_role=f"arn:aws:iam::{aws_module_account}:role/scheduler",
    )
    routes = Routes([(group, Binding(UNHEALTHY)) for group in ("ops", "audit")])
    return EventBridgeBus(
        deployment,
        "crosswind.test",
        routes,
        clock=lambda: NOW,
        events=boto3.client("events", endpoint_url=proxy.url),
        queues=Queues(boto3.client("sqs", endpoint_url=proxy.url)),
        schedules=Schedules(deployment, boto3.client("scheduler", endpoint_url=proxy.url)),
    )


def answers(*codes: str | None) -> Say:
    """What PutEvents answers where some entries were refused."""
    entries: list[dict[str, str]] = [
        {"EventId": "1"} if code is None else {"ErrorCode": code, "ErrorMessage": "of the test"}
        for code in codes
    ]
    failed = sum(code is not None for code in codes)
    body = json.dumps({"FailedEntryCount": failed, "Entries": entries}).encode()
    return Say(200, body, JSON)


def sent(proxy: FaultyProxy) -> list[Any]:
    return [json.loads(request.body) for request in proxy.requests]


def ids(body: Any) -> list[str]:
    return [json.loads(entry["Detail"])["id"] for entry in body["Entries"]]


def test_entries_that_were_refused_for_now_are_sent_again_and_no_others(
    bus: EventBridgeBus, proxy: FaultyProxy
) -> None:
    proxy.plan([answers(None, "ThrottlingException", None, "InternalFailure"), answers(None, None)])

    bus.publish([message(name) for name in "abcd"])

    assert [ids(body) for body in sent(proxy)] == [["a", "b", "c", "d"], ["b", "d"]]


def test_what_stays_refused_is_named_exactly_with_its_reason(
    bus: EventBridgeBus, proxy: FaultyProxy
) -> None:
    given = [message(name) for name in "abc"]
    proxy.plan([answers(None, "ThrottlingException", None)], then=answers("ThrottlingException"))

    with pytest.raises(NotAccepted, match="ThrottlingException: of the test") as error:
        bus.publish(given)

    assert error.value.messages == (given[1],)
    assert len(proxy.requests) == 3


def test_what_is_refused_for_good_is_not_sent_again(
    bus: EventBridgeBus, proxy: FaultyProxy
) -> None:
    given = [message(name) for name in "ab"]
    proxy.plan([answers("NotAuthorizedForSourceException", None)])

    with pytest.raises(NotAccepted, match="NotAuthorizedForSource") as error:
        bus.publish(given)

    assert error.value.messages == (given[0],)
    assert len(proxy.requests) == 1


def test_a_request_that_fails_whole_names_its_own_entries_and_spares_the_others(
    bus: EventBridgeBus, proxy: FaultyProxy
) -> None:
    given = [message(f"{n}") for n in range(25)]
    denied = Say(400, b'{"__type":"AccessDeniedException","message":"no"}', JSON)
    proxy.plan([answers(*[None] * 10), denied])

    with pytest.raises(NotAccepted, match="AccessDenied") as error:
        bus.publish(given)

    assert error.value.messages == tuple(given[10:20])


@pytest.mark.parametrize("fault", [Lose(), Refuse()], ids=["answer lost", "never arrived"])
def test_a_lost_request_is_sent_again_by_the_sdk(
    bus: EventBridgeBus, proxy: FaultyProxy, fault: Lose | Refuse
) -> None:
    proxy.plan([fault])

    bus.publish([message("a")])

    assert len(proxy.requests) == 2


def test_a_bus_that_is_away_takes_nothing(bus: EventBridgeBus, proxy: FaultyProxy) -> None:
    given = [message("a"), message("b", due=NOW + 60), message("c", due=NOW + 3600)]
    proxy.plan([], then=Refuse())

    with pytest.raises(NotAccepted) as error:
        bus.publish(given)

    assert error.value.messages == tuple(given)


def test_a_request_stays_below_ten_entries_and_a_megabyte(
    bus: EventBridgeBus, proxy: FaultyProxy
) -> None:
    bus.publish([message(f"{n}") for n in range(23)])
    assert [len(body["Entries"]) for body in sent(proxy)] == [10, 10, 3]

    proxy.plan([])
    bus.publish([sized(f"{n}", MAX_EVENT_BYTES) for n in range(9)])
    assert [len(body["Entries"]) for body in sent(proxy)] == [4, 4, 1]
    for body in sent(proxy):
        size = sum(len(f"{e['Source']}{e['DetailType']}{e['Detail']}") for e in body["Entries"])
        assert size < 1_000_000


def test_an_entry_says_what_it_is_and_from_which_app(
    bus: EventBridgeBus, proxy: FaultyProxy
) -> None:
    given = message("a")

    bus.publish([given])

    ((entry,),) = [body["Entries"] for body in sent(proxy)]
    assert entry == {
        "EventBusName": "crosswind-test",
        "Source": "crosswind.test",
        "DetailType": UNHEALTHY,
        "Detail": given.body.decode(),
    }


def test_a_delayed_event_that_one_queue_refuses_is_named_once(
    bus: EventBridgeBus, proxy: FaultyProxy
) -> None:
    given = [message("a", due=NOW + 60), message("b", due=NOW + 61)]
    failed = {"Id": "1", "SenderFault": True, "Code": "InvalidMessageContents", "Message": "x"}
    refusal = Say(200, json.dumps({"Failed": [failed], "Successful": []}).encode(), JSON)
    proxy.plan([refusal])

    with pytest.raises(NotAccepted, match="InvalidMessageContents") as error:
        bus.publish(given)

    assert error.value.messages == (given[1],)
    assert len(proxy.requests) == 2
    assert [e["DelaySeconds"] for e in sent(proxy)[0]["Entries"]] == [60, 61]


def test_a_schedule_that_is_refused_is_named(bus: EventBridgeBus, proxy: FaultyProxy) -> None:
    given = message("a", due=NOW + 3600)
    quota = Say(
        402,
        b'{"Message":"too many schedules"}',
        (("x-amzn-errortype", "ServiceQuotaExceededException"), *JSON),
    )
    proxy.plan([], then=quota)

    with pytest.raises(NotAccepted, match="ServiceQuotaExceeded") as error:
        bus.publish([given])

    assert error.value.messages == (given,)


def test_a_schedule_has_a_dead_letter_queue_and_is_removed_by_itself(
    bus: EventBridgeBus, proxy: FaultyProxy, aws_module_account: str
) -> None:
    bus.publish([message("a", due=NOW + 3600.5)])

    made = sent(proxy)[0]
    assert made["ActionAfterCompletion"] == "DELETE"
    assert made["ScheduleExpression"] == "at(2027-01-15T08:59:00)"
    assert made["Target"]["DeadLetterConfig"]["Arn"].endswith("crosswind-test-ops-dead")
    assert json.loads(made["Target"]["Input"])["due"] == NOW + 3600.5


def test_text_that_a_queue_would_refuse_is_escaped(bus: EventBridgeBus, proxy: FaultyProxy) -> None:
    given = message("a", due=NOW + 60, subject="aws/\uffff")
    raw = json.dumps(json.loads(given.body), ensure_ascii=False).encode()

    bus.publish([given._replace(body=raw)])

    body = sent(proxy)[0]["Entries"][0]["MessageBody"]
    assert body.isascii()
    assert json.loads(body) == json.loads(given.body)
