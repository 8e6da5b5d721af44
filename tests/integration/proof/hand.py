"""A worker process that may be killed or stopped: `python -m integration.proof.hand FOLDER`.

It works on one SQLite file, and acts on a mill that keeps account in a file of its own, which
nothing undoes: every call with its key, and every effect.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from crosswind.actions import Action, Answer, Call, Query
from crosswind.app import App
from crosswind.context import Context
from crosswind.embedded.sqlite_bus import SqliteBus
from crosswind.embedded.sqlite_store import SqliteStore
from crosswind.embedded.worker import Worked, Worker
from crosswind.emissions import Branch, branch
from crosswind.engine.dispatch import Engine
from crosswind.engine.settings import Settings
from crosswind_events import Event, EventData
from integration.proof.scenarios import fleet

SACKS: Final = ("left", "right")
SETTINGS: Final = Settings(lease=1.0, skew=0.1, backoff=0.05, wait=0.1, deadline=3_600.0)


class Corn(EventData, type="com.example.corn.v1"):
    number: int


class Sack(EventData, type="com.example.sack.v1"):
    number: int
    name: str


class Flour(EventData, type="com.example.flour.v1"):
    name: str
    weight: int


class Bread(EventData, type="com.example.bread.v1", ends="baked"):
    weight: int


class Ground(Answer):
    weight: int


class Grind(Action[Ground], kind="mill.grind"):
    number: int
    name: str
    pass_: int
    workload: str = "chat"


app: Final = App("mill", settings=SETTINGS)


@app.on(name="fill")
def fill(event: Event[Corn], ctx: Context) -> Iterator[Branch[Sack]]:
    for name in SACKS:
        yield branch(Sack(number=event.data.number, name=name), join="sacks", member=name)


@app.on(name="grind", acts=[Grind])
def grind(event: Event[Sack], ctx: Context) -> Flour:
    """Twice, so that the first result has to survive what happens in the second."""
    number, name = event.data.number, event.data.name
    coarse = ctx.act(Grind(number=number, name=name, pass_=1)).weight
    fine = ctx.act(Grind(number=number, name=name, pass_=2)).weight
    return Flour(name=name, weight=coarse + fine)


@app.on(name="bake")
def bake(event: Event[Flour], ctx: Context) -> Iterator[Bread]:
    joined = ctx.join("sacks", event.data.name, SACKS, event.data.weight)
    if joined is not None:
        yield Bread(weight=sum(joined.values.values()))


class Mill:
    """Grinds; a key that it has seen changes nothing, and the first answer is given again."""

    performs: tuple[type[Action[Any]], ...] = (Grind,)
    answers: tuple[type[Query[Any]], ...] = ()

    def __init__(self, path: Path) -> None:
        self.accounts = sqlite3.connect(path, timeout=30, isolation_level=None)
        self.accounts.execute("PRAGMA journal_mode=WAL")
        self.accounts.execute("PRAGMA synchronous=OFF")
        for statement in (
            "CREATE TABLE IF NOT EXISTS calls (key TEXT, pid INTEGER)",
            "CREATE TABLE IF NOT EXISTS effects (key TEXT PRIMARY KEY, what TEXT, pid INTEGER)",
            "CREATE TABLE IF NOT EXISTS worked (message TEXT, again TEXT)",
        ):
            self.accounts.execute(statement)

    def perform(self, action: Grind, call: Call) -> Ground:
        what = f"{action.number}/{action.name}/{action.pass_}"
        self.accounts.execute("INSERT INTO calls VALUES (?, ?)", (call.key, os.getpid()))
        time.sleep(0.002)
        self.accounts.execute(
            "INSERT OR IGNORE INTO effects VALUES (?, ?, ?)", (call.key, what, os.getpid())
        )
        time.sleep(0.002)
        return Ground(weight=action.pass_)

    def answer(self, query: Any, timeout: float) -> Any:
        raise NotImplementedError(f"a mill answers nothing, not {query!r}")

    def note(self, worked: Worked) -> None:
        """Keep account of a delivery."""
        again = None if worked.again is None else worked.again.reason
        self.accounts.execute("INSERT INTO worked VALUES (?, ?)", (worked.message, again))


def main() -> None:
    folder = Path(sys.argv[1])
    data = folder / "data.sqlite"
    with SqliteStore(data, timeout=30) as store, SqliteBus(data, timeout=30) as bus:
        mill = Mill(folder / "mill.sqlite")
        engine = Engine(app, store, bus, fleet=fleet(), performers=[mill])
        Worker(engine, bus, batch=4, report=mill.note).run(threading.Event())


if __name__ == "__main__":
    main()
