"""The process of one contestant: told over stdin how often to work, says how long that took.

    python -m bench.serve bench.ours.codec '{"option": ...}'

A contestant is a module with a function `make(**options)`, a context manager that gives a
`Prepare`. What it prints goes to stderr, for stdout belongs to the answers. Only the standard
library is imported.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

Run = Callable[[], object]
"""Works as often as was prepared; this alone is timed."""

Prepare = Callable[[int], Run]
"""Makes ready to work so many times."""


class Took(NamedTuple):
    """What work took, in seconds: by the clock on the wall, and of processors, all threads'."""

    wall: float
    processor: float


def timed(run: Run) -> Took:
    """Run, and say what that took."""
    wall, processor = time.perf_counter(), time.process_time()
    run()
    return Took(time.perf_counter() - wall, time.process_time() - processor)


def main(module: str, options: str) -> None:
    """Answer each line of stdin, a count, with a line of stdout: `Took`."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with import_module(module).make(**json.loads(options)) as prepare:
        print("ready", file=answers, flush=True)
        for line in sys.stdin:
            took = timed(prepare(int(line)))
            print(took.wall, took.processor, file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
