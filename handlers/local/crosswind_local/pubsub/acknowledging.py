"""The answers to acknowledgements.

"Exactly-once delivery", https://cloud.google.com/pubsub/docs/exactly-once-delivery: with it, a
request that names an expired or unknown id fails with INVALID_ARGUMENT and an ErrorInfo that says
what became of each id; without it, such an id is passed over.
"""

from collections.abc import Sequence

from crosswind_local.errors import ServiceError


def refuse_invalid(invalid: Sequence[str], *, exactly_once: bool) -> None:
    """Answer for the ids of a unary request that could not be honoured.

    Raises:
        ServiceError: there are some, and the subscription delivers exactly once.
    """
    if invalid and exactly_once:
        raise ServiceError(
            "INVALID_ARGUMENT",
            "Some acknowledgement ids in the request were invalid. This could be because the "
            "acknowledgement ids have expired or the acknowledgement ids were malformed.",
            reason="EXACTLY_ONCE_ACKID_FAILURE",
            metadata=dict.fromkeys(invalid, "PERMANENT_FAILURE_INVALID_ACK_ID"),
        )
