"""gRPC: which method of the service is answered by what, and which are refused."""

from collections.abc import Callable, Iterator

import grpc

from crosswind_local.calls import CallRecord
from crosswind_local.grpc_wire import GrpcWire, Unary
from crosswind_local.pubsub.broker import Broker
from crosswind_local.pubsub.protocol import Pb, StreamingPullRequest, request_class
from crosswind_local.pubsub.publisher import Publisher
from crosswind_local.pubsub.streaming import Stream
from crosswind_local.pubsub.subscriber import Subscriber

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


class Wire(GrpcWire):
    """All methods of the service by their paths."""

    def __init__(self, broker: Broker, calls: CallRecord) -> None:
        super().__init__(
            "Pub/Sub",
            calls,
            broker.clock,
            subjects=("name", "topic", "subscription", "project"),
            domain="pubsub.googleapis.com",
        )
        self._broker = broker
        subscriber = Subscriber(broker)
        for method, answer in Publisher(broker).methods().items():
            self._add("Publisher", method, _alone(answer))
        for method, answer in subscriber.methods().items():
            self._add("Subscriber", method, _alone(answer))
        self._add("Subscriber", "Pull", subscriber.pull)
        self.conversation(
            f"/{PACKAGE}.Subscriber/StreamingPull", StreamingPullRequest, self._streaming_pull
        )
        self.refuse(REFUSED)

    def _add(self, service: str, method: str, answer: Unary) -> None:
        self.unary(f"/{PACKAGE}.{service}/{method}", request_class(method), answer)

    def _streaming_pull(self, requests: Iterator[Pb], caller: grpc.ServicerContext) -> Iterator[Pb]:
        first = next(requests, None)
        if first is not None:
            yield from Stream(self._broker, first, requests, caller).responses()


def _alone(answer: Callable[[Pb], Pb]) -> Unary:
    return lambda request, caller: answer(request)
