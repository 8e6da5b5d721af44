"""One worker's process: `python -m bench.ours.worker FILE`.

Says when it is ready, works from the next line of stdin until nothing is left, and says how many
events it has worked and how many processor seconds that took.
"""

from __future__ import annotations

import sys
import time

from bench.ours.reaction import GROUP, app
from crosswind.embedded.sqlite_bus import SqliteBus
from crosswind.embedded.sqlite_store import SqliteStore
from crosswind.embedded.worker import Worker
from crosswind.engine.dispatch import Engine


def main(path: str) -> None:
    """Work until the queue is empty."""
    with SqliteStore(path, timeout=60) as store, SqliteBus(store) as bus:
        worker = Worker(Engine(app(), store, bus), bus, schedules=False)
        print("ready", flush=True)
        sys.stdin.readline()
        began = time.process_time()
        worked = 0
        while bus.depth(GROUP):
            worked += worker.step()
        print(worked, time.process_time() - began, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
