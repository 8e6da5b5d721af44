"""Two functions that hand each other an event: each decides, journals and says the next."""

from __future__ import annotations

from crosswind import App, Event, EventData
from crosswind_aws.function import lambda_handler


class Ping(EventData, type="com.example.ping.v1"):
    """For the first of them; `left` hops are to go."""

    left: int


class Pong(EventData, type="com.example.pong.v1"):
    """For the second."""

    left: int


class Landed(EventData, type="com.example.landed.v1"):
    """There is no hop left."""


app = App("hops")


@app.on(group="ping")
def ping(event: Event[Ping]) -> Pong | Landed:
    """Hand it to the second, if it has a hop left."""
    left = event.data.left - 1
    return Pong(left=left) if left else Landed()


@app.on(group="pong")
def pong(event: Event[Pong]) -> Ping | Landed:
    """Hand it back, if it has a hop left."""
    left = event.data.left - 1
    return Ping(left=left) if left else Landed()


handler = lambda_handler(app)
