"""gRPC: from a call on the wire to a method and back, and every refusal in the service's form."""

import logging
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
from google.protobuf import any_pb2

# The package ships no types; what is taken from it is two messages.
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]

from crosswind_local.calls import Call, CallRecord
from crosswind_local.errors import ServiceError
from crosswind_local.pubsub.broker import Broker
from crosswind_local.pubsub.protocol import Pb, StreamingPullRequest, request_class
from crosswind_local.pubsub.publisher import Publisher
from crosswind_local.pubsub.streaming import Stream
from crosswind_local.pubsub.subscriber import Subscriber

if TYPE_CHECKING:
    # Generic for the type checker only; the class itself takes no arguments.
    Handler = grpc.RpcMethodHandler[Any, Any]

LOG = logging.getLogger(__name__)

PACKAGE = "google.pubsub.v1"

REFUSED = {
    f"/{PACKAGE}.Publisher/ListTopicSnapshots": "snapshots",
    **{
        f"/{PACKAGE}.Subscriber/{method}": "snapshots"
        for method in (
            "GetSnapshot",
            "ListSnapshots",
            "CreateSnapshot",
            "UpdateSnapshot",
            "DeleteSnapshot",
        )
    },
    **{
        f"/{PACKAGE}.SchemaService/{method}": "schemas"
        for method in (
            "CreateSchema",
            "GetSchema",
            "ListSchemas",
            "ListSchemaRevisions",
            "CommitSchema",
            "RollbackSchema",
            "DeleteSchemaRevision",
            "DeleteSchema",
            "ValidateSchema",
            "ValidateMessage",
        )
    },
    **{
        f"/google.iam.v1.IAMPolicy/{method}": "access policies"
        for method in ("SetIamPolicy", "GetIamPolicy", "TestIamPermissions")
    },
}
"""Methods that exist in the service and not here, and what they are about."""


class Wire(grpc.GenericRpcHandler):
    """All methods of the service by their paths."""

    def __init__(self, broker: Broker, calls: CallRecord) -> None:
        self._broker = broker
        self._calls = calls
        subscriber = Subscriber(broker)
        self._handlers: dict[str, Handler] = {}
        for method, answer in Publisher(broker).methods().items():
            self._unary("Publisher", method, _alone(answer))
        for method, answer in subscriber.methods().items():
            self._unary("Subscriber", method, _alone(answer))
        self._unary("Subscriber", "Pull", subscriber.pull)
        self._handlers[f"/{PACKAGE}.Subscriber/StreamingPull"] = (
            grpc.stream_stream_rpc_method_handler(
                self._stream,
                request_deserializer=StreamingPullRequest.FromString,
                response_serializer=_serialize,
            )
        )
        for path, subject in REFUSED.items():
            self._handlers[path] = self._refuser(path, subject)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "Handler | None":
        return self._handlers.get(handler_call_details.method)

    def paths(self) -> frozenset[str]:
        """Every method that is answered, be it with a refusal."""
        return frozenset(self._handlers)

    def _unary(
        self, service: str, method: str, answer: Callable[[Pb, grpc.ServicerContext], Pb]
    ) -> None:
        def call(request: Pb, context: grpc.ServicerContext) -> Pb:
            began = time.perf_counter()
            outcome = "OK"
            try:
                return answer(request, context)
            except ServiceError as error:
                outcome = error.code
                _abort(context, error)
            except Exception:
                # A fault of the emulator: told as the service would, and logged whole.
                outcome = "INTERNAL"
                LOG.exception("%s failed", method)
                _abort(context, ServiceError("INTERNAL", f"{method} failed; see the log."))
            finally:
                self._note(method, _resource(request), outcome, began)

        self._handlers[f"/{PACKAGE}.{service}/{method}"] = grpc.unary_unary_rpc_method_handler(
            call,
            request_deserializer=request_class(method).FromString,
            response_serializer=_serialize,
        )

    def _stream(self, requests: Iterator[Pb], context: grpc.ServicerContext) -> Iterator[Pb]:
        began = time.perf_counter()
        outcome, resource = "OK", ""
        try:
            requests = _until_gone(requests)
            first = next(requests, None)
            if first is None:
                return
            resource = first.subscription
            yield from Stream(self._broker, first, requests, context).responses()
        except ServiceError as error:
            outcome = error.code
            _abort(context, error)
        except Exception:
            # A fault of the emulator, as in a call of one answer.
            outcome = "INTERNAL"
            LOG.exception("StreamingPull failed")
            _abort(context, ServiceError("INTERNAL", "StreamingPull failed; see the log."))
        finally:
            self._note("StreamingPull", resource, outcome, began)

    def _refuser(self, path: str, subject: str) -> "Handler":
        method = path.rsplit("/", 1)[-1]

        def refuse(request: bytes, context: grpc.ServicerContext) -> bytes:
            self._note(method, "", "UNIMPLEMENTED", time.perf_counter())
            _abort(
                context,
                ServiceError(
                    "UNIMPLEMENTED", f"{method}: the local Pub/Sub does not support {subject}."
                ),
            )

        return grpc.unary_unary_rpc_method_handler(refuse)

    def _note(self, method: str, resource: str, outcome: str, began: float) -> None:
        spent = (time.perf_counter() - began) * 1000
        self._calls.add(Call(self._broker.clock.now(), method, resource, outcome, round(spent, 3)))


def _alone(answer: Callable[[Pb], Pb]) -> Callable[[Pb, grpc.ServicerContext], Pb]:
    return lambda request, context: answer(request)


def _until_gone(requests: Iterator[Pb]) -> Iterator[Pb]:
    try:
        yield from requests
    except grpc.RpcError:
        return  # The client has cancelled the call: there are no more requests.


def _serialize(response: Pb) -> bytes:
    return bytes(response.SerializeToString())


def _resource(request: Pb) -> str:
    """What a request is about, for the record of calls."""
    for name in ("name", "topic", "subscription", "project"):
        value = getattr(request, name, "")
        if value:
            return str(getattr(value, "name", value))
    return ""


def _abort(context: grpc.ServicerContext, error: ServiceError) -> NoReturn:
    code = grpc.StatusCode[error.code]
    if error.reason is not None:
        info = error_details_pb2.ErrorInfo(
            reason=error.reason, domain="pubsub.googleapis.com", metadata=error.metadata
        )
        detail = any_pb2.Any()
        detail.Pack(info)
        status = status_pb2.Status(code=code.value[0], message=error.message, details=[detail])
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, error.message)
