"""Single flight: one chain per target at a time.

The order is role, lock, index, run. An event's own partition stores once which role it plays for
a flight: it leads, or it joined another chain. Whoever works the event later obeys that role, so
that an event is never decided both in a chain of its own and in another's. A role is changed only
by version, and only while nothing has been decided under it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, NoReturn

from pydantic_core import from_json, to_json

from crosswind.context import Lock
from crosswind.engine.opening import Joining, Leading
from crosswind.engine.settings import Settings
from crosswind.errors import BoundExceeded, Conflict, DeclarationError, Returned, RunFailed
from crosswind.handlers import Flight, Handler
from crosswind.ports import ABSENT, Check, Item, Put
from crosswind.records.head import Head
from crosswind.records.identity import (
    HEAD,
    RUN,
    chain_partition,
    flight_partition,
    run_key,
    safe,
)
from crosswind.records.ledger import Ledger
from crosswind.records.record import Record, surely_committed
from crosswind_events import Event

_REPLACED = "replaced"
"""The outcome of a chain that another closed before its first write."""

_TURNS = 12
"""How often an admission that meets others in motion looks again before it is returned."""


class Admitted(NamedTuple):
    """The event is worked in `chain`; `opening` is what its first write carries."""

    chain: str
    opening: Leading | Joining


class Placed(NamedTuple):
    """The event was decided before, in this chain."""

    chain: str


class Refused(NamedTuple):
    """The event is dropped, with the reason."""

    why: str


class Queued(NamedTuple):
    """The target is not free; look again after so many seconds."""

    why: str
    after: float


Admission = Admitted | Placed | Refused | Queued


@dataclass(frozen=True, slots=True)
class Role:
    """What an event is to a flight: the leader of its own chain, or a guest in another's."""

    joined: str | None = None
    generation: int = 0
    refused: str = ""

    def encode(self) -> bytes:
        """As stored."""
        return to_json(
            {"joined": self.joined, "generation": self.generation, "refused": self.refused}
        )

    @classmethod
    def decode(cls, value: bytes) -> Role:
        """From the store."""
        return cls(**from_json(value))


@dataclass(frozen=True, slots=True)
class Hold:
    """A lock item: which chain holds a target, since which event, and until when at the most."""

    chain: str
    epoch: int
    expiry: float
    time: float
    event: str

    def encode(self) -> bytes:
        """As stored."""
        return to_json(
            {
                "chain": self.chain,
                "epoch": self.epoch,
                "expiry": self.expiry,
                "time": self.time,
                "event": self.event,
            }
        )

    @classmethod
    def decode(cls, value: bytes) -> Hold:
        """From the store."""
        return cls(**from_json(value))


class _Moved(Exception):
    pass


def role_key(flight: Flight) -> str:
    """Where the role of an event in a flight is stored, in the partition of its own chain."""
    return "role:" + safe(flight.name)


class Flights:
    """Admits first events to the chain in which they are worked."""

    def __init__(self, ledger: Ledger, settings: Settings, clock: Callable[[], float]) -> None:
        self.ledger = ledger
        self.settings = settings
        self.clock = clock

    def admit(
        self, handler: Handler, event: Event[Any], own: str, body: bytes, deadline: float
    ) -> Admission:
        """Decide in which chain an event is worked.

        Args:
            own: the chain that the event would open.
            body: the event, structured JSON; it becomes evidence.
            deadline: seconds from now to the end of a chain that it opens.

        Raises:
            Returned: too many others are in motion.
        """
        flight = handler.flight
        if flight is None:
            raise DeclarationError(f"{handler.name} has no flight")
        try:
            target = flight.key(event)
        except Exception as error:
            raise RunFailed(
                f"flight {flight.name}: its key failed: {type(error).__name__}: {error}"
            ) from error
        if not isinstance(target, str) or not target or len(target) > 500:
            raise BoundExceeded(
                f"flight {flight.name}: its key is {target!r:.80}; it must be a text of 1 to 500"
            )
        ask = _Ask(self, handler, flight, target, event, own, body, deadline)
        for _ in range(_TURNS):
            try:
                return ask.admission()
            except (_Moved, Conflict):
                continue
        raise Returned(f"flight {flight.name}: {target} is contended", self.settings.wait)

    def relock(self, lock: Lock, chain: str, expiry: float, now: float) -> Lock:
        """Take the lock of a chain again for a redrive.

        Raises:
            Returned: another chain that is open holds the target.
            Conflict: another took it at the same time.
        """
        partition, key = flight_partition(lock.flight), "lock:" + safe(lock.target)
        item = self.ledger.read(partition, key)
        hold = None if item is None else Hold.decode(item.value)
        if hold is not None and hold.chain != chain:
            other = chain_partition(hold.chain)
            held = self.ledger.read(other, HEAD)
            if held is None:
                closed = Head(opened=now).closed(_REPLACED, now)
                self.ledger.write(other, [Put(HEAD, closed.encode(), ABSENT)])
                raise Returned("another chain was about to begin", self.settings.lease)
            head = Head.decode(held.value)
            if head.open:
                raise Returned(
                    f"{lock.target} is held by chain {hold.chain}, which is open",
                    self.settings.queue_check,
                )
            rest = (head.closed_at or 0.0) + self.settings.lease + self.settings.skew - now
            if rest > 0:
                raise Returned(f"chain {hold.chain} has just closed", rest)
            if head.sealed != hold.epoch:
                sealed = replace(head, sealed=hold.epoch)
                self.ledger.write(other, [Put(HEAD, sealed.encode(), held.version)])
        epoch = max(lock.epoch, hold.epoch if hold else 0) + 1
        taken = Hold(chain, epoch, expiry, now, "redrive")
        self.ledger.write(
            partition, [Put(key, taken.encode(), ABSENT if item is None else item.version)]
        )
        return Lock(lock.flight, lock.target, epoch)


class _Ask:
    """One event that asks to be admitted."""

    def __init__(
        self,
        flights: Flights,
        handler: Handler,
        flight: Flight,
        target: str,
        event: Event[Any],
        own: str,
        body: bytes,
        deadline: float,
    ) -> None:
        self.ledger = flights.ledger
        self.settings = flights.settings
        self.now = flights.clock()
        self.flight = flight
        self.target = target
        self.event = event
        self.own = own
        self.body = body
        self.deadline = self.now + deadline
        self.run = run_key(handler.key_name, event.source, event.id)
        self.partition = flight_partition(flight.name)
        self.lock_key = "lock:" + safe(target)
        self.role_key = role_key(flight)

    def admission(self) -> Admission:
        item = self.ledger.read(chain_partition(self.own), self.role_key)
        if item is None:
            refused = self._heed_watermark()
            if refused is not None:
                self._take_role(Role(refused=refused.why))
            return self._choose()
        role = Role.decode(item.value)
        if role.refused:
            return Refused(role.refused)
        if role.joined is not None:
            return self._join(role, item.version)
        return self._lead(item.version)

    def _heed_watermark(self) -> Refused | None:
        """Order by meaning: what a source has since taken back is not acted on."""
        key = f"mark:{safe(self.target)}:{safe(self.event.source)}"
        said = {
            "type": self.event.type,
            "time": self.event.time.timestamp(),
            "event": self.event.id,
        }
        item = self.ledger.read(self.partition, key)
        if item is not None:
            mark = from_json(item.value)
            if mark == said:
                return None
            if mark["time"] > said["time"]:
                if mark["type"] == said["type"]:
                    return None
                return Refused(
                    f"{self.event.source} has said {mark['type']} of {self.target} since"
                )
        version = ABSENT if item is None else item.version
        self.ledger.write(self.partition, [Put(key, to_json(said), version)])
        return None

    def _choose(self) -> Admission:
        """Store the role once, before evidence or lock."""
        hold = self._hold()[0]
        role = Role()
        if hold is not None and hold.chain != self.own:
            head = self._head_of(hold.chain)[0]
            if head is not None and head.open and self.now < hold.expiry:
                chosen = self._second(hold, head)
                if isinstance(chosen, Queued):
                    return chosen
                role = Role(refused=chosen.why) if isinstance(chosen, Refused) else chosen
        return self._take_role(role)

    def _take_role(self, role: Role) -> NoReturn:
        """Store the role once: whoever else works this event obeys it."""
        self.ledger.write(chain_partition(self.own), [Put(self.role_key, role.encode(), ABSENT)])
        raise _Moved

    def _second(self, hold: Hold, head: Head) -> Role | Refused | Queued:
        """What a newcomer does while another chain holds the target."""
        if self.flight.second == "join":
            return Role(hold.chain, head.generation)
        if self.flight.second == "queue":
            return Queued(f"{self.target} is held by chain {hold.chain}", self.settings.queue_check)
        if (self.event.time.timestamp(), self.event.id) > (hold.time, hold.event):
            return Role()
        return Refused(f"chain {hold.chain} works a newer event of {self.target}")

    def _join(self, role: Role, version: str) -> Admission:
        chain = role.joined or ""
        head, head_version = self._head_of(chain)
        if head is not None and head.open and head.generation == role.generation:
            return Admitted(
                chain,
                Joining(head=head, version=head_version, evidence_key=self.run, evidence=self.body),
            )
        # The head is closed for good for this role, so a run that is not there now never will be.
        if self.ledger.read(chain_partition(chain), RUN + self.run) is not None:
            return Placed(chain)
        self.ledger.write(chain_partition(self.own), [Put(self.role_key, Role().encode(), version)])
        raise _Moved

    def _lead(self, role_version: str) -> Admission:
        hold, lock_version = self._hold()
        own_head, own_version = self._head_of(self.own)
        mine = hold is not None and hold.chain == self.own
        if mine and hold and own_head and _never_began(own_head) and own_head.sealed >= hold.epoch:
            # Another was about to take the lock from this chain: only a new epoch opens it.
            again = replace(hold, epoch=hold.epoch + 1).encode()
            self.ledger.write(self.partition, [Put(self.lock_key, again, lock_version)])
            raise _Moved
        if hold is None or hold.chain != self.own:
            if own_head is not None and own_head.lock is not None:
                # It led, and has been replaced since: its runs stand in its own chain.
                return Placed(self.own)
            if hold is not None:
                waiting = self._displace(hold, role_version, own_head, own_version)
                if waiting is not None:
                    return waiting
            epoch = 1 if hold is None else hold.epoch + 1
            hold = Hold(
                self.own,
                epoch,
                self.deadline + self.settings.lease,
                self.event.time.timestamp(),
                self.event.id,
            )
            self.ledger.write(self.partition, [Put(self.lock_key, hold.encode(), lock_version)])
        lock = Lock(self.flight.name, self.target, hold.epoch)
        head = own_head or Head(opened=self.now)
        if not head.open and not _never_began(head):
            return Placed(self.own)
        if head.lock is None:
            head = Head(
                opened=head.opened if head.open else self.now,
                deadline=self.deadline,
                evidence=head.evidence + 1,
                lock=lock,
                generation=head.generation,
            )
            evidence_key = self.run
        else:
            evidence_key = ""
        return Admitted(
            self.own,
            Leading(
                head=head,
                version=own_version,
                role_key=self.role_key,
                role_version=role_version,
                evidence_key=evidence_key,
                evidence=self.body,
            ),
        )

    def _displace(
        self, hold: Hold, role_version: str, own_head: Head | None, own_version: str
    ) -> Admission | None:
        """Close the chain that holds the target, and wait until nothing of it can be under way.

        None when the lock may be taken.
        """
        head, version = self._head_of(hold.chain)
        partition = chain_partition(hold.chain)
        if head is None:
            closed = Head(opened=self.now).closed(_REPLACED, self.now)
            self.ledger.write(partition, [Put(HEAD, closed.encode(), ABSENT)])
            raise _Moved
        if head.open:
            if self.now < hold.expiry:
                chosen = self._second(hold, head)
                if isinstance(chosen, Queued):
                    return chosen
                if isinstance(chosen, Refused):
                    self._become(Role(refused=chosen.why), role_version, own_head, own_version)
                elif chosen.joined is not None:
                    self._become(chosen, role_version, own_head, own_version)
            outcome = "superseded" if self.now < hold.expiry else "expired"
            closed = head.closed(outcome, self.now)
            self.ledger.write(partition, [Put(HEAD, closed.encode(), version)])
            raise _Moved
        rest = self._under_way(hold.chain, head)
        if rest > 0:
            return Queued(f"chain {hold.chain} has just closed and has a call under way", rest)
        if head.sealed != hold.epoch:
            sealed = replace(head, sealed=hold.epoch)
            self.ledger.write(partition, [Put(HEAD, sealed.encode(), version)])
        return None

    def _under_way(self, chain: str, head: Head) -> float:
        """Seconds for which something of a closed chain may still be done.

        Whoever acts holds a claim that is durable before the head is looked at. What claims after
        the head was closed sees that and does nothing; what claimed before shows its lease here.
        """
        settings = self.settings
        if self.now >= (head.closed_at or 0.0) + settings.lease + settings.skew:
            return 0.0
        if head.outcome == _REPLACED:
            # Its first write may be on its way: it lands on the closed head, or not at all.
            return 0.0
        runs = self.ledger.scan(chain_partition(chain), RUN)
        # Most are committed, and need not be read for that.
        live = [item.value for item in runs if not surely_committed(item.value)]
        records = (Record.decode(value) for value in live)
        leases = [record.lease for record in records if record.state == "claimed"]
        return max(leases, default=0.0) + settings.skew - self.now

    def _become(self, role: Role, version: str, head: Head | None, head_version: str) -> None:
        """Another took the lock first: be its guest, if nothing was decided as a leader."""
        changes: list[Put | Check] = [Put(self.role_key, role.encode(), version)]
        changes.append(Check(HEAD, head_version if head is not None else ABSENT))
        self.ledger.write(chain_partition(self.own), changes)
        raise _Moved

    def _hold(self) -> tuple[Hold | None, str]:
        item = self.ledger.read(self.partition, self.lock_key)
        return (None, ABSENT) if item is None else (Hold.decode(item.value), item.version)

    def _head_of(self, chain: str) -> tuple[Head | None, str]:
        item: Item | None = self.ledger.read(chain_partition(chain), HEAD)
        return (None, ABSENT) if item is None else (Head.decode(item.value), item.version)


def _never_began(head: Head) -> bool:
    """Whether a head was put closed before the chain's first write; its leader may open it.

    The leader's earlier first write, should it still be under way, demands that there is no head.
    """
    return head.outcome == _REPLACED and head.lock is None
