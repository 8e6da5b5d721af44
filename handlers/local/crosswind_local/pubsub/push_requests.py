"""A push: the HTTP request that carries one message to an endpoint.

"Push subscriptions", https://cloud.google.com/pubsub/docs/push, for the wrapped form and the
codes that acknowledge; "Payload unwrapping for push subscriptions",
https://cloud.google.com/pubsub/docs/payload-unwrapping, for the unwrapped form and its metadata;
"Cloud Pub/Sub triggers", https://cloud.google.com/eventarc/docs/cloudevents, for the headers of
an endpoint that Eventarc made, which names its topic in the query of its URL; "Authentication for
push subscriptions", https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions, for whom
a token is: the endpoint's URL unless the subscription names an audience.
"""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from crosswind_local.identities import Bearer
from crosswind_local.pubsub.messages import Message
from crosswind_local.pubsub.protocol import Pb

ACKNOWLEDGING = frozenset({102, 200, 201, 202, 204})
"""Every other status gives the message back."""

EVENTARC_MODE = "__GCP_CloudEventsMode"
EVENTARC_TOPIC = "CUSTOM_PUBSUB_"


@dataclass(frozen=True, slots=True)
class PushRequest:
    """A POST to an endpoint."""

    endpoint: str
    headers: dict[str, str]
    body: bytes
    bearer: Bearer | None
    """Whose token it carries, made once the request is."""


def shape(subscription: Pb, message: Message, attempt: int) -> PushRequest:
    """The request that pushes a message, on the given attempt, for a subscription resource."""
    push = subscription.push_config
    bearer = None
    if push.HasField("oidc_token"):
        token = push.oidc_token
        bearer = Bearer(token.service_account_email, token.audience or push.push_endpoint)
    if push.HasField("no_wrapper"):
        headers = _metadata(subscription, message) if push.no_wrapper.write_metadata else {}
        return PushRequest(push.push_endpoint, headers, message.data, bearer)
    body: dict[str, object] = {
        "message": _wrapped(message),
        "subscription": subscription.name,
    }
    if subscription.HasField("dead_letter_policy"):
        body["deliveryAttempt"] = attempt
    headers = {"Content-Type": "application/json", **_eventarc(push.push_endpoint, message)}
    return PushRequest(push.push_endpoint, headers, json.dumps(body).encode(), bearer)


def _wrapped(message: Message) -> dict[str, object]:
    published = _time(message)
    wrapped: dict[str, object] = {
        "data": base64.b64encode(message.data).decode(),
        # Both spellings are sent, as the service does.
        "messageId": str(message.number),
        "message_id": str(message.number),
        "publishTime": published,
        "publish_time": published,
    }
    if message.attributes:
        wrapped["attributes"] = dict(message.attributes)
    if message.ordering_key:
        wrapped["orderingKey"] = message.ordering_key
    return wrapped


def _metadata(subscription: Pb, message: Message) -> dict[str, str]:
    headers = {
        key: value for key, value in message.attributes.items() if _fit_for_header(key, value)
    }
    headers["x-goog-pubsub-subscription-name"] = subscription.name
    headers["x-goog-pubsub-message-id"] = str(message.number)
    headers["x-goog-pubsub-publish-time"] = _time(message)
    if message.ordering_key:
        headers["x-goog-pubsub-ordering-key"] = message.ordering_key
    return headers


def _fit_for_header(key: str, value: str) -> bool:
    """Whether an attribute can travel as a header; one that cannot is left out."""
    token = key.isascii() and all(char.isalnum() or char in "!#$%&'*+-.^_`|~" for char in key)
    return token and value.isascii() and value.isprintable()


def _eventarc(endpoint: str, message: Message) -> dict[str, str]:
    mode = parse_qs(urlsplit(endpoint).query).get(EVENTARC_MODE, [""])[0]
    if not mode.startswith(EVENTARC_TOPIC):
        return {}
    return {
        "ce-specversion": "1.0",
        "ce-id": str(message.number),
        "ce-source": f"//pubsub.googleapis.com/{mode.removeprefix(EVENTARC_TOPIC)}",
        "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
        "ce-time": _time(message),
    }


def _time(message: Message) -> str:
    published = datetime.fromtimestamp(message.published / 1e9, UTC)
    return published.isoformat(timespec="milliseconds").replace("+00:00", "Z")
