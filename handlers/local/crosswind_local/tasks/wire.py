"""gRPC: from a call on the wire to a method and back, and every refusal in the service's form."""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import grpc

from crosswind_local.calls import Call, CallRecord
from crosswind_local.errors import ServiceError
from crosswind_local.tasks.depot import Depot
from crosswind_local.tasks.methods import Methods
from crosswind_local.tasks.protocol import Pb, request_class

if TYPE_CHECKING:
    # Generic for the type checker only; the class itself takes no arguments.
    Handler = grpc.RpcMethodHandler[Any, Any]

LOG = logging.getLogger(__name__)

SERVICE = "google.cloud.tasks.v2.CloudTasks"

REFUSED = {
    **{
        f"/{SERVICE}/{method}": "access policies"
        for method in ("GetIamPolicy", "SetIamPolicy", "TestIamPermissions")
    },
    **{
        f"/{SERVICE}/{method}": "encryption keys"
        for method in ("GetCmekConfig", "UpdateCmekConfig")
    },
    f"/{SERVICE}/BufferTask": "buffering",
    "/google.longrunning.Operations/GetOperation": "asking for operations, which end at once",
    **{
        f"/google.cloud.location.Locations/{method}": "locations, all of which exist"
        for method in ("GetLocation", "ListLocations")
    },
}
"""Methods that exist in the service and not here, and what they are about."""


class Wire(grpc.GenericRpcHandler):
    """All methods of the service by their paths."""

    def __init__(self, depot: Depot, calls: CallRecord) -> None:
        self._depot = depot
        self._calls = calls
        self._handlers: dict[str, Handler] = {
            f"/{SERVICE}/{method}": self._unary(method, answer)
            for method, answer in Methods(depot).by_name().items()
        }
        for path, subject in REFUSED.items():
            self._handlers[path] = self._refuser(path, subject)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "Handler | None":
        return self._handlers.get(handler_call_details.method)

    def paths(self) -> frozenset[str]:
        """Every method that is answered, be it with a refusal."""
        return frozenset(self._handlers)

    def _unary(self, method: str, answer: Callable[[Pb], Pb]) -> "Handler":
        def call(request: Pb, context: grpc.ServicerContext) -> Pb:
            began = time.perf_counter()
            outcome = "OK"
            try:
                return answer(request)
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

        return grpc.unary_unary_rpc_method_handler(
            call,
            request_deserializer=request_class(method).FromString,
            response_serializer=_serialize,
        )

    def _refuser(self, path: str, subject: str) -> "Handler":
        method = path.rsplit("/", 1)[-1]

        def refuse(request: bytes, context: grpc.ServicerContext) -> bytes:
            self._note(method, "", "UNIMPLEMENTED", time.perf_counter())
            _abort(
                context,
                ServiceError(
                    "UNIMPLEMENTED", f"{method}: the local Cloud Tasks does not support {subject}."
                ),
            )

        return grpc.unary_unary_rpc_method_handler(refuse)

    def _note(self, method: str, resource: str, outcome: str, began: float) -> None:
        spent = (time.perf_counter() - began) * 1000
        self._calls.add(Call(self._depot.clock.now(), method, resource, outcome, round(spent, 3)))


def _serialize(response: Pb) -> bytes:
    return bytes(response.SerializeToString())


def _resource(request: Pb) -> str:
    """What a request is about, for the record of calls."""
    for name in ("name", "queue", "parent"):
        value = getattr(request, name, "")
        if value:
            return str(getattr(value, "name", value))
    return ""


def _abort(context: grpc.ServicerContext, error: ServiceError) -> NoReturn:
    context.abort(grpc.StatusCode[error.code], error.message)
