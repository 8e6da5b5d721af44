"""A store that remembers everything that was ever written to it, and speaks up at once.

Each write that takes effect is held against what it follows: what may never change, or only in
one direction, is seen in the moment in which it is broken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from pydantic_core import from_json

from crosswind.embedded.memory import MemoryStore
from crosswind.gate.brakes import BRAKES, Brakes
from crosswind.ports import Change, Delete, Item, Put
from crosswind.records.head import Head
from crosswind.records.identity import EVIDENCE, HEAD, RUN, action_key
from crosswind.records.record import FINISHED, Entry, Record, settled

_ONCE: Final = ("settled:", "join:", EVIDENCE, "receipt:", "use:", "declared:", "scope:")
"""Keys whose value never changes once it is there."""


class Writing(NamedTuple):
    """One value that stood under a key; None where it was deleted."""

    number: int
    at: float
    by: str
    value: bytes | None


@dataclass(slots=True)
class Acting:
    """What the journal says of one action, as of the last write of its run."""

    chain: str
    run: str
    index: int
    entry: Entry


class Witness(MemoryStore):
    """Remembers and checks.

    Args:
        moment: the true time, and who is at work.

    Attributes:
        history: every value of every key, oldest first, by partition and key.
        broken: what should never have been written, in words.
        actions: what the journal says of each action, by the action's key.
    """

    def __init__(self, moment: Callable[[], tuple[float, str]]) -> None:
        super().__init__()
        self.moment = moment
        self.history: dict[tuple[str, str], list[Writing]] = {}
        self.broken: list[str] = []
        self.actions: dict[str, Acting] = {}
        self.heads: dict[str, Head] = {}
        self.writes = 0

    def write(self, partition: str, changes: Sequence[Change], token: str) -> Mapping[str, str]:
        """See `Store.write`."""
        versions = super().write(partition, changes, token)
        self.writes += 1
        at, by = self.moment()
        for change in changes:
            if isinstance(change, Put):
                self._note(partition, change.key, Writing(self.writes, at, by, change.value))
            elif isinstance(change, Delete):
                self._note(partition, change.key, Writing(self.writes, at, by, None))
        return versions

    def peek(self, partition: str, key: str) -> Item | None:
        """Read without being heard by anyone who listens to reads."""
        return MemoryStore.read(self, partition, key)

    def items(self, prefix: str) -> list[tuple[str, Item]]:
        """Everything in the partitions whose name has this prefix."""
        return [
            (partition, item)
            for partition in self.partitions(prefix, limit=100_000)
            for item in MemoryStore.scan(self, partition, limit=100_000)
        ]

    def records(self) -> list[tuple[str, Record]]:
        """All runs, with the partition in which each stands."""
        return [
            (partition, Record.decode(item.value))
            for partition, item in self.items("chain:")
            if item.key.startswith(RUN)
        ]

    def frozen(self, workload: str | None, now: float, before: int) -> bool:
        """Whether actions were frozen for those who looked when so many writes had been made."""
        found = [one for one in self._all(BRAKES) if one.number <= before and one.value]
        if not found:
            return False
        brakes = Brakes.decode(found[-1].value or b"")
        return brakes.freeze is not None and brakes.freeze.applies(workload, now)

    def frozen_since(self, workload: str | None, now: float) -> float | None:
        """Since when, in true time, actions have been frozen; None if they are not."""
        since: float | None = None
        for one in self._all(BRAKES):
            freeze = Brakes.decode(one.value or b"{}").freeze
            if freeze is None or not freeze.applies(workload, now):
                since = None
            elif since is None:
                since = one.at
        return since

    def closed(self, chain: str, before: int) -> bool:
        """Whether a chain was closed for those who looked when so many writes had been made."""
        written = self.history.get((f"chain:{chain}", HEAD), ())
        found = [one for one in written if one.number <= before and one.value]
        return bool(found) and not Head.decode(found[-1].value or b"").open

    def closed_since(self, chain: str) -> float | None:
        """Since when, in true time, a chain has been closed; None if it is not."""
        since: float | None = None
        for one in self.history.get((f"chain:{chain}", HEAD), ()):
            if one.value is None or Head.decode(one.value).open:
                since = None
            elif since is None:
                since = one.at
        return since

    def fenced(self, chain: str, before: int) -> str:
        """Why a chain had lost its target after so many writes; empty if it had not."""
        head = self.heads.get(f"chain:{chain}")
        if head is None or head.lock is None:
            return ""
        key = (f"flight:{head.lock.flight}", f"lock:{head.lock.target}")
        locks = [one for one in self.history.get(key, ()) if one.number <= before]
        hold = from_json(locks[-1].value or b"{}") if locks else {}
        if hold.get("chain") in (None, chain):
            return ""
        return f"chain {hold['chain']} holds {head.lock.target}"

    def _all(self, key: str) -> list[Writing]:
        return [one for (_, k), writings in self.history.items() if k == key for one in writings]

    # -- what may follow what ---------------------------------------------------------------------

    def _note(self, partition: str, key: str, writing: Writing) -> None:
        written = self.history.setdefault((partition, key), [])
        before = written[-1].value if written else None
        written.append(writing)
        for fault in self._faults(partition, key, before, writing.value):
            where = f"{partition} {key}, by {writing.by} at {writing.at:.3f}"
            self.broken.append(f"{fault} ({where})")

    def _faults(
        self, partition: str, key: str, before: bytes | None, value: bytes | None
    ) -> list[str]:
        if key.startswith(RUN):
            return self._run_faults(before, value)
        if key == HEAD:
            return self._head_faults(partition, before, value)
        if key.startswith("lock:"):
            return _lock_faults(before, value)
        if key.startswith(_ONCE) and before is not None and before != value:
            if value is None and b'"failed"' in before and ":m:" in key:
                return []  # a redrive takes back that a branch has failed
            return [f"what was decided once has changed: {before!r} -> {value!r}"]
        return []

    def _run_faults(self, before: bytes | None, value: bytes | None) -> list[str]:
        if value is None:
            return ["a run was deleted"]
        new = Record.decode(value)
        self._index(new)
        if before is None:
            return []
        old = Record.decode(before)
        found: list[str] = []
        if old.state in FINISHED and value != before and value != settled(before):
            redriven = old.state == "failed" and new.state == "redriven"
            if not redriven:
                found.append(f"a run that is {old.state} has changed to {new.state}")
        if new.turn < old.turn or new.redrives < old.redrives:
            found.append(f"turn {old.turn} of {old.redrives} fell to {new.turn} of {new.redrives}")
        if (new.event, new.chain, new.run) != (old.event, old.chain, old.run):
            found.append("a run has become another")
        done, kept = _done(old), _done(new)
        if kept[: len(done)] != done:
            found.append(f"results were lost or changed: {done} -> {kept}")
        return found

    def _index(self, record: Record) -> None:
        acts = [entry for entry in record.log if entry.is_action]
        for index, entry in enumerate(acts):
            key = action_key(record.chain, record.run, index)
            self.actions[key] = Acting(record.chain, record.run, index, entry)

    def _head_faults(self, partition: str, before: bytes | None, value: bytes | None) -> list[str]:
        if value is None:
            return ["a head was deleted"]
        new = Head.decode(value)
        self.heads[partition] = new
        found: list[str] = []
        if before is not None:
            old = Head.decode(before)
            if old.outcome == "replaced" and old.lock is None:
                pass  # it stands for a chain that has not begun, and may begin yet
            elif not old.open and new.open and new.generation != old.generation + 1:
                found.append("a closed chain was opened")
            elif not old.open and not new.open and old.outcome != new.outcome:
                found.append(f"a chain that was {old.outcome} was closed as {new.outcome}")
            elif old.open and new.generation != old.generation:
                found.append("an open chain has another generation")
            if new.evidence < old.evidence:
                found.append("evidence was taken away")
        if new.open and new.lock is not None:
            same = [
                name
                for name, head in self.heads.items()
                if head.open
                and head.lock is not None
                and (head.lock.flight, head.lock.target) == (new.lock.flight, new.lock.target)
            ]
            if len(same) > 1:
                found.append(f"{len(same)} open chains hold {new.lock.target}: {same}")
        return found


def _done(record: Record) -> list[tuple[Any, ...]]:
    """The actions that have a result, as far as nobody may forget them."""
    return [
        (entry.kind, entry.args, entry.result, entry.simulated)
        for entry in record.log
        if entry.is_action and entry.done and entry.refused is None
    ]


def _lock_faults(before: bytes | None, value: bytes | None) -> list[str]:
    if value is None:
        return ["a lock was deleted"]
    if before is None:
        return []
    old, new = from_json(before), from_json(value)
    if new["epoch"] <= old["epoch"]:
        return [f"epoch {old['epoch']} of a lock was followed by {new['epoch']}"]
    return []
