"""A worker process: `python worker.py FOLDER`. It works until it is killed or told to stop."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from crosswind.embedded.sqlite_bus import SqliteBus
from crosswind.embedded.sqlite_store import SqliteStore
from crosswind.embedded.worker import Worker
from crosswind.engine.dispatch import Engine

sys.path.insert(0, str(Path(__file__).parent))

from plant import Plant, app, fleet  # type: ignore[import-not-found]


def main() -> None:
    folder = Path(sys.argv[1])
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    data = folder / "data.sqlite"
    with SqliteStore(data, timeout=30) as store, SqliteBus(data, timeout=30) as bus:
        plant = Plant(folder / "plant.sqlite", seconds=0.004)
        engine = Engine(app, store, bus, fleet=fleet(), performers=[plant])
        Worker(engine, bus, batch=4).run(stop)


if __name__ == "__main__":
    main()
