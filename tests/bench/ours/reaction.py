"""The app that is measured: one reaction that weighs what it is told and says one thing."""

from __future__ import annotations

from crosswind import App, Event, EventData
from crosswind_events import Region, RegionUnhealthy

GROUP = "bench"
SINK = "sink"
"""The group that wants what the reaction says."""


class RoomWanted(EventData, type="com.example.room.wanted.v1"):
    """A region needs room."""

    region: Region
    because: str


def app() -> App:
    """An app with the one reaction."""
    made = App(GROUP)

    @made.on()
    def make_room(event: Event[RegionUnhealthy]) -> RoomWanted:
        data = event.data
        return RoomWanted(region=data.region, because=f"{data.evidence}: {data.reason}")

    return made
