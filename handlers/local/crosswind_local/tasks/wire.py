"""gRPC: which method of the service is answered by what, and which are refused."""

from crosswind_local.calls import CallRecord
from crosswind_local.grpc_wire import GrpcWire, Unary
from crosswind_local.tasks.depot import Depot
from crosswind_local.tasks.methods import Method, Methods
from crosswind_local.tasks.protocol import request_class

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


class Wire(GrpcWire):
    """All methods of the service by their paths."""

    def __init__(self, depot: Depot, calls: CallRecord) -> None:
        super().__init__("Cloud Tasks", calls, depot.clock, subjects=("name", "queue", "parent"))
        for method, answer in Methods(depot).by_name().items():
            self.unary(f"/{SERVICE}/{method}", request_class(method), _alone(answer))
        self.refuse(REFUSED)


def _alone(answer: Method) -> Unary:
    return lambda request, caller: answer(request)
