"""What the body of a message holds, whatever it was wrapped in on its way.

    {"specversion": ...}                      an event
    {"detail-type": ..., "detail": {...}}     EventBridge around an event, or a native notification
    {"TopicArn": ..., "Message": "..."}       SNS around any of these
    {"crosswind": "later", ...}               a delayed event on its way
    [...]                                     several of these (a batch of events, a pipe)

An event is passed on byte for byte where it arrives as text of its own. Nothing is refused here:
what is no event is a notification as far as is known here, and what is no JSON at all is left for
whoever reads it to say so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from pydantic_core import from_json, to_json

from crosswind.records.identity import CHAIN_ID, chain_id
from crosswind_aws.later import Later, unwrap

MAX_ENVELOPES: Final = 8
"""Most envelopes around one event; EventBridge through SNS, SQS and a delay has four."""

MAX_PARTS: Final = 1_000
"""Most events in one message."""

_HANDSHAKES: Final = ("SubscriptionConfirmation", "UnsubscribeConfirmation")


class Neutral(NamedTuple):
    """An event: its structured JSON, and what of it is told in logs."""

    body: bytes
    type: str | None
    chain: str | None


class Native(NamedTuple):
    """What is no event: text or JSON, for the translation of signals."""

    payload: str | Mapping[str, Any]


Content = Neutral | Later | Native


def contents(body: str | Mapping[str, Any]) -> list[Content]:
    """All that a body holds, in order; at least one.

    Args:
        body: text as a queue delivers it, or an object as a function is invoked with it.
    """
    if isinstance(body, str) and not body.isascii():
        # Half a surrogate pair, which a body may hold after Lambda's own parsing, is no text.
        body = body.encode("utf-8", "replace").decode()
    return list(_open(body, 0)) or [_opaque(body)]


def _open(body: Any, depth: int) -> Iterator[Content]:
    tree = _parsed(body)
    if depth > MAX_ENVELOPES or tree is None:
        yield _opaque(body)
    elif isinstance(tree, list):
        if len(tree) > MAX_PARTS:
            yield _opaque(body)
            return
        for item in tree:
            yield from _open(item, depth + 1)
    elif "specversion" in tree:
        yield _neutral(tree, body.encode() if isinstance(body, str) else _dumped(tree))
    elif (later := unwrap(tree)) is not None:
        yield later
    elif _is_event(detail := tree.get("detail")) and "detail-type" in tree:
        yield _neutral(detail, _dumped(detail))
    elif _is_notification(tree) and _parsed(tree["Message"]) is not None:
        yield from _open(tree["Message"], depth + 1)
    else:
        yield Native(tree)


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


def _is_event(detail: Any) -> bool:
    return isinstance(detail, Mapping) and "specversion" in detail


def _is_notification(tree: Mapping[str, Any]) -> bool:
    """Whether this is what SNS wraps a message in, and not its handshake."""
    if not isinstance(tree.get("Message"), str) or tree.get("Type") in _HANDSHAKES:
        return False
    return "TopicArn" in tree


def _neutral(tree: Mapping[str, Any], body: bytes) -> Neutral:
    kind, chain = tree.get("type"), tree.get("correlationid")
    source, name = tree.get("source"), tree.get("id")
    if not isinstance(chain, str) or not CHAIN_ID.fullmatch(chain):
        known = isinstance(source, str) and isinstance(name, str)
        chain = chain_id(str(source), str(name)) if known else None
    return Neutral(body, kind if isinstance(kind, str) else None, chain)
