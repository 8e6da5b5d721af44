"""The protobuf messages of google.firestore.v1, as the official SDK ships them.

The SDK wraps them in proto-plus classes; the wrapped classes are taken out here because they
are an order of magnitude faster. They carry no type information, so values of them are `Any`.
"""

from typing import Any

from google.cloud.firestore_v1 import types
from google.protobuf import timestamp_pb2

Pb = Any
"""A protobuf message; which one is said by the name of the parameter."""

Document = types.Document.pb()
DocumentMask = types.DocumentMask.pb()
StructuredQuery = types.StructuredQuery.pb()
Value = types.Value.pb()
Write = types.Write.pb()
WriteResult = types.WriteResult.pb()

BatchGetDocumentsResponse = types.BatchGetDocumentsResponse.pb()
BatchWriteResponse = types.BatchWriteResponse.pb()
BeginTransactionResponse = types.BeginTransactionResponse.pb()
CommitResponse = types.CommitResponse.pb()
ListCollectionIdsResponse = types.ListCollectionIdsResponse.pb()
ListDocumentsResponse = types.ListDocumentsResponse.pb()
RunAggregationQueryResponse = types.RunAggregationQueryResponse.pb()
RunQueryResponse = types.RunQueryResponse.pb()


def request_class(method: str) -> Pb:
    """The class of a method's request."""
    return getattr(types, f"{method}Request").pb()


def has(message: Pb, name: str) -> bool:
    """Whether a message has a field that older releases of the SDK do not know."""
    return name in message.DESCRIPTOR.fields_by_name and bool(message.HasField(name))


def timestamp(micros: int) -> Pb:
    """A Timestamp from microseconds since 1970."""
    seconds, rest = divmod(micros, 1_000_000)
    return timestamp_pb2.Timestamp(seconds=seconds, nanos=rest * 1000)


def micros(stamp: Pb) -> int:
    """Microseconds since 1970; what is finer is rounded down."""
    return int(stamp.seconds) * 1_000_000 + int(stamp.nanos) // 1000
