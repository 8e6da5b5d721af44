"""The built-in types: well named, bounded, and true to their published schemas."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from crosswind_events import (
    CATALOGUE,
    AnomalyDetected,
    ApprovalRequested,
    ApprovalSettled,
    BranchFailed,
    ChainDeadline,
    ChainStalled,
    Codec,
    DeadLettered,
    Event,
    EventData,
    IncidentOpened,
    IncidentResolved,
    InvalidEvent,
    Native,
    RegionRecovered,
    RegionUnhealthy,
    RunResume,
    Tick,
)
from crosswind_events.schemas import type_schema
from unit.events.drawn import NOON, briefly, plain
from unit.events.samples import values

CODEC = Codec(CATALOGUE)
EVERY = pytest.mark.parametrize("model", CATALOGUE, ids=lambda model: model.event_type)


@EVERY
def test_a_built_in_type_is_named_with_its_version(model: type[EventData]) -> None:
    prefix, *words, version = model.event_type.split(".")
    assert (prefix, words[0]) == ("dev", "crosswind")
    assert version[0] == "v"
    assert version[1:].isdigit()


def test_no_two_types_share_a_name() -> None:
    assert len({model.event_type for model in CATALOGUE}) == len(CATALOGUE)
    assert len({model.__name__ for model in CATALOGUE}) == len(CATALOGUE)


@EVERY
def test_a_built_in_type_says_what_it_means(model: type[EventData]) -> None:
    assert "__doc__" in model.__dict__
    assert model.__doc__


@EVERY
def test_every_string_and_collection_is_bounded(model: type[EventData]) -> None:
    def unbounded(schema: dict[str, Any], path: str) -> Iterator[str]:
        kind = schema.get("type")
        if kind == "string" and not schema.keys() & {"maxLength", "format", "enum", "const"}:
            yield path
        if kind == "array" and "maxItems" not in schema:
            yield path
        if kind == "object" and "properties" not in schema and schema.get("title") is None:
            if "maxProperties" not in schema:
                yield path
            yield from unbounded({"type": "string", **schema.get("propertyNames", {})}, f"{path}.?")
        for name in ("items", "additionalProperties"):
            if isinstance(schema.get(name), dict):
                yield from unbounded(schema[name], f"{path}.{name}")
        for name in ("anyOf", "oneOf", "prefixItems"):
            for inner in schema.get(name, ()):
                yield from unbounded(inner, path)
        for name in ("properties", "$defs"):
            for key, inner in schema.get(name, {}).items():
                yield from unbounded(inner, f"{path}.{key}")

    assert list(unbounded(type_schema(model), "")) == []


@EVERY
@given(st.data())
@briefly
def test_what_a_schema_lets_through_is_read_and_written_as_the_schema_says(
    model: type[EventData], data: st.DataObject
) -> None:
    schema = type_schema(model)
    sample = data.draw(values(schema))
    Draft202012Validator(schema).validate(sample)
    body = json.dumps(plain(type=model.event_type, data=sample))
    try:
        event = CODEC.decode(body)
    except InvalidEvent:
        # A model may ask for more than a schema can say, and must say so in a validator.
        assert model.__pydantic_decorators__.model_validators or any(
            part.__pydantic_decorators__.model_validators for part in _parts(model)
        )
        return
    again = CODEC.encode(event)
    Draft202012Validator(schema).validate(json.loads(again)["data"])
    assert CODEC.decode(again) == event


@EVERY
@given(st.data())
@briefly
def test_what_a_schema_refuses_is_refused(model: type[EventData], data: st.DataObject) -> None:
    schema = type_schema(model)
    sample = data.draw(values(schema))
    places = list(_places(sample))
    if not places:
        return
    container, key = data.draw(st.sampled_from(places))
    changed = copy.deepcopy(sample)
    target = _same(sample, changed, container)
    wrong = data.draw(
        st.sampled_from([None, True, 7, -1, 0.5, "", "x", "x" * 5_000, [], ["x"], {}, {"a": 1}])
    )
    if wrong is None and data.draw(st.booleans()) and isinstance(target, dict):
        del target[key]
    else:
        target[key] = wrong
    if Draft202012Validator(schema).is_valid(changed):
        return
    body = json.dumps(plain(type=model.event_type, data=changed))
    with pytest.raises(InvalidEvent):
        CODEC.decode(body)


def _parts(model: Any) -> Iterator[Any]:
    from crosswind_events import Part

    seen: list[Any] = []

    def walk(annotation: Any) -> None:
        from typing import get_args

        if isinstance(annotation, type) and issubclass(annotation, Part):
            if annotation in seen:
                return
            seen.append(annotation)
            for field in annotation.model_fields.values():
                walk(field.annotation)
        for inner in get_args(annotation):
            walk(inner)

    walk(model)
    yield from seen


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a tree: the container and the key or index there."""
    pairs = list(value.items() if isinstance(value, dict) else enumerate(value))
    for key, inner in pairs:
        yield value, key
        if isinstance(inner, (dict, list)):
            yield from _places(inner)


def _same(original: Any, twin: Any, wanted: Any) -> Any:
    """Find in a copy the container that `wanted` is in the original."""
    if original is wanted:
        return twin
    pairs = original.items() if isinstance(original, dict) else enumerate(original)
    for key, inner in pairs:
        if isinstance(inner, (dict, list)):
            found = _same(inner, twin[key], wanted)
            if found is not None:
                return found
    return None


OBSERVATION: dict[str, Any] = {
    "region": "aws/us-east-1",
    "evidence": "probe",
    "reason": "3 of 3 requests failed",
}


@pytest.mark.parametrize("model", [RegionUnhealthy, RegionRecovered])
def test_an_observation_needs_region_evidence_and_reason(model: Any) -> None:
    data = model(**OBSERVATION)
    assert data.model_dump() == {
        **OBSERVATION,
        "workload": None,
        "service": None,
        "vantage": None,
        "native": None,
        "measured": {},
    }
    for name in OBSERVATION:
        with pytest.raises(ValidationError, match=name):
            model(**{key: value for key, value in OBSERVATION.items() if key != name})


@pytest.mark.parametrize("region", ["aws/us-east-1", "gcp/us-central1", "azure/global", "aws/1"])
def test_a_region_names_cloud_and_place(region: str) -> None:
    assert AnomalyDetected(region=region, reason="x").region == region


@pytest.mark.parametrize(
    "region",
    [
        "",
        "aws",
        "aws/",
        "/us-east-1",
        "AWS/us-east-1",
        "aws/US",
        "ibm/us",
        "aws/a/b",
        "aws/a\n",
        "aws/" + "x" * 61,
    ],
)
def test_other_regions_are_refused(region: str) -> None:
    with pytest.raises(ValidationError, match="region"):
        AnomalyDetected(region=region, reason="x")


def test_what_is_measured_is_finite() -> None:
    assert RegionUnhealthy(**OBSERVATION, measured={"latency_ms": 7}).measured == {"latency_ms": 7}
    for bad in (float("nan"), float("inf")):
        with pytest.raises(ValidationError, match="finite"):
            RegionUnhealthy(**OBSERVATION, measured={"latency_ms": bad})


def test_a_native_notification_is_named() -> None:
    native = Native(kind="aws.health", id="arn:aws:health:us-east-1::event/A/B/C")
    assert (native.account, native.name, native.url, native.labels) == (None, None, None, {})


def test_defaults_are_not_shared() -> None:
    one, two = Native(kind="a", id="1"), Native(kind="a", id="2")
    assert one.labels is not two.labels


EXAMPLES: list[EventData] = [
    RegionUnhealthy(**OBSERVATION, native=Native(kind="a", id="1"), measured={"errors": 0.5}),
    RegionRecovered(**OBSERVATION),
    AnomalyDetected(reason="odd"),
    Tick(schedule="nightly", due=NOON),
    RunResume(chain="c", run="r", turn=0, handler="ops:react"),
    ChainDeadline(chain="c", opened=NOON, deadline=NOON),
    ChainStalled(chain="c", opened=NOON, because="waiting for capacity"),
    BranchFailed(join="capacity/1", member="aws/us-east-1", handler="ops:scale", reason=""),
    DeadLettered(group="ops", attempts=3, error="boom", at=NOON, event_type="com.example.x.v1"),
    ApprovalRequested(
        approval="a",
        chain="c",
        run="r",
        action="traffic.shift",
        summary="Shift chat from aws/us-east-1",
        arguments_digest="d",
        relies_on={"workload/chat": "7"},
        proposal=0,
        expires=NOON,
    ),
    ApprovalSettled(approval="a", chain="c", outcome="granted"),
    IncidentOpened(incident="i", title="t", cause="c", severity="major", gathered={"probe": ""}),
    IncidentResolved(incident="i", summary="over"),
]


@pytest.mark.parametrize("data", EXAMPLES, ids=lambda data: type(data).__name__)
@pytest.mark.parametrize("mode", ["structured", "binary", "batch", "sdk"])
def test_a_built_in_event_survives_every_way_of_sending_it(data: EventData, mode: str) -> None:
    event = Event.of(
        data, id="1", source="urn:crosswind:test", time=NOON, extensions={"hop": 1, "place": "aws"}
    )
    ways: dict[str, Callable[[], Any]] = {
        "structured": lambda: CODEC.decode(CODEC.encode(event)),
        "binary": lambda: CODEC.decode_binary(*CODEC.encode_binary(event)),
        "batch": lambda: CODEC.decode_batch(CODEC.encode_batch([event]))[0],
        "sdk": lambda: Event.from_sdk(event.to_sdk(), CODEC),
    }
    assert ways[mode]() == event


@pytest.mark.parametrize("data", EXAMPLES, ids=lambda data: type(data).__name__)
def test_every_date_of_a_built_in_event_is_utc(data: EventData) -> None:
    read = CODEC.decode(CODEC.encode(Event.of(data, id="1", source="/s", time=NOON))).data
    for value in dict(read).values():
        assert getattr(value, "tzinfo", UTC) is UTC


def test_the_type_of_what_was_dead_lettered_is_told_from_its_own() -> None:
    data = DeadLettered(group="g", attempts=1, error="e", at=NOON, event_type="com.example.x.v1")
    assert data.failed_type == "com.example.x.v1"
    assert data.event_type == "dev.crosswind.deadletter.v1"
    body = json.loads(CODEC.encode(Event.of(data, id="1", source="/s", time=NOON)))
    assert body["data"]["event_type"] == "com.example.x.v1"


@pytest.mark.parametrize(
    ("model", "ends"),
    [(ChainStalled, "stalled"), (RunResume, None), (IncidentResolved, None), (Tick, None)],
)
def test_types_that_end_a_chain_say_so(model: type[EventData], ends: str | None) -> None:
    assert model.ends == ends
