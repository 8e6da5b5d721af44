"""The cloud on a laptop: servers that speak a cloud service's own wire protocol to its own SDK.

Each service is one folder and needs nothing of the others.

    pubsub         Google Cloud Pub/Sub, in this process
    firestore      Google Cloud Firestore, in this process
    tasks          Google Cloud Tasks, in this process
    servicebus     Azure Service Bus, in this process
    azurite        Azure Storage, Microsoft's emulator in a process of its own
    ministack      much of AWS, a server of others in a process and environment of its own
    moto           the rest of AWS, likewise
    lambda_host    AWS Lambda: a function under AWS's own runtime client
    functions_host Azure Functions: an app under Azure's own language worker

What they share is small and lives beside this file: the clock, the lifecycle, the errors, the
bound on memory, the record of calls, the inspection endpoint, what services over gRPC have in
common, the tokens that endpoints are shown, and how servers of others are run.

    from crosswind_local.pubsub import PubSubEmulator

    with PubSubEmulator() as pubsub:
        os.environ.update(pubsub.env)
"""

from crosswind_local.clock import Clock, ManualClock, SystemClock
from crosswind_local.errors import LocalCloudError, MissingRequirement, ServiceError, StartFailed

__all__ = [
    # time
    "Clock",
    "ManualClock",
    "SystemClock",
    # what goes wrong
    "LocalCloudError",
    "MissingRequirement",
    "ServiceError",
    "StartFailed",
]
