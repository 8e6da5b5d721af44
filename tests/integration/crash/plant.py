"""A chain with actions, and a plant that remembers every call in a file of its own.

The plant recognises a repeated key. What it did and how often it was asked stands in a database
that no worker can undo, so that a test can tell an action that took effect twice from one that was
asked for twice.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crosswind.actions import Action, Answer, Call, Query
from crosswind.app import App
from crosswind.context import Context
from crosswind.emissions import Branch, branch
from crosswind.engine.settings import Settings
from crosswind.fleet.declaration import Fleet
from crosswind_events import Event, EventData
from crosswind_events.catalogue.chain import BranchFailed

PARTS = ("a", "b", "c")


class Order(EventData, type="com.example.order.v1"):
    number: int


class Part(EventData, type="com.example.part.v1"):
    number: int
    part: str


class Made(EventData, type="com.example.made.v1"):
    number: int
    part: str
    total: int


class Shipped(EventData, type="com.example.shipped.v1", ends="shipped"):
    number: int
    total: int


class Pressed(Answer):
    count: int


class Press(Action[Pressed], kind="plant.press"):
    number: int
    part: str
    turn: int


app = App("plant", settings=Settings(lease=1.0, skew=0.1, backoff=0.1, wait=0.2))


@app.on(name="split")
def split(event: Event[Order], ctx: Context) -> Iterator[Branch[Part]]:
    for part in PARTS:
        yield branch(Part(number=event.data.number, part=part), join="parts", member=part)


@app.on(name="make", acts=[Press])
def make(event: Event[Part], ctx: Context) -> Made:
    """Two actions in a row: the first result must survive what happens in the second."""
    data = event.data
    total = sum(
        ctx.act(Press(number=data.number, part=data.part, turn=turn)).count for turn in (1, 2)
    )
    return Made(number=data.number, part=data.part, total=total)


@app.on(name="collect")
def collect(event: Event[Made | BranchFailed], ctx: Context) -> Iterator[Shipped]:
    data = event.data
    if isinstance(data, BranchFailed):
        joined = ctx.join("parts", data.member, PARTS, 0)
    else:
        joined = ctx.join("parts", data.part, PARTS, data.total)
    if joined is not None:
        number = data.number if isinstance(data, Made) else -1
        yield Shipped(number=number, total=sum(joined.values.values()))


class Plant:
    """Carries out presses; a key that it has seen changes nothing and gives the first answer."""

    performs: tuple[type[Action[Any]], ...] = (Press,)
    answers: tuple[type[Query[Any]], ...] = ()

    def __init__(self, path: Path, seconds: float) -> None:
        self.seconds = seconds
        self.database = sqlite3.connect(path, timeout=30, isolation_level=None)
        self.database.execute("PRAGMA journal_mode=WAL")
        self.database.execute("PRAGMA synchronous=OFF")
        self.database.execute(
            "CREATE TABLE IF NOT EXISTS effects(key TEXT PRIMARY KEY, what TEXT, pid INTEGER)"
        )
        self.database.execute("CREATE TABLE IF NOT EXISTS calls(key TEXT, what TEXT, pid INTEGER)")

    def perform(self, action: Press, call: Call) -> Pressed:
        what = f"{action.number}/{action.part}/{action.turn}"
        row = (call.key, what, os.getpid())
        self.database.execute("INSERT INTO calls VALUES (?, ?, ?)", row)
        time.sleep(self.seconds / 2)
        self.database.execute("INSERT OR IGNORE INTO effects VALUES (?, ?, ?)", row)
        time.sleep(self.seconds / 2)
        return Pressed(count=action.turn)

    def answer(self, query: Any, timeout: float) -> Any:
        raise NotImplementedError(f"the plant answers nothing, not {query!r}")


def fleet() -> Fleet:
    """A fleet in which everything may be done."""
    return Fleet.model_validate(
        {
            "name": "plant",
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
