"""Whatever arrives, a translation ends soon, with events, `Ignored` or `SignalRejected`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import crosswind_aws.signals as aws
import crosswind_azure.signals as azure
import crosswind_gcp.signals as gcp
from crosswind.signals import MAX_BYTES, Ignored, SignalRejected
from crosswind_events import CATALOGUE, Codec, Event
from unit.signals.expectations import load, names, value

CODEC = Codec(CATALOGUE)
CLOUDS: dict[str, Any] = {"aws": aws, "gcp": gcp, "azure": azure}
FIXTURES = [(cloud, name) for cloud in CLOUDS for name in sorted(names(cloud))]

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.just("\ud800"),
    st.just("x" * 5000),
    st.just("not base64!"),
    st.just(10**400),
    st.just({}),
    st.just([]),
    st.just([[[[[[[[[[[]]]]]]]]]]]),
    st.just({"": {"\udfff": []}}),
    st.just('{"a": 1, "a": 2}'),
    st.just("[NaN]"),
    st.just("[" * 3000),
    st.sampled_from(["1970", "0001-01-01T00:00:00+14:00", "99999999999999", "us-east-1", "global"]),
)
ALIENS = st.one_of(JUNK, st.binary(), st.just({1: 2}), st.just({1, 2}), st.just(object()))


def spots(body: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a value with one of its keys or indexes."""
    if isinstance(body, dict):
        for name in list(body):
            yield body, name
            yield from spots(body[name])
    elif isinstance(body, list):
        for index in range(len(body)):
            yield body, index
            yield from spots(body[index])


def mutate(body: Any, data: st.DataObject, junk: st.SearchStrategy[Any]) -> None:
    found = list(spots(body))
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(found))
        how = data.draw(st.sampled_from(["drop", "replace", "nest", "text", "respell", "copy"]))
        if how == "replace":
            container[key] = data.draw(junk)
        elif isinstance(container, list):
            container.append(data.draw(junk))
        elif key not in container:
            continue
        elif how == "drop":
            del container[key]
        elif how == "nest":
            container[key] = {key: [container[key]]}
        elif how == "text":
            container[key] = json.dumps(container[key], default=str)
        elif how == "respell":
            container[key.swapcase() if isinstance(key, str) else key] = data.draw(junk)
        else:
            container[data.draw(st.text())] = container[key]


def settle(cloud: str, payload: Any, attributes: Any = None) -> None:
    """Both doors of a cloud keep their word."""
    module = CLOUDS[cloud]
    outcomes = module.translate_each(payload, attributes)
    for outcome in outcomes:
        assert isinstance(outcome, Ignored | SignalRejected | list)
        for event in outcome if isinstance(outcome, list) else ():
            assert isinstance(event, Event)
            assert CODEC.decode(CODEC.encode(event)) == event
    if any(isinstance(outcome, SignalRejected) for outcome in outcomes):
        with pytest.raises(SignalRejected) as caught:
            module.translate(payload, attributes)
        assert caught.value.faults
        str(caught.value).encode()
    else:
        assert isinstance(module.translate(payload, attributes), Ignored | list)


@pytest.mark.parametrize("cloud", CLOUDS)
@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_mutated_fixture_is_translated_ignored_or_refused(
    cloud: str, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(names(cloud))))
    body = value(cloud, name)
    mutate(body, data, JUNK)

    settle(cloud, json.dumps(body))


@pytest.mark.parametrize("cloud", CLOUDS)
@given(data=st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_decoded_payload_may_hold_anything_that_python_has(
    cloud: str, data: st.DataObject
) -> None:
    body = value(cloud, data.draw(st.sampled_from(sorted(names(cloud)))))
    mutate(body, data, ALIENS)

    settle(cloud, body)


@pytest.mark.parametrize("cloud", CLOUDS)
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_bytes_cut_and_flipped_anywhere_do_no_harm(cloud: str, data: st.DataObject) -> None:
    body = bytearray(load(cloud, data.draw(st.sampled_from(sorted(names(cloud))))))
    for _ in range(data.draw(st.integers(0, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    start = data.draw(st.integers(0, len(body)))

    settle(cloud, bytes(body[start:] if data.draw(st.booleans()) else body[:start]))
    settle(cloud, bytes(body))


@pytest.mark.parametrize("cloud", CLOUDS)
@given(
    payload=st.recursive(ALIENS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)),
    attributes=st.none() | st.dictionaries(st.text() | st.just("ce-type"), st.text() | ALIENS),
)
@settings(max_examples=100, deadline=None)
def test_payloads_and_attributes_from_nowhere_do_no_harm(
    cloud: str, payload: Any, attributes: Any
) -> None:
    settle(cloud, payload, attributes)


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize(
    "payload",
    [
        "[" * 1_000_000,
        '{"Records":' * 90_000,
        '{"detail":' * 100_000 + "1" + "}" * 100_000,
        "[" + "[]," * 300_000 + "[]]",
        "[" + "{}," * 9_000 + "{}]",
        '{"a":"' + "\\ud800" * 150_000 + '"}',
        "9" * 1_000_000,
        json.dumps({"incident": {"incident_id": "'" * 500_000}, "version": "1.2"}),
        json.dumps(
            {
                "resource": {"type": "servicehealth.googleapis.com/Event"},
                "jsonPayload": {"impactedLocations": "['" + "', '" * 200_000},
            }
        ),
        json.dumps({"AlarmName": "a", "NewStateValue": "ALARM", "AlarmArn": "arn:aws" * 100_000}),
        json.dumps({str(n): n for n in range(60_000)}),
        " " * (MAX_BYTES + 1),
    ],
    ids=lambda payload: payload[:12].strip() or "blanks",
)
def test_a_megabyte_of_malice_ends_within_seconds(cloud: str, payload: str) -> None:
    start = time.process_time()
    settle(cloud, payload)

    assert time.process_time() - start < 5


@pytest.mark.parametrize(("cloud", "name"), FIXTURES)
def test_losing_any_one_field_does_no_harm(cloud: str, name: str) -> None:
    for index in range(len(list(spots(value(cloud, name))))):
        body = value(cloud, name)
        container, key = list(spots(body))[index]
        del container[key]
        settle(cloud, body)
