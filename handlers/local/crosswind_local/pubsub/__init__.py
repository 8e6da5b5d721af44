"""Google Cloud Pub/Sub, spoken over gRPC to the unmodified official SDK.

How a message passes through:

    wire          gRPC in and out, refusals in the service's form
    publisher     the methods of the Publisher service     ┐ requests to calls of the broker,
    subscriber    the unary methods of the Subscriber      │ answers to responses
    streaming     StreamingPull                            ┘
    responses     messages as they go out, written by hand
    broker        topics, subscriptions, fan-out
    resources     settings: defaults, checks, what they mean
    subscriptions one subscription: its timer and its waiters
    backlog       what a subscription holds, and what becomes of it   ┐ pure: no gRPC, no threads,
    ordering      what may go out next, and to whom                   │ no clock
    filters       the filter language                                 ┘
    push          pushing to endpoints; push_requests shapes the requests

Needs the extra `local` (grpcio, google-cloud-pubsub).
"""

try:
    from crosswind_local.pubsub.emulator import PubSubEmulator
except ModuleNotFoundError as error:
    if error.name is None or error.name.split(".")[0] not in {"grpc", "google"}:
        raise
    raise ModuleNotFoundError(
        f"the local Pub/Sub needs {error.name}: pip install 'crosswind[local]'", name=error.name
    ) from error

__all__ = ["PubSubEmulator"]
