"""The methods of google.firestore.v1.Firestore."""

import secrets
import string
from collections.abc import Callable, Iterator, Mapping

import grpc
from google.protobuf import empty_pb2

from crosswind_local.errors import ServiceError
from crosswind_local.firestore import aggregations, listing, masks, names, writes
from crosswind_local.firestore.consistency import consistency_of, options_of
from crosswind_local.firestore.engine import Committed, Engine
from crosswind_local.firestore.protocol import (
    BatchGetDocumentsResponse,
    BatchWriteResponse,
    BeginTransactionResponse,
    CommitResponse,
    Document,
    ListCollectionIdsResponse,
    ListDocumentsResponse,
    Pb,
    RunAggregationQueryResponse,
    RunQueryResponse,
    Write,
    WriteResult,
    has,
    timestamp,
)
from crosswind_local.firestore.queries import Query
from crosswind_local.firestore.refusals import invalid, unsupported
from crosswind_local.firestore.waiting import Caller
from crosswind_local.firestore.writes import Written

Unary = Callable[[Pb, Caller], Pb]
Streaming = Callable[[Pb, Caller], Iterator[Pb]]

_ID_LENGTH = 20


class Service:
    """Each method takes a request and its caller; it answers or raises a ServiceError."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def unary(self) -> Mapping[str, Unary]:
        """The methods with one response, by their names on the wire."""
        return {
            "GetDocument": self.get_document,
            "ListDocuments": self.list_documents,
            "CreateDocument": self.create_document,
            "UpdateDocument": self.update_document,
            "DeleteDocument": self.delete_document,
            "ListCollectionIds": self.list_collection_ids,
            "BeginTransaction": self.begin_transaction,
            "Rollback": self.rollback,
            "Commit": self.commit,
            "BatchWrite": self.batch_write,
        }

    def streaming(self) -> Mapping[str, Streaming]:
        """The methods with a stream of responses, by their names on the wire."""
        return {
            "BatchGetDocuments": self.batch_get_documents,
            "RunQuery": self.run_query,
            "RunAggregationQuery": self.run_aggregation_query,
        }

    # Reading

    def get_document(self, request: Pb, caller: Caller) -> Pb:
        database = names.check_document(request.name)
        wanted = masks.read(request)
        found, _ = self._engine.get(database, [request.name], consistency_of(request))
        document = found[0][1]
        if document is None:
            raise ServiceError("NOT_FOUND", f'Document "{request.name}" not found.')
        return masks.shown(document, wanted)

    def batch_get_documents(self, request: Pb, caller: Caller) -> Iterator[Pb]:
        wanted = masks.read(request)
        found, view = self._engine.get(request.database, request.documents, consistency_of(request))
        if view.began:
            yield BatchGetDocumentsResponse(transaction=view.began)
        read_time = timestamp(view.read_time)
        for name, document in found:
            if document is None:
                yield BatchGetDocumentsResponse(missing=name, read_time=read_time)
            else:
                shown = masks.shown(document, wanted)
                yield BatchGetDocumentsResponse(found=shown, read_time=read_time)

    def list_documents(self, request: Pb, caller: Caller) -> Pb:
        database = names.check_parent(request.parent)
        wanted = masks.read(request)
        if request.show_missing:
            return self._list_with_missing(database, request)
        query = Query(request.parent, listing.as_query(request))
        found, _ = self._engine.query(database, query, consistency_of(request))
        size = listing.size_of_page(request.page_size)
        documents = found.documents[:size]
        token = ""
        if len(found.documents) > size:
            token = listing.token_after(documents[-1], query)
        return ListDocumentsResponse(
            documents=[masks.shown(document, wanted) for document in documents],
            next_page_token=token,
        )

    def _list_with_missing(self, database: str, request: Pb) -> Pb:
        if request.order_by:
            raise invalid("show_missing and order_by do not go together.")
        names.check_id("Collection", request.collection_id)
        wanted = masks.read(request)
        collection = f"{request.parent}/{request.collection_id}"
        consistency = consistency_of(request)
        if consistency.transaction:
            raise unsupported("show_missing in a transaction")
        there, _ = self._engine.look(
            database, consistency, lambda storage, at: storage.with_missing(collection, at)
        )
        shown, token = listing.named_page(list(there), request.page_size, request.page_token)
        return ListDocumentsResponse(
            documents=[masks.shown(there[name] or Document(name=name), wanted) for name in shown],
            next_page_token=token,
        )

    def list_collection_ids(self, request: Pb, caller: Caller) -> Pb:
        database = names.check_parent(request.parent)
        found, _ = self._engine.look(
            database,
            consistency_of(request),
            lambda storage, at: storage.children(request.parent, at),
        )
        shown, token = listing.named_page(list(found), request.page_size, request.page_token)
        return ListCollectionIdsResponse(collection_ids=shown, next_page_token=token)

    def run_query(self, request: Pb, caller: Caller) -> Iterator[Pb]:
        database = names.check_parent(request.parent)
        _refuse_explain(request)
        if request.WhichOneof("query_type") is None:
            raise invalid("A query is required.")
        query = Query(request.parent, request.structured_query)
        found, view = self._engine.query(database, query, consistency_of(request))
        if view.began:
            yield RunQueryResponse(transaction=view.began)
        read_time = timestamp(view.read_time)
        if found.skipped or not found.documents:
            yield RunQueryResponse(read_time=read_time, skipped_results=found.skipped)
        for document in found.documents:
            yield RunQueryResponse(document=document, read_time=read_time)

    def run_aggregation_query(self, request: Pb, caller: Caller) -> Iterator[Pb]:
        database = names.check_parent(request.parent)
        _refuse_explain(request)
        structured = request.structured_aggregation_query
        if structured.WhichOneof("query_type") is None:
            raise invalid("A query is required.")
        requested = aggregations.compile_aggregations(structured.aggregations)
        query = Query(request.parent, structured.structured_query)
        found, view = self._engine.query(database, query, consistency_of(request))
        if view.began:
            yield RunAggregationQueryResponse(transaction=view.began)
        documents = aggregations.counted(found.documents, requested)
        response = RunAggregationQueryResponse(read_time=timestamp(view.read_time))
        for one in requested:
            response.result.aggregate_fields[one.alias].CopyFrom(one.over(documents))
        yield response

    # Transactions

    def begin_transaction(self, request: Pb, caller: Caller) -> Pb:
        id = self._engine.begin(request.database, options_of(request.options))
        return BeginTransactionResponse(transaction=id)

    def rollback(self, request: Pb, caller: Caller) -> Pb:
        self._engine.rollback(request.database, request.transaction)
        return empty_pb2.Empty()

    # Writing

    def commit(self, request: Pb, caller: Caller) -> Pb:
        names.check_database(request.database)
        planned = writes.plan_all(request.writes, request.database)
        committed = self._engine.commit(request.database, planned, request.transaction, caller)
        return CommitResponse(
            commit_time=timestamp(committed.time), write_results=map(_result, committed.written)
        )

    def batch_write(self, request: Pb, caller: Caller) -> Pb:
        names.check_database(request.database)
        _check_once_each(request.writes)
        response = BatchWriteResponse()
        for write in request.writes:
            status, result = response.status.add(), response.write_results.add()
            try:
                planned = [writes.plan(write, request.database)]
                committed = self._engine.commit(request.database, planned, b"", caller)
                result.CopyFrom(_result(committed.written[0]))
            except ServiceError as error:
                status.code = grpc.StatusCode[error.code].value[0]
                status.message = error.message
        return response

    def create_document(self, request: Pb, caller: Caller) -> Pb:
        database = names.check_parent(request.parent)
        names.check_id("Collection", request.collection_id)
        if request.document.name:
            raise invalid("document.name must not be set; give the id as document_id.")
        id = request.document_id or new_id()
        names.check_id("Document", id)
        write = Write(update=request.document)
        write.update.name = f"{request.parent}/{request.collection_id}/{id}"
        write.current_document.exists = False
        return self._write_one(database, write, request, caller)

    def update_document(self, request: Pb, caller: Caller) -> Pb:
        database = names.check_document(request.document.name)
        write = Write(update=request.document)
        if request.HasField("update_mask"):
            write.update_mask.CopyFrom(request.update_mask)
        if request.HasField("current_document"):
            write.current_document.CopyFrom(request.current_document)
        return self._write_one(database, write, request, caller)

    def delete_document(self, request: Pb, caller: Caller) -> Pb:
        database = names.check_document(request.name)
        write = Write(delete=request.name)
        if request.HasField("current_document"):
            write.current_document.CopyFrom(request.current_document)
        self._commit_one(database, write, caller)
        return empty_pb2.Empty()

    def _write_one(self, database: str, write: Pb, request: Pb, caller: Caller) -> Pb:
        wanted = masks.read(request)
        committed = self._commit_one(database, write, caller)
        return masks.shown(committed.written[0].document, wanted)

    def _commit_one(self, database: str, write: Pb, caller: Caller) -> Committed:
        return self._engine.commit(database, [writes.plan(write, database)], b"", caller)


def new_id() -> str:
    """An id for a document that was given none, like those of the service."""
    letters = string.ascii_letters + string.digits
    return "".join(secrets.choice(letters) for _ in range(_ID_LENGTH))


def _result(written: Written) -> Pb:
    result = WriteResult(transform_results=written.results)
    if written.document is not None:
        result.update_time.CopyFrom(written.document.update_time)
    return result


def _check_once_each(requested: Pb) -> None:
    named = [write.update.name or write.delete or write.transform.document for write in requested]
    if len(set(named)) < len(named):
        raise invalid("Cannot write to the same document more than once in a batch write.")


def _refuse_explain(request: Pb) -> None:
    if has(request, "explain_options"):
        raise unsupported("query profiling (explain_options)")
