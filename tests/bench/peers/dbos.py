"""DBOS: a workflow of one step on SQLite, under the id of its event.

As it comes, DBOS waits for the disk at every commit. It is given the journal mode and the
`synchronous` setting of our own file, so that what is compared is the work and not the disk.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import count as counter
from typing import Any

from bench.samples import bodies
from bench.serve import Prepare, Run


@contextmanager
def make(pragmas: bool = True) -> Iterator[Prepare]:
    """A workflow whose step answers the sample with one event, which it returns.

    Args:
        pragmas: whether DBOS is given ours.
    """
    dbos = import_module("dbos")
    sqlalchemy = import_module("sqlalchemy")
    with tempfile.TemporaryDirectory(prefix="crosswind-bench-") as folder:

        def set_pragmas(connection: Any, record: object) -> None:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")

        if pragmas:
            sqlalchemy.event.listen(sqlalchemy.engine.Engine, "connect", set_pragmas)
        url = f"sqlite:///{folder}/dbos.sqlite"
        dbos.DBOS(config={"name": "bench", "system_database_url": url, "log_level": "ERROR"})

        def decide(text: str) -> str:
            event = json.loads(text)
            data = event["data"]
            wanted = {"region": data["region"], "because": f"{data['evidence']}: {data['reason']}"}
            return json.dumps({**event, "type": "com.example.room.wanted.v1", "data": wanted})

        step = dbos.DBOS.step()(decide)

        def react(text: str) -> Any:
            return step(text)

        workflow = dbos.DBOS.workflow()(react)
        dbos.DBOS.launch()
        numbers = counter(1)

        def prepare(count: int) -> Run:
            events = [body.decode() for body in bodies(1, count)]
            names = [f"{os.getpid()}-{next(numbers)}" for _ in events]

            def run() -> None:
                for name, text in zip(names, events, strict=True):
                    with dbos.SetWorkflowID(name):
                        workflow(text)

            return run

        yield prepare
        dbos.DBOS.destroy()
