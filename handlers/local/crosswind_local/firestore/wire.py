"""gRPC: which method of the service is answered by what, and which are refused."""

from crosswind_local.calls import CallRecord
from crosswind_local.clock import Clock
from crosswind_local.firestore import limits
from crosswind_local.firestore.protocol import request_class
from crosswind_local.firestore.service import Service
from crosswind_local.grpc_wire import GrpcWire

PACKAGE = "google.firestore.v1"

REFUSED = {
    f"/{PACKAGE}.Firestore/Listen": "listeners (on_snapshot)",
    f"/{PACKAGE}.Firestore/Write": "write streams",
    f"/{PACKAGE}.Firestore/PartitionQuery": "partitions of a query",
    f"/{PACKAGE}.Firestore/ExecutePipeline": "pipelines",
}
"""Methods that exist in the service and not here, and what they are about."""


class Wire(GrpcWire):
    """All methods of the service by their paths."""

    def __init__(self, service: Service, calls: CallRecord, clock: Clock) -> None:
        super().__init__(
            "Firestore",
            calls,
            clock,
            subjects=("name", "parent", "document", "database"),
            request_bytes=limits.REQUEST_BYTES,
        )
        for method, answer in service.unary().items():
            self.unary(f"/{PACKAGE}.Firestore/{method}", request_class(method), answer)
        for method, stream in service.streaming().items():
            self.streaming(f"/{PACKAGE}.Firestore/{method}", request_class(method), stream)
        self.refuse(REFUSED)
