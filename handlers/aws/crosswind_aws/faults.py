"""What an error of the SDK means for a store: asked for patience, answer lost, or refused.

Sources: docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html, and
.../APIReference/API_TransactWriteItems.html on the reasons of a cancellation.
"""

from __future__ import annotations

from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    ResponseStreamingError,
)
from botocore.exceptions import ConnectionError as NotConnected
from botocore.parsers import ResponseParserError

from crosswind.errors import StoreError, TooLarge
from crosswind.patience import Meaning

SERVICE: Final = "DynamoDB"

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


def meaning(error: Exception) -> Meaning | None:
    """What an error of the SDK says of a request; see `persistently`.

    Raises:
        StoreError: the SDK cannot ask at all (it has no credentials, or no region).
    """
    if isinstance(error, ClientError):
        code = code_of(error)
        if code in IN_DOUBT or _status(error) >= _SERVER:
            return "lost"
        return "throttled" if code in THROTTLED or _is_contended(error) else None
    if isinstance(error, LOST):
        return "lost"
    if isinstance(error, BotoCoreError):
        raise StoreError(f"{SERVICE} cannot be asked: {error}") from error
    return None


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
