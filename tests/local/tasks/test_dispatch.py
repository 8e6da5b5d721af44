"""What a worker is sent, in real time, and what its answer does.

https://cloud.google.com/tasks/docs/creating-http-target-tasks
"""

import datetime
import time
from typing import Any

import pytest
from google.protobuf import duration_pb2, timestamp_pb2

from local.tasks.desk import Answer, Office, Worker

pytestmark = pytest.mark.needs("neighbour")

SHORT = {
    "min_backoff": duration_pb2.Duration(nanos=200_000_000),
    "max_backoff": duration_pb2.Duration(nanos=200_000_000),
}
"""A back-off for which a test can wait."""


def soon(seconds: float) -> Any:
    stamp = timestamp_pb2.Timestamp()
    stamp.FromDatetime(datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds))
    return stamp


def emptied(office: Office, queue: str) -> bool:
    """Whether all tasks of a queue are done, which follows the answers of the worker."""
    deadline = time.monotonic() + 10
    while list(office.client.list_tasks(parent=queue)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_worker_is_sent_what_the_task_says_and_where_it_comes_from(
    office: Office, worker: Worker
) -> None:
    queue = office.running().name
    task = office.task(
        queue,
        {"name": f"{queue}/tasks/first"},
        url=f"{worker.url}/hook?a=b",
        http_method="PUT",
        body=b'{"x": 1}',
        headers={"Content-Type": "application/json", "X-Mine": "yes"},
    )
    asked = worker.next()
    assert (asked.method, asked.path, asked.body) == ("PUT", "/hook?a=b", b'{"x": 1}')
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["x-mine"] == "yes"
    assert asked.headers["user-agent"] == "Google-Cloud-Tasks"
    assert asked.headers["x-cloudtasks-queuename"] == queue.rsplit("/", 1)[1]
    assert asked.headers["x-cloudtasks-taskname"] == "first"
    assert asked.headers["x-cloudtasks-taskretrycount"] == "0"
    assert asked.headers["x-cloudtasks-taskexecutioncount"] == "0"
    eta = float(asked.headers["x-cloudtasks-tasketa"])
    assert abs(eta - task.schedule_time.timestamp()) < 2
    assert emptied(office, queue)


def test_what_fails_is_sent_again_and_success_ends_it(office: Office, worker: Worker) -> None:
    worker.answer(500, 404)
    queue = office.running(retry_config=SHORT).name
    office.task(queue, url=worker.url)
    seen = [worker.next().headers for _ in range(3)]
    assert [headers["x-cloudtasks-taskretrycount"] for headers in seen] == ["0", "1", "2"]
    assert [headers.get("x-cloudtasks-taskpreviousresponse") for headers in seen] == [
        None,
        "500",
        "404",
    ]
    assert emptied(office, queue)
    assert worker.idle


def test_a_task_is_given_up_after_its_last_attempt(office: Office, worker: Worker) -> None:
    worker.answer(500, 500, 500)
    queue = office.running(retry_config={**SHORT, "max_attempts": 2}).name
    office.task(queue, url=worker.url)
    worker.next(), worker.next()
    assert emptied(office, queue)
    assert worker.idle


def test_a_task_is_not_sent_before_its_time(office: Office, worker: Worker) -> None:
    when = soon(2)
    office.task(office.running().name, {"schedule_time": when}, url=worker.url)
    headers = worker.next().headers
    assert time.time() >= when.ToDatetime(datetime.UTC).timestamp()
    assert float(headers["x-cloudtasks-tasketa"]) == pytest.approx(
        when.ToDatetime(datetime.UTC).timestamp(), abs=0.01
    )


def test_a_paused_queue_keeps_its_tasks_until_it_is_resumed(office: Office, worker: Worker) -> None:
    queue = office.queue().name
    office.task(queue, url=worker.url)
    time.sleep(0.5)
    assert worker.idle
    office.client.resume_queue(name=queue)
    worker.next()
    assert emptied(office, queue)


def test_a_task_is_run_by_hand_though_its_queue_is_paused(office: Office, worker: Worker) -> None:
    queue = office.queue().name
    task = office.task(queue, url=worker.url)
    assert office.client.run_task(name=task.name).dispatch_count == 1
    worker.next()
    assert emptied(office, queue)


def test_a_worker_that_asks_for_a_pause_gets_it(office: Office, worker: Worker) -> None:
    worker.answers.put(Answer(503, {"Retry-After": "2"}))
    queue = office.running(retry_config=SHORT).name
    office.task(queue, url=worker.url)
    worker.next()
    began = time.monotonic()
    worker.next()
    assert time.monotonic() - began > 1.5


def test_a_token_that_is_asked_for_is_sent(office: Office, worker: Worker) -> None:
    token = {"service_account_email": "robot@example.com"}
    office.task(office.running().name, url=worker.url, oidc_token=token)
    kind, _, bearer = worker.next().headers["authorization"].partition(" ")
    assert kind == "Bearer"
    assert bearer.count(".") == 2


def test_a_queue_can_send_its_tasks_elsewhere(office: Office, worker: Worker) -> None:
    override = {
        "scheme": "HTTP",
        "host": "127.0.0.1",
        "port": int(worker.url.rsplit(":", 1)[1]),
        "path_override": {"path": "/all"},
    }
    queue = office.running(http_target={"uri_override": override, "http_method": "PUT"}).name
    office.task(queue, url="https://example.com/one", body=b"kept")
    asked = worker.next()
    assert (asked.method, asked.path, asked.body) == ("PUT", "/all", b"kept")
