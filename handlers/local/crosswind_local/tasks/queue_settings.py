"""Queue resources: completed with the service's defaults, checked, understood.

The field descriptions of google.cloud.tasks.v2 Queue, RateLimits and RetryConfig,
https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2, and for the defaults
"Configure Cloud Tasks queues", https://cloud.google.com/tasks/docs/configuring-queues. What would
change how tasks are dispatched and is not carried out here is refused, never ignored.
"""

import math

from crosswind_local.errors import ServiceError
from crosswind_local.tasks import limits, names, targets
from crosswind_local.tasks.protocol import RUNNING, Pb, seconds, set_seconds
from crosswind_local.tasks.queue import Policy
from crosswind_local.tasks.retry import Retry

MUTABLE = frozenset({"http_target", "rate_limits", "retry_config", "stackdriver_logging_config"})
FIXED = frozenset({"name", "state", "purge_time"})
"""Fields that an update may name, to no effect."""

DEFAULT = Policy()
INT32 = 2**31 - 1
LONGEST = 315_576_000_000
"""The most seconds that a Duration may hold."""


def complete(queue: Pb) -> None:
    """Check a queue and set what the service sets itself, but for its state.

    Raises:
        ServiceError: a value is out of its range (INVALID_ARGUMENT), or a feature is not there
            (UNIMPLEMENTED).
    """
    names.check_queue(queue.name)
    if queue.HasField("app_engine_routing_override"):
        raise ServiceError(
            "UNIMPLEMENTED",
            "The local Cloud Tasks does not support app_engine_routing_override; leave it out.",
        )
    if queue.HasField("http_target"):
        targets.check_override(queue.http_target)
    if queue.HasField("stackdriver_logging_config"):
        ratio = queue.stackdriver_logging_config.sampling_ratio
        limits.within("stackdriver_logging_config.sampling_ratio", ratio, 0, 1)
    queue.state = queue.state or RUNNING
    _complete_rate_limits(queue.rate_limits)
    complete_retry(queue.retry_config)


def policy_of(queue: Pb) -> Policy:
    """What a completed queue is told to do."""
    rates = queue.rate_limits
    return Policy(
        rate=rates.max_dispatches_per_second,
        burst=rates.max_burst_size,
        concurrent=rates.max_concurrent_dispatches,
        retry=retry_of(queue.retry_config),
    )


def retry_of(config: Pb) -> Retry:
    """What a completed RetryConfig means."""
    return Retry(
        max_attempts=config.max_attempts,
        max_duration=seconds(config.max_retry_duration),
        min_backoff=seconds(config.min_backoff),
        max_backoff=seconds(config.max_backoff),
        max_doublings=config.max_doublings,
    )


def complete_retry(config: Pb) -> None:
    """Check a RetryConfig and set its defaults; a number that is 0 counts as left out.

    Raises:
        ServiceError: a value is out of its range (INVALID_ARGUMENT).
    """
    retry = DEFAULT.retry
    config.max_attempts = config.max_attempts or retry.max_attempts
    limits.within("retry_config.max_attempts", config.max_attempts, -1, INT32)
    config.max_doublings = config.max_doublings or retry.max_doublings
    limits.within("retry_config.max_doublings", config.max_doublings, 0, INT32)
    for name, default in (
        ("max_retry_duration", retry.max_duration),
        ("min_backoff", retry.min_backoff),
        ("max_backoff", retry.max_backoff),
    ):
        duration = getattr(config, name)
        if not config.HasField(name):
            set_seconds(duration, default)
        limits.within(f"retry_config.{name}", seconds(duration), 0, LONGEST)
    if seconds(config.min_backoff) > seconds(config.max_backoff):
        raise ServiceError(
            "INVALID_ARGUMENT", "retry_config.min_backoff is larger than retry_config.max_backoff."
        )


def burst(rate: float) -> int:
    """The size of the token bucket for a rate.

    The service picks it and does not tell how: these are the sizes that it was seen to pick, 10
    for one dispatch a second and 100 for 500.
    """
    return max(10, math.ceil(rate / 5))


def _complete_rate_limits(rates: Pb) -> None:
    rates.max_dispatches_per_second = rates.max_dispatches_per_second or DEFAULT.rate
    limits.within(
        "rate_limits.max_dispatches_per_second",
        rates.max_dispatches_per_second,
        0,
        limits.DISPATCHES_PER_SECOND,
    )
    rates.max_concurrent_dispatches = rates.max_concurrent_dispatches or DEFAULT.concurrent
    limits.within(
        "rate_limits.max_concurrent_dispatches",
        rates.max_concurrent_dispatches,
        1,
        limits.CONCURRENT_DISPATCHES,
    )
    rates.max_burst_size = burst(rates.max_dispatches_per_second)
