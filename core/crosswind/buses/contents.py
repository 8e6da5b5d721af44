"""What the body of a message holds, whatever it was wrapped in on its way.

    {"specversion": ...}            an event
    {"crosswind": "later", ...}     a delayed event on its way
    an envelope of the cloud        what is in it
    [...]                           several of these (a batch of events, a pipe)
    attributes and data             an event in binary mode

An event is passed on byte for byte where it arrives as text of its own. Nothing is refused here:
what is no event is a notification as far as is known here, and what is no JSON at all is left for
whoever reads it to say so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic_core import from_json, to_json

from crosswind.buses.later import Later, unwrap
from crosswind.records.identity import CHAIN_ID, chain_id
from crosswind_events import InvalidEvent
from crosswind_events.headers import CONTENT_TYPE, PREFIX, to_header

if TYPE_CHECKING:
    from crosswind_events import Codec

MAX_ENVELOPES: Final = 8
"""Most envelopes around one event; EventBridge through SNS, SQS and a delay has four."""

MAX_PARTS: Final = 1_000
"""Most events in one message."""

Envelope = Callable[[Mapping[str, Any]], Any]
"""What is in an envelope of one kind, text or JSON; None where an object is none of that kind."""


class Neutral(NamedTuple):
    """An event: its structured JSON, and what of it is told in logs."""

    body: bytes
    type: str | None
    chain: str | None


class Native(NamedTuple):
    """What is no event: text or JSON, for the translation of signals."""

    payload: str | Mapping[str, Any]


class Unreadable(NamedTuple):
    """What says that it is an event and is none: its data, and every fault in it."""

    body: bytes
    reason: str


Content = Neutral | Later | Native | Unreadable


def contents(body: str | Mapping[str, Any], envelopes: Sequence[Envelope] = ()) -> list[Content]:
    """All that a body holds, in order; at least one.

    Args:
        body: text as a queue delivers it, or an object as a function is invoked with it.
        envelopes: what a cloud wraps around events; the first that fits is opened.
    """
    if isinstance(body, str) and not body.isascii():
        # Half a surrogate pair, which a runtime's own parsing may leave in a body, is no text.
        body = body.encode("utf-8", "replace").decode()
    return list(_open(body, envelopes, 0)) or [_opaque(body)]


def assembled(
    attributes: Mapping[str, str], data: bytes, codec: Codec, *, prefix: str = PREFIX
) -> Neutral | Unreadable:
    """An event in binary mode, as the structured JSON that the engine is handed.

    Args:
        attributes: what came beside the data: those of the event, and its `content-type`.
        codec: of the app.
        prefix: what the names of the event's attributes begin with. After `ce-` their values are
            escaped as in HTTP (CloudEvents 1.0.2, HTTP protocol binding, section 3.1.3.2), and
            after any other, such as the `cloudEvents:` of AMQP, they stand as they are.
    """
    try:
        event = codec.decode_binary(_headers(attributes, prefix), data)
        body = codec.encode(event)
    except InvalidEvent as error:
        return Unreadable(data, str(error))
    chain = event.extensions.get("correlationid")
    return Neutral(body, event.type, _chain(chain, event.source, event.id))


def _headers(attributes: Mapping[str, str], prefix: str) -> Mapping[str, str]:
    if prefix == PREFIX:
        return attributes
    headers = {
        f"{PREFIX}{name.removeprefix(prefix)}": to_header(value)
        for name, value in attributes.items()
        if name.startswith(prefix)
    }
    headers |= {name: value for name, value in attributes.items() if name.lower() == CONTENT_TYPE}
    return headers


def _open(body: Any, envelopes: Sequence[Envelope], depth: int) -> Iterator[Content]:
    tree = _parsed(body)
    if depth > MAX_ENVELOPES or tree is None:
        yield _opaque(body)
    elif isinstance(tree, list):
        if len(tree) > MAX_PARTS:
            yield _opaque(body)
            return
        for item in tree:
            yield from _open(item, envelopes, depth + 1)
    elif "specversion" in tree:
        yield _neutral(tree, body.encode() if isinstance(body, str) else _dumped(tree))
    elif (later := unwrap(tree)) is not None:
        yield later
    elif is_event(inside := _inside(tree, envelopes)):
        yield _neutral(inside, _dumped(inside))
    elif _parsed(inside) is not None:
        yield from _open(inside, envelopes, depth + 1)
    else:
        yield Native(tree)


def _inside(tree: Mapping[str, Any], envelopes: Sequence[Envelope]) -> Any:
    for envelope in envelopes:
        inside = envelope(tree)
        if inside is not None:
            return inside
    return None


def _parsed(body: Any) -> Any:
    """An object or a list; None for anything else."""
    if isinstance(body, str):
        try:
            body = from_json(body)
        except ValueError:
            return None
    return body if isinstance(body, Mapping | list) else None


def _opaque(body: Any) -> Native:
    if isinstance(body, str | Mapping):
        return Native(body)
    return Native(_dumped(body).decode())


def _dumped(tree: Any) -> bytes:
    try:
        return to_json(tree)
    except ValueError:
        # It holds what is no text; the engine refuses it, and says what.
        return json.dumps(tree).encode()


def is_event(tree: Any) -> bool:
    """Whether this is an event in structured mode, or says so."""
    return isinstance(tree, Mapping) and "specversion" in tree


def _neutral(tree: Mapping[str, Any], body: bytes) -> Neutral:
    kind = tree.get("type")
    chain = _chain(tree.get("correlationid"), tree.get("source"), tree.get("id"))
    return Neutral(body, kind if isinstance(kind, str) else None, chain)


def _chain(given: Any, source: Any, name: Any) -> str | None:
    """The chain that an event says it belongs to, else the one that it opens."""
    if isinstance(given, str) and CHAIN_ID.fullmatch(given):
        return given
    if isinstance(source, str) and isinstance(name, str):
        return chain_id(source, name)
    return None
