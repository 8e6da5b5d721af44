"""Small plays whose journals are read: a gauge is read, a valve is set, and more follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from crosswind import Action, Answer, App, Branch, Context, Later, Query, branch, later
from crosswind.actions import Call
from crosswind.fleet.declaration import Fleet
from crosswind.journal.chain import Chain, read_chain
from crosswind.testing import Stage
from crosswind_events import Event, EventData


class Asked(EventData, type="com.example.asked.v1"):
    tank: str = "a"
    seconds: float = 30.0


class Measured(EventData, type="com.example.measured.v1"):
    level: int
    because: str = ""


class Look(EventData, type="com.example.look.v1"):
    looks: int = 0


class Part(EventData, type="com.example.part.v1"):
    name: str


class Whole(EventData, type="com.example.whole.v1", ends="completed"):
    names: list[str]


class Over(EventData, type="com.example.over.v1", ends="completed"):
    level: int = 0


class Set(Answer):
    level: int


class SetValve(Action[Set], kind="valve.set"):
    level: int
    workload: str = "chat"

    def assumed(self) -> Set:
        return Set(level=self.level)


class Level(Answer):
    level: int


class ReadGauge(Query[Level], kind="gauge.read"):
    tank: str


class Plant:
    """Reads 7, sets what it is told, and counts how often it is asked."""

    performs: tuple[type[Action[Any]], ...] = (SetValve,)
    answers: tuple[type[Query[Any]], ...] = (ReadGauge,)

    def __init__(self, fails: int = 0) -> None:
        self.asked = 0
        self.fails = fails

    def perform(self, action: SetValve, call: Call) -> Set:
        self.asked += 1
        if self.asked <= self.fails:
            raise RuntimeError("the valve is stuck")
        return Set(level=action.level)

    def answer(self, query: ReadGauge, timeout: float) -> Level:
        self.asked += 1
        return Level(level=7)


def fleet(mode: str = "act", quorum: float = 2.0) -> Fleet:
    """A fleet of one region and one workload."""
    return Fleet.model_validate(
        {
            "name": "test",
            "regions": {"aws/us-east-1": {"jurisdiction": "US"}},
            "workloads": {
                "chat": {
                    "regions": {"aws/us-east-1": {"weight": 1.0, "replicas": 4, "quota": 8}},
                    "rate": 10.0,
                    "per_replica": 10.0,
                }
            },
            "modes": {"default": mode},
            "failover": {"quorum": quorum},
        }
    )


Handling = Callable[..., Any]


def measuring(measure: Handling | None = None, **how: Any) -> App:
    """Measure, set, be over; `measure` takes the place of the first handler."""
    app = App("play")

    def usual(event: Event[Asked], ctx: Context) -> Measured:
        level = ctx.observe(ReadGauge(tank=event.data.tank)).level
        return Measured(level=level, because=f"the gauge says {level}")

    app.on(reads=[ReadGauge], name="measure", **how)(measure or usual)

    @app.on(acts=[SetValve], name="set")
    def turn(event: Event[Measured], ctx: Context) -> Over:
        return Over(level=ctx.act(SetValve(level=event.data.level)).level)

    return app


def waiting() -> App:
    """Looks three times, half a minute apart."""
    app = App("play")

    @app.on(name="begin")
    def begin(event: Event[Asked]) -> Later[Look]:
        return later(Look(), event.data.seconds, scope="looks")

    @app.on(name="look")
    def look(event: Event[Look]) -> Later[Look] | Over:
        if event.data.looks < 2:
            return later(Look(looks=event.data.looks + 1), 30.0, scope="looks")
        return Over()

    return app


def parting() -> App:
    """Two branches and their join."""
    app = App("play")

    @app.on(name="part")
    def part(event: Event[Asked]) -> Iterator[Branch[Part]]:
        for name in ("left", "right"):
            yield branch(Part(name=name), join="parts", member=name)

    @app.on(name="whole")
    def whole(event: Event[Part], ctx: Context) -> Whole | None:
        joined = ctx.join("parts", event.data.name, ("left", "right"), event.data.name)
        return None if joined is None else Whole(names=sorted(joined.values))

    return app


def played(stage: Stage, data: EventData | None = None) -> Chain:
    """Say something, and read its chain."""
    return chain_of(stage, stage.say(data or Asked()))


def chain_of(stage: Stage, chain: str | None = None) -> Chain:
    """The chain that was said last, as it stands."""
    found = read_chain(stage.engine.ledger, chain or stage.chain)
    assert found is not None
    return found
