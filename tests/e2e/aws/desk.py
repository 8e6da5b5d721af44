"""Where a test says first events and looks at what came of them."""

from __future__ import annotations

import os
import signal
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contract.aws_stack import Stack, eventually
from crosswind import Event
from crosswind.engine.emit import pack
from crosswind.ports import Message
from crosswind.records.head import Head
from crosswind.records.identity import HEAD, RUN, chain_id, chain_partition
from crosswind.records.record import Record
from e2e.aws.project.ops import Asked, app

SOURCE = "//prober.example.com"


class Desk:
    """Looks at a deployed app through its bus and its table."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def ask(self, name: str, *, times: int = 1, **how: Any) -> str:
        """Say that so many hops are wanted; returns the chain that it opens."""
        event = Event.of(
            Asked(**{"hops": 3, **how}), id=name, source=SOURCE, time=datetime.now(UTC)
        )
        out = pack(app, event)
        message = Message(out.message_id, out.body, out.attributes)
        self.stack.publish(*[message] * times)
        return chain_id(SOURCE, name)

    def runs(self, chain: str) -> list[Record]:
        """The runs of a chain."""
        items = self.stack.store.scan(chain_partition(chain), RUN, limit=1_000)
        return [Record.decode(item.value) for item in items]

    def states(self, chain: str) -> dict[str, int]:
        """How many runs of a chain there are, by handler and state."""
        return dict(Counter(f"{run.handler} {run.state}" for run in self.runs(chain)))

    def outcome(self, chain: str) -> str | None:
        """How a chain ended; None while it is open or unknown."""
        item = self.stack.store.read(chain_partition(chain), HEAD)
        return None if item is None else Head.decode(item.value).outcome

    def ended(self, chain: str, outcome: str, seconds: float = 40.0) -> bool:
        """Whether a chain ends so, in time."""
        eventually(lambda: self.outcome(chain) is not None, seconds)
        return self.outcome(chain) == outcome

    def is_quiet(self) -> bool:
        """Whether no queue holds anything."""
        return not any(
            self.stack.depth(group, dead=dead) for group in app.groups for dead in (False, True)
        )

    def processes(self) -> list[int]:
        """The processes of the functions."""
        found: list[int] = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal():
                continue
            try:
                command = (entry / "cmdline").read_bytes().split(b"\0")
                environ = (entry / "environ").read_bytes()
            except OSError:
                continue  # it has ended, or is another's
            if b"awslambdaric" in command and self.stack.account.encode() in environ:
                found.append(int(entry.name))
        return found

    def kill(self) -> int:
        """Kill the functions' processes, whatever they are at; how many there were."""
        killed = 0
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
                killed += 1
            except ProcessLookupError:
                continue
        return killed
