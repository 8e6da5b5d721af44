"""The backlog of one subscription: what it holds, what is out, and what becomes of it.

An entry is ready, out under a lease, or waiting out a back-off; it leaves when it is
acknowledged, forwarded to the dead-letter topic, or too old. Nothing here knows of gRPC, threads
or clocks: every method is told the time. Every operation costs the same whatever the backlog
holds, except `seek` and `reconfigure`, which go through all of it.

Sources: "Pull subscriptions" (https://cloud.google.com/pubsub/docs/pull) for leases, "Lease
management" (https://cloud.google.com/pubsub/docs/lease-management) for deadlines, "Handle message
failures" (https://cloud.google.com/pubsub/docs/handling-failures) for retries and dead letters,
"Replay and purge messages" (https://cloud.google.com/pubsub/docs/replay-overview) for seek.
"""

import itertools
from collections.abc import Callable, Iterable
from itertools import groupby
from operator import attrgetter

from crosswind_local.agenda import Agenda
from crosswind_local.memory import Memory
from crosswind_local.pubsub.deliveries import Consumer, Entry, Lease
from crosswind_local.pubsub.messages import Message
from crosswind_local.pubsub.ordering import ReadyQueue
from crosswind_local.pubsub.policies import Policy

DeadLetter = Callable[[Message, int], bool]
"""Forward a message after so many attempts; False when there is nowhere to forward it to."""

_SERIAL = itertools.count(1)
_published = attrgetter("published")


class Backlog:
    """The messages of one subscription that are not done with."""

    def __init__(self, policy: Policy, memory: Memory, dead_letter: DeadLetter) -> None:
        self._policy = policy
        self._memory = memory
        self._dead_letter = dead_letter
        self._entries: dict[int, Entry] = {}
        self._leases: dict[str, Lease] = {}
        self._consumers: set[Consumer] = set()
        self._ready = ReadyQueue(policy.ordered)
        self._deadlines: Agenda[Lease] = Agenda(
            lambda at, lease: lease.open and lease.deadline == at
        )
        self._backoffs: Agenda[Entry] = Agenda(lambda at, entry: entry.held and entry.due == at)
        self._oldest: Agenda[Entry] = Agenda(lambda at, entry: not entry.gone)
        self._acked = 0
        self._held = 0
        # Acknowledgement ids of two backlogs differ, so that one never settles the other's.
        self._prefix = f"{next(_SERIAL):x}"
        self._lease_numbers = itertools.count(1)

    @property
    def policy(self) -> Policy:
        return self._policy

    def counts(self) -> dict[str, int]:
        """How many messages are ready, out, held back, and acknowledged but retained."""
        out = len(self._leases)
        return {
            "ready": len(self._entries) - self._acked - self._held - out,
            "out": out,
            "held": self._held,
            "acked": self._acked,
        }

    def admit(self, consumer: Consumer) -> None:
        """A consumer may take messages from now on."""
        self._consumers.add(consumer)
        self._ready.admit(consumer)

    def leave(self, consumer: Consumer) -> None:
        """A consumer takes no more; what it holds stays out until settled or expired."""
        self._consumers.discard(consumer)
        self._ready.leave(consumer)

    def add(self, *messages: Message) -> None:
        """Take in what one request has published, but for what the filter holds back."""
        self._ready.add(self._keep(self._wanted(messages)))

    def take(
        self,
        consumer: Consumer,
        now: float,
        *,
        most: int,
        most_bytes: int,
        ack_deadline: float | None = None,
    ) -> list[Lease]:
        """Lease messages to an admitted consumer, as many as are ready, fit, and were asked for.

        `most_bytes` is exceeded only by a first message that is larger on its own.
        `ack_deadline` is in seconds; the subscription's unless told.
        """
        self.run(now)
        deadline = now + (self._policy.ack_deadline if ack_deadline is None else ack_deadline)
        taken: list[Lease] = []
        size = 0
        while len(taken) < most:
            entry = self._ready.peek(consumer)
            if entry is None or not consumer.has_room(entry.message.size):
                break
            size += entry.message.size
            if taken and size > most_bytes:
                break
            self._ready.take(consumer)
            ack_id = f"{self._prefix}-{next(self._lease_numbers):x}"
            lease = Lease(ack_id, entry, consumer, deadline, entry.failures + 1)
            self._leases[ack_id] = lease
            taken.append(lease)
        if taken:
            self._deadlines.add_all(deadline, taken)
        return taken

    def acknowledge(self, ack_ids: Iterable[str], now: float) -> list[str]:
        """Settle deliveries; return the ids that are unknown, settled or expired."""
        self.run(now)
        invalid = []
        for ack_id in ack_ids:
            lease = self._leases.get(ack_id)
            if lease is None:
                invalid.append(ack_id)
            else:
                self._close(lease)
                self._ready.settle(lease.entry)
                self._done(lease.entry)
        return invalid

    def extend(self, ack_ids: Iterable[str], seconds: float, now: float) -> list[str]:
        """Move deadlines to `seconds` from now, or give messages back with 0.

        Returns the ids that are unknown, settled or expired.
        """
        self.run(now)
        invalid, extended, deadline = [], [], now + seconds
        for ack_id in ack_ids:
            lease = self._leases.get(ack_id)
            if lease is None:
                invalid.append(ack_id)
            elif seconds > 0:
                lease.deadline = deadline
                extended.append(lease)
            else:
                self._fail(lease, now)
        if extended:
            self._deadlines.forget(len(extended))
            self._deadlines.add_all(deadline, extended)
        return invalid

    def run(self, now: float) -> None:
        """Do what has become due: expired leases, ended back-offs, messages that are too old."""
        for lease in self._deadlines.due(now):
            self._fail(lease, now)
        for entry in self._backoffs.due(now):
            self._free(entry)
            self._ready.release(entry)
        for entry in self._oldest.due(now):
            self._expire(entry)

    def next_due(self) -> float | None:
        """When `run` has something to do next."""
        dues = (self._deadlines.next_due(), self._backoffs.next_due(), self._oldest.next_due())
        return min((due for due in dues if due is not None), default=None)

    def seek(self, published: int, logged: Iterable[Message], now: float) -> None:
        """Mark what was published before a time as acknowledged, and the rest as not.

        `published` is in nanoseconds since 1970. `logged` are the messages that the topic itself
        retains, from which this backlog takes those it has not. What is out is out no longer: its
        acknowledgement ids become invalid, and all is delivered anew in the order of publishing.
        """
        self.run(now)
        there = self._entries
        self._keep(
            self._wanted(
                message
                for message in logged
                if message.published >= published and message.number not in there
            )
        )
        entries = [self._entries[number] for number in sorted(self._entries)]
        self._recall()
        again = []
        for entry in entries:
            if entry.message.published < published:
                if not entry.acked:
                    self._done(entry)
                continue
            if entry.acked:
                entry.acked, entry.failures = False, 0
                self._acked -= 1
            again.append(entry)
        self._ready.add(again)

    def reconfigure(self, policy: Policy, now: float) -> None:
        """Obey new settings from now on; leases that are out keep their deadlines."""
        self.run(now)
        before, self._policy = self._policy, policy
        if policy.retain_acked is False:
            for entry in [entry for entry in self._entries.values() if entry.acked]:
                self._remove(entry)
        if policy.retention != before.retention:
            self._oldest.clear()
            for entry in self._entries.values():
                self._oldest.add(entry.message.published / 1e9 + policy.retention, entry)

    def clear(self) -> None:
        """Forget everything, as a detached or deleted subscription does."""
        self._recall()
        for entry in list(self._entries.values()):
            self._remove(entry)

    def _wanted(self, messages: Iterable[Message]) -> Iterable[Message]:
        """Those that the filter lets through."""
        condition = self._policy.condition
        if condition is None:
            return messages
        return (message for message in messages if condition.matches(message.attributes))

    def _keep(self, messages: Iterable[Message]) -> list[Entry]:
        kept: list[Entry] = []
        for published, of_one_request in groupby(messages, _published):
            entries = [Entry(message) for message in of_one_request]
            self._oldest.add_all(published / 1e9 + self._policy.retention, entries)
            kept += entries
        self._entries.update((entry.number, entry) for entry in kept)
        self._memory.used += sum(entry.cost for entry in kept)
        return kept

    def _close(self, lease: Lease) -> None:
        lease.close()
        del self._leases[lease.ack_id]
        self._deadlines.forget()

    def _fail(self, lease: Lease, now: float) -> None:
        """A delivery was refused or its time ran out."""
        entry = lease.entry
        self._close(lease)
        entry.failures += 1
        policy = self._policy
        if policy.dead_letter_topic is not None and entry.failures >= policy.max_attempts:
            # Settled first: the dead-letter topic may feed this very subscription.
            self._ready.settle(entry)
            if self._dead_letter(entry.message, entry.failures):
                self._done(entry)
                return
        back = [entry]
        for companion in self._ready.companions(entry):
            if companion.lease is not None:
                self._close(companion.lease)
            back.append(companion)
        if policy.retry is not None:
            entry.held = True
            entry.due = now + policy.retry.delay(entry.failures)
            self._held += 1
            self._backoffs.add(entry.due, entry)
        self._ready.put_back(back)

    def _free(self, entry: Entry) -> None:
        entry.held = False
        self._held -= 1

    def _done(self, entry: Entry) -> None:
        """An entry was acknowledged or forwarded."""
        if self._policy.retain_acked:
            entry.acked = True
            self._acked += 1
        else:
            self._remove(entry)

    def _expire(self, entry: Entry) -> None:
        """An entry is older than the retention allows."""
        if entry.lease is not None:
            self._close(entry.lease)
        if entry.held:
            self._free(entry)
        self._remove(entry)
        self._ready.settle(entry)

    def _remove(self, entry: Entry) -> None:
        if entry.acked:
            self._acked -= 1
        entry.gone = True
        del self._entries[entry.number]
        self._memory.used -= entry.cost
        self._oldest.forget()

    def _recall(self) -> None:
        """End every lease and back-off, and begin with an empty queue."""
        for lease in list(self._leases.values()):
            self._close(lease)
        for entry in self._entries.values():
            if entry.held:
                self._free(entry)
        self._backoffs.clear()
        self._ready = ReadyQueue(self._policy.ordered)
        for consumer in self._consumers:
            self._ready.admit(consumer)
