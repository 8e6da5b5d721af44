"""Hypothesis strategies for events, and a model of a user's own to try them on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from crosswind_events import (
    ABSENT,
    Event,
    EventData,
    Native,
    Part,
    Raw,
    RegionUnhealthy,
)

# No deadlines: how long an example takes says more about the machine than about the code.
thoroughly = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
briefly = settings(thoroughly, max_examples=20)

NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)


class Place(Part):
    """Something nested, with a date of its own."""

    name: str
    since: datetime | None = None


class Moved(EventData, type="com.example.thing.moved.v1", ends="completed"):
    """An event type as a user writes one."""

    place: Place
    count: int
    share: float = 0.5
    at: datetime | None = None
    marks: tuple[str, ...] = ()
    sure: bool = True


# What CloudEvents lets a String hold: no control characters, surrogates or noncharacters.
letters = st.characters(exclude_categories=["Cc", "Cs", "Cn"])
words = st.text(letters, min_size=1, max_size=40)
ascii_words = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40
)

sources = st.one_of(
    st.sampled_from(
        [
            "/probes/eu",
            "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
            "https://user@example.com:8443/a/b;c=1/?q=a/b&r=%20#frag",
            "//pubsub.example.com/projects/one/topics/two",
            "mailto:ops@example.com",
            "http://[2001:db8::1]/x",
            "1-555-123-4567",
            "a/b:c",
            "?",
            "#",
        ]
    ),
    st.from_regex(r"[a-z]{1,8}:[A-Za-z0-9._~-]{0,20}(/[A-Za-z0-9]{0,5}){0,3}", fullmatch=True),
)

times = st.datetimes(
    min_value=datetime(1, 1, 3),  # hypothesis adds the zone
    max_value=datetime(9999, 12, 29),
    timezones=st.integers(-1439, 1439).map(lambda m: timezone(timedelta(minutes=m))),
)

names = st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True).filter(
    lambda name: (
        name
        not in {
            "specversion",
            "id",
            "source",
            "type",
            "subject",
            "time",
            "datacontenttype",
            "dataschema",
            "data",
            "hop",
        }
    )
)
numbers = st.integers(-(2**31), 2**31 - 1)
extensions = st.dictionaries(
    names, st.one_of(st.text(letters, max_size=40), numbers, st.booleans()), max_size=6
).flatmap(
    lambda drawn: st.one_of(
        st.just(drawn),
        numbers.map(lambda hop: {**drawn, "hop": hop}),  # an Integer by name
    )
)

json_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
json_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**30), 10**30),
        st.floats(allow_nan=False, allow_infinity=False),
        json_text,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(json_text, inner, max_size=4)
    ),
    max_leaves=12,
)

short = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
maybe = st.none() | short
natives = st.builds(
    Native,
    kind=short,
    id=short,
    account=maybe,
    name=maybe,
    url=maybe,
    labels=st.dictionaries(short, short, max_size=3),
)
unhealthy = st.builds(
    RegionUnhealthy,
    region=st.sampled_from(["aws/us-east-1", "gcp/us-central1", "azure/eastus2", "gcp/global"]),
    evidence=st.sampled_from(["provider", "alarm", "probe", "telemetry", "operator"]),
    reason=short,
    workload=maybe,
    service=maybe,
    vantage=maybe,
    native=st.none() | natives,
    measured=st.dictionaries(short, st.floats(allow_nan=False, allow_infinity=False), max_size=3),
)
moved = st.builds(
    Moved,
    place=st.builds(Place, name=json_text, since=st.none() | times),
    count=st.integers(-(10**20), 10**20),
    share=st.floats(allow_nan=False, allow_infinity=False),
    at=st.none() | times,
    marks=st.lists(json_text, max_size=3).map(tuple),
    sure=st.booleans(),
)

media = st.sampled_from(
    [
        "application/json",
        "application/JSON; charset=utf-8",
        "application/vnd.example+json",
        "text/json",
    ]
)
other_media = st.sampled_from(["text/plain", "application/xml; charset=utf-8", "image/png"])
schemas = st.sampled_from(["urn:example:schema", "https://example.com/s.json#/a", "x:"])


def envelopes(data: st.SearchStrategy[Any], media: st.SearchStrategy[str]) -> Any:
    """Events around data; its type is the data's own where it has one."""

    def made(data: Any, type_: str, **attributes: Any) -> Event[Any]:
        if isinstance(data, EventData):
            type_ = data.event_type
        return Event(data=data, type=type_, **attributes)

    return st.builds(
        made,
        data,
        words.map("example.{}".format),
        id=words,
        source=sources,
        time=times.map(lambda moment: moment.astimezone(UTC)),
        subject=st.none() | words,
        datacontenttype=media,
        dataschema=st.none() | schemas,
        extensions=extensions,
    )


typed_events = envelopes(st.one_of(unhealthy, moved), media)
json_events = envelopes(st.builds(Raw, json_values), media)
octet_events = envelopes(st.builds(Raw, st.binary(min_size=1, max_size=60)), media | other_media)
text_events = envelopes(st.builds(Raw, json_text), other_media)
bare_events = envelopes(st.just(Raw(ABSENT)), media | other_media)
events = st.one_of(typed_events, json_events, octet_events, text_events, bare_events)


def plain(**changes: Any) -> dict[str, Any]:
    """A structured event as a tree, small and good but for the changes; None removes."""
    tree: dict[str, Any] = {
        "specversion": "1.0",
        "id": "1",
        "source": "/probes",
        "type": "com.example.thing.moved.v1",
        "time": "2030-01-31T12:00:00Z",
        "data": {"place": {"name": "here"}, "count": 1},
    }
    tree.update(changes)
    return {name: value for name, value in tree.items() if value is not None}


def stated(event: Event[Any]) -> Mapping[str, Any]:
    """An event's attributes as the specification names them, unset ones left out."""
    core = {
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "time": event.time,
        "subject": event.subject,
        "datacontenttype": event.datacontenttype,
        "dataschema": event.dataschema,
    }
    return {name: value for name, value in core.items() if value is not None} | dict(
        event.extensions
    )
