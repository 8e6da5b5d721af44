"""The refusals of Service Bus, each in the service's own condition and like words.

Sources: "Service Bus messaging exceptions",
https://learn.microsoft.com/azure/service-bus-messaging/service-bus-messaging-exceptions-latest,
"AMQP errors in Azure Service Bus",
https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-troubleshoot, and AMQP
1.0, part 2, section 2.8.15 (amqp-error).
"""

from crosswind_local.errors import LocalCloudError

VENDOR = "com.microsoft:"

_STATUS = {
    "amqp:decode-error": 400,
    "amqp:internal-error": 500,
    "amqp:invalid-field": 400,
    "amqp:link:message-size-exceeded": 400,
    "amqp:not-allowed": 400,
    "amqp:not-found": 404,
    "amqp:not-implemented": 501,
    "amqp:resource-limit-exceeded": 403,
    "com.microsoft:argument-error": 400,
    "com.microsoft:entity-already-exists": 409,
    "com.microsoft:message-lock-lost": 410,
    "com.microsoft:message-not-found": 404,
    "com.microsoft:session-cannot-be-locked": 410,
    "com.microsoft:session-lock-lost": 410,
    "com.microsoft:timeout": 408,
}


class Refused(LocalCloudError):
    """What the service would answer instead of doing as it was asked: a condition and a message."""

    def __init__(self, condition: str, message: str) -> None:
        super().__init__(f"{condition}: {message}")
        self.condition = condition
        self.message = message

    @property
    def status(self) -> int:
        """The status code of a response that carries it."""
        return _STATUS[self.condition]


def argument(message: str) -> Refused:
    """An argument is wrong."""
    return Refused("com.microsoft:argument-error", message)


def message_lock_lost() -> Refused:
    return Refused(
        "com.microsoft:message-lock-lost",
        "The lock supplied is invalid. Either the lock expired, or the message has already been "
        "removed from the queue, or was received by a different receiver instance.",
    )


def session_lock_lost(session: str | None = None) -> Refused:
    of = "" if session is None else f" on the session '{session}'"
    return Refused(
        "com.microsoft:session-lock-lost",
        f"The session lock{of} has expired. Accept the session again.",
    )


def session_cannot_be_locked(session: str) -> Refused:
    return Refused(
        "com.microsoft:session-cannot-be-locked",
        f"The requested session '{session}' cannot be accepted. It may be locked by another "
        "receiver.",
    )


def no_session() -> Refused:
    return Refused(
        "com.microsoft:timeout",
        "The operation did not complete within the allotted time: no session is available.",
    )


def message_not_found(number: int) -> Refused:
    return Refused(
        "com.microsoft:message-not-found",
        f"Failed to find a message with the sequence number {number}, or it is locked.",
    )


def entity_not_found(address: str) -> Refused:
    return Refused(
        "amqp:not-found", f"The messaging entity '{address}' could not be found. To know more "
        "visit https://aka.ms/sbResourceMgrExceptions."
    )  # fmt: skip


def entity_exists(name: str) -> Refused:
    return Refused(
        "com.microsoft:entity-already-exists",
        f"The messaging entity or rule '{name}' already exists.",
    )


def not_allowed(message: str) -> Refused:
    return Refused("amqp:not-allowed", message)


def not_implemented(subject: str) -> Refused:
    return Refused("amqp:not-implemented", f"The local Service Bus does not support {subject}.")


def malformed(problem: object) -> Refused:
    return Refused("amqp:decode-error", f"The message cannot be read: {problem}.")


def too_large(size: int, limit: int) -> Refused:
    return Refused(
        "amqp:link:message-size-exceeded",
        f"The received message (size {size} bytes) exceeds the limit ({limit} bytes) currently "
        "allowed on the link.",
    )


def entity_full(path: str, size: int, limit: int) -> Refused:
    return Refused(
        "amqp:resource-limit-exceeded",
        f"The maximum entity size has been reached or exceeded for '{path}'. Size of entity in "
        f"bytes: {size}, max entity size in bytes: {limit}.",
    )


def quota(message: str) -> Refused:
    return Refused("amqp:resource-limit-exceeded", message)
