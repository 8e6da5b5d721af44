"""Pushes to a Cloud Run function: Google's own framework serves it, unmodified, in a process."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from google.protobuf import duration_pb2

from crosswind_local.environments import interpreter
from crosswind_local.pubsub import PubSubEmulator
from local.pubsub.desk import Desk, texts

REQUIREMENTS = Path(__file__).parents[2] / "fixtures" / "functions_framework" / "requirements.txt"

PATIENCE = 30.0
"""Seconds for which a busy machine may keep a test waiting."""

FUNCTION = """
import base64, json, os
import functions_framework

seen = []

@functions_framework.cloud_event
def receive(event):
    message = event.data["message"]
    text = base64.b64decode(message["data"]).decode()
    seen.append(text)
    with open(os.environ["HEARD"], "a") as heard:
        told = {"type": event["type"], "source": event["source"], "id": event["id"],
                "time": event["time"], "text": text, "attributes": message.get("attributes", {}),
                "message": message["messageId"], "subscription": event.data.get("subscription")}
        heard.write(json.dumps(told) + "\\n")
    if text == "poison" or (text == "slow to please" and seen.count(text) < 3):
        raise RuntimeError(text)
"""


class Function:
    """A function that is served; what it heard, one record for each request."""

    def __init__(self, folder: Path) -> None:
        folder.joinpath("main.py").write_text(FUNCTION)
        self._heard = folder / "heard"
        self._heard.touch()
        self._folder = folder
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Serve it on a free port.

        Raises:
            AssertionError: it does not come up; says what it printed.
        """
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        python = interpreter("functions-framework", REQUIREMENTS)
        command = [str(python), "-m", "functions_framework", "--target", "receive"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--host", "127.0.0.1", "--port", str(self._port)],
                cwd=self._folder,
                env={"PATH": os.defpath, "HEARD": str(self._heard)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
            except ConnectionRefusedError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError((self._folder / "log").read_text())

    def stop(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def heard(self, text: str, times: int = 1) -> list[Any]:
        """What it heard that has this text, once there are so many."""
        end = time.monotonic() + PATIENCE
        while True:
            records = [json.loads(line) for line in self._heard.read_text().splitlines()]
            found = [record for record in records if record["text"] == text]
            if len(found) >= times or time.monotonic() > end:
                assert len(found) == times
                return found
            time.sleep(0.02)


@pytest.fixture(scope="module")
def function(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Function]:
    function = Function(tmp_path_factory.mktemp("function"))
    try:
        function.start()
        yield function
    finally:
        function.stop()


def eventarc(url: str, topic: str) -> str:
    """The endpoint as Eventarc writes it for a function that is triggered by a topic."""
    return f"{url}/?__GCP_CloudEventsMode=CUSTOM_PUBSUB_{quote(topic, safe='')}"


def test_a_function_gets_the_event_that_eventarc_sends(desk: Desk, function: Function) -> None:
    topic = desk.topic()
    name = desk.subscription(topic, push_config={"push_endpoint": eventarc(function.url, topic)})
    (message_id,) = desk.publish(topic, "from eventarc", attributes={"k": "v"})
    (event,) = function.heard("from eventarc")
    assert event["type"] == "google.cloud.pubsub.topic.v1.messagePublished"
    assert event["source"] == f"//pubsub.googleapis.com/{topic}"
    assert event["id"] == event["message"] == message_id
    assert event["subscription"] == name
    assert event["attributes"] == {"k": "v"}


def test_a_plain_push_becomes_an_event_in_the_framework(desk: Desk, function: Function) -> None:
    topic = desk.topic()
    # The framework takes the topic from the path.
    desk.subscription(topic, push_config={"push_endpoint": f"{function.url}/{topic}"})
    (message_id,) = desk.publish(topic, "wrapped", attributes={"k": "v"})
    (event,) = function.heard("wrapped")
    assert event["type"] == "google.cloud.pubsub.topic.v1.messagePublished"
    assert event["source"] == f"//pubsub.googleapis.com/{topic}"
    assert event["id"] == event["message"] == message_id
    assert event["attributes"] == {"k": "v"}


@pytest.mark.parametrize("form", ["eventarc", "wrapped"])
def test_the_same_message_is_the_same_event_in_either_form(
    desk: Desk, function: Function, form: str
) -> None:
    topic = desk.topic()
    endpoint = eventarc(function.url, topic) if form == "eventarc" else f"{function.url}/{topic}"
    desk.subscription(topic, push_config={"push_endpoint": endpoint})
    letters = desk.subscription(topic, "copy")
    desk.publish(topic, f"once as {form}")
    (event,) = function.heard(f"once as {form}")
    (copy,) = desk.pull(letters)
    assert event["id"] == copy.message.message_id
    published = copy.message.publish_time.isoformat(timespec="milliseconds")
    assert event["time"] == published.replace("+00:00", "Z")


def test_a_function_that_fails_is_asked_again_with_the_same_event(
    desk: Desk, local_pubsub: PubSubEmulator, function: Function
) -> None:
    topic = desk.topic()
    name = desk.subscription(topic, push_config={"push_endpoint": eventarc(function.url, topic)})
    desk.publish(topic, "slow to please")
    asked = function.heard("slow to please", times=3)
    assert asked[0] == asked[1] == asked[2]
    wait_until_done(local_pubsub, name)


def test_what_a_function_never_takes_ends_as_a_dead_letter(desk: Desk, function: Function) -> None:
    topic, dead = desk.topic(), desk.topic("dead")
    letters = desk.subscription(dead, "letters")
    shortly = duration_pb2.Duration(nanos=100_000_000)
    desk.subscription(
        topic,
        push_config={"push_endpoint": eventarc(function.url, topic)},
        retry_policy={"minimum_backoff": shortly, "maximum_backoff": shortly},
        dead_letter_policy={"dead_letter_topic": dead, "max_delivery_attempts": 5},
    )
    desk.publish(topic, "poison")
    function.heard("poison", times=5)
    received = desk.subscriber.pull(subscription=letters, max_messages=1).received_messages
    assert texts(received) == ["poison"]


def wait_until_done(pubsub: PubSubEmulator, subscription: str) -> None:
    """The function's last answer was a success: nothing is left to push."""
    end = time.monotonic() + PATIENCE
    while True:
        subscriptions: Any = pubsub.report()["subscriptions"]
        left = [subscriptions[subscription][kind] for kind in ("ready", "out", "held")]
        if not any(left) or time.monotonic() > end:
            assert left == [0, 0, 0]
            return
        time.sleep(0.02)
