"""What went wrong with a request to AWS, told apart by what to do next.

    CallFailed
    ├── Throttled                        asked for patience; nothing was done: ask again later
    ├── Denied (PermissionError)         the role may not do this: correct its policy
    ├── NotFound (LookupError)           what the declaration names is not there: correct either
    ├── InConflict                       another has changed it, or changes it now: read it again
    ├── Short                            a quota or the capacity of AWS is exhausted
    ├── Unreachable (ConnectionError)    no answer; what became of the request is not known
    └── Refused (NotPossible)            for good: no repetition can mend it, the engine gives up

The engine records each of them and tries again, except `Refused`. None of them holds a value that
was sent: where the messages of a service might quote one, only its code is told.

Sources of the codes: docs.aws.amazon.com/.../APIReference/CommonErrors.html and the pages of the
operations that are used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from crosswind.errors import CrosswindError, NotPossible

THROTTLED: Final = {
    "EC2ThrottledException",
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttled",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}

DENIED: Final = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "KMSAccessDenied",
    "MissingAuthenticationToken",
    "NotAuthorized",
    "OptInRequired",
    "SignatureDoesNotMatch",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
}

NOT_FOUND: Final = {
    "ClusterNotFoundException",
    "NoSuchHostedZone",
    "NoSuchResourceException",
    "NotFound",
    "NotFoundException",
    "ResourceNotFound",
    "ResourceNotFoundException",
    "ServiceNotActiveException",
    "ServiceNotFoundException",
}

IN_CONFLICT: Final = {
    "ConflictException",
    "InvalidChangeBatch",
    "KMSInvalidStateException",
    "ResourceExistsException",
    "ResourceInUse",
    "ResourceInUseException",
    "UpdateInProgressException",
}

SHORT: Final = {
    "InsufficientCapacity",
    "InsufficientCapacityException",
    "InsufficientInstanceCapacity",
    "LimitExceeded",
    "LimitExceededException",
    "QuotaExceededException",
    "ResourceLimitExceeded",
    "ServiceQuotaExceededException",
    "ServiceLimitExceededException",
}

IN_DOUBT: Final = {
    "DependencyTimeoutException",
    "EndpointTemporarilyUnavailableException",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServerException",
    "InternalServiceError",
    "InternalServiceErrorException",
    "KMSInternalException",
    "ServerException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
}
"""Codes after which a change may have been made."""

_SERVER: Final = 500
_SAID: Final = 300
"""Characters of what a service says that are told on."""


class CallFailed(CrosswindError):
    """A request to AWS did not do what was asked.

    Args:
        asked: service and operation.
        code: of the error, as AWS names it; what befell the connection where there is none.
        said: what AWS says of it.
    """

    advice = ""

    def __init__(self, asked: str, code: str, said: str = "") -> None:
        parts = (f"{asked}: {code}", said[:_SAID], self.advice)
        super().__init__("; ".join(filter(None, parts)))
        self.asked = asked
        self.code = code
        self.said = said[:_SAID]


class Throttled(CallFailed):
    """AWS asks for patience; nothing was done."""

    advice = "nothing was done, ask again later"


class Denied(CallFailed, PermissionError):
    """The role may not do this."""

    advice = "nothing was done; compare the role's policy with crosswind_aws.performers.permissions"


class NotFound(CallFailed, LookupError):
    """What the declaration of resources names is not there."""

    advice = "create it, or correct the declaration of resources"


class InConflict(CallFailed):
    """Another has changed it, or is changing it now."""

    advice = "nothing was done; what is there now is read before the next attempt"


class Short(CallFailed):
    """A quota is reached, or AWS has no capacity."""

    advice = "ask for a higher quota, or for less"


class Unreachable(CallFailed, ConnectionError):
    """No answer came; whether the request was carried out is not known."""

    advice = "whether it was done is not known; it is looked up before the next attempt"


class Refused(CallFailed, NotPossible):
    """It cannot be done as it was asked; no repetition can mend that."""

    advice = "correct the declaration; asking again does not help"


Meaning = Callable[[str, str], type[CallFailed] | None]
"""What a code and a message of one service mean, where the code alone does not tell."""


def failed(
    asked: str, error: Any, *, quote: bool = True, meaning: Meaning | None = None
) -> CallFailed:
    """What an error of the SDK means.

    Args:
        asked: service and operation.
        error: a ClientError, or what else the SDK raised.
        quote: tell what AWS says; not where it might quote what was sent.
        meaning: looked at first.
    """
    from botocore.exceptions import (
        ClientError,
        EndpointConnectionError,
        HTTPClientError,
        NoCredentialsError,
        PartialCredentialsError,
    )

    from crosswind_aws.faults import LOST

    if isinstance(error, ClientError):
        told = error.response.get("Error", {})
        code, said = str(told.get("Code", "")), str(told.get("Message", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        kind = (meaning(code, said) if meaning else None) or _kind(code, status)
        return kind(asked, code or f"status {status}", said if quote else "")
    if isinstance(error, (*LOST, EndpointConnectionError, HTTPClientError)):
        return Unreachable(asked, type(error).__name__)
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return Denied(asked, type(error).__name__, "the SDK finds no credentials")
    return Refused(asked, type(error).__name__, str(error) if quote else "")


def _kind(code: str, status: int) -> type[CallFailed]:
    for codes, kind in _KINDS:
        if code in codes:
            return kind
    if status >= _SERVER:
        return Unreachable
    # A gateway in between may answer in words of its own.
    return _STATUSES.get(status, Refused)


_KINDS: Final[tuple[tuple[set[str], type[CallFailed]], ...]] = (
    (THROTTLED, Throttled),
    (DENIED, Denied),
    (NOT_FOUND, NotFound),
    (IN_CONFLICT, InConflict),
    (SHORT, Short),
    (IN_DOUBT, Unreachable),
)

_STATUSES: Final[Mapping[int, type[CallFailed]]] = {
    401: Denied,
    403: Denied,
    404: NotFound,
    409: InConflict,
    429: Throttled,
}
