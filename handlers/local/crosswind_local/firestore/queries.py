"""A query, compiled: what it covers, what it finds, in which order, and which part of that.

`StructuredQuery` and `Cursor` of the v1 API. Every index exists, so no query needs one made.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crosswind_local.firestore import conditions, limits, masks, names, paths
from crosswind_local.firestore.conditions import Leaf
from crosswind_local.firestore.paths import Path
from crosswind_local.firestore.protocol import Pb, has
from crosswind_local.firestore.records import Record
from crosswind_local.firestore.refusals import invalid, unsupported
from crosswind_local.firestore.storage import Storage
from crosswind_local.firestore.values import Key

_NAME_PATH: Path = (paths.NAME,)
_DESCENDING = 2


@dataclass(frozen=True, slots=True)
class Order:
    """One field that results are ordered by."""

    path: Path
    descending: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """A place in the order of results: before or after those with these values."""

    keys: Sequence[Key]
    before: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What a query found: documents in their order, and how many were skipped before them."""

    documents: Sequence[Pb]
    skipped: int


class Query:
    """A query below a parent: a database's root or a document, by its full name."""

    def __init__(self, parent: str, structured: Pb) -> None:
        """Compile a StructuredQuery.

        Raises:
            ServiceError: it is invalid (INVALID_ARGUMENT) or uses what is not supported
                (UNIMPLEMENTED).
        """
        self._parent = parent
        self.cost = int(structured.ByteSize())
        if has(structured, "find_nearest"):
            raise unsupported("vector search (find_nearest)")
        selectors = structured.from_
        if len(selectors) != 1:
            raise invalid("StructuredQuery.from must have exactly one collection selector.")
        self._collection = str(selectors[0].collection_id)
        self._deep = bool(selectors[0].all_descendants)
        if self._collection:
            names.check_id("Collection", self._collection)
        leaves: list[Leaf] = []
        self._condition = None
        if structured.HasField("where"):
            self._condition, leaves = conditions.compile_filter(structured.where, parent)
        self.orders = _orders(structured, leaves)
        if len(leaves) + len(structured.order_by) > limits.FILTERS_AND_ORDERS:
            raise invalid(
                f"A query may have up to {limits.FILTERS_AND_ORDERS} filters and sort orders."
            )
        self._start = self._edge(structured, "start_at")
        self._end = self._edge(structured, "end_at")
        self._offset = int(structured.offset)
        self._limit = int(structured.limit.value) if structured.HasField("limit") else None
        if self._offset < 0 or (self._limit is not None and self._limit < 0):
            raise invalid("limit and offset must not be negative.")
        self._select: list[Path] | None = None
        if structured.HasField("select") and structured.select.fields:
            self._select = [paths.parse(one.field_path) for one in structured.select.fields]

    def covers(self, name: str) -> bool:
        """Whether a document lies where the query looks."""
        collection = names.collection_of(name)
        return self._covers_collection(collection)

    def finds(self, document: Pb) -> bool:
        """Whether a document is among those that the query would find, limits and edges aside."""
        return self.covers(document.name) and self._passes(document)

    def candidates(self, storage: Storage, at: int | None) -> list[tuple[Record, Pb]]:
        """Every document where the query looks, as it is or was at a time."""
        if self._collection and not self._deep:
            return list(storage.documents(f"{self._parent}/{self._collection}", at))
        return [
            found
            for collection in storage.collections()
            if self._covers_collection(collection)
            for found in storage.documents(collection, at)
        ]

    def run(self, candidates: Iterable[tuple[Record, Pb]]) -> Found:
        """What the query finds among its candidates."""
        rows = []
        for record, document in candidates:
            if self._passes(document):
                keys = self._keys(record, document)
                if keys is not None:
                    rows.append((keys, document))
        for number in reversed(range(len(self.orders))):
            rows.sort(key=lambda row: row[0][number], reverse=self.orders[number].descending)
        documents = [document for keys, document in rows if self._within(keys)]
        end = None if self._limit is None else self._offset + self._limit
        shown = [masks.shown(document, self._select) for document in documents[self._offset : end]]
        return Found(shown, min(self._offset, len(documents)))

    def _covers_collection(self, collection: str) -> bool:
        parent, _, id = collection.rpartition("/")
        if self._collection and id != self._collection:
            return False
        if self._deep:
            return collection.startswith(f"{self._parent}/")
        return parent == self._parent

    def _passes(self, document: Pb) -> bool:
        return self._condition is None or self._condition(document)

    def _keys(self, record: Record, document: Pb) -> list[Key] | None:
        """What orders a document among the results; None where it lacks a field of the order."""
        keys = []
        for order in self.orders:
            if order.path == _NAME_PATH:
                keys.append(record.key)
                continue
            key = conditions.value_of(document, order.path)
            if key is None:
                return None
            keys.append(key)
        return keys

    def _edge(self, structured: Pb, name: str) -> Edge | None:
        if not structured.HasField(name):
            return None
        cursor = getattr(structured, name)
        if len(cursor.values) > len(self.orders):
            raise invalid(f"{name}: the cursor has too many values for the order of the query.")
        keys = [
            conditions.name_operand(value, self._parent)
            if order.path == _NAME_PATH
            else conditions.operand_key(value)
            for value, order in zip(cursor.values, self.orders, strict=False)
        ]
        return Edge(keys, bool(cursor.before))

    def _within(self, keys: Sequence[Key]) -> bool:
        if self._start is not None:
            place = self._compare(keys, self._start.keys)
            if place < 0 or (place == 0 and not self._start.before):
                return False
        if self._end is not None:
            place = self._compare(keys, self._end.keys)
            if place > 0 or (place == 0 and self._end.before):
                return False
        return True

    def _compare(self, keys: Sequence[Key], edge: Sequence[Key]) -> int:
        """Whether a result comes before (-1) the values of an edge, is there (0) or after (1)."""
        for key, wanted, order in zip(keys, edge, self.orders, strict=False):
            if key != wanted:
                return -1 if (key < wanted) is not order.descending else 1
        return 0


def _orders(structured: Pb, leaves: Iterable[Leaf]) -> list[Order]:
    """The whole order: what is asked for, then fields of inequalities, then the name."""
    orders = [
        Order(paths.parse(one.field.field_path), one.direction == _DESCENDING)
        for one in structured.order_by
    ]
    named = [order.path for order in orders]
    if len(set(named)) < len(named):
        raise invalid("order by clause cannot contain duplicate fields.")
    descending = orders[-1].descending if orders else False
    unequal = {leaf.path for leaf in leaves if leaf.is_inequality}
    added = sorted(unequal - set(named) - {_NAME_PATH})
    orders += [Order(path, descending) for path in added]
    if _NAME_PATH not in named:
        orders.append(Order(_NAME_PATH, descending))
    return orders
