"""Clients of AWS, made so that a function can afford to wait for them.

The SDK is imported with the first client. A client takes its region and credentials where the SDK
finds them, and `AWS_ENDPOINT_URL` points it at an emulator.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from botocore.session import Session
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_sqs import SQSClient

CONNECT: Final = 1.0
"""Seconds to wait for a connection."""

READ: Final = 3.0
"""Seconds to wait for an answer; these services answer in milliseconds, or are in trouble."""

READ_CONTROL: Final = 8.0
"""Seconds to wait for the answer of a service that steers others; some take that long."""

ATTEMPTS: Final = 3
"""How often the SDK itself asks, where asking twice does no harm."""

REGULAR: Final = frozenset({"dynamodb", "events", "scheduler", "sqs"})
"""The services of which every function makes clients; `descriptions` tells what is read of them."""

_IDENTITY: Final = ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION")


def dynamodb() -> DynamoDBClient:
    """A client that asks once: whoever repeats a write has to know that it does."""
    return cast("DynamoDBClient", _client("dynamodb", attempts=1))


def events() -> EventBridgeClient:
    """A client of EventBridge."""
    return cast("EventBridgeClient", _client("events"))


def sqs() -> SQSClient:
    """A client of SQS."""
    return cast("SQSClient", _client("sqs"))


def scheduler() -> EventBridgeSchedulerClient:
    """A client of EventBridge Scheduler."""
    return cast("EventBridgeSchedulerClient", _client("scheduler"))


def control(
    service: str,
    region: str | None = None,
    endpoint: str | None = None,
    read: float = READ_CONTROL,
) -> Any:
    """A client that steers: whoever repeats a change has to know that it does.

    Args:
        service: as the SDK names it.
        region: where it is; that of the environment unless given.
        endpoint: its URL, where the SDK cannot know it.
        read: seconds to wait for an answer.
    """
    return _client(service, 1, read, region, endpoint)


def _client(
    service: str,
    attempts: int = ATTEMPTS,
    read_timeout: float = READ,
    region: str | None = None,
    endpoint: str | None = None,
) -> Any:
    from botocore.config import Config

    config = Config(
        connect_timeout=CONNECT,
        read_timeout=read_timeout,
        retries={"total_max_attempts": attempts, "mode": "standard"},
        # Our own requests are well formed, and checking each against the model costs as much as
        # making it.
        parameter_validation=False,
        tcp_keepalive=True,
        user_agent_extra="crosswind",
    )
    session = _session(service in REGULAR, *map(os.environ.get, _IDENTITY))
    return session.create_client(service, region_name=region, endpoint_url=endpoint, config=config)


@cache
def _session(regular: bool, *identity: str | None) -> Session:
    """The session of an identity: it keeps the credentials that it found first.

    Args:
        regular: whether it makes clients of regular services only.
    """
    # Not boto3: its resources and transfers, which nobody here uses, cost a tenth of a start.
    try:
        from botocore.session import get_session
    except ModuleNotFoundError as error:
        if error.name != "botocore":
            raise
        raise ModuleNotFoundError(
            "AWS needs its SDK: pip install 'crosswind[aws]'", name="botocore"
        ) from error
    session = get_session()
    if regular:
        from crosswind_aws.descriptions import QuickLoader

        more = session.get_config_variable("data_path")
        paths = more.split(os.pathsep) if more else []
        session.register_component("data_loader", QuickLoader(paths))
    return session
