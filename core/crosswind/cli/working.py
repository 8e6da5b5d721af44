"""Working what is due, with a line for each event: what came in, who worked it, what it led to."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from crosswind.cli.output import text
from crosswind.errors import StoreError
from crosswind.graph.model import short
from crosswind.journal.placement import chain_of, read_run, run_of
from crosswind_events import InvalidEvent
from crosswind_events.catalogue.chain import ChainDeadline, RunResume

if TYPE_CHECKING:
    from rich.text import Text

    from crosswind.cli.session import Session
    from crosswind.embedded.worker import Worked, Worker
    from crosswind.errors import StoreError
    from crosswind.records.record import Record

LONGEST: Final = 300.0
"""Seconds after which a command that works what is due leaves the rest to `crosswind run`."""

STYLES: Final = {
    "committed": "green",
    "dropped": "dim",
    "suspended": "yellow",
    "retrying": "yellow",
    "failed": "bold red",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One event as it was worked."""

    at: float
    group: str
    type: str
    id: str
    chain: str | None
    runs: tuple[Record, ...]
    again: str | None
    after: float | None
    dead: bool
    note: str

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "at": datetime.fromtimestamp(self.at, UTC).isoformat(timespec="milliseconds"),
            "group": self.group,
            "type": self.type,
            "id": self.id,
            "chain": self.chain,
            "runs": [
                {
                    "run": run.run,
                    "handler": run.handler,
                    "state": run.state,
                    "why": run.why or None,
                    "simulated": run.simulated,
                    "emitted": emitted_types(run),
                }
                for run in self.runs
            ],
            "again": self.again,
            "after": self.after,
            "dead": self.dead,
            "note": self.note or None,
        }

    def as_text(self) -> Text:
        """For people, on one line."""
        at = datetime.fromtimestamp(self.at).astimezone().strftime("%H:%M:%S.%f")[:-3]
        line = text(f"{at} ", "dim").append((self.chain or "-")[:8], "cyan")
        line.append(" ").append(text(short(self.type), "bold"))
        for run in self.runs:
            line.append("  ").append(text(run.handler.rpartition(":")[2]))
            line.append(f" {run.state}", STYLES.get(run.state, ""))
            if run.simulated:
                line.append(" (simulated)", "magenta")
            said = [short(kind) for kind in emitted_types(run)]
            if said and run.state == "committed":
                line.append(text(f" -> {', '.join(dict.fromkeys(said))}"))
            elif run.why:
                line.append(text(f": {run.why.splitlines()[0][:160]}", "dim"))
        if self.note:
            line.append(text(f"  {self.note}", "dim"))
        if self.again is not None:
            line.append(text(f"  again in {self.after or 0:.1f} s: {self.again}", "yellow"))
        return line


class Working:
    """Works the groups of a session's app and reports every event; on a stack, leaves it to that.

    Args:
        groups: all of the app's unless given.
        as_worker: it is the whole of the command: JSON lines are written as they come, and the
            ticks of schedules are sent too. Otherwise the lines are kept for a document.

    Attributes:
        count: how many events were worked.
        lines: what was worked, unless it is written as it comes.
    """

    def __init__(
        self, session: Session, *, groups: Sequence[str] | None = None, as_worker: bool = False
    ) -> None:
        from crosswind.embedded.worker import Worker

        self.session = session
        session.timed = as_worker
        self.as_worker = as_worker
        self.count = 0
        self.lines: list[Line] = []
        if session.desk is not None:
            return  # its functions work; here is only published
        self.worker: Worker = Worker(
            session.engine,
            session.queue,
            groups,
            report=self._report,
            trouble=self._trouble,
            schedules=as_worker,
        )

    def _trouble(self, error: StoreError) -> None:
        self.session.output.notice(f"the data file does not answer, it is tried again: {error}")

    def until_idle(self, wait: float = 0.0, longest: float = float("inf")) -> None:
        """Work until nothing is due, and nothing falls due within `wait` seconds from the start.

        Args:
            longest: seconds after which it ends all the same.
        """
        begun = time.monotonic()
        while (spent := time.monotonic() - begun) < max(longest, wait):
            if self.worker.step():
                continue
            rest = self._next() - self.session.clock()
            if spent + rest > wait:
                return
            time.sleep(min(max(rest, 0.001), 0.5))
        self.session.output.notice(
            f"{self.count} events were worked and more is due; go on with: "
            f"{self.session.hint('run')}"
        )

    def what_is_due(self, wait: float) -> None:
        """Work what is due after something was published, with a sign of life where it takes."""
        if self.session.desk is not None:
            place = self.session.desk.about.place
            self.session.output.say(f"the functions of {place} work it from here")
            return
        with self.session.output.progress("working what is due"):
            self.until_idle(wait, LONGEST)

    def _next(self) -> float:
        """When the next event falls due, seconds since the epoch."""
        dues = [self.session.queue.next_due(group) for group in self.worker.groups]
        return min((due for due in dues if due is not None), default=float("inf"))

    def _report(self, worked: Worked) -> None:
        self.count += 1
        line = describe(self.session, worked)
        if self.as_worker:
            self.session.output.line(line.as_json())
        else:
            self.lines.append(line)
        self.session.output.log(line.as_text())


def emitted_types(record: Record) -> list[str]:
    """The types of what a run has said, without what the engine says to itself."""
    types = [str(out.attributes["type"]) for out in record.out if not out.resume]
    return [kind for kind in types if kind != ChainDeadline.event_type]


def describe(session: Session, worked: Worked) -> Line:
    """What an event was and what has become of it, read back from the store."""
    kind, identity, chain, note = "?", worked.message, None, ""
    runs: list[Record] = []
    try:
        event: Any = session.app.codec.decode(worked.body)
        kind, identity = event.type, event.id
        chain, runs = _runs(session, event, worked.group)
    except InvalidEvent as invalid:
        note = f"parked: {invalid}"
    except StoreError as error:
        # The work is done; only what is said of it could not be read.
        note = f"its record cannot be read now: {error}"
    else:
        known = runs or worked.again is not None or kind == ChainDeadline.event_type
        note = "" if known else "parked; see: crosswind dlq list"
    if worked.dead:
        note = "given up by the bus" + (f"; {note}" if note else "")
    again = worked.again
    return Line(
        at=session.clock(),
        group=worked.group,
        type=kind,
        id=identity,
        chain=chain,
        runs=tuple(runs),
        again=None if again is None else again.reason,
        after=None if again is None else again.after,
        dead=worked.dead,
        note=note,
    )


def _runs(session: Session, event: Any, group: str) -> tuple[str, list[Record]]:
    """The chain in which an event was worked, and the runs that did."""
    ledger = session.ledger
    if event.type == RunResume.event_type:
        resumed = read_run(ledger, event.data.chain, event.data.run)
        return event.data.chain, [] if resumed is None else [resumed]
    chain, runs = chain_of(ledger, event), []
    for handler in session.app.by_type.get(event.type, ()):
        if handler.group == group and handler.matches(event):
            chain = chain_of(ledger, event, handler)
            run = run_of(ledger, event, handler)
            runs += [] if run is None else [run]
    return chain, runs
