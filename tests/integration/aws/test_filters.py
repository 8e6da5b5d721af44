"""Compiled filters agree with the neutral predicate, as EventBridge itself evaluates them."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crosswind.buses.routing import Binding, Routes
from crosswind.handlers import Where
from crosswind_aws.filters import MAX_PATTERN, patterns

TYPES = ("com.example.a.v1", "com.example.b.v1", "com.example.c.v1")
NAMES = ("place", "simulated", "tick", "schedule")

values = st.one_of(
    st.sampled_from(["aws", "gcp", "1", "true", "", "Äther", 'quo"te', "a*b", "$or"]),
    st.integers(-3, 3),
    st.sampled_from([2**31 - 1, -(2**31)]),
    st.booleans(),
)
subjects = st.sampled_from(["", "aws/", "aws/us-east-1", "aws/us-east-10", "AWS/", "gcp/é", "*"])
wheres = st.none() | st.builds(
    Where,
    subject=st.sampled_from(["", "aws/", "aws/us-east-1", "gcp/é", "*"]),
    extensions=st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=3).map(tuple),
)
bindings = st.lists(st.builds(Binding, st.sampled_from(TYPES), wheres), max_size=6)


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """The attributes of an event, as they are routed by and as they are published."""
    event: dict[str, Any] = {
        "id": "1",
        "source": "//test.example.com",
        "type": draw(st.sampled_from(TYPES)),
        **draw(st.dictionaries(st.sampled_from(NAMES), values, max_size=3)),
    }
    subject = draw(st.none() | subjects)
    if subject is not None:
        event["subject"] = subject
    group = draw(st.sampled_from([None, None, None, "ops", "audit"]))
    if group is not None:
        event["group"] = group
    return event


@pytest.fixture(scope="module")
def client(aws_module_account: str) -> Any:
    return boto3.client("events")


def admits(client: Any, pattern: str, event: dict[str, Any]) -> bool:
    """Whether EventBridge says that a published event matches a pattern."""
    envelope = {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": event["type"],
        "source": "crosswind.test",
        "account": "123456789012",
        "time": "2026-01-01T00:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {"specversion": "1.0", **event, "data": {"place": "nowhere"}},
    }
    answer = client.test_event_pattern(EventPattern=pattern, Event=json.dumps(envelope))
    return bool(answer["Result"])


@given(bound=bindings, event=events())
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_group_s_patterns_admit_exactly_what_the_neutral_routes_give_it_and_once(
    client: Any, bound: list[Binding], event: dict[str, Any]
) -> None:
    routes = Routes(("ops", binding) for binding in bound)

    matching = [pattern for pattern in patterns("ops", bound) if admits(client, pattern, event)]

    assert len(matching) == ("ops" in routes.groups(event))


@pytest.mark.parametrize("wanted", [0, 150, 299])
def test_patterns_that_had_to_be_split_admit_the_same(client: Any, wanted: int) -> None:
    schedules = [f"fleet.schedules:nightly_{n:03}" for n in range(300)]
    bound = [Binding(TYPES[0], Where(extensions=(("schedule", name),))) for name in schedules]
    made = patterns("ops", bound)
    event = {"id": "1", "type": TYPES[0], "schedule": schedules[wanted]}

    assert len(made) > 3
    assert all(len(pattern) <= MAX_PATTERN for pattern in made)
    assert [admits(client, pattern, event) for pattern in made].count(True) == 1
    assert not any(admits(client, p, {**event, "schedule": "another"}) for p in made)
    assert not any(admits(client, p, {**event, "type": TYPES[1]}) for p in made)


def test_what_a_service_of_aws_says_matches_none_of_them(client: Any) -> None:
    (pattern,) = patterns("ops", [Binding(TYPES[0])])
    notice = {
        "version": "0",
        "id": "7bf73129-1428-4cd3-a780-95db273d1602",
        "detail-type": "AWS Health Event",
        "source": "aws.health",
        "account": "123456789012",
        "time": "2026-01-01T00:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {"group": "ops"},
    }

    answer = client.test_event_pattern(EventPattern=pattern, Event=json.dumps(notice))

    assert answer["Result"] is False
