"""Events to and from bytes: structured, batched and binary JSON (CloudEvents 1.0.2).

    decode          bytes -> JSON -> flaws of the text -> attributes -> data -> Event
    decode_batch    the same for each record of an array; a bad record spares its neighbours
    decode_binary   headers -> attributes; the body is the data
    encode...       Event -> attributes, data -> bytes; the same rules hold on the way out

Every stage adds what it finds to one list of faults, so that a sender learns of all at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic_core import to_json

from . import document
from .data import EventData
from .document import MAX_BATCH_BYTES, MAX_EVENT_BYTES
from .envelope import Event
from .faults import Fault, InvalidEvent
from .reader import Find, add_body, from_headers, open_event
from .writer import binary, structured


class Codec:
    """Reads and writes events; `types` are those whose data it knows, any other is read as Raw.

    `rest` gives more of them: it is asked once, when a type is met that is not among the first,
    and yields to these where both have a class for a type. So what is seldom used need not be
    loaded. A codec may be shared by threads. Raises ValueError where two classes name the same
    type.
    """

    __slots__ = ("_find", "_models", "_rest")

    def __init__(
        self,
        types: Iterable[type[EventData]] = (),
        *,
        rest: Callable[[], Iterable[type[EventData]]] | None = None,
    ) -> None:
        self._models: dict[str, type[EventData]] = {}
        self._rest = rest
        self._find: Find = self._models.get if rest is None else self._found
        for model in types:
            other = self._models.setdefault(model.event_type, model)
            if other is not model:
                raise ValueError(
                    f"{other.__qualname__} and {model.__qualname__} both name the type "
                    f"{model.event_type!r}; a codec takes one class for each type"
                )

    @property
    def types(self) -> tuple[type[EventData], ...]:
        """The classes this codec knows."""
        self._load()
        return tuple(self._models.values())

    def _found(self, name: str) -> type[EventData] | None:
        if name not in self._models:
            self._load()
        return self._models.get(name)

    def _load(self) -> None:
        # Two threads that do so at a time do the same.
        rest = self._rest
        if rest is not None:
            for model in rest():
                self._models.setdefault(model.event_type, model)
            self._rest = None

    def decode(self, body: bytes | str) -> Event[Any]:
        """Read one event in structured mode (JSON event format, section 3).

        Raises InvalidEvent, with every fault, for what is no event or does not fit its type.
        """
        if type(body) is not bytes or len(body) > MAX_EVENT_BYTES:
            body = document.as_bytes(body, MAX_EVENT_BYTES)
        tree = document.parse(body)
        document.bound_names(tree, len(body))
        found = [] if document.is_plain(body, tree) else document.flaws(body)
        return open_event(tree, self._find, found)

    def decode_batch(self, body: bytes | str) -> list[Event[Any] | InvalidEvent]:
        """Read a batch (JSON batch format, section 4); a bad record becomes its error, in place.

        Raises InvalidEvent where the batch as a whole cannot be read.
        """
        body = document.as_bytes(body, MAX_BATCH_BYTES)
        trees = document.parse(body)
        if not isinstance(trees, list):
            raise InvalidEvent([Fault("", "must be a JSON array of events")])
        closely = None if document.is_plain(body, trees) else document.closely(body)
        result: list[Event[Any] | InvalidEvent] = []
        for position, tree in enumerate(trees):
            found = [] if closely is None else document.flaws_of(closely[position])
            size = len(to_json(tree))
            if size > MAX_EVENT_BYTES:
                found.append(document.too_large(size, MAX_EVENT_BYTES))
            try:
                document.bound_names(tree, size)
                result.append(open_event(tree, self._find, found))
            except InvalidEvent as refused:
                result.append(refused)
        return result

    def decode_binary(self, headers: Mapping[str, str], body: bytes) -> Event[Any]:
        """Read one event in binary mode (HTTP binding, section 3.1) from `ce-*` headers and body.

        Header names are taken in any case; an empty body is no data. Raises InvalidEvent.
        """
        found: list[Fault] = []
        body = document.as_bytes(body, MAX_EVENT_BYTES)
        tree = from_headers(headers, len(body), found)
        if body:
            add_body(tree, body, self._find, found)
        return open_event(tree, self._find, found)

    def encode(self, event: Event[Any]) -> bytes:
        """Write one event in structured mode; raises InvalidEvent for one that none may read."""
        faults: list[Fault] = []
        body = structured(event, faults)
        if faults:
            raise InvalidEvent(faults)
        return body

    def encode_batch(self, events: Iterable[Event[Any]]) -> bytes:
        """Write a batch; raises InvalidEvent, its paths led by the position of the bad event."""
        bodies: list[bytes] = []
        faults: list[Fault] = []
        for position, event in enumerate(events):
            found: list[Fault] = []
            bodies.append(structured(event, found))
            for where, problem in found:
                faults.append(Fault(f"{position}.{where}" if where else f"{position}", problem))
        batch = b"[%b]" % b",".join(bodies)
        if len(batch) > MAX_BATCH_BYTES:
            faults.append(document.too_large(len(batch), MAX_BATCH_BYTES))
        if faults:
            raise InvalidEvent(faults)
        return batch

    def encode_binary(self, event: Event[Any]) -> tuple[dict[str, str], bytes]:
        """Write one event in binary mode: its headers, their names in lower case, and its body.

        Raises InvalidEvent for an event that none may read.
        """
        faults: list[Fault] = []
        headers, body = binary(event, faults)
        if faults:
            raise InvalidEvent(faults)
        return headers, body
