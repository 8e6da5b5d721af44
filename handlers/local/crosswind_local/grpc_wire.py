"""From a call over gRPC to a method and back, and every refusal in the form of the service."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import DecodeError

# The package ships no types; what is taken from it is two messages.
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]

from crosswind_local.calls import Call, CallRecord
from crosswind_local.clock import Clock
from crosswind_local.errors import ServiceError

if TYPE_CHECKING:
    # Generic for the type checker only; the class itself takes no arguments.
    Handler = grpc.RpcMethodHandler[Any, Any]

LOG = logging.getLogger(__name__)

Pb = Any
"""A protobuf message; the SDKs ship no types of theirs."""

Response = Pb | bytes
"""What a method answers: a message, or one that is written as it goes over the wire already."""

Unary = Callable[[Pb, grpc.ServicerContext], Response]
Streaming = Callable[[Pb, grpc.ServicerContext], Iterator[Response]]
Conversation = Callable[[Iterator[Pb], grpc.ServicerContext], Iterator[Response]]


class GrpcWire(grpc.GenericRpcHandler):
    """All methods of a service by their paths; the wire of each service fills them in.

    A method takes a request, or an iterator of them, and its caller; it answers or raises a
    ServiceError. Requests come in as bytes, so that one that is no message is told so in the form
    of the service. Each call is put on record when it ends.
    """

    def __init__(
        self,
        title: str,
        calls: CallRecord,
        clock: Clock,
        *,
        subjects: tuple[str, ...],
        domain: str = "",
        request_bytes: int | None = None,
    ) -> None:
        """A wire without methods.

        Args:
            title: what the service is called, in a refusal.
            subjects: the fields that tell what a request is about, the one that counts first.
            domain: of the google.rpc.ErrorInfo that tells a refusal's reason.
            request_bytes: how large a request may be; as gRPC allows unless given.
        """
        self._title = title
        self._calls = calls
        self._clock = clock
        self._subjects = subjects
        self.domain = domain
        self.request_bytes = request_bytes
        self._handlers: dict[str, Handler] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "Handler | None":
        return self._handlers.get(handler_call_details.method)

    def paths(self) -> frozenset[str]:
        """Every method that is answered, be it with a refusal."""
        return frozenset(self._handlers)

    def unary(self, path: str, request: Pb, answer: Unary) -> None:
        """Answer a method that has one request, of the class given, and one response."""

        def call(body: bytes, context: grpc.ServicerContext) -> Pb:
            with _Told(self, path, request, context) as told:
                return answer(told.read(body), context)

        self._handlers[path] = grpc.unary_unary_rpc_method_handler(
            call, response_serializer=_serialize
        )

    def streaming(self, path: str, request: Pb, answer: Streaming) -> None:
        """Answer a method that has one request and many responses."""

        def call(body: bytes, context: grpc.ServicerContext) -> Iterator[Pb]:
            with _Told(self, path, request, context) as told:
                yield from answer(told.read(body), context)

        self._handlers[path] = grpc.unary_stream_rpc_method_handler(
            call, response_serializer=_serialize
        )

    def conversation(self, path: str, request: Pb, answer: Conversation) -> None:
        """Answer a method that has many requests and many responses."""

        def call(bodies: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[Pb]:
            with _Told(self, path, request, context) as told:
                yield from answer(map(told.read, _until_gone(bodies)), context)

        self._handlers[path] = grpc.stream_stream_rpc_method_handler(
            call, response_serializer=_serialize
        )

    def refuse(self, subjects: Mapping[str, str]) -> None:
        """Refuse methods by their paths, and say what it is that is not supported."""
        for path, subject in subjects.items():
            self._handlers[path] = self._refuser(path, subject)

    def subject(self, request: Pb) -> str:
        """What a request is about, for the record of calls."""
        for name in self._subjects:
            value = getattr(request, name, "")
            if value:
                return str(getattr(value, "name", value))
        return ""

    def note(self, method: str, subject: str, outcome: str, began: float) -> None:
        """Put a call on record; `began` is in seconds of `time.perf_counter`."""
        spent = (time.perf_counter() - began) * 1000
        self._calls.add(Call(self._clock.now(), method, subject, outcome, round(spent, 3)))

    def _refuser(self, path: str, subject: str) -> "Handler":
        def refuse(bodies: object, context: grpc.ServicerContext) -> Iterator[bytes]:
            with _Told(self, path, None, context):
                raise ServiceError(
                    "UNIMPLEMENTED", f"The local {self._title} does not support {subject}."
                )
            yield b""  # never; it makes this a generator

        # On the wire a call of one request and one response is no other: all forms are refused.
        return grpc.stream_stream_rpc_method_handler(refuse)


class _Told:
    """One call: its requests read, its refusal told to the client, its outcome put on record."""

    def __init__(
        self, wire: GrpcWire, path: str, request: Pb, context: grpc.ServicerContext
    ) -> None:
        self._wire = wire
        self._method = path.rsplit("/", 1)[-1]
        self._request = request
        self._context = context
        self._began = time.perf_counter()
        self._subject = ""

    def read(self, body: bytes) -> Pb:
        """The request.

        Raises:
            ServiceError: it is too large, or no message (INVALID_ARGUMENT).
        """
        most = self._wire.request_bytes
        if most is not None and len(body) > most:
            raise ServiceError(
                "INVALID_ARGUMENT", f"Request payload size exceeds the limit: {most} bytes."
            )
        try:
            request = self._request.FromString(body)
        except DecodeError as error:
            raise ServiceError(
                "INVALID_ARGUMENT", f"The request is not a valid {self._method}Request."
            ) from error
        # Later requests of a conversation say no more what it is about.
        self._subject = self._subject or self._wire.subject(request)
        return request

    def __enter__(self) -> "_Told":
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        refusal: ServiceError | None = None
        if isinstance(error, ServiceError):
            refusal = error
        elif isinstance(error, Exception):
            # A fault of the emulator: told as the service would, and logged whole.
            LOG.error("%s failed", self._method, exc_info=error)
            refusal = ServiceError("INTERNAL", f"{self._method} failed; see the log.")
        # A stream whose client has heard enough is closed, which is no refusal.
        outcome = "OK" if refusal is None else refusal.code
        self._wire.note(self._method, self._subject, outcome, self._began)
        if refusal is not None:
            self._abort(refusal)

    def _abort(self, refusal: ServiceError) -> None:
        code = grpc.StatusCode[refusal.code]
        if refusal.reason is not None:
            info = error_details_pb2.ErrorInfo(
                reason=refusal.reason, domain=self._wire.domain, metadata=refusal.metadata
            )
            detail = any_pb2.Any()
            detail.Pack(info)
            status = status_pb2.Status(
                code=code.value[0], message=refusal.message, details=[detail]
            )
            self._context.set_trailing_metadata(
                (("grpc-status-details-bin", status.SerializeToString()),)
            )
        self._context.abort(code, refusal.message)


def _until_gone(bodies: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from bodies
    except grpc.RpcError:
        return  # The client has cancelled the call: there are no more requests.


def _serialize(response: Response) -> bytes:
    return response if isinstance(response, bytes) else bytes(response.SerializeToString())
