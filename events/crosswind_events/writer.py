"""From an event to what is sent; what could not be read again is not written."""

from __future__ import annotations

from binascii import b2a_base64
from datetime import UTC
from typing import Any, Literal

from pydantic_core import PydanticSerializationError, to_json

from . import attributes as rules
from .attributes import JSON_MEDIA
from .data import EventData
from .document import MAX_EVENT_BYTES, flaws, is_plain, parse, too_large
from .envelope import ABSENT, Event, Raw
from .faults import Fault, InvalidEvent
from .headers import CONTENT_TYPE, PREFIX, to_header
from .instant import PROBLEM as TIME_PROBLEM
from .instant import utc, written
from .reader import SPECVERSION

Form = Literal["json", "text", "octets", "none"]


def structured(event: Event[Any], faults: list[Fault]) -> bytes:
    """Write an event as one JSON object (JSON format, section 3)."""
    head = attributes(event, faults)
    if isinstance(event.data, EventData):
        _check_typed(event, event.data, faults)
        head["data"] = event.data
        member = b""
    else:
        member = _member(*_raw(event, faults))
    if faults:
        return b""
    try:
        body = to_json(head)
    except PydanticSerializationError as error:
        faults.append(_unwritable(error))
        return b""
    if member:
        body = body[:-1] + member
    if len(body) > MAX_EVENT_BYTES:
        faults.append(too_large(len(body), MAX_EVENT_BYTES))
    return body


def binary(event: Event[Any], faults: list[Fault]) -> tuple[dict[str, str], bytes]:
    """Write an event as HTTP headers and a body (HTTP binding, section 3.1)."""
    head = attributes(event, faults)
    form, payload = content(event, faults)
    if form == "text" and not _is_utf8(event.datacontenttype):
        faults.append(Fault("datacontenttype", "declares a charset: give the data as its bytes"))
    if form == "octets" and _declares_json(event):
        # In a body the media type decides, and a reader will take it at its word.
        _check_json(payload, faults)
    if faults:
        return {}, b""
    head["time"] = written(head["time"])
    headers = {CONTENT_TYPE: head.pop("datacontenttype")}
    for name, value in head.items():
        headers[PREFIX + name] = to_header(value)
    size = len(payload) + sum(len(name) + len(value) for name, value in headers.items())
    if size > MAX_EVENT_BYTES:
        faults.append(too_large(size, MAX_EVENT_BYTES))
    return headers, payload


def attributes(event: Event[Any], faults: list[Fault]) -> dict[str, Any]:
    """Check an event's context attributes and gather them; `time` stays a datetime, in UTC."""
    id_, source, type_ = event.id, event.source, event.type
    head: dict[str, Any] = {
        "specversion": SPECVERSION,
        "id": id_,
        "source": source,
        "type": type_,
    }
    if problem := rules.text_problem(id_):
        faults.append(Fault("id", problem))
    if problem := rules.source_problem(source):
        faults.append(Fault("source", problem))
    if problem := rules.type_problem(type_):
        faults.append(Fault("type", problem))
    if (subject := event.subject) is not None:
        head["subject"] = subject
        if problem := rules.text_problem(subject):
            faults.append(Fault("subject", problem))
    time = event.time
    try:
        head["time"] = time if time.tzinfo is UTC else utc(time)
    except AttributeError:
        faults.append(Fault("time", TIME_PROBLEM))
    except ValueError as error:
        faults.append(Fault("time", str(error)))
    head["datacontenttype"] = media = event.datacontenttype
    if media != JSON_MEDIA and (problem := rules.media_problem(media)):
        faults.append(Fault("datacontenttype", problem))
    if (schema := event.dataschema) is not None:
        head["dataschema"] = schema
        if problem := rules.schema_problem(schema):
            faults.append(Fault("dataschema", problem))
    extensions = event.extensions
    if not rules.are_regular(extensions):
        if len(extensions) > rules.MAX_EXTENSIONS:
            faults.append(Fault("", f"has more than {rules.MAX_EXTENSIONS} extension attributes"))
        for name, value in extensions.items():
            if problem := rules.name_problem(name) or rules.extension_problem(value):
                faults.append(Fault(name, problem))
    head.update(extensions)
    return head


def content(event: Event[Any], faults: list[Fault]) -> tuple[Form, bytes]:
    """Check an event's data and write it, by itself: as JSON, text, octets or not at all."""
    data = event.data
    if not isinstance(data, EventData):
        return _raw(event, faults)
    _check_typed(event, data, faults)
    try:
        return "json", data.__pydantic_serializer__.to_json(data)
    except PydanticSerializationError as error:
        faults.append(_unwritable(error))
        return "none", b""


def _check_typed(event: Event[Any], data: EventData, faults: list[Fault]) -> None:
    if data.event_type != event.type:
        faults.append(Fault("type", f"must be {data.event_type}, the type of the data"))
    if event.datacontenttype != JSON_MEDIA and not _declares_json(event):
        faults.append(Fault("datacontenttype", f"must declare JSON for {data.event_type}"))


def _declares_json(event: Event[Any]) -> bool:
    media = event.datacontenttype
    return isinstance(media, str) and rules.is_json(media)


def _raw(event: Event[Any], faults: list[Fault]) -> tuple[Form, bytes]:
    if not isinstance(event.data, Raw):
        kind = type(event.data).__name__
        faults.append(Fault("data", f"must be an EventData or a Raw, not {kind}"))
        return "none", b""
    value = event.data.value
    if value is ABSENT:
        return "none", b""
    if isinstance(value, bytes):
        return "octets", value
    if _declares_json(event):
        return "json", _json_text(value, faults)
    if not isinstance(value, str):
        faults.append(Fault("data", "must be text or bytes, for datacontenttype declares no JSON"))
        return "none", b""
    try:
        return "text", value.encode()
    except UnicodeEncodeError:
        faults.append(Fault("data", "holds a lone surrogate, so it is no text"))
        return "none", b""


def _member(form: Form, payload: bytes) -> bytes:
    # The end of a JSON object whose other members are written already.
    if form == "json":
        return b',"data":%b}' % payload
    if form == "octets":
        return b',"data_base64":"%b"}' % b2a_base64(payload, newline=False)
    return b',"data":%b}' % to_json(payload.decode()) if form == "text" else b""


def _json_text(value: Any, faults: list[Fault]) -> bytes:
    # Anything may be in a Raw that a program made: NaN, keys that are equal once they are text,
    # depth beyond any reader's. Reading it back finds all of that.
    try:
        text = to_json(value)
    except PydanticSerializationError as error:
        faults.append(_unwritable(error))
        return b""
    _check_json(text, faults)
    return text


def _check_json(text: bytes, faults: list[Fault]) -> None:
    try:
        if not is_plain(text, parse(text, "data")):
            faults.extend(flaws(text, "data"))
    except InvalidEvent as refused:
        faults.extend(refused.faults)


def _is_utf8(media: str) -> bool:
    charset = media.lower().partition("charset=")[2].strip('"').partition(";")[0].strip(' "')
    return charset in ("", "utf-8", "us-ascii")


def _unwritable(error: PydanticSerializationError) -> Fault:
    return Fault("data", f"cannot be written: {error}")
