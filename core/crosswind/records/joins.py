"""Joins and settled questions: what several runs of a chain decide together, once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from crosswind.context import Joined
from crosswind.errors import Conflict, RunFailed
from crosswind.ports import ABSENT, Item, Put
from crosswind.records.identity import chain_partition, part, safe
from crosswind.records.ledger import Ledger


class Decided(NamedTuple):
    """A join's outcome, with the hop and time that all events made from it take."""

    joined: Joined
    hop: int
    at: float

    def as_json(self) -> dict[str, Any]:
        """As stored and recorded."""
        return {
            "outcome": self.joined.outcome,
            "values": dict(self.joined.values),
            "failed": dict(self.joined.failed),
            "missing": list(self.joined.missing),
            "hop": self.hop,
            "at": self.at,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Decided:
        """From store or record."""
        joined = Joined(
            stored["outcome"], stored["values"], stored["failed"], tuple(stored["missing"])
        )
        return cls(joined, stored["hop"], stored["at"])


class Answered(NamedTuple):
    """The answer to a question that won, with the hop and time of what follows from it."""

    outcome: str
    hop: int
    at: float
    by: str | None = None
    reason: str = ""


def member_key(name: str, member: str) -> str:
    """Where a member's arrival is stored."""
    return f"join:{part(name)}:m:{part(member)}"


def failed_member(name: str, member: str, hop: int, reason: str) -> bytes:
    """The arrival of a member whose branch ended in a dead letter."""
    return to_json({"member": member, "hop": hop, "failed": reason})


class Joins:
    """Joins and questions of one chain."""

    def __init__(
        self, ledger: Ledger, chain: str, clock: Callable[[], float], expires: float | None
    ) -> None:
        self.ledger = ledger
        self.partition = chain_partition(chain)
        self.clock = clock
        self.expires = expires

    def arrive(
        self, name: str, member: str, expected: Sequence[str], value: Any, hop: int
    ) -> Decided | None:
        """Count a member and look how the join stands; None while members are outstanding.

        Raises:
            RunFailed: the join was opened with other members.
        """
        if member not in expected:
            raise RunFailed(f"join {name}: {member!r} is not among its members {list(expected)}")
        arrival = to_json({"member": member, "hop": hop, "value": value})
        self._open(name, expected)
        self._put_once(member_key(name, member), arrival)
        return self._look(name, expected)

    def close(self, name: str, expected: Sequence[str], hop: int) -> Decided:
        """Decide a join with the members that have arrived."""
        self._open(name, expected)
        decided = self._look(name, expected)
        if decided is not None:
            return decided
        return self._decide(name, expected, self._members(name), "timed-out", hop)

    def settle(
        self, name: str, outcome: str, hop: int, by: str | None = None, reason: str = ""
    ) -> Answered:
        """Answer a question once; returns the answer that won."""
        mine = Answered(outcome, hop, self.clock(), by, reason)
        item = self._put_once(f"settled:{safe(name)}", to_json(mine._asdict()))
        return mine if item is None else Answered(**from_json(item.value))

    def settled(self, name: str) -> Answered | None:
        """The answer to a question, if it has one."""
        item = self.ledger.read(self.partition, f"settled:{safe(name)}")
        return None if item is None else Answered(**from_json(item.value))

    def _open(self, name: str, expected: Sequence[str]) -> None:
        item = self._put_once(f"join:{part(name)}:expected", to_json(list(expected)))
        if item is not None and sorted(from_json(item.value)) != sorted(expected):
            raise RunFailed(
                f"join {name} was opened for the members {from_json(item.value)}, "
                f"not {list(expected)}; name the join after what makes it unique"
            )

    def _members(self, name: str) -> dict[str, dict[str, Any]]:
        items = self.ledger.scan(self.partition, f"join:{part(name)}:m:")
        arrivals = [from_json(item.value) for item in items]
        return {arrival["member"]: arrival for arrival in arrivals}

    def _look(self, name: str, expected: Sequence[str]) -> Decided | None:
        item = self.ledger.read(self.partition, f"join:{part(name)}:outcome")
        if item is not None:
            return Decided.from_json(from_json(item.value))
        members = self._members(name)
        if any(member not in members for member in expected):
            return None
        return self._decide(name, expected, members, "complete", 0)

    def _decide(
        self,
        name: str,
        expected: Sequence[str],
        members: dict[str, dict[str, Any]],
        outcome: str,
        hop: int,
    ) -> Decided:
        counted = {member: members[member] for member in expected if member in members}
        decided = {
            "outcome": outcome,
            "values": {m: a["value"] for m, a in counted.items() if "failed" not in a},
            "failed": {m: a["failed"] for m, a in counted.items() if "failed" in a},
            "missing": [member for member in expected if member not in members],
            "hop": max([hop, *(arrival["hop"] for arrival in counted.values())]),
            "at": self.clock(),
        }
        item = self._put_once(f"join:{part(name)}:outcome", to_json(decided))
        return Decided.from_json(decided if item is None else from_json(item.value))

    def _put_once(self, key: str, value: bytes) -> Item | None:
        """Put if absent; the item that stands there where another was first."""
        try:
            self.ledger.write(self.partition, [Put(key, value, ABSENT, self.expires)])
        except Conflict as conflict:
            return conflict.found[key]
        return None
