"""Several workers, each a process, that share one file and work until nothing is left."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from itertools import count as counter
from pathlib import Path

from bench.contestants import ContestantFailed, environment
from bench.ours.reaction import GROUP, SINK, RoomWanted
from bench.ours.waiting import fill
from bench.samples import TYPE
from bench.serve import Took
from crosswind.buses.routing import Binding
from crosswind.embedded.sqlite_bus import SqliteBus


class Crowd:
    """So many workers; see `Contestant`."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def work(self, count: int) -> Took:
        """Have the workers work `count` events, timed from the word go until the last is done."""
        with tempfile.TemporaryDirectory(prefix="crosswind-bench-") as folder:
            path = Path(folder) / "crosswind.sqlite"
            with SqliteBus(path) as bus:
                bus.bind(GROUP, [Binding(TYPE)])
                bus.bind(SINK, [Binding(RoomWanted.event_type)])
                fill(bus, counter(1), count)
                processes = [self._start(path) for _ in range(self._workers)]
                for process in processes:
                    _line(process)
                started = time.perf_counter()
                for process in processes:
                    assert process.stdin is not None
                    process.stdin.write("go\n")
                    process.stdin.flush()
                answers = [_line(process).split() for process in processes]
                took = time.perf_counter() - started
                for process in processes:
                    process.communicate(timeout=60)
                said = bus.depth(SINK)
        if said != count or sum(int(worked) for worked, _ in answers) != count:
            raise ContestantFailed(f"{said} of {count} events came out; workers said {answers}")
        return Took(took, sum(float(processor) for _, processor in answers))

    @staticmethod
    def _start(path: Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "bench.ours.worker", path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise ContestantFailed(f"a worker ended with {process.wait()}")
    return line
