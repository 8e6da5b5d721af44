"""A process that races others for one state; run as `python racer.py TASK PLACE ARGUMENTS`.

The place is an SQLite file, or `dynamodb:TABLE`. It prints what it did, one thing a line.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from crosswind.buses.routing import Binding
from crosswind.embedded.sqlite_bus import SqliteBus
from crosswind.embedded.sqlite_store import SqliteStore
from crosswind.errors import Conflict, Throttled
from crosswind.ports import Change, Put, Store


def opened(place: str) -> AbstractContextManager[Store]:
    """The store at a place."""
    kind, _, name = place.partition(":")
    if kind == "dynamodb":
        from crosswind_aws.store import DynamoStore

        return nullcontext(DynamoStore(name))
    return SqliteStore(place, timeout=30)


def written(store: Store, partition: str, change: Change, token: str) -> None:
    """Write, as patiently as the engine does."""
    for _ in range(200):
        try:
            store.write(partition, [change], token)
            return
        except Throttled:
            time.sleep(0.01)
    store.write(partition, [change], token)


def count(place: str, partition: str, times: str) -> None:
    """Add one to a counter so many times."""
    with opened(place) as store:
        counted = 0
        while counted < int(times):
            item = store.read(partition, "counter")
            value, version = (int(item.value), item.version) if item else (0, "")
            try:
                written(store, partition, Put("counter", b"%d" % (value + 1), version), "t")
                counted += 1
            except Conflict:
                continue
        print(counted)


def claim(place: str, partition: str, keys: str) -> None:
    """Put so many keys where nobody else has; prints those."""
    with opened(place) as store:
        for n in range(int(keys)):
            try:
                written(store, partition, Put(f"{n:04}", b""), f"process {os.getpid()}")
                print(f"{n:04}")
            except Conflict as conflict:
                if conflict.written_by(f"process {os.getpid()}"):
                    raise


def drain(path: str, group: str) -> None:
    """Receive and acknowledge until nothing is left; prints the ids."""
    with SqliteBus(path, timeout=30) as bus:
        while received := bus.receive(group, 7, 600):
            print(*(item.delivery.id for item in received), sep="\n")
            bus.ack(*received)


def bind(path: str, group: str, kind: str) -> None:
    """Bind a group to a type."""
    with SqliteBus(path, timeout=30) as bus:
        bus.bind(group, [Binding(kind)])


def die_receiving(path: str, group: str) -> None:
    """Receive and be killed before acknowledging."""
    with SqliteBus(path) as bus:
        for received in bus.receive(group, 1, 60):
            print(received.delivery.id, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)


def die_writing(path: str, partition: str) -> None:
    """Be killed in the midst of a write of two items."""
    store = SqliteStore(path)
    with store._database.transaction() as connection:
        connection.execute(
            "INSERT INTO items VALUES (?, 'half', 'v', 't', NULL, x'00')", (partition,)
        )
        print("half", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)


TASKS: dict[str, Callable[..., None]] = {
    task.__name__: task for task in (count, claim, drain, bind, die_receiving, die_writing)
}

if __name__ == "__main__":
    TASKS[sys.argv[1]](*sys.argv[2:])
