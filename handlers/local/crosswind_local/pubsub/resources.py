"""Topic and subscription resources: completed with the service's defaults, checked, understood.

The field descriptions of google.pubsub.v1 Topic and Subscription,
https://cloud.google.com/pubsub/docs/reference/rpc/google.pubsub.v1, and "Subscription
properties", https://cloud.google.com/pubsub/docs/subscription-properties. What would change how
messages flow and is not carried out here is refused, never ignored.
"""

from urllib.parse import urlsplit

from crosswind_local.errors import ServiceError
from crosswind_local.pubsub import filters, limits, names
from crosswind_local.pubsub.policies import Policy, Retry
from crosswind_local.pubsub.protocol import ACTIVE, Pb

MUTABLE_OF_TOPIC = frozenset({"labels", "message_retention_duration"})
MUTABLE_OF_SUBSCRIPTION = frozenset(
    {
        "ack_deadline_seconds",
        "dead_letter_policy",
        "enable_exactly_once_delivery",
        "expiration_policy",
        "labels",
        "message_retention_duration",
        "push_config",
        "retain_acked_messages",
        "retry_policy",
    }
)

_REFUSED_OF_TOPIC = (
    "schema_settings",
    "ingestion_data_source_settings",
    "message_transforms",
    "kms_key_name",
    "message_storage_policy",
)
_REFUSED_OF_SUBSCRIPTION = (
    "bigquery_config",
    "cloud_storage_config",
    "bigtable_config",
    "message_transforms",
)


def complete_topic(topic: Pb) -> None:
    """Check a topic and set what the service sets itself.

    Raises:
        ServiceError: a value is out of its range (INVALID_ARGUMENT), or a feature is not there
            (UNIMPLEMENTED).
    """
    names.check("topics", topic.name)
    _refuse(topic, _REFUSED_OF_TOPIC)
    _check_labels(topic)
    if topic.HasField("message_retention_duration"):
        _check_retention(topic)
    topic.state = ACTIVE


def complete_subscription(subscription: Pb) -> None:
    """Check a subscription and set its defaults.

    Raises:
        ServiceError: a value is out of its range (INVALID_ARGUMENT), or a feature is not there
            (UNIMPLEMENTED).
    """
    names.check("subscriptions", subscription.name)
    _refuse(subscription, _REFUSED_OF_SUBSCRIPTION)
    _check_labels(subscription)
    subscription.ack_deadline_seconds = subscription.ack_deadline_seconds or 10
    limits.within("ack_deadline_seconds", subscription.ack_deadline_seconds, *limits.ACK_DEADLINE)
    if not subscription.HasField("message_retention_duration"):
        subscription.message_retention_duration.seconds = 7 * 86_400
    _check_retention(subscription)
    _complete_expiration(subscription)
    _complete_dead_letters(subscription)
    _complete_retry(subscription)
    _complete_push(subscription)
    subscription.state = ACTIVE


def policy_of(subscription: Pb) -> Policy:
    """What a completed subscription is told to do.

    Raises:
        ServiceError: the filter is invalid (INVALID_ARGUMENT).
    """
    retry = subscription.retry_policy
    dead = subscription.dead_letter_policy
    return Policy(
        ack_deadline=subscription.ack_deadline_seconds,
        ordered=subscription.enable_message_ordering,
        exactly_once=subscription.enable_exactly_once_delivery,
        condition=filters.parse(subscription.filter),
        retry=Retry(_seconds(retry.minimum_backoff), _seconds(retry.maximum_backoff))
        if subscription.HasField("retry_policy")
        else None,
        dead_letter_topic=dead.dead_letter_topic or None,
        max_attempts=dead.max_delivery_attempts,
        retention=_seconds(subscription.message_retention_duration),
        retain_acked=subscription.retain_acked_messages,
    )


def retention_of(topic: Pb) -> float | None:
    """How long a topic itself retains messages, in seconds; None when it does not."""
    if not topic.HasField("message_retention_duration"):
        return None
    return _seconds(topic.message_retention_duration)


def _refuse(resource: Pb, refused: tuple[str, ...]) -> None:
    present = {descriptor.name for descriptor, _ in resource.ListFields()}
    for name in refused:
        if name in present:
            raise ServiceError(
                "UNIMPLEMENTED", f"The local Pub/Sub does not support {name}; leave it out."
            )


def _check_labels(resource: Pb) -> None:
    limits.within("labels count", len(resource.labels), 0, limits.LABELS_PER_RESOURCE)


def _check_retention(resource: Pb) -> None:
    seconds = _seconds(resource.message_retention_duration)
    limits.within("message_retention_duration", seconds, *limits.RETENTION_SECONDS)


def _complete_expiration(subscription: Pb) -> None:
    if not subscription.HasField("expiration_policy"):
        subscription.expiration_policy.ttl.seconds = 31 * 86_400
    policy = subscription.expiration_policy
    if policy.HasField("ttl"):
        limits.within(
            "expiration_policy.ttl",
            _seconds(policy.ttl),
            limits.EXPIRATION_TTL_SECONDS,
            float("inf"),
        )


def _complete_dead_letters(subscription: Pb) -> None:
    if not subscription.HasField("dead_letter_policy"):
        return
    policy = subscription.dead_letter_policy
    if not policy.dead_letter_topic:
        raise ServiceError("INVALID_ARGUMENT", "dead_letter_policy needs a dead_letter_topic.")
    names.check("topics", policy.dead_letter_topic)
    policy.max_delivery_attempts = policy.max_delivery_attempts or limits.DELIVERY_ATTEMPTS[0]
    limits.within("max_delivery_attempts", policy.max_delivery_attempts, *limits.DELIVERY_ATTEMPTS)


def _complete_retry(subscription: Pb) -> None:
    if not subscription.HasField("retry_policy"):
        return
    policy = subscription.retry_policy
    if not policy.HasField("minimum_backoff"):
        policy.minimum_backoff.seconds = 10
    if not policy.HasField("maximum_backoff"):
        policy.maximum_backoff.seconds = 600
    least, most = _seconds(policy.minimum_backoff), _seconds(policy.maximum_backoff)
    limits.within("minimum_backoff", least, *limits.BACKOFF_SECONDS)
    limits.within("maximum_backoff", most, *limits.BACKOFF_SECONDS)
    if least > most:
        raise ServiceError("INVALID_ARGUMENT", "minimum_backoff is larger than maximum_backoff.")


def _complete_push(subscription: Pb) -> None:
    push = subscription.push_config
    if not push.push_endpoint:
        subscription.ClearField("push_config")
        return
    if (
        urlsplit(push.push_endpoint).scheme not in {"http", "https"}
        or not urlsplit(push.push_endpoint).hostname
    ):
        raise ServiceError(
            "INVALID_ARGUMENT", f"Invalid push endpoint given (endpoint={push.push_endpoint})."
        )
    if push.HasField("oidc_token") and not push.oidc_token.service_account_email:
        raise ServiceError(
            "INVALID_ARGUMENT", "push_config.oidc_token needs a service_account_email."
        )
    if subscription.enable_exactly_once_delivery:
        raise ServiceError(
            "INVALID_ARGUMENT", "Exactly-once delivery is not supported for push subscriptions."
        )
    version = push.attributes.get("x-goog-version", "v1")
    if version not in {"v1", "v1beta2"}:
        raise ServiceError(
            "UNIMPLEMENTED", f"The local Pub/Sub does not support the push format {version}."
        )
    push.attributes["x-goog-version"] = version


def _seconds(duration: Pb) -> float:
    return float(duration.seconds + duration.nanos / 1e9)
