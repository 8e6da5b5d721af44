"""A tester's desk for Firestore: a client of the official SDK, and short names."""

import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, wait
from types import TracebackType
from typing import Any, Self, TypeVar

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from google.cloud.firestore_v1.types import (
    BatchGetDocumentsRequest,
    BeginTransactionRequest,
    TransactionOptions,
    Write,
)

from crosswind_local.firestore import FirestoreEmulator
from local.elsewhere import refusals

refused = refusals("firestore")

T = TypeVar("T")


class Desk:
    """One project; collections have names of their own, so that it may hold others too."""

    def __init__(self, project: str, emulator: FirestoreEmulator | None = None) -> None:
        self.project = project
        self.emulator = emulator
        self.client: Any = firestore.Client(project=project)
        self._mark = uuid.uuid4().hex[:12]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.emulator is None:
            self._remove()
        self.client.close()

    def _remove(self) -> None:
        """Delete what this desk has made; it has the desk's mark in the ids of its collections."""
        for collection in self.client.collections():
            if collection.id.endswith(self._mark):
                self.client.recursive_delete(collection)

    @property
    def api(self) -> Any:
        """The generated client, which sends what it is given."""
        return self.client._firestore_api

    @property
    def database(self) -> str:
        """The full name of the database."""
        return str(self.client._database_string)

    @property
    def root(self) -> str:
        """The parent of top-level collections."""
        return f"{self.database}/documents"

    def see_waiting(self, future: "Future[Any]", commits: int = 1) -> None:
        """See that so many commits wait, one of them that of the future."""
        if self.emulator is None:
            assert not wait([future], timeout=0.5).done
            return
        deadline = time.monotonic() + 10
        while self.emulator.report()["commits_waiting"] != commits:
            assert not future.done()
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def id(self, name: str = "things") -> str:
        """The id of a collection of this test's own."""
        return f"{name}-{self._mark}"

    def collection(self, name: str = "things") -> Any:
        """A collection of this test's own."""
        return self.client.collection(self.id(name))

    def document(self, data: Mapping[str, Any] | None = None, name: str = "it") -> Any:
        """A document of this test's own, with that data if any is given."""
        reference = self.collection().document(name)
        if data is not None:
            reference.set(dict(data))
        return reference

    def fill(self, documents: Mapping[str, Mapping[str, Any]], name: str = "things") -> Any:
        """A collection with these documents."""
        collection = self.collection(name)
        batch = self.client.batch()
        for id, data in documents.items():
            batch.set(collection.document(id), dict(data))
        batch.commit()
        return collection


def transactional(work: Callable[..., T]) -> Callable[..., T]:
    """The SDK's decorator, with types that hold in every release of it."""
    decorated: Callable[..., T] = firestore.transactional(work)
    return decorated


def begin(desk: Desk, **options: Any) -> bytes:
    request = BeginTransactionRequest(
        database=desk.database, options=TransactionOptions(options) if options else None
    )
    return bytes(desk.api.begin_transaction(request=request).transaction)


def read(desk: Desk, transaction: bytes, *references: Any) -> list[Any]:
    request = BatchGetDocumentsRequest(
        database=desk.database,
        documents=[reference._document_path for reference in references],
        transaction=transaction,
    )
    return list(desk.api.batch_get_documents(request=request))


def put(reference: Any, n: int) -> Write:
    return Write(update={"name": reference._document_path, "fields": {"n": {"integer_value": n}}})


def commit(desk: Desk, transaction: bytes, *writes: Write) -> Any:
    return desk.api.commit(
        request={"database": desk.database, "writes": writes, "transaction": transaction},
        retry=None,
    )


def where(query: Any, field: str, operator: str, value: Any) -> Any:
    """A query narrowed by one comparison."""
    return query.where(filter=FieldFilter(field, operator, value))


def ids(found: Iterable[Any]) -> list[str]:
    """The ids of what a query found, in its order."""
    return [snapshot.id for snapshot in found]


def data(reference: Any) -> Any:
    """What a document holds now."""
    return reference.get().to_dict()
