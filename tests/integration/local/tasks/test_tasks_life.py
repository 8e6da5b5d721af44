"""How the emulator begins and ends, in real time; the async SDK; crowds, and garbage."""

import asyncio
import logging
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcAsyncIOTransport
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswind_local import StartFailed
from crosswind_local.tasks import TasksEmulator
from crosswind_local.tasks.wire import SERVICE
from integration.local.tasks.desk import LOCATION, Desk
from local.tasks.desk import Worker, client_of


@pytest.fixture(scope="module")
def real() -> Iterator[TasksEmulator]:
    """An emulator in real time."""
    with TasksEmulator() as tasks:
        yield tasks


def connected(tasks: TasksEmulator) -> Any:
    return client_of(grpc.insecure_channel(tasks.address))


def test_it_starts_fast_and_stops_at_once_with_requests_under_way(worker: Worker) -> None:
    worker.go_on.clear()
    began = time.monotonic()
    tasks = TasksEmulator().start()
    assert time.monotonic() - began < 0.5
    client = connected(tasks)
    queue = client.create_queue(parent=LOCATION, queue={"name": f"{LOCATION}/queues/q"}).name
    for _ in range(5):
        client.create_task(parent=queue, task={"http_request": {"url": worker.url}})
    for _ in range(5):
        worker.next()
    stopping = time.monotonic()
    tasks.stop()
    assert time.monotonic() - stopping < 1
    client.transport.close()
    tasks.stop()


def test_a_taken_port_is_told() -> None:
    with TasksEmulator() as first:
        port = int(first.env["CLOUD_TASKS_EMULATOR_HOST"].rsplit(":", 1)[1])
        with pytest.raises(StartFailed, match="is it taken"):
            TasksEmulator(port=port).start()


def test_in_real_time_a_task_is_retried_and_a_late_one_waits(
    real: TasksEmulator, worker: Worker
) -> None:
    worker.answer(500, 500)
    client = connected(real)
    queue = client.create_queue(parent=LOCATION, queue={"name": f"{LOCATION}/queues/real"}).name
    client.create_task(parent=queue, task={"http_request": {"url": worker.url}})
    counts = [worker.next().headers["x-cloudtasks-taskretrycount"] for _ in range(3)]
    assert counts == ["0", "1", "2"]
    assert real.settle()
    assert list(client.list_tasks(parent=queue)) == []


def test_the_async_sdk_works_too(real: TasksEmulator, worker: Worker) -> None:
    async def use() -> list[str]:
        channel = grpc.aio.insecure_channel(real.address)
        client: Any = tasks_v2.CloudTasksAsyncClient(
            transport=CloudTasksGrpcAsyncIOTransport(channel=channel)
        )
        name = f"{LOCATION}/queues/async"
        await client.create_queue(parent=LOCATION, queue={"name": name})
        await client.pause_queue(name=name)
        task = {"http_request": {"url": worker.url, "body": b"async"}}
        made = await asyncio.gather(
            *(client.create_task(parent=name, task=task) for _ in range(20))
        )
        pages = await client.list_tasks(request={"parent": name, "page_size": 7})
        listed = [task.name async for task in pages]
        assert sorted(listed) == sorted(task.name for task in made)
        with pytest.raises(exceptions.NotFound):
            await client.get_task(name=f"{name}/tasks/nope")
        await client.resume_queue(name=name)
        await channel.close()
        return listed

    sent = {worker.next().headers["x-cloudtasks-taskname"] for _ in asyncio.run(use())}
    assert len(sent) == 20


def test_many_clients_at_once_lose_no_task_and_send_none_twice(
    real: TasksEmulator, worker: Worker
) -> None:
    client = connected(real)
    queue = client.create_queue(parent=LOCATION, queue={"name": f"{LOCATION}/queues/crowd"}).name

    def create(number: int) -> None:
        mine = connected(real)
        for which in range(20):
            task = {
                "name": f"{queue}/tasks/{number}-{which}",
                "http_request": {"url": worker.url},
            }
            mine.create_task(parent=queue, task=task)
        mine.transport.close()

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(create, range(10)))
    sent = [worker.next().headers["x-cloudtasks-taskname"] for _ in range(200)]
    assert len(set(sent)) == 200
    assert real.settle()
    assert worker.idle
    report = real.report()["queues"]
    assert isinstance(report, dict)
    assert report[queue]["succeeded"] == 200


def test_a_full_memory_is_refused_as_a_quota_of_the_service() -> None:
    with Desk(memory_limit=300_000) as desk:
        queue = desk.queue()
        desk.client.pause_queue(name=queue)
        for _ in range(3):
            desk.task(queue, "https://example.com", body=b"x" * 90_000)
        with pytest.raises(exceptions.ResourceExhausted, match="Quota exceeded"):
            desk.task(queue, "https://example.com", body=b"x" * 90_000)
        desk.client.purge_queue(name=queue)
        desk.task(queue, "https://example.com", body=b"x" * 90_000)


def test_a_project_that_is_forgotten_can_begin_anew(desk: Desk) -> None:
    desk.queue()
    desk.client.delete_queue(name=desk.queue("other"))
    desk.tasks.forget("demo-project")
    assert list(desk.client.list_queues(parent=LOCATION)) == []
    desk.queue()
    desk.queue("other")


def test_every_call_is_counted_kept_and_logged(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "crosswind_local.calls"):
        queue = desk.queue()
        with pytest.raises(exceptions.AlreadyExists):
            desk.queue()
    assert f"CreateQueue {queue} -> OK" in caplog.text
    assert desk.tasks.report()["calls"] == {"CreateQueue ALREADY_EXISTS": 1, "CreateQueue OK": 1}


METHODS = [
    "CreateQueue",
    "UpdateQueue",
    "ListQueues",
    "CreateTask",
    "ListTasks",
    "RunTask",
    "BatchCreateTasks",
    "BatchDeleteTasks",
    "GetIamPolicy",
    "NoSuchMethod",
]


@settings(max_examples=150, deadline=None)
@given(method=st.sampled_from(METHODS), request=st.binary(max_size=200))
def test_garbage_gets_an_answer_and_harms_nothing(
    real: TasksEmulator, method: str, request: bytes
) -> None:
    with grpc.insecure_channel(real.address) as channel:
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes]
        call = channel.unary_unary(f"/{SERVICE}/{method}")
        assert call.future(request, timeout=5).code() in {
            grpc.StatusCode.OK,
            grpc.StatusCode.INVALID_ARGUMENT,
            grpc.StatusCode.NOT_FOUND,
            grpc.StatusCode.UNIMPLEMENTED,
        }
    assert "INTERNAL" not in str(real.report()["calls"])


def test_half_a_connection_harms_nobody(real: TasksEmulator) -> None:
    host, port = real.address.split(":")
    with socket.create_connection((host, int(port)), timeout=2) as half:
        half.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 50)
        client = connected(real)
        assert list(client.list_queues(parent=f"{LOCATION}-other")) == []
        client.transport.close()
