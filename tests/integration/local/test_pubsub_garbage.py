"""Requests that no SDK would send: each is answered or refused, and harms nobody."""

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crosswind_local.pubsub import PubSubEmulator
from crosswind_local.pubsub.protocol import request_class
from crosswind_local.pubsub.wire import PACKAGE

PROJECT = "projects/garbage-project"
METHODS = sorted(
    (service, method)
    for service, clients in json.loads(
        (files("google.pubsub_v1") / "gapic_metadata.json").read_text()
    )["services"].items()
    if service != "SchemaService"
    for method in clients["clients"]["grpc"]["rpcs"]
)
EXPECTED = {
    grpc.StatusCode.OK,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.DEADLINE_EXCEEDED,  # a pull that waits
}
TEXTS = st.one_of(
    st.sampled_from(
        [
            PROJECT,
            f"{PROJECT}/topics/topic",
            f"{PROJECT}/subscriptions/subscription",
            "_deleted-topic_",
            "labels",
            "ack_deadline_seconds",
            "attributes:a",
            "http://127.0.0.1:1/",
            "",
        ]
    ),
    st.text(max_size=8),
)
SCALARS = {
    FieldDescriptor.CPPTYPE_STRING: TEXTS,
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_INT32: st.sampled_from([0, 1, 10, 600, -1, 2**31 - 1, -(2**31)]),
    FieldDescriptor.CPPTYPE_INT64: st.sampled_from([0, 1, 600, -1, 2**63 - 1, -(2**63)]),
    FieldDescriptor.CPPTYPE_ENUM: st.sampled_from([0, 1, 2, 99]),
}


@pytest.fixture(scope="module")
def pubsub() -> Iterator[PubSubEmulator]:
    """One of these tests' own: what others have done to a shared one is not held against them."""
    with PubSubEmulator() as pubsub:
        yield pubsub


@st.composite
def filled(draw: st.DrawFn, make: Any, depth: int = 0) -> Any:
    """A message of a class, some of whose fields are set."""
    message = make()
    fields = [one for one in make.DESCRIPTOR.fields if depth < 4 or one.message_type is None]
    if not fields:
        return message
    for field in draw(st.lists(st.sampled_from(fields), max_size=5, unique_by=id)):
        target = getattr(message, field.name)
        inner = field.message_type
        if inner is not None and inner.GetOptions().map_entry:
            target[draw(TEXTS)] = draw(TEXTS)
        elif inner is not None and field.is_repeated:
            entry = target.add()
            entry.CopyFrom(draw(filled(type(entry), depth + 1)))
        elif inner is not None:
            target.CopyFrom(draw(filled(type(target), depth + 1)))
        else:
            kind = st.binary(max_size=9) if field.type == field.TYPE_BYTES else None
            value = draw(kind if kind is not None else SCALARS[field.cpp_type])
            if field.is_repeated:
                target.append(value)
            else:
                setattr(message, field.name, value)
    return message


def status(pubsub: PubSubEmulator, service: str, method: str, request: bytes) -> grpc.StatusCode:
    """What a method answers to these bytes."""
    with grpc.insecure_channel(pubsub.address) as channel:
        ask = channel.stream_unary if method == "StreamingPull" else channel.unary_unary
        call: Any = ask(f"/{PACKAGE}.{service}/{method}")
        given = iter([request]) if method == "StreamingPull" else request
        answered = call.future(given, timeout=0.3 if "Pull" in method else 10).code()
        assert isinstance(answered, grpc.StatusCode)
        return answered


def sound(pubsub: PubSubEmulator) -> bool:
    """Whether no call has met a fault of ours, and nothing piles up."""
    report = pubsub.report()
    memory = report["memory"]
    assert isinstance(memory, dict)
    return "INTERNAL" not in str(report["calls"]) and memory["used"] < 1_000_000


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data(), which=st.sampled_from(METHODS))
def test_any_request_is_answered_or_refused(
    pubsub: PubSubEmulator, data: st.DataObject, which: tuple[str, str]
) -> None:
    request = data.draw(filled(request_class(which[1])))
    try:
        assert status(pubsub, *which, request.SerializeToString()) in EXPECTED
        assert sound(pubsub)
    finally:
        pubsub.forget("garbage-project")


@settings(max_examples=100, deadline=None)
@given(request=st.binary(max_size=200), which=st.sampled_from(METHODS))
def test_bytes_that_are_no_request_are_refused(
    pubsub: PubSubEmulator, request: bytes, which: tuple[str, str]
) -> None:
    assert status(pubsub, *which, request) in EXPECTED
    assert sound(pubsub)
