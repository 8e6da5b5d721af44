"""What is said: the event envelope, its codec, and the catalogue of event types.

    event = Event.of(RegionUnhealthy(...), id="1", source="/probes", time=now)
    body = Codec(CATALOGUE).encode(event)

Nothing here knows of handlers, stores or clouds. The catalogue's names are loaded on first use:
a program that needs two types does not wait for fifty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .codec import Codec
from .data import EventData, Part
from .document import MAX_BATCH_BYTES, MAX_EVENT_BYTES
from .envelope import ABSENT, Event, Extension, Raw
from .faults import Fault, InvalidEvent
from .fields import Instant, Region

if TYPE_CHECKING:
    from .catalogue import CATALOGUE
    from .catalogue.anomaly import AnomalyDetected
    from .catalogue.approval import ApprovalRequested, ApprovalSettled
    from .catalogue.chain import BranchFailed, ChainDeadline, ChainStalled, RunResume
    from .catalogue.deadletter import DeadLettered
    from .catalogue.incident import IncidentOpened, IncidentResolved
    from .catalogue.region import Native, RegionRecovered, RegionUnhealthy
    from .catalogue.schedule import Tick
else:
    # Not for a type checker, which would take any name for one of this module.
    def __getattr__(name: str) -> Any:
        if name not in _CATALOGUE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f".{_CATALOGUE[name]}", __name__), name)
        globals()[name] = value
        return value


__all__ = [
    # the envelope and what it holds
    "Event",
    "EventData",
    "Part",
    "Raw",
    "ABSENT",
    "Extension",
    "Instant",
    "Region",
    # reading and writing
    "Codec",
    "InvalidEvent",
    "Fault",
    "MAX_EVENT_BYTES",
    "MAX_BATCH_BYTES",
    # the catalogue
    "CATALOGUE",
    "Native",
    "RegionUnhealthy",
    "RegionRecovered",
    "AnomalyDetected",
    "ApprovalRequested",
    "ApprovalSettled",
    "IncidentOpened",
    "IncidentResolved",
    "RunResume",
    "ChainDeadline",
    "ChainStalled",
    "BranchFailed",
    "DeadLettered",
    "Tick",
]

_CATALOGUE = {
    "CATALOGUE": "catalogue",
    "Native": "catalogue.region",
    "RegionUnhealthy": "catalogue.region",
    "RegionRecovered": "catalogue.region",
    "AnomalyDetected": "catalogue.anomaly",
    "ApprovalRequested": "catalogue.approval",
    "ApprovalSettled": "catalogue.approval",
    "IncidentOpened": "catalogue.incident",
    "IncidentResolved": "catalogue.incident",
    "RunResume": "catalogue.chain",
    "ChainDeadline": "catalogue.chain",
    "ChainStalled": "catalogue.chain",
    "BranchFailed": "catalogue.chain",
    "DeadLettered": "catalogue.deadletter",
    "Tick": "catalogue.schedule",
}


def __dir__() -> list[str]:
    return sorted(__all__)
