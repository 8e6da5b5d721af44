"""To and from the official SDK's `CloudEvent`, which functions-framework hands to a function."""

from __future__ import annotations

from binascii import b2a_base64
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticSerializationError, from_json, to_json

from .codec import Codec
from .envelope import Event
from .faults import Fault, InvalidEvent
from .instant import written
from .writer import attributes, content

if TYPE_CHECKING:
    from cloudevents.http import CloudEvent

# What is missing where the SDK is not there, or is one of another generation.
_SDK = ("cloudevents", "cloudevents.http")


def from_sdk(event: CloudEvent, codec: Codec | None) -> Event[Any]:
    """See `Event.from_sdk`. The SDK itself is not needed: its object is only read.

    It has no way to tell data that is null from no data, so None is no data.
    """
    tree = dict(event.get_attributes())
    data = event.get_data()
    if isinstance(data, (bytes, bytearray, memoryview)):
        tree["data_base64"] = b2a_base64(data, newline=False).decode()
    elif data is not None:
        tree["data"] = data
    try:
        # By way of JSON, so that this event passes the very checks of one that was received.
        body = to_json(tree)
    except PydanticSerializationError as error:
        raise InvalidEvent([Fault("", f"cannot be written as JSON: {error}")]) from None
    return (codec or Codec()).decode(body)


def to_sdk(event: Event[Any]) -> CloudEvent:
    """See `Event.to_sdk`."""
    try:
        from cloudevents.http import CloudEvent
    except ModuleNotFoundError as error:
        if error.name not in _SDK:
            raise
        raise ImportError(
            'the official CloudEvents SDK is not installed: pip install "cloudevents>=1.11,<2"',
            name=error.name,
        ) from None
    faults: list[Fault] = []
    head = attributes(event, faults)
    form, payload = content(event, faults)
    if faults:
        raise InvalidEvent(faults)
    head["time"] = written(head["time"])
    if form == "none":
        return CloudEvent(head, None)
    if form == "json":
        return CloudEvent(head, from_json(payload))
    return CloudEvent(head, payload.decode() if form == "text" else payload)
