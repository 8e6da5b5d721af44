"""A small world for engine tests: a valve that is set, a gauge that is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from crosswind.actions import Action, Answer, Call, Pending, Query
from crosswind.fleet.declaration import Fleet
from crosswind_events import EventData


class Asked(EventData, type="com.example.asked.v1"):
    text: str = ""


class Heard(EventData, type="com.example.heard.v1"):
    text: str = ""


class Over(EventData, type="com.example.over.v1", ends="completed"):
    text: str = ""


class Set(Answer):
    level: int


class SetValve(Action[Set], kind="valve.set"):
    level: int
    workload: str = "chat"
    plan: str | None = None

    def effects(self) -> Mapping[str, float]:
        return {"replicas-removed": float(self.level)}

    def assumed(self) -> Set:
        return Set(level=self.level)


class Blast(Action[Set], kind="valve.blast"):
    idempotent: ClassVar[bool] = False

    def assumed(self) -> Set:
        return Set(level=0)


class Ring(Action[Set], kind="bell.ring"):
    after_close: ClassVar[bool] = True

    def assumed(self) -> Set:
        return Set(level=0)


class Level(Answer):
    level: int


class ReadGauge(Query[Level], kind="gauge.read"):
    of: str = "tank"


@dataclass
class Plant:
    """Performs and counts; recognises a repeated key, as a good performer does."""

    performs: tuple[type[Action[Any]], ...] = (SetValve, Blast, Ring)
    answers: tuple[type[Query[Any]], ...] = (ReadGauge,)
    calls: list[tuple[str, str]] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=dict)
    level: int = 7
    before: Callable[[Any, Call], Any] | None = None

    def perform(self, action: Any, call: Call) -> Set | Pending:
        self.calls.append((action.kind, call.key))
        if self.before is not None:
            early = self.before(action, call)
            if early is not None:
                return early  # type: ignore[no-any-return]  # a Pending from the test
        self.done.setdefault(call.key, getattr(action, "level", 0))
        return Set(level=self.done[call.key])

    def answer(self, query: Any, timeout: float) -> Level:
        return Level(level=self.level)


def fleet(mode: str = "act", **more: Any) -> Fleet:
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
            **more,
        }
    )
