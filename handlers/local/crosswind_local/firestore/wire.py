"""gRPC: from a call on the wire to a method and back, and every refusal in the service's form."""

import logging
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
from google.protobuf.message import DecodeError

from crosswind_local.calls import Call, CallRecord
from crosswind_local.clock import Clock
from crosswind_local.errors import ServiceError
from crosswind_local.firestore import limits
from crosswind_local.firestore.protocol import Pb, request_class
from crosswind_local.firestore.refusals import Contention, Refusal, invalid, unsupported
from crosswind_local.firestore.service import Service, Streaming, Unary

if TYPE_CHECKING:
    # Generic for the type checker only; the class itself takes no arguments.
    Handler = grpc.RpcMethodHandler[Any, Any]

LOG = logging.getLogger(__name__)

PACKAGE = "google.firestore.v1"

REFUSED = {
    f"/{PACKAGE}.Firestore/Listen": "listeners (on_snapshot)",
    f"/{PACKAGE}.Firestore/Write": "write streams",
    f"/{PACKAGE}.Firestore/PartitionQuery": "partitions of a query",
    f"/{PACKAGE}.Firestore/ExecutePipeline": "pipelines",
}
"""Methods that exist in the service and not here, and what they are about."""


class Wire(grpc.GenericRpcHandler):
    """All methods of the service by their paths."""

    def __init__(self, service: Service, calls: CallRecord, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock
        self._handlers: dict[str, Handler] = {}
        # Requests come as bytes, so that one that is no message is told so in the right form.
        for method, answer in service.unary().items():
            self._handlers[f"/{PACKAGE}.Firestore/{method}"] = grpc.unary_unary_rpc_method_handler(
                self._unary(method, answer), response_serializer=_serialize
            )
        for method, stream in service.streaming().items():
            self._handlers[f"/{PACKAGE}.Firestore/{method}"] = grpc.unary_stream_rpc_method_handler(
                self._streaming(method, stream), response_serializer=_serialize
            )
        for path, subject in REFUSED.items():
            self._handlers[path] = self._refuser(path, subject)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "Handler | None":
        return self._handlers.get(handler_call_details.method)

    def paths(self) -> frozenset[str]:
        """Every method that is answered, be it with a refusal."""
        return frozenset(self._handlers)

    def _unary(self, method: str, answer: Unary) -> Callable[[bytes, grpc.ServicerContext], Pb]:
        def call(body: bytes, context: grpc.ServicerContext) -> Pb:
            with _Told(self, method, context) as told:
                return answer(told.read(body), context)

        return call

    def _streaming(
        self, method: str, answer: Streaming
    ) -> Callable[[bytes, grpc.ServicerContext], Iterator[Pb]]:
        def call(body: bytes, context: grpc.ServicerContext) -> Iterator[Pb]:
            with _Told(self, method, context) as told:
                yield from answer(told.read(body), context)

        return call

    def _refuser(self, path: str, subject: str) -> "Handler":
        method = path.rsplit("/", 1)[-1]

        def refuse(requests: object, context: grpc.ServicerContext) -> Iterator[bytes]:
            with _Told(self, method, context):
                raise unsupported(subject)
            yield b""  # never; it makes this a stream, which all but one of these methods are

        if method == "PartitionQuery":
            return grpc.unary_unary_rpc_method_handler(
                lambda request, context: next(refuse(request, context))
            )
        if method == "ExecutePipeline":
            return grpc.unary_stream_rpc_method_handler(refuse)
        return grpc.stream_stream_rpc_method_handler(refuse)

    def note(self, method: str, resource: str, outcome: str, began: float) -> None:
        """Put a call on record; `began` is in seconds of `time.perf_counter`."""
        spent = (time.perf_counter() - began) * 1000
        self._calls.add(Call(self._clock.now(), method, resource, outcome, round(spent, 3)))


class _Told:
    """One call: its request read, its refusal told to the client, its outcome put on record."""

    def __init__(self, wire: Wire, method: str, context: grpc.ServicerContext) -> None:
        self._wire = wire
        self._method = method
        self._context = context
        self._began = time.perf_counter()
        self._resource = ""

    def read(self, body: bytes) -> Pb:
        """The request.

        Raises:
            ServiceError: it is too large, or no message (INVALID_ARGUMENT).
        """
        if len(body) > limits.REQUEST_BYTES:
            raise invalid(f"Request payload size exceeds the limit: {limits.REQUEST_BYTES} bytes.")
        try:
            request = request_class(self._method).FromString(body)
        except DecodeError as error:
            raise invalid(f"The request is not a valid {self._method}Request.") from error
        self._resource = _resource(request)
        return request

    def __enter__(self) -> "_Told":
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        refusal: ServiceError | Contention | None = None
        if isinstance(error, Refusal):
            refusal = error
        elif isinstance(error, Exception):
            # A fault of the emulator: told as the service would, and logged whole.
            LOG.error("%s failed", self._method, exc_info=error)
            refusal = ServiceError("INTERNAL", f"{self._method} failed; see the log.")
        # A stream whose client has heard enough is closed, which is no refusal.
        outcome = "OK" if refusal is None else refusal.code
        self._wire.note(self._method, self._resource, outcome, self._began)
        if refusal is not None:
            _abort(self._context, refusal)


def _serialize(response: Pb) -> bytes:
    return bytes(response.SerializeToString())


def _resource(request: Pb) -> str:
    """What a request is about, for the record of calls."""
    for name in ("name", "parent", "document", "database"):
        value = getattr(request, name, "")
        if value:
            return str(getattr(value, "name", value))
    return ""


def _abort(context: grpc.ServicerContext, error: ServiceError | Contention) -> NoReturn:
    context.abort(grpc.StatusCode[error.code], error.message)
