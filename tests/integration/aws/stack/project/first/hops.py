"""A small app in two groups: a chain of hops, and who hears of its end."""

from __future__ import annotations

from collections.abc import Iterator

from crosswind import App, Context, Event
from crosswind.emissions import Later
from crosswind_events import EventData, RegionUnhealthy

app = App("hops")


class Asked(EventData, type="com.example.asked.v1"):
    """A first event: so many hops are wanted."""

    hops: int


class Hopped(EventData, type="com.example.hopped.v1"):
    """A hop on the way."""

    left: int


class Arrived(EventData, type="com.example.arrived.v1", ends="completed"):
    """The end of the chain."""


@app.on(name="ask")
def ask(event: Event[Asked], ctx: Context) -> Hopped:
    """Begin."""
    return Hopped(left=event.data.hops)


@app.on(name="hop")
def hop(event: Event[Hopped], ctx: Context) -> Iterator[Hopped | Arrived | Later[Hopped]]:
    """Go on; the last hop is taken a second later, by way of a delayed message."""
    left = event.data.left
    if left <= 0:
        yield Arrived()
    elif left == 1:
        yield Later(Hopped(left=0), delay=1.0)
    else:
        yield Hopped(left=left - 1)


@app.on(name="hear", group="audit", aside=True)
def hear(event: Event[Arrived], ctx: Context) -> None:
    """Another group, in a function of its own."""


@app.on(name="note")
def note(event: Event[RegionUnhealthy], ctx: Context) -> None:
    """What AWS itself says of a region comes here, translated."""
