"""The world of the small chains: valves that are set, a gauge that is read, a bell that rings.

It recognises a repeated key as a good performer does, and keeps account of every call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from crosswind.actions import Action, Answer, Call, Pending, Query
from crosswind_events import EventData


class Asked(EventData, type="com.example.asked.v1"):
    text: str = ""


class Heard(EventData, type="com.example.heard.v1"):
    text: str = ""


class Over(EventData, type="com.example.over.v1", ends="completed"):
    text: str = ""


class Part(EventData, type="com.example.part.v1"):
    name: str


class Done(EventData, type="com.example.done.v1"):
    name: str
    text: str = ""


class GiveUp(EventData, type="com.example.giveup.v1"):
    pass


class Sick(EventData, type="com.example.sick.v1"):
    who: str = "r1"


class Well(EventData, type="com.example.well.v1"):
    who: str = "r1"


class Sure(EventData, type="com.example.sure.v1"):
    text: str = ""


class Set(Answer):
    level: int


class SetValve(Action[Set], kind="valve.set"):
    """Recognised by its key."""

    level: int
    workload: str = "chat"

    def effects(self) -> Mapping[str, float]:
        return {"replicas-removed": float(self.level)}

    def assumed(self) -> Set:
        return Set(level=self.level)


class Fill(Action[Set], kind="tank.fill"):
    """Takes long: it is under way when it is asked for, and done when it is asked for again."""

    level: int
    workload: str = "chat"

    def assumed(self) -> Set:
        return Set(level=self.level)


class Blast(Action[Set], kind="valve.blast"):
    """Cannot be recognised by anything, and is not taken without approval."""

    idempotent: ClassVar[bool] = False

    def assumed(self) -> Set:
        return Set(level=0)


class Ring(Action[Set], kind="bell.ring"):
    """May be done when the chain is over."""

    after_close: ClassVar[bool] = True

    def assumed(self) -> Set:
        return Set(level=0)


class Level(Answer):
    level: int


class ReadGauge(Query[Level], kind="gauge.read"):
    """Reads what was set last."""


@dataclass
class Plant:
    """Performs and keeps account.

    Attributes:
        watch: is told of every call before it takes effect.
        applied: every effect, in order, by key.
        done: the result by key, from which a repeated key is answered.
        broken: whether every call fails.
        filling: how often a tank that fills was asked for, by key.
    """

    watch: Callable[[Action[Any], Call], None]
    performs: tuple[type[Action[Any]], ...] = (SetValve, Fill, Blast, Ring)
    answers: tuple[type[Query[Any]], ...] = (ReadGauge,)
    applied: list[tuple[str, Action[Any]]] = field(default_factory=list)
    done: dict[str, Set] = field(default_factory=dict)
    broken: bool = False
    filling: Counter[str] = field(default_factory=Counter)

    def perform(self, action: Any, call: Call) -> Set | Pending:
        self.watch(action, call)
        if self.broken:
            raise OSError("the plant is broken")
        if call.key in self.done:
            return self.done[call.key]
        if isinstance(action, Fill):
            self.filling[call.key] += 1
            if self.filling[call.key] < action.level:
                return Pending(3.0, "it fills")
        self.applied.append((call.key, action))
        result = Set(level=getattr(action, "level", 0))
        self.done[call.key] = result
        return result

    def answer(self, query: Any, timeout: float) -> Level:
        last = self.applied[-1][1] if self.applied else None
        return Level(level=last.level if isinstance(last, SetValve) else 0)
