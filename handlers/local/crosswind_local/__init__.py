"""The cloud on a laptop: servers that speak a cloud service's own wire protocol to its own SDK.

Each service is one folder and needs nothing of the others. `crosswind_local.pubsub` is Google
Cloud Pub/Sub. What they share is small and lives beside this file: the clock, the lifecycle, the
errors, the bound on memory, the record of calls and the inspection endpoint.

    from crosswind_local.pubsub import PubSubEmulator

    with PubSubEmulator() as pubsub:
        os.environ.update(pubsub.env)
"""

from crosswind_local.clock import Clock, ManualClock, SystemClock
from crosswind_local.errors import LocalCloudError, ServiceError, StartFailed

__all__ = [
    # time
    "Clock",
    "ManualClock",
    "SystemClock",
    # what goes wrong
    "LocalCloudError",
    "ServiceError",
    "StartFailed",
]
