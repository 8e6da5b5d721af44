"""Push delivery to a real HTTP server."""

import base64
import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import pytest
from google.api_core import exceptions
from google.protobuf import duration_pb2

from local.elsewhere import Time
from local.pubsub.desk import Desk, refused, texts

pytestmark = pytest.mark.needs("neighbour")


class Pushed(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


class Endpoint:
    """Records what is pushed to it; answers with the statuses it was given, then with 204."""

    def __init__(self) -> None:
        self.pushed: queue.Queue[Pushed] = queue.Queue()
        self.statuses: queue.Queue[int] = queue.Queue()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                try:
                    status = endpoint.statuses.get_nowait()
                except queue.Empty:
                    status = 204
                # Before the answer, which may set the next push off.
                endpoint.pushed.put(Pushed(self.path, headers, body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def next(self) -> Pushed:
        return self.pushed.get(timeout=10)

    def none(self) -> bool:
        """Nothing comes, for long enough that the last answer has been acted upon."""
        try:
            self.pushed.get(timeout=0.1)
        except queue.Empty:
            return True
        return False

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    yield endpoint
    endpoint.stop()


def test_a_wrapped_push_carries_the_message_as_json(desk: Desk, endpoint: Endpoint) -> None:
    topic = desk.topic()
    name = desk.subscription(topic, push_config={"push_endpoint": f"{endpoint.url}/hook?a=b"})
    (message_id,) = desk.publish(topic, "hello", attributes={"k": "v"})
    pushed = endpoint.next()
    assert pushed.path == "/hook?a=b"
    assert pushed.headers["content-type"] == "application/json"
    body = json.loads(pushed.body)
    assert body["subscription"] == name
    assert "deliveryAttempt" not in body
    message = body["message"]
    assert base64.b64decode(message["data"]) == b"hello"
    assert message["attributes"] == {"k": "v"}
    assert message["messageId"] == message["message_id"] == message_id
    assert message["publishTime"] == message["publish_time"]
    assert message["publishTime"].endswith("Z")


def test_an_unwrapped_push_with_metadata_is_a_binary_cloudevent(
    desk: Desk, endpoint: Endpoint
) -> None:
    topic = desk.topic()
    name = desk.subscription(
        topic,
        push_config={"push_endpoint": endpoint.url, "no_wrapper": {"write_metadata": True}},
    )
    attributes = {"ce-id": "1", "ce-type": "t", "content-type": "application/json", "ü": "no"}
    (message_id,) = desk.publish(topic, '{"x":1}', attributes=attributes)
    pushed = endpoint.next()
    assert pushed.body == b'{"x":1}'
    assert pushed.headers["ce-id"] == "1"
    assert pushed.headers["content-type"] == "application/json"
    assert pushed.headers["x-goog-pubsub-subscription-name"] == name
    assert pushed.headers["x-goog-pubsub-message-id"] == message_id


def test_an_unwrapped_push_without_metadata_is_the_data_alone(
    desk: Desk, endpoint: Endpoint
) -> None:
    topic = desk.topic()
    desk.subscription(
        topic, push_config={"push_endpoint": endpoint.url, "no_wrapper": {"write_metadata": False}}
    )
    desk.publish(topic, "raw", attributes={"ce-id": "1"})
    pushed = endpoint.next()
    assert pushed.body == b"raw"
    assert "ce-id" not in pushed.headers


def test_an_eventarc_endpoint_gets_the_headers_of_an_event(desk: Desk, endpoint: Endpoint) -> None:
    topic = desk.topic()
    mode = f"CUSTOM_PUBSUB_{topic.replace('/', '%2F')}"
    desk.subscription(
        topic, push_config={"push_endpoint": f"{endpoint.url}/?__GCP_CloudEventsMode={mode}"}
    )
    (message_id,) = desk.publish(topic, "x")
    headers = endpoint.next().headers
    assert headers["ce-source"] == f"//pubsub.googleapis.com/{topic}"
    assert headers["ce-type"] == "google.cloud.pubsub.topic.v1.messagePublished"
    assert headers["ce-id"] == message_id


def test_a_refused_push_backs_off_and_comes_again(
    timed: Desk, clock: Time, endpoint: Endpoint
) -> None:
    for status in (500, 404, 302):
        endpoint.statuses.put(status)
    topic = timed.topic()
    timed.subscription(topic, push_config={"push_endpoint": endpoint.url})
    timed.publish(topic, "x")
    endpoint.next()
    for pause in (0.1, 0.2, 0.4):
        assert endpoint.none()
        clock.advance(pause)
        endpoint.next()
    assert endpoint.none()
    clock.advance(60)
    assert endpoint.none()


def test_a_retry_policy_and_a_dead_letter_topic_govern_pushes_too(
    timed: Desk, clock: Time, endpoint: Endpoint
) -> None:
    for _ in range(5):
        endpoint.statuses.put(500)
    topic, dead = timed.topic(), timed.topic("dead")
    letters = timed.subscription(dead, "letters")
    second = duration_pb2.Duration(seconds=1)
    timed.subscription(
        topic,
        push_config={"push_endpoint": endpoint.url},
        retry_policy={"minimum_backoff": second, "maximum_backoff": second},
        dead_letter_policy={"dead_letter_topic": dead, "max_delivery_attempts": 5},
    )
    timed.publish(topic, "poison")
    for attempt in range(1, 6):
        assert json.loads(endpoint.next().body)["deliveryAttempt"] == attempt
        assert endpoint.none()
        clock.advance(1)
    assert texts(timed.pull(letters)) == ["poison"]


def test_one_message_of_a_key_is_pushed_at_a_time(desk: Desk, endpoint: Endpoint) -> None:
    topic = desk.topic()
    desk.subscription(
        topic, enable_message_ordering=True, push_config={"push_endpoint": endpoint.url}
    )
    desk.publish(topic, *(str(number) for number in range(20)), key="k")
    received = [json.loads(endpoint.next().body)["message"] for _ in range(20)]
    assert [base64.b64decode(one["data"]) for one in received] == [
        str(number).encode() for number in range(20)
    ]
    assert {one["orderingKey"] for one in received} == {"k"}


def test_a_subscription_changes_between_push_and_pull(desk: Desk, endpoint: Endpoint) -> None:
    topic = desk.topic()
    name = desk.subscription(topic, push_config={"push_endpoint": endpoint.url})
    with refused(exceptions.FailedPrecondition, "not supported for this subscription"):
        desk.pull(name)
    desk.subscriber.modify_push_config(subscription=name, push_config={})
    desk.publish(topic, "a")
    assert endpoint.none()
    desk.nack(name, desk.pull(name))
    desk.subscriber.modify_push_config(
        subscription=name, push_config={"push_endpoint": endpoint.url}
    )
    assert b'"YQ=="' in endpoint.next().body


def test_an_identity_token_needs_an_account(desk: Desk, endpoint: Endpoint) -> None:
    with refused(exceptions.InvalidArgument, "service_account_email"):
        desk.subscription(
            desk.topic(),
            push_config={
                "push_endpoint": endpoint.url,
                "oidc_token": {"audience": "https://example.com"},
            },
        )
