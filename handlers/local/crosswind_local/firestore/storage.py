"""The documents of one database, with their versions of the last hour.

A stored document is never changed: a write puts a new version beside it, so that a reader may go
on with what it has without holding the lock.
"""

from collections.abc import Iterable, Iterator

from crosswind_local.firestore import names
from crosswind_local.firestore.history import History
from crosswind_local.firestore.memory import DocumentMemory
from crosswind_local.firestore.protocol import Pb
from crosswind_local.firestore.records import Record, Version, cost_of, cost_of_record


class Storage:
    """Documents by collection; times are microseconds since 1970."""

    def __init__(self, name: str, memory: DocumentMemory, history: History) -> None:
        self.name = name
        self._memory = memory
        self._history = history
        self._collections: dict[str, dict[str, Record]] = {}

    def get(self, name: str, at: int | None = None) -> Pb | None:
        """A document as it is, or was at a time; None where there is or was none."""
        record = self._collections.get(names.collection_of(name), {}).get(name)
        return None if record is None else record.at(at)

    def put(self, name: str, document: Pb | None, now: int) -> None:
        """Store a new version, or that a document which is there is gone."""
        collection = names.collection_of(name)
        records = self._collections.setdefault(collection, {})
        record = records.get(name)
        if record is None:
            record = records[name] = Record(name)
            self._memory.used += cost_of_record(name)
        self._memory.used += cost_of(document)
        record.versions.append(Version(now, document))
        if len(record.versions) > 1:
            self._history.note(now, self, record)

    def drop_oldest(self, record: Record) -> None:
        """Forget the oldest version of a record, and the record once only its end is left."""
        gone = record.versions.pop(0)
        self._memory.used -= cost_of(gone.document)
        if len(record.versions) == 1 and record.versions[0].document is None:
            self._memory.used -= cost_of(None) + cost_of_record(record.name)
            collection = names.collection_of(record.name)
            records = self._collections[collection]
            del records[record.name]
            if not records:
                del self._collections[collection]

    def clear(self) -> None:
        """Forget all of it."""
        self._history.leave(self)
        for records in self._collections.values():
            for record in records.values():
                self._memory.used -= cost_of_record(record.name)
                self._memory.used -= sum(cost_of(version.document) for version in record.versions)
        self._collections.clear()

    def collections(self) -> Iterable[str]:
        """The full path of each collection that has, or lately had, a document."""
        return self._collections

    def documents(self, collection: str, at: int | None = None) -> Iterator[tuple[Record, Pb]]:
        """The documents of a collection, in no order."""
        for record in self._collections.get(collection, {}).values():
            document = record.at(at)
            if document is not None:
                yield record, document

    def children(self, parent: str, at: int | None = None) -> set[str]:
        """The ids of the collections right below a root or document.

        A collection is there as well where only something below its documents is.
        """
        prefix = f"{parent}/"
        found: set[str] = set()
        for collection in self._collections:
            if collection.startswith(prefix):
                child = collection[len(prefix) :].split("/", 1)[0]
                if child not in found and any(True for _ in self.documents(collection, at)):
                    found.add(child)
        return found

    def with_missing(self, collection: str, at: int | None = None) -> dict[str, Pb | None]:
        """The documents of a collection by name, with None for those that are not there.

        A document is missing where it is not there and something below it is.
        """
        prefix = f"{collection}/"
        found: dict[str, Pb | None] = {
            record.name: document for record, document in self.documents(collection, at)
        }
        for other in self._collections:
            if other.startswith(prefix) and any(True for _ in self.documents(other, at)):
                found.setdefault(prefix + other[len(prefix) :].split("/", 1)[0], None)
        return found

    def counts(self) -> dict[str, int]:
        """How many documents each collection has."""
        counted = {
            collection: sum(1 for _ in self.documents(collection))
            for collection in sorted(self._collections)
        }
        return {collection: count for collection, count in counted.items() if count}
