"""Errors of the SDK are told apart by what to do next, and tell nothing that was sent."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ReadTimeoutError,
)

from crosswind.engine.failures import PERMANENT
from crosswind_aws.performers.failures import (
    CallFailed,
    Denied,
    InConflict,
    NotFound,
    Refused,
    Short,
    Throttled,
    Unreachable,
    failed,
)


def error(code: str, status: int = 400, said: str = "of the test") -> ClientError:
    told = {
        "Error": {"Code": code, "Message": said},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(told, "Operation")  # type: ignore[arg-type]  # as a response has it


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (error("ThrottlingException"), Throttled),
        (error("PriorRequestNotComplete"), Throttled),
        (error("Throttling", 503), Throttled),
        (error("anything", 429), Throttled),
        (error("AccessDeniedException"), Denied),
        (error("ExpiredTokenException"), Denied),
        (error("403", 403), Denied),
        (error("NoSuchHostedZone", 404), NotFound),
        (error("ServiceNotFoundException"), NotFound),
        (error("InvalidChangeBatch"), InConflict),
        (error("ResourceInUse"), InConflict),
        (error("ConflictException", 409), InConflict),
        (error("ResourceLimitExceeded"), Short),
        (error("InsufficientCapacity"), Short),
        (error("ServiceQuotaExceededException", 402), Short),
        (error("InternalFailure", 500), Unreachable),
        (error("whatever", 502), Unreachable),
        (error("KMSInternalException", 400), Unreachable),
        (error("ValidationException"), Refused),
        (error("InvalidInput"), Refused),
        (ReadTimeoutError(endpoint_url="https://x.example.com"), Unreachable),
        (ConnectTimeoutError(endpoint_url="https://x.example.com"), Unreachable),
        (EndpointConnectionError(endpoint_url="https://x.example.com"), Unreachable),
        (NoCredentialsError(), Denied),
        (NoRegionError(), Refused),
    ],
)
def test_every_error_has_one_meaning(raised: Exception, kind: type[CallFailed]) -> None:
    found = failed("service operation", raised)

    assert type(found) is kind
    assert "service operation" in str(found)
    assert kind.advice
    assert kind.advice in str(found)


def test_only_what_no_repetition_can_mend_is_permanent_to_the_engine() -> None:
    kinds = [Throttled, Denied, NotFound, InConflict, Short, Unreachable]

    assert issubclass(Refused, PERMANENT)
    assert not any(issubclass(kind, PERMANENT) for kind in kinds)


def test_what_a_service_says_is_told_in_bounds_or_not_at_all() -> None:
    long = error("ValidationException", said="secret " * 1_000)

    assert len(str(failed("s o", long))) < 500
    assert "secret" not in str(failed("s o", long, quote=False))
