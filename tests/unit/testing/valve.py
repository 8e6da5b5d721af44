"""A reaction to be tested: it acts twice and ends its chain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crosswind.actions import Action, Answer, Call, Query
from crosswind.app import App
from crosswind.context import Context
from crosswind.emissions import Later, later
from crosswind.fleet.declaration import Fleet
from crosswind_events import Event, EventData


class Asked(EventData, type="com.example.asked.v1"):
    text: str = ""


class Due(EventData, type="com.example.due.v1"):
    text: str = ""


class Over(EventData, type="com.example.over.v1", ends="completed"):
    text: str = ""


class Turned(Answer):
    level: int


class Turn(Action[Turned], kind="valve.turn"):
    level: int
    workload: str = "chat"


class Look(Query[Turned], kind="valve.look"):
    pass


class Valve:
    """Recognises a repeated key."""

    performs: tuple[type[Action[Any]], ...] = (Turn,)
    answers: tuple[type[Query[Any]], ...] = (Look,)

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.levels: dict[str, int] = {}

    def perform(self, action: Turn, call: Call) -> Turned:
        self.keys.append(call.key)
        return Turned(level=self.levels.setdefault(call.key, action.level))

    def answer(self, query: Look, timeout: float) -> Turned:
        return Turned(level=len(self.levels))


def app() -> App:
    made = App("valve")

    @made.on(name="turn", acts=[Turn], reads=[Look])
    def turn(event: Event[Asked], ctx: Context) -> Iterator[Later[Due]]:
        ctx.act(Turn(level=1))
        ctx.observe(Look())
        ctx.act(Turn(level=2))
        yield later(Due(text=event.data.text), 30)

    @made.on(name="end")
    def end(event: Event[Due]) -> Over:
        return Over(text=event.data.text)

    return made


def fleet() -> Fleet:
    return Fleet.model_validate(
        {
            "name": "test",
            "regions": {"aws/us-east-1": {"jurisdiction": "US"}},
            "workloads": {
                "chat": {
                    "regions": {"aws/us-east-1": {"weight": 1.0, "replicas": 1, "quota": 1}},
                    "rate": 1.0,
                    "per_replica": 1.0,
                }
            },
            "modes": {"default": "act"},
        }
    )
