"""Transactions: which are open, what they have locked, and who gives way to whom.

"Transaction serializability and isolation",
https://cloud.google.com/firestore/docs/transaction-data-contention, of the server client
libraries: a transaction locks what it reads against changes by others until it ends; locks are
given in the order of time. Reads share a lock. A commit that meets the lock of an older
transaction waits for it; one that meets the lock of a younger transaction ends that one. A
transaction that retries another has that one's age, and so keeps its place in line. As no one ever
waits for someone younger, no two wait for each other.

"Quotas and limits", https://cloud.google.com/firestore/quotas: a transaction lasts 270 seconds at
most, and 60 when nothing is asked of it.

Nothing here knows of threads or clocks: every method is told the time, in seconds since 1970.
"""

import itertools
import secrets
from collections import OrderedDict
from collections.abc import Iterable
from typing import Literal, Protocol

from crosswind_local.agenda import Agenda
from crosswind_local.firestore import limits
from crosswind_local.firestore.memory import DocumentMemory
from crosswind_local.firestore.protocol import Pb
from crosswind_local.firestore.refusals import gave_way, invalid

Age = tuple[int, int]
"""A place in line, the lower the older; the second number parts those that retry the same one."""

Fate = Literal["committed", "rolled back", "failed", "expired", "gave way"]
"""How a transaction ended."""

OVERHEAD = 500
"""Bytes of memory that a transaction, or a lock of it, takes."""

_REMEMBERED = 10_000
"""How many ended transactions are known, so that their late requests are answered rightly."""


class Range(Protocol):
    """What a query has locked: every document that it would find."""

    @property
    def cost(self) -> int:
        """Bytes of memory."""
        ...

    def finds(self, document: Pb) -> bool:
        """Whether a document, as it is or would become, is among those found."""
        ...


class Transaction:
    """One transaction that is open."""

    __slots__ = (
        "age",
        "began",
        "cost",
        "database",
        "due",
        "id",
        "names",
        "open",
        "ranges",
        "read_only",
        "snapshot",
    )

    def __init__(
        self, id: bytes, database: str, age: Age, *, began: float, snapshot: int | None
    ) -> None:
        """A transaction with a snapshot, in microseconds since 1970, only reads, without locks."""
        self.id = id
        self.database = database
        self.age = age
        self.began = began
        self.due = 0.0
        self.snapshot = snapshot
        self.read_only = snapshot is not None
        self.open = True
        self.names: set[str] = set()
        self.ranges: list[Range] = []
        self.cost = OVERHEAD


class Transactions:
    """Every transaction of every database."""

    def __init__(self, memory: DocumentMemory) -> None:
        self._memory = memory
        self._open: dict[bytes, Transaction] = {}
        self._locks: dict[str, set[Transaction]] = {}
        self._ranged: set[Transaction] = set()
        self._ended: OrderedDict[bytes, tuple[Age, Fate]] = OrderedDict()
        self._ages = itertools.count(1)
        self._dues: Agenda[Transaction] = Agenda(lambda at, one: one.open and one.due == at)

    def age(self) -> Age:
        """The next place in line, for a write outside of any transaction."""
        number = next(self._ages)
        return number, number

    def begin(
        self, database: str, now: float, *, snapshot: int | None = None, retried: bytes = b""
    ) -> Transaction:
        """Begin a transaction; `retried` is the id of the one whose place in line it takes.

        Raises:
            ServiceError: memory is full (RESOURCE_EXHAUSTED).
        """
        self._memory.require(OVERHEAD)
        known = self._ended.get(retried)
        # One decorated function that runs twice at once makes the SDK name one id in both retries.
        fresh = self.age()
        age = fresh if known is None else (known[0][0], fresh[1])
        transaction = Transaction(
            secrets.token_bytes(16), database, age, began=now, snapshot=snapshot
        )
        self._memory.used += OVERHEAD
        self._open[transaction.id] = transaction
        self._note(transaction, now)
        return transaction

    def use(self, id: bytes, database: str, now: float) -> Transaction:
        """The open transaction of that id, which is idle no longer.

        Raises:
            ServiceError: there is none, or it has ended (INVALID_ARGUMENT).
            Contention: it had to give way to another one (ABORTED).
        """
        self.expire(now)
        transaction = self._open.get(id)
        if transaction is None or transaction.database != database:
            known = self._ended.get(id)
            if known is not None and known[1] == "gave way":
                raise gave_way()
            raise invalid("The referenced transaction has expired or is no longer valid.")
        self._dues.forget()
        self._note(transaction, now)
        return transaction

    def known(self, id: bytes) -> bool:
        """Whether there is, or lately was, such a transaction."""
        return id in self._open or id in self._ended

    def lock(self, transaction: Transaction, names: Iterable[str]) -> None:
        """Keep others from changing documents, be they there or not.

        Raises:
            ServiceError: memory is full (RESOURCE_EXHAUSTED).
        """
        fresh = [name for name in names if name not in transaction.names]
        self._charge(transaction, sum(len(name) + OVERHEAD for name in fresh))
        for name in fresh:
            transaction.names.add(name)
            self._locks.setdefault(name, set()).add(transaction)

    def lock_range(self, transaction: Transaction, found: Range) -> None:
        """Keep others from changing what a query finds.

        Raises:
            ServiceError: memory is full (RESOURCE_EXHAUSTED).
        """
        self._charge(transaction, found.cost + OVERHEAD)
        transaction.ranges.append(found)
        self._ranged.add(transaction)

    def holders(self, names: Iterable[str], claimant: Transaction | None) -> set[Transaction]:
        """The other transactions that have locked any of these documents."""
        found: set[Transaction] = set()
        for name in names:
            found |= self._locks.get(name, set())
        return {transaction for transaction in found if transaction is not claimant}

    def ranged(self, documents: Iterable[Pb], claimant: Transaction | None) -> set[Transaction]:
        """The other transactions that have a query which finds any of these documents."""
        if not self._ranged:
            return set()
        documents = list(documents)
        return {
            transaction
            for transaction in self._ranged
            if transaction is not claimant
            and any(one.finds(document) for one in transaction.ranges for document in documents)
        }

    def end(self, transaction: Transaction, fate: Fate) -> None:
        """End a transaction and release its locks; harmless when it has ended."""
        if not transaction.open:
            return
        transaction.open = False
        self._dues.forget()
        del self._open[transaction.id]
        for name in transaction.names:
            holders = self._locks[name]
            holders.discard(transaction)
            if not holders:
                del self._locks[name]
        self._ranged.discard(transaction)
        self._memory.used -= transaction.cost
        self._ended[transaction.id] = (transaction.age, fate)
        if len(self._ended) > _REMEMBERED:
            self._ended.popitem(last=False)

    def find(self, id: bytes, database: str) -> Transaction | None:
        """The open transaction of that id, left as idle as it is."""
        transaction = self._open.get(id)
        return transaction if transaction and transaction.database == database else None

    def expire(self, now: float) -> bool:
        """End what has lasted or idled for too long; whether there was any."""
        expired = list(self._dues.due(now))
        for transaction in expired:
            self.end(transaction, "expired")
        return bool(expired)

    def next_due(self) -> float | None:
        """When the next transaction expires."""
        return self._dues.next_due()

    def end_all(self, prefix: str) -> None:
        """End every transaction of the databases whose names begin so."""
        for transaction in list(self._open.values()):
            if transaction.database.startswith(prefix):
                self.end(transaction, "expired")

    def report(self, now: float) -> list[dict[str, object]]:
        """What is open, oldest first."""
        return [
            {
                "database": transaction.database,
                "read_only": transaction.read_only,
                "seconds": round(now - transaction.began, 3),
                "documents_locked": len(transaction.names),
                "queries_locked": len(transaction.ranges),
            }
            for transaction in sorted(self._open.values(), key=lambda one: one.age)
        ]

    def _note(self, transaction: Transaction, now: float) -> None:
        transaction.due = min(
            now + limits.IDLE_SECONDS, transaction.began + limits.TRANSACTION_SECONDS
        )
        self._dues.add(transaction.due, transaction)

    def _charge(self, transaction: Transaction, size: int) -> None:
        self._memory.require(size)
        self._memory.used += size
        transaction.cost += size
