"""From what was received to an event: attributes, then data, each fault noted on the way."""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from . import attributes as rules
from .attributes import JSON_MEDIA
from .data import EventData
from .document import MAX_EVENT_BYTES, bound_names, flaws, is_plain, parse, too_large
from .envelope import ABSENT, Event, Extension, Raw, assemble
from .faults import Fault, InvalidEvent, from_validation
from .headers import CONTENT_TYPE, PREFIX, from_header
from .instant import PROBLEM as TIME_PROBLEM
from .instant import parse as parse_time

SPECVERSION = "1.0"

Find = Callable[[str], type[EventData] | None]
"""Finds the class of a type, where it is known."""

# RFC 9110, section 8.3: a body whose type nobody gives may be taken for this.
_OCTETS = "application/octet-stream"


def open_event(tree: Any, find: Find, faults: list[Fault]) -> Event[Any]:
    """Build the event that a JSON object stands for (JSON format, sections 2 and 3).

    The object is used up: what is left of it becomes the extensions. `faults` holds what was
    found before; raises InvalidEvent with these and all others.
    """
    if type(tree) is not dict:
        raise InvalidEvent([*faults, Fault("", "must be a JSON object")])
    take = tree.pop
    version = take("specversion", None)
    if version != SPECVERSION:
        faults.append(_required("specversion", version, f'must be "{SPECVERSION}"'))
    id_ = take("id", None)
    if problem := rules.text_problem(id_):
        faults.append(_required("id", id_, problem))
    source = take("source", None)
    if problem := rules.source_problem(source):
        faults.append(_required("source", source, problem))
    type_ = take("type", None)
    model = find(type_) if isinstance(type_, str) else None
    if model is None and (problem := rules.type_problem(type_)):
        faults.append(_required("type", type_, problem))
    time = take("time", None)
    if isinstance(time, str):
        try:
            time = parse_time(time)
        except ValueError as error:
            faults.append(Fault("time", str(error)))
    else:
        faults.append(_required("time", time, TIME_PROBLEM))
    # "When decoding attributes and a null value is encountered, it MUST be treated as the
    # equivalent of unset": JSON format, section 2.2.
    subject = take("subject", None)
    if subject is not None and (problem := rules.text_problem(subject)):
        faults.append(Fault("subject", problem))
    schema = take("dataschema", None)
    if schema is not None and (problem := rules.schema_problem(schema)):
        faults.append(Fault("dataschema", problem))
    media = take("datacontenttype", None)
    if media is None:
        media = JSON_MEDIA  # JSON format, section 3.1.2
    elif media != JSON_MEDIA and (problem := rules.media_problem(media)):
        faults.append(Fault("datacontenttype", problem))
        media = JSON_MEDIA
    declares_json = media == JSON_MEDIA or rules.is_json(media)
    data = take("data", ABSENT)
    octets = take("data_base64", None)
    if octets is not None:
        if data is not ABSENT:
            faults.append(Fault("data_base64", "must not occur beside data"))
        data = _octets(octets, faults)
    if model is None:
        if not (declares_json or data is ABSENT or isinstance(data, (str, bytes))):
            faults.append(Fault("data", "must be a string, for datacontenttype declares no JSON"))
        data = Raw(data)
    elif declares_json:
        data = _typed(data, model, faults)
    else:
        faults.append(Fault("datacontenttype", f"must declare JSON for {type_}"))
    extensions = tree if rules.are_regular(tree) else _extensions(tree, faults)
    if faults:
        raise InvalidEvent(faults)
    return assemble(id_, source, type_, time, data, subject, media, schema, extensions)


def from_headers(headers: Mapping[str, str], size: int, faults: list[Fault]) -> dict[str, Any]:
    """Take the attributes from HTTP headers (HTTP binding, section 3.1); `size` is the body's."""
    tree: dict[str, Any] = {}
    for given, text in headers.items():
        header = given.lower()
        if header == CONTENT_TYPE:
            name = "datacontenttype"
        elif header.startswith(PREFIX):
            name = header[len(PREFIX) :]
            if name == "datacontenttype":
                faults.append(Fault(name, f"must be given by the {CONTENT_TYPE} header alone"))
                continue
        else:
            continue
        if name in tree:
            faults.append(Fault(name, "is given more than once"))
        size += len(header) + len(text)
        if size > MAX_EVENT_BYTES:
            raise InvalidEvent([*faults, too_large(size, MAX_EVENT_BYTES)])
        tree[name] = text.strip(" \t")
        if header != CONTENT_TYPE:
            try:
                tree[name] = from_header(text)
            except ValueError as error:
                faults.append(Fault(name, str(error)))
    return tree


def add_body(tree: dict[str, Any], body: bytes, find: Find, faults: list[Fault]) -> None:
    """Add the body of a binary-mode message to its attributes.

    It is read as JSON where it is declared to be that, and tried as JSON where nothing is
    declared; anything else stays bytes.
    """
    media = tree.get("datacontenttype")
    if not rules.is_json(media or JSON_MEDIA):
        tree["data_base64"] = body
    elif media or find(tree.get("type", "")) is not None:
        tree["data"] = _json(body, faults)
    else:
        tried: list[Fault] = []
        tree["data"] = _json(body, tried)
        if tree["data"] is _UNREADABLE:
            del tree["data"]
            tree["datacontenttype"], tree["data_base64"] = _OCTETS, body
        faults.extend(tried if "data" in tree else ())


# Stands for data about which all is said that can be.
_UNREADABLE: Any = object()


def _required(name: str, value: object, problem: str) -> Fault:
    return Fault(name, "is missing" if value is None else problem)


def _octets(value: Any, faults: list[Fault]) -> Any:
    if isinstance(value, bytes):
        return value
    try:
        return a2b_base64(value, strict_mode=True)
    except (TypeError, ValueError):
        faults.append(Fault("data_base64", "must be a string of base64 (RFC 4648)"))
        return _UNREADABLE


def _json(text: bytes, faults: list[Fault]) -> Any:
    try:
        data = parse(text, "data")
        bound_names(data, len(text), "data")
    except InvalidEvent as refused:
        faults.extend(refused.faults)
        return _UNREADABLE
    if not is_plain(text, data):
        faults.extend(flaws(text, "data"))
    return data


def _typed(data: Any, model: type[EventData], faults: list[Fault]) -> EventData | None:
    if type(data) is not dict:
        if isinstance(data, bytes):
            data = _json(data, faults)
        if data is _UNREADABLE:
            return None
        if data is ABSENT:
            faults.append(Fault("data", "is missing"))
            return None
    try:
        typed: EventData = model.__pydantic_validator__.validate_python(data)
    except ValidationError as error:
        faults.extend(from_validation(error))
        return None
    return typed


def _extensions(tree: dict[str, Any], faults: list[Fault]) -> dict[str, Extension]:
    extensions = {name: value for name, value in tree.items() if value is not None}
    if len(extensions) > rules.MAX_EXTENSIONS:
        faults.append(Fault("", f"has more than {rules.MAX_EXTENSIONS} extension attributes"))
        return {}
    for name, value in extensions.items():
        if name in rules.INTEGER_EXTENSIONS and isinstance(value, str):
            extensions[name] = value = rules.integer(value)
            if value is None:
                faults.append(Fault(name, "must be a whole number"))
                continue
        if problem := rules.name_problem(name) or rules.extension_problem(value):
            faults.append(Fault(name, problem))
    return extensions
