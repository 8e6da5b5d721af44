"""What is no request, or comes at the wrong time: refused, and harms nothing."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.pubsub_v1 import types
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crosswind_local.pubsub import PubSubEmulator
from crosswind_local.pubsub.backlog import Backlog
from crosswind_local.pubsub.wire import PACKAGE
from local.pubsub.desk import Desk

METHODS = [
    "Publisher/CreateTopic",
    "Publisher/UpdateTopic",
    "Publisher/Publish",
    "Publisher/ListTopics",
    "Subscriber/CreateSubscription",
    "Subscriber/UpdateSubscription",
    "Subscriber/Pull",
    "Subscriber/Acknowledge",
    "Subscriber/ModifyPushConfig",
    "Subscriber/Seek",
    "Subscriber/StreamingPull",
    "Subscriber/CreateSnapshot",
    "SchemaService/CreateSchema",
    "Subscriber/NoSuchMethod",
]

REFUSED = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.UNIMPLEMENTED,
}


@pytest.fixture(scope="module")
def pubsub() -> Iterator[PubSubEmulator]:
    with PubSubEmulator() as pubsub:
        yield pubsub


@pytest.fixture(scope="module")
def channel(pubsub: PubSubEmulator) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(pubsub.address) as channel:
        yield channel


@settings(max_examples=150, deadline=None)
@given(method=st.sampled_from(METHODS), request=st.binary(max_size=200))
@example(method="Publisher/Publish", request=b"\x0a\xff")
@example(method="Subscriber/StreamingPull", request=b"\x0a\xff")
@example(method="Subscriber/StreamingPull", request=b"")
def test_garbage_gets_an_answer_and_harms_nothing(
    pubsub: PubSubEmulator, channel: grpc.Channel, method: str, request: bytes
) -> None:
    call: grpc.UnaryUnaryMultiCallable[bytes, bytes]
    call = channel.unary_unary(f"/{PACKAGE}.{method}")
    code = call.future(request, timeout=30).code()
    assert code in REFUSED, code
    assert "INTERNAL" not in str(pubsub.report()["calls"])


def test_what_is_no_request_is_told_so(channel: grpc.Channel) -> None:
    call: grpc.UnaryUnaryMultiCallable[bytes, bytes]
    call = channel.unary_unary(f"/{PACKAGE}.Publisher/Publish")
    answer = call.future(b"\x0a\xff", timeout=30)
    assert answer.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert answer.details() == "The request is not a valid PublishRequest."


@pytest.fixture
def conversation(desk: Desk, local_pubsub: PubSubEmulator) -> Iterator["Conversation"]:
    name = desk.subscription(desk.topic())
    with grpc.insecure_channel(local_pubsub.address) as channel:
        yield Conversation(channel, name)


class Conversation:
    """A stream that is opened well, and then sent whatever a test says."""

    def __init__(self, channel: grpc.Channel, subscription: str) -> None:
        self._call: Any = channel.stream_stream(f"/{PACKAGE}.Subscriber/StreamingPull")
        request: Any = types.StreamingPullRequest.pb()
        first = request(subscription=subscription, stream_ack_deadline_seconds=10)
        self._first = bytes(first.SerializeToString())

    def send(self, later: bytes) -> Any:
        """The stream's end, as a grpc.RpcError."""
        call = self._call(iter([self._first, later]), timeout=30)
        with pytest.raises(grpc.RpcError) as ended:
            list(call)
        return ended.value


def test_garbage_in_mid_stream_ends_the_stream_and_says_why(conversation: Conversation) -> None:
    ended = conversation.send(b"\x0a\xff")
    assert ended.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert ended.details() == "The request is not a valid StreamingPullRequest."


def test_a_fault_of_the_emulator_in_mid_stream_is_told_and_not_waited_out(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: object) -> list[str]:
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr(Backlog, "acknowledge", fail)
    request: Any = types.StreamingPullRequest.pb()
    ended = conversation.send(request(ack_ids=["any"]).SerializeToString())
    assert ended.code() is grpc.StatusCode.INTERNAL
    assert "ZeroDivisionError: a fault" in caplog.text
