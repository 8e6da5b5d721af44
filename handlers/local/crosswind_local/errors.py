"""What goes wrong in a local service.

LocalCloudError
├── StartFailed           the service could not begin to serve (also an OSError)
├── MissingRequirement    what it needs is not installed (also a ModuleNotFoundError)
└── ServiceError          the answer that the real service would give to a request
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Code = Literal[
    "ABORTED",
    "ALREADY_EXISTS",
    "FAILED_PRECONDITION",
    "INTERNAL",
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "RESOURCE_EXHAUSTED",
    "UNIMPLEMENTED",
]
"""The canonical codes of google.rpc.Code that local services answer with."""


class LocalCloudError(Exception):
    """The root of every error that a local service raises."""


class StartFailed(LocalCloudError, OSError):
    """The service could not begin: its port is taken, its environment or process failed."""


class MissingRequirement(LocalCloudError, ModuleNotFoundError):
    """A distribution that the service needs is not installed; says what to install."""


class ServiceError(LocalCloudError):
    """A refusal in the words of the service: a canonical code and a message.

    `reason` and `metadata` fill the google.rpc.ErrorInfo that travels with the status, which
    clients read where the code alone does not say enough.
    """

    def __init__(
        self,
        code: Code,
        message: str,
        *,
        reason: str | None = None,
        metadata: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code: Code = code
        self.message = message
        self.reason = reason
        self.metadata = metadata
