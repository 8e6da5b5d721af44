"""What an error of the SDK means for a store: asked for patience, answer lost, or refused.

Sources: docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html, and
.../APIReference/API_TransactWriteItems.html on the reasons of a cancellation.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    ResponseStreamingError,
)
from botocore.exceptions import ConnectionError as NotConnected
from botocore.parsers import ResponseParserError

from crosswind.errors import StoreError, Throttled, TooLarge, Unreachable

T = TypeVar("T")

LOST: Final = (
    NotConnected,
    HTTPClientError,
    IncompleteReadError,
    ResponseStreamingError,
    ResponseParserError,
)
"""Errors after which nobody knows whether the request was carried out."""

THROTTLED: Final = {
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionConflictException",
}

IN_DOUBT: Final = {"InternalServerError", "ServiceUnavailable", "TransactionInProgressException"}
"""Codes after which a write may have landed, or may land yet.

A transaction "in progress" is our own, sent before with an answer that was lost.
"""

CONTENDED: Final = {
    "ProvisionedThroughputExceeded",
    "ThrottlingError",
    "TransactionConflict",
}
"""Reasons of a cancelled transaction that ask for patience."""

FAILED: Final = "ConditionalCheckFailed"

_SERVER: Final = 500
_PATIENCE: Final = 4
"""How often a throttled request is made before the caller is asked for patience."""

_REPEATS: Final = 2
"""How often a request is made whose answer is lost; the engine repeats it beyond that."""

_PAUSE: Final = 0.05
"""Mean seconds before the second attempt; doubles with each."""


def persistently(call: Callable[[], T], sleep: Callable[[float], None] = time.sleep) -> T:
    """Make a request, and make the very same again while AWS is throttled or its answer lost.

    Raises:
        Throttled: it was never carried out.
        Unreachable: it may have been carried out, by one of the attempts.
        ClientError: what else AWS answered.
        StoreError: the SDK cannot ask at all (it has no credentials, or no region).
    """
    throttled = lost = 0
    last: Exception
    while True:
        try:
            return call()
        except ClientError as error:
            code = code_of(error)
            if code in IN_DOUBT or _status(error) >= _SERVER:
                lost, last = lost + 1, error
            elif code in THROTTLED or _is_contended(error):
                throttled, last = throttled + 1, error
            else:
                raise
        except LOST as error:
            lost, last = lost + 1, error
        except BotoCoreError as error:
            raise StoreError(f"DynamoDB cannot be asked: {error}") from error
        if lost >= _REPEATS or (lost and throttled >= _PATIENCE):
            # Refused for now, but an earlier attempt may have been carried out: still in doubt.
            raise Unreachable(f"DynamoDB did not answer: {last}") from last
        if throttled >= _PATIENCE:
            raise Throttled(f"DynamoDB asks for patience: {last}") from last
        sleep(random.uniform(0, _PAUSE * 2 ** (throttled + lost)))  # noqa: S311 - no secret


def refused(error: ClientError, table: str) -> StoreError:
    """What AWS has refused for good, in our words."""
    code, said = code_of(error), str(error)
    if code == "ResourceNotFoundException":
        return StoreError(f"there is no table {table} in this region; was the stack deployed?")
    if code == "ValidationException" and "size" in said.lower():
        return TooLarge(f"DynamoDB: {said}")
    if code == "AccessDeniedException":
        return StoreError(f"the role may not do this on table {table}: {said}")
    return StoreError(f"DynamoDB refused a request on table {table}: {said}")


def code_of(error: ClientError) -> str:
    """The code of an answer that is an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def reasons(error: ClientError) -> list[dict[str, object]]:
    """Why a transaction was cancelled, change by change."""
    given = error.response.get("CancellationReasons")
    return [dict(reason) for reason in given] if isinstance(given, list) else []


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _is_contended(error: ClientError) -> bool:
    """Whether a transaction was cancelled for reasons that pass.

    Where some demands failed and others could not be looked at, which hold is not known yet.
    """
    return any(reason.get("Code") in CONTENDED for reason in reasons(error))
