"""What goes wrong in a request, beyond what every local service answers.

`ServiceError` carries all codes but one: ABORTED, which only a service with transactions knows.
"""

from typing import Literal

from crosswind_local.errors import LocalCloudError, ServiceError


class Contention(LocalCloudError):
    """Two parties want the same document and this one gives way; its transaction may be retried.

    The words are those of the service,
    https://cloud.google.com/firestore/docs/transaction-data-contention
    """

    code: Literal["ABORTED"] = "ABORTED"

    def __init__(self, message: str) -> None:
        super().__init__(f"ABORTED: {message}")
        self.message = message


Refusal = (ServiceError, Contention)
"""Every answer that is not a success, for `except`."""


def invalid(message: str) -> ServiceError:
    """The answer to a request that makes no sense."""
    return ServiceError("INVALID_ARGUMENT", message)


def unsupported(what: str) -> ServiceError:
    """The answer to what the service can do and this one cannot."""
    return ServiceError("UNIMPLEMENTED", f"The local Firestore does not support {what}.")


def waited_too_long() -> Contention:
    """The answer to whom an older transaction kept from a document for too long."""
    return Contention("Too much contention on these documents. Please try again.")


def gave_way() -> Contention:
    """The answer to a transaction that an older one, or an earlier write, has ended."""
    return Contention(
        "Aborted due to cross-transaction contention. This occurs when multiple transactions "
        "attempt to access the same data, requiring Firestore to abort at least one in order to "
        "enforce serializability."
    )
