"""The official SDK as oracle: what we write it reads, what it writes we read."""

from __future__ import annotations

import importlib.abc
import json
import sys
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pytest
from cloudevents.abstract import CloudEvent as AnyCloudEvent
from cloudevents.conversion import to_binary, to_json, to_structured
from cloudevents.http import CloudEvent, from_http, from_json
from hypothesis import given
from hypothesis import strategies as st

from crosswind_events import ABSENT, Codec, Event, EventData, InvalidEvent, Raw, RegionUnhealthy
from unit.events.drawn import (
    NOON,
    Moved,
    Place,
    ascii_words,
    briefly,
    events,
    json_values,
    letters,
    media,
    moved,
    names,
    numbers,
    other_media,
    sources,
    stated,
    thoroughly,
    times,
    typed_events,
    words,
)

CODEC = Codec([Moved, RegionUnhealthy])
MOVED = Moved(place=Place(name="here"), count=1)


def kept(content: Any) -> Any:
    """Read data as the SDK should: JSON as its value, octets as they are."""
    return content if isinstance(content, bytes) else json.loads(content)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def value(data: Any) -> Any:
    """An event's data as plain JSON, text or octets; None where there is none."""
    if isinstance(data, EventData):
        return data.model_dump(mode="json")
    return None if data.value is ABSENT else data.value


def agree(ours: Event[Any], theirs: AnyCloudEvent) -> None:
    """Hold every attribute and the data of two events against each other."""
    attributes = dict(theirs.get_attributes())
    assert attributes.pop("specversion") == "1.0"
    attributes["time"] = instant(attributes["time"])
    attributes.setdefault("datacontenttype", "application/json")
    assert attributes == dict(stated(ours))
    found = theirs.get_data()
    if found in ("", b""):
        found = None  # what the SDK itself makes of data of no length, when it reads
    expected = value(ours.data)
    assert found == (None if expected in ("", b"") else expected)


# What the SDK lets an event be; it checks nothing, so the strategies keep to the specification.
theirs_attributes = st.fixed_dictionaries(
    {
        "id": words,
        "source": sources,
        "type": words.map("example.{}".format),
        "time": times.map(lambda moment: moment.isoformat()),
    },
    optional={"subject": words, "dataschema": st.just("urn:example:schema")},
)
theirs_extensions = st.dictionaries(
    names, st.one_of(st.text(letters, max_size=30), numbers, st.booleans()), max_size=4
)


@thoroughly
@given(events)
def test_the_sdk_reads_what_we_write_structured(event: Event[Any]) -> None:
    theirs = from_json(CODEC.encode(event), kept)
    agree(event, theirs)


@thoroughly
@given(theirs_attributes, theirs_extensions, json_values.filter(lambda v: v is not None), media)
def test_we_read_what_the_sdk_writes_structured(
    attributes: dict[str, Any], extensions: dict[str, Any], data: Any, media: str
) -> None:
    theirs = CloudEvent({**attributes, **extensions, "datacontenttype": media}, data)
    _, body = to_structured(theirs)
    agree(CODEC.decode(body), theirs)


@thoroughly
@given(theirs_attributes, st.binary(min_size=1), media | other_media)
def test_we_read_the_octets_that_the_sdk_writes(
    attributes: dict[str, Any], data: bytes, media: str
) -> None:
    theirs = CloudEvent({**attributes, "datacontenttype": media}, data)
    agree(CODEC.decode(to_json(theirs)), theirs)


@thoroughly
@given(theirs_attributes, st.text(letters, min_size=1), other_media)
def test_we_read_the_text_that_the_sdk_writes(
    attributes: dict[str, Any], data: str, media: str
) -> None:
    theirs = CloudEvent({**attributes, "datacontenttype": media}, data)
    agree(CODEC.decode(to_json(theirs)), theirs)


@thoroughly
@given(theirs_attributes, moved)
def test_we_type_what_the_sdk_writes(attributes: dict[str, Any], data: Moved) -> None:
    attributes["type"] = Moved.event_type
    theirs = CloudEvent(attributes, data.model_dump(mode="json"))
    ours = CODEC.decode(to_json(theirs))
    assert ours.data == data
    agree(ours, theirs)


@thoroughly
@given(typed_events)
def test_the_sdk_reads_what_we_write_binary(event: Event[Any]) -> None:
    headers, body = CODEC.encode_binary(event)
    theirs = from_http(headers, body, data_unmarshaller=lambda content: content)
    # The SDK does not decode percent signs, as the binding demands; and it reads text only.
    for name, text in theirs.get_attributes().items():
        if name not in ("datacontenttype", "specversion"):
            theirs[name] = unquote(text, errors="strict")
    for name, given_value in event.extensions.items():
        canonical = str(given_value).lower() if isinstance(given_value, bool) else str(given_value)
        assert theirs[name] == canonical
        theirs[name] = given_value
    attributes = dict(theirs.get_attributes())
    attributes["time"] = instant(attributes["time"])
    assert attributes == {"specversion": "1.0", **stated(event)}
    assert json.loads(theirs.get_data() or b"") == value(event.data)


header_words = ascii_words.filter(lambda word: not set(word) & set('%"'))


@thoroughly
@given(
    st.fixed_dictionaries(
        {
            "id": header_words,
            "source": sources.filter(lambda source: "%" not in source),
            "type": header_words,
            "time": times.map(lambda moment: moment.isoformat()),
        },
        optional={"subject": header_words, "dataschema": st.just("urn:example:schema")},
    ),
    st.dictionaries(names, header_words, max_size=4),
    st.binary(min_size=1),
    other_media,
)
def test_we_read_the_octets_that_the_sdk_writes_binary(
    attributes: dict[str, Any], extensions: dict[str, Any], data: bytes, media: str
) -> None:
    theirs = CloudEvent({**attributes, **extensions, "datacontenttype": media}, data)
    headers, body = to_binary(theirs)
    agree(CODEC.decode_binary(headers, body), theirs)


@thoroughly
@given(theirs_attributes, json_values.filter(lambda v: v is not None), st.none() | media)
def test_we_read_the_json_that_the_sdk_writes_binary(
    attributes: dict[str, Any], data: Any, media: str | None
) -> None:
    attributes |= {"id": "1", "type": "t.t", "source": "/s"}
    attributes.pop("subject", None)
    theirs = CloudEvent(attributes | ({"datacontenttype": media} if media else {}), data)
    headers, body = to_binary(theirs)
    agree(CODEC.decode_binary(headers, body), theirs)


@briefly
@given(st.lists(events, max_size=3))
def test_the_sdk_reads_each_record_of_our_batch(batch: list[Event[Any]]) -> None:
    # It has no batches of its own.
    records = json.loads(CODEC.encode_batch(batch))
    for event, record in zip(batch, records, strict=True):
        agree(event, from_json(json.dumps(record), kept))


@briefly
@given(st.lists(st.tuples(theirs_attributes, json_values.filter(lambda v: v is not None))))
def test_we_read_a_batch_of_what_the_sdk_writes(batch: list[tuple[dict[str, Any], Any]]) -> None:
    theirs = [CloudEvent(attributes, data) for attributes, data in batch]
    ours = CODEC.decode_batch(b"[" + b", ".join(map(to_json, theirs)) + b"]")
    for event, other in zip(ours, theirs, strict=True):
        assert isinstance(event, Event)
        agree(event, other)


@thoroughly
@given(events)
def test_an_event_becomes_the_sdk_s_and_comes_back(event: Event[Any]) -> None:
    theirs = event.to_sdk()
    agree(event, theirs)
    back = Event.from_sdk(theirs, CODEC)
    if isinstance(event.data, Raw) and event.data.value is None:
        assert back.data == Raw()  # the SDK does not tell null from nothing
    else:
        assert back == event


@pytest.mark.parametrize(
    ("data", "media", "theirs"),
    [
        (Raw(), "application/json", None),
        (Raw([1]), "application/json", [1]),
        (Raw("<a/>"), "application/xml", "<a/>"),
        (Raw(b"\x00"), "image/png", b"\x00"),
        (Raw(b"[1]"), "application/json", b"[1]"),
    ],
)
def test_data_of_every_form_goes_over_and_comes_back(data: Raw, media: str, theirs: Any) -> None:
    event = Event(id="1", source="/s", type="t.t", time=NOON, data=data, datacontenttype=media)
    made = event.to_sdk()
    assert made.get_data() == theirs
    assert made["time"] == "2030-01-31T12:00:00Z"
    assert Event.from_sdk(made) == event


@thoroughly
@given(theirs_attributes, theirs_extensions, json_values.filter(lambda v: v is not None))
def test_the_sdk_s_event_becomes_ours(
    attributes: dict[str, Any], extensions: dict[str, Any], data: Any
) -> None:
    theirs = CloudEvent({**attributes, **extensions}, data)
    agree(Event.from_sdk(theirs), theirs)


def test_an_event_from_a_function_s_request_is_typed() -> None:
    headers = {
        "ce-specversion": "1.0",
        "ce-id": "1",
        "ce-source": "/s",
        "ce-type": Moved.event_type,
        "ce-time": "2030-01-31T12:00:00Z",
        "ce-hop": "3",
        "content-type": "application/json",
    }
    theirs = from_http(headers, b'{"place":{"name":"here"},"count":1}')
    event = Event.from_sdk(theirs, CODEC)
    assert event.data == MOVED
    assert event.extensions == {"hop": 3}


def test_an_event_of_the_sdk_is_refused_as_any_other() -> None:
    attributes: Any = {"type": Moved.event_type, "source": "a b", "time": NOON}
    theirs = CloudEvent(attributes, {"count": "1"})
    with pytest.raises(InvalidEvent, match=r"source: .*data\.place: .*data\.count: "):
        Event.from_sdk(theirs, CODEC)
    with pytest.raises(InvalidEvent, match="cannot be written as JSON"):
        Event.from_sdk(CloudEvent({"type": "t.t", "source": "/s"}, object()))


@pytest.mark.parametrize("data", [b"\x00", bytearray(b"\x00"), memoryview(b"\x00")])
def test_octets_of_any_kind_are_taken_from_the_sdk(data: Any) -> None:
    theirs = CloudEvent({"type": "t.t", "source": "/s", "datacontenttype": "image/png"}, data)
    assert Event.from_sdk(theirs).data == Raw(b"\x00")


class Missing(importlib.abc.MetaPathFinder):
    """Makes an import fail in a way of one's choosing."""

    def __init__(self, name: str, error: ImportError) -> None:
        self.name, self.error = name, error

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        if fullname == self.name:
            raise self.error


@pytest.mark.parametrize("name", ["cloudevents", "cloudevents.http"])
def test_a_missing_sdk_is_one_clear_sentence(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [module for module in sys.modules if module.partition(".")[0] == "cloudevents"]:
        monkeypatch.delitem(sys.modules, module)
    finder = Missing(name, ModuleNotFoundError(f"No module named {name!r}", name=name))
    monkeypatch.setattr(sys, "meta_path", [finder, *sys.meta_path])
    event = Event.of(MOVED, id="1", source="/s", time=NOON)
    with pytest.raises(ImportError, match=r'pip install "cloudevents') as caught:
        event.to_sdk()
    assert caught.value.name == name


def test_any_other_import_error_passes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [module for module in sys.modules if module.partition(".")[0] == "cloudevents"]:
        monkeypatch.delitem(sys.modules, module)
    broken = ModuleNotFoundError("No module named 'deprecation'", name="deprecation")
    monkeypatch.setattr(sys, "meta_path", [Missing("cloudevents.http", broken), *sys.meta_path])
    event = Event.of(MOVED, id="1", source="/s", time=NOON)
    with pytest.raises(ModuleNotFoundError) as caught:
        event.to_sdk()
    assert caught.value is broken


def test_reading_the_sdk_s_event_does_not_import_the_sdk() -> None:
    import subprocess

    program = (
        "import sys; from crosswind_events import Event\n"
        "class Theirs:\n"
        "    def get_attributes(self): return {'specversion': '1.0', 'id': '1', 'source': '/s',\n"
        "        'type': 't.t', 'time': '2030-01-31T12:00:00Z'}\n"
        "    def get_data(self): return [1]\n"
        "assert Event.from_sdk(Theirs()).data.value == [1]\n"
        "assert 'cloudevents' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
