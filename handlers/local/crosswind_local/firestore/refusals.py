"""What goes wrong in a request, in the words of the service."""

from crosswind_local.errors import ServiceError


class Contention(ServiceError):
    """Two parties want the same document and this one gives way; its transaction may be retried.

    The words are those of the service,
    https://cloud.google.com/firestore/docs/transaction-data-contention
    """

    def __init__(self, message: str) -> None:
        super().__init__("ABORTED", message)


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
