"""Whom a pushed message, or a task, says it comes from; verified as a service would verify it."""

import base64
import json
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import google.auth.transport.requests
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from google.oauth2 import id_token
from google.protobuf import duration_pb2

from crosswind_local import ManualClock
from crosswind_local.pubsub import PubSubEmulator
from local.pubsub.desk import Desk
from local.tasks.desk import Answer, Worker

ROBOT = "robot@example.com"


@pytest.fixture
def endpoint() -> Iterator[Worker]:
    endpoint = Worker()
    yield endpoint
    endpoint.stop()


def pushed(desk: Desk, endpoint: Worker, **config: Any) -> str:
    """The token of a message that is pushed; one that failed comes again after a minute."""
    topic, minute = desk.topic(), duration_pb2.Duration(seconds=60)
    desk.subscription(
        topic,
        push_config={"push_endpoint": f"{endpoint.url}/hook", **config},
        retry_policy={"minimum_backoff": minute, "maximum_backoff": minute},
    )
    desk.publish(topic, "x")
    kind, _, token = endpoint.next().headers["authorization"].partition(" ")
    assert kind == "Bearer"
    return token


def verified(token: str, pubsub: PubSubEmulator, audience: str) -> Any:
    """The claims of a token, as Google's own library reads them."""
    request = google.auth.transport.requests.Request()
    return id_token.verify_token(
        token, request, audience=audience, certs_url=pubsub.certificates_url
    )


def test_a_push_carries_a_token_that_googles_own_library_verifies(
    desk: Desk, local_pubsub: PubSubEmulator, endpoint: Worker
) -> None:
    before = int(time.time())
    token = pushed(desk, endpoint, oidc_token={"service_account_email": ROBOT})
    claims = verified(token, local_pubsub, audience=f"{endpoint.url}/hook")
    assert claims["iss"] == "https://accounts.google.com"
    assert claims["email"] == ROBOT
    assert claims["email_verified"] is True
    assert claims["sub"] == claims["azp"]
    assert claims["sub"].isdigit()
    assert before <= claims["iat"] <= time.time()
    assert claims["exp"] - claims["iat"] == 3600


def test_a_token_is_for_the_audience_that_the_subscription_names(
    desk: Desk, local_pubsub: PubSubEmulator, endpoint: Worker
) -> None:
    named = {"service_account_email": ROBOT, "audience": "https://example.com/us"}
    token = pushed(desk, endpoint, oidc_token=named)
    assert verified(token, local_pubsub, audience="https://example.com/us")["email"] == ROBOT
    with pytest.raises(ValueError, match="audience"):
        verified(token, local_pubsub, audience=f"{endpoint.url}/hook")


def test_an_unwrapped_push_carries_a_token_too(
    desk: Desk, local_pubsub: PubSubEmulator, endpoint: Worker
) -> None:
    token = pushed(
        desk,
        endpoint,
        oidc_token={"service_account_email": ROBOT},
        no_wrapper={"write_metadata": True},
    )
    assert verified(token, local_pubsub, audience=f"{endpoint.url}/hook")["email"] == ROBOT


def test_a_push_without_a_configured_account_carries_no_token(desk: Desk, endpoint: Worker) -> None:
    topic = desk.topic()
    desk.subscription(topic, push_config={"push_endpoint": endpoint.url})
    desk.publish(topic, "x")
    assert "authorization" not in endpoint.next().headers


def test_each_attempt_has_a_token_of_its_own_time(
    monkeypatch: pytest.MonkeyPatch, endpoint: Worker
) -> None:
    endpoint.answers.put(Answer(500))
    clock = ManualClock()
    with PubSubEmulator(clock=clock) as pubsub:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub.address)
        with Desk("timed-project") as desk:
            first = pushed(desk, endpoint, oidc_token={"service_account_email": ROBOT})
            # The answer was given, but may not have been heard yet; then time moves on at once.
            while out(pubsub):
                time.sleep(0.01)
            clock.advance(60)
            second = endpoint.next().headers["authorization"].removeprefix("Bearer ")
    assert claims_of(second)["iat"] == claims_of(first)["iat"] + 60


def test_the_key_is_published_as_a_key_set_as_well(
    desk: Desk, local_pubsub: PubSubEmulator, endpoint: Worker
) -> None:
    token = pushed(desk, endpoint, oidc_token={"service_account_email": ROBOT})
    with urllib.request.urlopen(local_pubsub.jwks_url, timeout=5) as response:
        (key,) = json.load(response)["keys"]
    header, payload, signature = token.split(".")
    assert json.loads(unpadded(header)) == {"alg": "RS256", "kid": key["kid"], "typ": "JWT"}
    assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
    public = RSAPublicNumbers(*(int.from_bytes(unpadded(key[part])) for part in "en")).public_key()
    signed = f"{header}.{payload}".encode()
    public.verify(unpadded(signature), signed, padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(InvalidSignature):
        public.verify(unpadded(signature), signed + b"x", padding.PKCS1v15(), hashes.SHA256())


def test_another_emulator_does_not_vouch_for_a_token(desk: Desk, endpoint: Worker) -> None:
    token = pushed(desk, endpoint, oidc_token={"service_account_email": ROBOT})
    with PubSubEmulator() as other, pytest.raises(ValueError, match="Certificate"):
        verified(token, other, audience=f"{endpoint.url}/hook")


def claims_of(token: str) -> Any:
    return json.loads(unpadded(token.split(".")[1]))


def unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def out(pubsub: PubSubEmulator) -> int:
    """How many messages are with an endpoint at the moment."""
    subscriptions: Any = pubsub.report()["subscriptions"]
    return sum(int(one["out"]) for one in subscriptions.values())
