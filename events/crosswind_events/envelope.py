"""The envelope: one CloudEvents 1.0.2 event whose data is typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import FrozenInstanceError, dataclass, field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from .attributes import JSON_MEDIA
from .data import EventData

if TYPE_CHECKING:
    from cloudevents.http import CloudEvent

    from .codec import Codec

D = TypeVar("D", covariant=True)
T = TypeVar("T")
E = TypeVar("E", bound=EventData)

Extension = str | int | bool


class _Absent(Enum):
    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent.ABSENT
"""The value of `Raw` for an event without data, which is not the same as data that is null."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Data of a type that nobody declared, kept so that it can be written again as it was.

    `value` is a JSON value where the event's datacontenttype declares JSON, the text or the bytes
    of another format otherwise, and `ABSENT` where the event has no data.
    """

    value: Any = ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Generic[D]):
    """One event: what happened (`data`), and the context attributes by which it is routed.

    `time` is aware and in UTC when the event was read by a Codec. `extensions` holds the
    attributes beyond those of the specification, such as `correlationid`. An event is plain data
    and cheap to make; a Codec checks it when it is written, as it does when one is read.
    """

    id: str
    source: str
    type: str
    time: datetime
    data: D
    subject: str | None = None
    datacontenttype: str = JSON_MEDIA
    dataschema: str | None = None
    extensions: Mapping[str, Extension] = field(default_factory=dict)

    def __hash__(self) -> int:
        # Source and id name an event (CloudEvents 1.0.2, "id"); the rest may not be hashable.
        return hash((self.source, self.id))

    @staticmethod
    def of(
        data: E,
        *,
        id: str,
        source: str,
        time: datetime,
        subject: str | None = None,
        extensions: Mapping[str, Extension] | None = None,
    ) -> Event[E]:
        """Make an event whose type is that of its data's class."""
        given = dict(extensions) if extensions else {}
        return assemble(id, source, data.event_type, time, data, subject, JSON_MEDIA, None, given)

    @staticmethod
    def from_sdk(event: CloudEvent, codec: Codec | None = None) -> Event[Any]:
        """Take over an event of the official SDK, its data typed by `codec` (else as Raw).

        Raises InvalidEvent as `Codec.decode` does: the SDK checks little.
        """
        from .sdk import from_sdk

        return from_sdk(event, codec)

    def to_sdk(self) -> CloudEvent:
        """Make the official SDK's object of this event.

        Raises ImportError where the SDK is not installed, InvalidEvent as `Codec.encode` does.
        """
        from .sdk import to_sdk

        return to_sdk(self)


def _refuse(event: Event[Any], name: str, value: object = None) -> NoReturn:
    raise FrozenInstanceError(f"an event cannot be changed: {name}")


# What dataclasses generate here calls super() with the class as it was before it got its slots,
# and fails with the wrong error where typing tries to note the type of `Event[X](...)`.
Event.__setattr__ = _refuse  # type: ignore[method-assign,assignment]  # see above
Event.__delattr__ = _refuse  # type: ignore[method-assign,assignment]  # likewise


class _Draft(Generic[T]):
    """An event while it is put together: the same slots, not frozen yet."""

    __slots__ = Event.__slots__


def assemble(
    id: str,
    source: str,
    type: str,
    time: datetime,
    data: T,
    subject: str | None,
    datacontenttype: str,
    dataschema: str | None,
    extensions: Mapping[str, Extension],
) -> Event[T]:
    """Do what `Event(...)` does in a seventh of its time: it is on the path of every delivery.

    The initializer of a frozen dataclass must go around its own guard for each field. Here the
    slots are set while the object is of a class without a guard, then it is made an Event.
    """
    draft: Any = _Draft()
    draft.id = id
    draft.source = source
    draft.type = type
    draft.time = time
    draft.data = data
    draft.subject = subject
    draft.datacontenttype = datacontenttype
    draft.dataschema = dataschema
    draft.extensions = extensions
    draft.__class__ = Event
    event: Event[T] = draft
    return event
