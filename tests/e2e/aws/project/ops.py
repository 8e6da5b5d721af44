"""A small app as a user would deploy it: a chain of hops, and handlers that go wrong on purpose."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from crosswind import App, Context, Event
from crosswind.emissions import Later
from crosswind.engine.settings import Settings
from crosswind_events import EventData

app = App(
    "ops",
    # Short, so that a test sees a killed function's work taken over.
    settings=Settings(lease=3.0, skew=0.5, wait=1.0, backoff=0.1, backoff_limit=0.5),
)


class Asked(EventData, type="com.example.asked.v1"):
    """A first event: so many hops are wanted, and at one of them something goes wrong."""

    hops: int
    wrong: str = ""
    at: int = -1


class Hopped(EventData, type="com.example.hopped.v1"):
    """A hop on the way."""

    left: int
    wrong: str = ""
    at: int = -1


class Arrived(EventData, type="com.example.arrived.v1", ends="completed"):
    """The end of the chain."""


class Unknown(EventData, type="com.example.unknown.v1"):
    """An event that no group wants."""


@app.on(name="ask")
def ask(event: Event[Asked], ctx: Context) -> Iterator[Hopped]:
    data = event.data
    yield Hopped(left=data.hops, wrong=data.wrong, at=data.at)


@app.on(name="hop")
def hop(event: Event[Hopped], ctx: Context) -> Iterator[Hopped | Arrived | Later[Hopped]]:
    data = event.data
    if data.left == data.at:
        go_wrong(data.wrong)
    following = Hopped(left=data.left - 1, wrong=data.wrong, at=data.at)
    if data.left <= 0:
        yield Arrived()
    elif data.wrong == "delay" and data.left == data.at:
        yield Later(following, delay=2.0)
    else:
        yield following


@app.on(name="watch", group="audit", aside=True)
def watch(event: Event[Arrived], ctx: Context) -> None:
    """Another group, in a function of its own."""


def go_wrong(how: str) -> None:
    """Die for good, die once, or fail as a handler fails."""
    if how == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "die once":
        mark = Path(os.environ["MARKS"]) / "died"
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    elif how == "hang once":
        mark = Path(os.environ["MARKS"]) / "hung"
        if not mark.exists():
            mark.touch()
            time.sleep(60)
    elif how == "fail":
        raise ValueError("as it was asked to")
