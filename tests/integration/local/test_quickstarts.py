"""First steps with each SDK, sync and async: programs that run against the emulators as they are.

They are ours, and make the calls that Google's guides for beginners make, in their order. Each is
a process of its own, which the environment variables alone point to the emulator.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from crosswind_local.firestore import FirestoreEmulator
from crosswind_local.pubsub import PubSubEmulator
from crosswind_local.tasks import TasksEmulator
from local.tasks.desk import Worker

PROGRAMS = Path(__file__).parents[2] / "fixtures" / "quickstarts"


def run(program: str, env: Mapping[str, str], *arguments: str) -> list[str]:
    """The lines that a program prints.

    Raises:
        AssertionError: it failed; says what it printed to standard error.
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", str(PROGRAMS / f"{program}.py"), *arguments],
        env={"PATH": os.defpath, **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.stop()


def test_pubsub(local_pubsub: PubSubEmulator, pubsub_project: str) -> None:
    topic = f"projects/{pubsub_project}/topics/my-topic"
    assert run("pubsub_sync", local_pubsub.env, pubsub_project) == [
        f"created {topic}",
        f"created projects/{pubsub_project}/subscriptions/my-sub",
        "attributes: [('origin', 'quickstart'), ('username', 'ada')]",
        "received: " + ", ".join([*(f"message {n}" for n in range(1, 10)), "with attributes"]),
        "published 10 in batches",
        "received: " + ", ".join(f"batch {number}" for number in range(10)),
        "ack deadline: 20",
        "received: 1, 2, 3, 4",
        "pulled and acknowledged 3",
        "acknowledged for certain: once",
        f"topics: ['{topic}']",
        "subscriptions: 3",
        "done",
    ]


def test_pubsub_async(local_pubsub: PubSubEmulator, pubsub_project: str) -> None:
    assert run("pubsub_async", local_pubsub.env, pubsub_project) == [
        "published 3",
        "pulled: ['message 0', 'message 1']",
        "streamed: message 2",
        f"topics: ['projects/{pubsub_project}/topics/my-topic']",
        "done",
    ]


def test_firestore(local_firestore: FirestoreEmulator, firestore_project: str) -> None:
    assert run("firestore_sync", local_firestore.env, firestore_project) == [
        "ada => [('born', 1815), ('first', 'Ada')]",
        "alan => [('born', 1912), ('first', 'Alan'), ('middle', 'M.')]",
        "city: True ['west', 'coast'] 860050",
        "added: True True",
        "large: ['Tokyo']",
        "largest: ['Tokyo']",
        "count: 2",
        "population: 860051",
        "fields: ['at', 'name', 'population', 'regions', 'state']",
        "left: 0",
    ]


def test_firestore_async(local_firestore: FirestoreEmulator, firestore_project: str) -> None:
    assert run("firestore_async", local_firestore.env, firestore_project) == [
        "ada => [('born', 1815), ('first', 'Ada')]",
        "alan => [('born', 1912), ('first', 'Alan')]",
        "old: ['ada']",
        "born: 1814",
        "first: Augusta",
        "exists: False",
    ]


def test_tasks(local_tasks: TasksEmulator, tasks_location: str, worker: Worker) -> None:
    project = tasks_location.split("/")[1]
    queue = f"{tasks_location}/queues/my-queue"
    assert run("tasks_sync", local_tasks.env, project, worker.url) == [
        f"created {queue}",
        "created task-1",
        f"queues: ['{queue}']",
    ]
    asked = worker.next()
    assert (asked.method, asked.body) == ("POST", b'{"order": 1}')
    assert asked.headers["x-cloudtasks-taskname"] == "task-1"
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["authorization"].startswith("Bearer ")


def test_tasks_async(local_tasks: TasksEmulator, tasks_location: str, worker: Worker) -> None:
    project = tasks_location.split("/")[1]
    queue = f"{tasks_location}/queues/my-queue"
    assert run("tasks_async", local_tasks.env, project, worker.url) == [
        f"created a task of {queue}",
        f"queues: ['{queue}']",
    ]
    assert worker.next().body == b"hello"
