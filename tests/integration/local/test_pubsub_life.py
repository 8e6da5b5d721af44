"""How the emulator begins and ends: in a process of its own, and within this one."""

import json
import logging
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from google.api_core import exceptions

from crosswind_local import StartFailed
from crosswind_local.pubsub import PubSubEmulator
from local.pubsub.desk import Desk, texts


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "crosswind_local.cli", "pubsub", *arguments]


def test_the_command_says_where_it_listens_and_ends_when_asked() -> None:
    with subprocess.Popen(command("--json"), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        host, port = said["PUBSUB_EMULATOR_HOST"].split(":")
        assert host == "127.0.0.1"
        socket.create_connection((host, int(port)), timeout=2).close()
        with urllib.request.urlopen(said["inspection"], timeout=2) as response:
            assert json.load(response)["topics"] == {}
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0
        assert time.monotonic() - asked < 2


def test_the_command_prints_lines_for_a_shell_and_refuses_a_taken_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            command("--port", port), capture_output=True, text=True, timeout=20, check=False
        )
    assert done.returncode == 1
    assert f"port {port} of 127.0.0.1 cannot be listened on" in done.stderr
    with subprocess.Popen(
        command(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("PUBSUB_EMULATOR_HOST=127.0.0.1:")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=5) == 0


def test_it_starts_fast_and_stops_at_once_with_streams_and_pulls_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began = time.monotonic()
    pubsub = PubSubEmulator().start()
    assert time.monotonic() - began < 0.5
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub.address)
    with Desk("ending-project") as desk, ThreadPoolExecutor(1) as pool:
        name = desk.subscription(desk.topic())
        stream = desk.subscriber.subscribe(name, lambda message: message.ack())
        pull = pool.submit(
            desk.subscriber.pull, subscription=name, max_messages=1, retry=None, timeout=20
        )
        while streams(pubsub, name) == 0:
            time.sleep(0.01)
        stopping = time.monotonic()
        pubsub.stop()
        assert time.monotonic() - stopping < 1
        stream.cancel()
        # Depending on who is first, it is told that nothing came, or that the server is gone.
        try:
            assert pull.result(timeout=10).received_messages == []
        except (exceptions.GoogleAPICallError, grpc.RpcError):
            pass
    pubsub.stop()


def test_a_taken_port_is_told() -> None:
    with PubSubEmulator() as first:
        port = int(first.address.rsplit(":", 1)[1])
        with pytest.raises(StartFailed, match="is it taken"):
            PubSubEmulator(port=port).start()


def test_a_service_is_started_once() -> None:
    with PubSubEmulator() as pubsub, pytest.raises(RuntimeError, match="runs already"):
        pubsub.start()
    with pytest.raises(RuntimeError, match="started once"):
        pubsub.start()


def test_every_call_is_counted_kept_and_logged(
    desk: Desk, local_pubsub: PubSubEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "crosswind_local.calls"):
        topic = desk.topic()
        with pytest.raises(exceptions.AlreadyExists):
            desk.topic()
    assert f"CreateTopic {topic} -> OK" in caplog.text
    with urllib.request.urlopen(f"{local_pubsub.inspection_url}calls", timeout=2) as response:
        last = json.load(response)[-2:]
    assert [call["outcome"] for call in last] == ["OK", "ALREADY_EXISTS"]
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{local_pubsub.inspection_url}nope", timeout=2)


def test_two_projects_share_no_name(desk: Desk) -> None:
    topic = desk.topic()
    with Desk("other-project") as other:
        elsewhere = other.topic()
        name = desk.subscription(topic)
        other.publish(elsewhere, "theirs")
        desk.publish(topic, "ours")
    assert texts(desk.pull(name)) == ["ours"]


def test_memory_is_bounded_and_the_quota_error_is_the_services(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with PubSubEmulator(memory_limit=10_000) as pubsub:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub.address)
        with Desk("small-project") as desk:
            topic = desk.topic()
            name = desk.subscription(topic)
            desk.publish(topic, "x" * 8_000)
            publisher = desk.publisher
            with pytest.raises(exceptions.ResourceExhausted, match="Quota exceeded"):
                publisher.publish(topic, b"x" * 8_000, retry=None).result(timeout=10)
            desk.ack(name, desk.pull(name))
            desk.publish(topic, "x" * 8_000)


def test_a_client_killed_in_mid_stream_leaves_no_stream_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    consumer = (
        "import sys, time\n"
        "from google.cloud import pubsub_v1\n"
        "subscriber = pubsub_v1.SubscriberClient()\n"
        "subscriber.subscribe(sys.argv[1], lambda m: (print('held', flush=True), time.sleep(60)))\n"
        "time.sleep(60)\n"
    )
    with PubSubEmulator() as pubsub:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub.address)
        with Desk("killed-project") as desk:
            topic = desk.topic()
            name = desk.subscription(topic)
            desk.publish(topic, "a")
            with subprocess.Popen(
                [sys.executable, "-c", consumer, name], stdout=subprocess.PIPE
            ) as process:
                assert process.stdout is not None
                assert process.stdout.readline() == b"held\n"
                assert streams(pubsub, name) == 1
                process.kill()
            deadline = time.monotonic() + 5
            while streams(pubsub, name) and time.monotonic() < deadline:
                time.sleep(0.02)
            assert streams(pubsub, name) == 0


def streams(pubsub: PubSubEmulator, name: str) -> int:
    subscriptions = pubsub.report()["subscriptions"]
    assert isinstance(subscriptions, dict)
    return int(subscriptions[name]["streams"])
