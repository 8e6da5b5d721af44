"""The engine: all databases, and the order in which everything happens to them.

The state is one and its lock is one; every public method takes it. What a request means on the
wire is not known here. A commit may have to wait for older transactions; nothing else waits.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from crosswind_local.clock import Clock
from crosswind_local.errors import ServiceError
from crosswind_local.firestore import names, writes
from crosswind_local.firestore.consistency import Consistency, Options
from crosswind_local.firestore.expiry import Expiry
from crosswind_local.firestore.history import History
from crosswind_local.firestore.memory import DocumentMemory
from crosswind_local.firestore.protocol import Pb
from crosswind_local.firestore.queries import Found, Query
from crosswind_local.firestore.records import cost_of, cost_of_record
from crosswind_local.firestore.refusals import Contention, gave_way, invalid
from crosswind_local.firestore.storage import Storage
from crosswind_local.firestore.timer import Timer
from crosswind_local.firestore.transactions import Fate, Transaction, Transactions
from crosswind_local.firestore.waiting import Caller, Waiting
from crosswind_local.firestore.writes import Planned, Written

T = TypeVar("T")

LOCK_SECONDS = 20.0
"""How long a commit waits for older transactions unless told otherwise."""


@dataclass(frozen=True, slots=True)
class View:
    """What a read looks at; times are in microseconds since 1970.

    `at` is None for what is there now. `began` is the id of a transaction that the read began.
    """

    at: int | None
    read_time: int
    transaction: Transaction | None
    began: bytes = b""


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit made of its writes, and when, in microseconds since 1970."""

    time: int
    written: Sequence[Written]


class Engine:
    """Every database by its full name; one that was never written to is empty."""

    def __init__(
        self,
        clock: Clock,
        memory: DocumentMemory,
        *,
        ttl: Mapping[str, str] | None = None,
        ttl_delay: float = 0.0,
        lock_wait: float = LOCK_SECONDS,
    ) -> None:
        """`ttl` has the expiry field of each collection group; the rest is in seconds."""
        self.clock = clock
        self._memory = memory
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._history = History(memory)
        self._transactions = Transactions(memory)
        self._databases: dict[str, Storage] = {}
        self._expiry = Expiry(ttl or {}, ttl_delay, self._current)
        self._timer = Timer(clock, self._lock, self._on_time)
        self._lock_wait = lock_wait
        self._last = 0
        self._waiting = 0
        self._closed = False

    # Transactions

    def begin(self, database: str, options: Options) -> bytes:
        """Begin a transaction; returns its id.

        Raises:
            ServiceError: its read time is not to be had, or memory is full.
        """
        names.check_database(database)
        with self._lock:
            return self._begin(database, options).id

    def rollback(self, database: str, id: bytes) -> None:
        """End a transaction without a change; harmless when it has ended.

        Raises:
            ServiceError: there never was one (INVALID_ARGUMENT).
        """
        names.check_database(database)
        with self._lock:
            transaction = self._transactions.find(id, database)
            if transaction is not None:
                self._end(transaction, "rolled back")
            elif not self._transactions.known(id):
                raise invalid("The referenced transaction has expired or is no longer valid.")

    # Reading

    def get(
        self, database: str, wanted: Iterable[str], consistency: Consistency
    ) -> tuple[list[tuple[str, Pb | None]], View]:
        """Documents by name, each once and in the order asked for.

        Raises:
            ServiceError: the names or the transaction are not valid.
        """
        names.check_database(database)
        chosen = list(dict.fromkeys(wanted))
        for name in chosen:
            names.check_document(name, database)
        with self._lock:
            view = self._view(database, consistency)
            if view.transaction is not None and not view.transaction.read_only:
                self._transactions.lock(view.transaction, chosen)
            storage = self._storage(database)
            return [(name, storage.get(name, view.at)) for name in chosen], view

    def query(self, database: str, query: Query, consistency: Consistency) -> tuple[Found, View]:
        """What a query finds.

        Raises:
            ServiceError: the transaction is not valid.
        """
        with self._lock:
            view = self._view(database, consistency)
            if view.transaction is not None and not view.transaction.read_only:
                self._transactions.lock_range(view.transaction, query)
            candidates = query.candidates(self._storage(database), view.at)
        # Versions never change, so the search itself keeps no one waiting.
        return query.run(candidates), view

    def look(
        self, database: str, consistency: Consistency, read: Callable[[Storage, int | None], T]
    ) -> tuple[T, View]:
        """Whatever `read` reads of a database, as of the view's time.

        Raises:
            ServiceError: the transaction is not valid.
        """
        with self._lock:
            view = self._view(database, consistency)
            return read(self._storage(database), view.at), view

    # Writing

    def commit(
        self, database: str, planned: Sequence[Planned], id: bytes, caller: Caller
    ) -> Committed:
        """Carry out writes, all or none, and end the transaction `id`, if there is one.

        Raises:
            ServiceError: the transaction is not valid, a precondition does not hold, or memory
                is full; a Contention where another transaction stood in the way.
        """
        with self._lock:
            if not id:
                return self._commit(database, planned, None, caller)
            transaction = self._transactions.use(id, database, self.clock.now())
            try:
                if planned and transaction.read_only:
                    raise invalid("Cannot modify entities in a read-only transaction.")
                committed = self._commit(database, planned, transaction, caller)
            except Contention:
                self._end(transaction, "gave way")
                raise
            except ServiceError as error:
                # Asked again, as the SDK does when there is no room, it must find what it was.
                if error.code != "RESOURCE_EXHAUSTED":
                    self._end(transaction, "failed")
                raise
            self._end(transaction, "committed")
            return committed

    # All of it

    def forget(self, project: str) -> None:
        """Remove every database of `projects/{project}`."""
        with self._lock:
            prefix = f"{project}/"
            wanted = [name for name in self._databases if name.startswith(prefix)]
            self._transactions.end_all(prefix)
            for name in wanted:
                storage = self._databases.pop(name)
                for collection in storage.collections():
                    for record, document in storage.documents(collection):
                        self._expiry.note(record.name, document, None)
                storage.clear()
            self._changed.notify_all()

    def close(self) -> None:
        """Wake everyone who waits, and forget everything."""
        with self._lock:
            self._closed = True
            self._databases.clear()
            self._changed.notify_all()

    def report(self) -> dict[str, object]:
        """What there is at the moment, for inspection."""
        with self._lock:
            return {
                "memory": {"used": self._memory.used, "limit": self._memory.limit},
                "databases": {
                    name: {
                        collection.removeprefix(f"{name}/documents/"): count
                        for collection, count in storage.counts().items()
                    }
                    for name, storage in sorted(self._databases.items())
                },
                "past_versions": self._history.count(),
                "transactions": self._transactions.report(self.clock.now()),
                "commits_waiting": self._waiting,
            }

    def _tick(self) -> int:
        """A time, in microseconds, that is later than every one before it."""
        self._last = max(self._last + 1, int(self.clock.now() * 1_000_000))
        return self._last

    def _storage(self, database: str) -> Storage:
        storage = self._databases.get(database)
        return storage or Storage(database, self._memory, self._history)

    def _current(self, name: str) -> Pb | None:
        return self._storage(names.database_of(name)).get(name)

    def _begin(self, database: str, options: Options) -> Transaction:
        snapshot = options.read_time
        if snapshot is not None:
            self._history.check(snapshot, self._tick())
        elif options.read_only:
            snapshot = self._tick()
        now = self.clock.now()
        self._transactions.expire(now)
        transaction = self._transactions.begin(
            database, now, snapshot=snapshot, retried=options.retried
        )
        self._arm()
        return transaction

    def _end(self, transaction: Transaction, fate: Fate) -> None:
        self._transactions.end(transaction, fate)
        self._changed.notify_all()

    def _view(self, database: str, consistency: Consistency) -> View:
        if consistency.new is not None:
            transaction = self._begin(database, consistency.new)
            at = transaction.snapshot
            return View(at, at or self._tick(), transaction, transaction.id)
        if consistency.transaction:
            transaction = self._transactions.use(
                consistency.transaction, database, self.clock.now()
            )
            at = transaction.snapshot
            if at is not None:
                self._history.check(at, self._last)
            return View(at, at or self._tick(), transaction)
        if consistency.read_time is not None:
            self._history.check(consistency.read_time, self._tick())
            return View(consistency.read_time, consistency.read_time, None)
        return View(None, self._tick(), None)

    def _commit(
        self,
        database: str,
        planned: Sequence[Planned],
        transaction: Transaction | None,
        caller: Caller,
    ) -> Committed:
        """Carry out writes once no older transaction stands in the way; younger ones give way."""
        age = self._transactions.age() if transaction is None else transaction.age
        touched = {one.name for one in planned}
        with Waiting(self._changed, self.clock, self._lock_wait, caller) as waiting:
            while True:
                holders = self._transactions.holders(touched, transaction)
                if all(holder.age > age for holder in holders):
                    now = self._tick()
                    written, states = self._carry_out(database, planned, now)
                    changed = [one for pair in states.values() for one in pair if one is not None]
                    holders |= self._transactions.ranged(changed, transaction)
                    if all(holder.age > age for holder in holders):
                        break
                self._wait(waiting, database, transaction)
        self._history.make_room(
            sum(cost_of_record(name) + cost_of(after) for name, (_, after) in states.items())
        )
        for holder in holders:
            self._end(holder, "gave way")
        self._store(database, states, now)
        return Committed(now, written)

    def _wait(self, waiting: Waiting, database: str, transaction: Transaction | None) -> None:
        if not self._closed:
            self._waiting += 1
            try:
                waiting.once()
            finally:
                self._waiting -= 1
        # Once closed, no one would wake it any more.
        if self._closed:
            raise gave_way()
        if transaction is not None:
            # It may have had to give way itself, or have expired, in the meantime.
            self._transactions.use(transaction.id, database, self.clock.now())

    def _carry_out(
        self, database: str, planned: Sequence[Planned], now: int
    ) -> tuple[list[Written], dict[str, tuple[Pb | None, Pb | None]]]:
        """What each write would come to, and each document before and after all of them."""
        storage = self._storage(database)
        states: dict[str, tuple[Pb | None, Pb | None]] = {}
        written = []
        for one in planned:
            if one.name not in states:
                found = storage.get(one.name)
                states[one.name] = (found, found)
            before, current = states[one.name]
            outcome = writes.carry_out(one, current, now)
            states[one.name] = (before, outcome.document)
            written.append(outcome)
        return written, states

    def _store(
        self, database: str, states: Mapping[str, tuple[Pb | None, Pb | None]], now: int
    ) -> None:
        for name, (before, after) in states.items():
            if after is before:
                continue
            storage = self._databases.get(database)
            if storage is None:
                storage = self._databases[database] = self._storage(database)
            storage.put(name, after, now)
            self._expiry.note(name, before, after)
        self._arm()

    def _arm(self) -> None:
        dues = (self._transactions.next_due(), self._expiry.next_due())
        self._timer.set(min((due for due in dues if due is not None), default=None))

    def _on_time(self) -> None:
        """End transactions that have expired, and delete documents that have."""
        now = self.clock.now()
        if self._transactions.expire(now):
            self._changed.notify_all()
        for name in self._expiry.expired(now):
            document = self._current(name)
            if document is None:
                continue
            if self._transactions.holders([name], None) or self._transactions.ranged(
                [document], None
            ):
                self._expiry.again(name, now)
            else:
                self._store(names.database_of(name), {name: (document, None)}, self._tick())
        self._arm()
