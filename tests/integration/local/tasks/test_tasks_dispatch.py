"""What a worker is sent, when, and what its answer does: the official SDK and a real worker."""

import datetime
import email.utils
import json
import time
import urllib.request
from typing import Any

import google.auth.transport.requests
import pytest
from google.oauth2 import id_token
from google.protobuf import duration_pb2, field_mask_pb2, timestamp_pb2

from crosswind_local.tasks import limits
from integration.local.tasks.desk import Desk
from local.tasks.desk import Answer, Worker


def duration(seconds: float) -> Any:
    value = duration_pb2.Duration()
    value.FromTimedelta(datetime.timedelta(seconds=seconds))
    return value


def retry(**settings: float) -> dict[str, Any]:
    """A retry configuration with times in seconds."""
    times = ("min_backoff", "max_backoff", "max_retry_duration")
    return {
        "retry_config": {
            key: duration(value) if key in times else value for key, value in settings.items()
        }
    }


def at(when: float) -> Any:
    return timestamp_pb2.Timestamp(seconds=int(when))


def test_a_worker_is_sent_the_request_of_the_task_and_what_tells_of_it(
    desk: Desk, worker: Worker
) -> None:
    queue = desk.queue("orders")
    task = desk.task(
        queue,
        f"{worker.url}/hook?a=b",
        name="first",
        body=b'{"x": 1}',
        headers={"Content-Type": "application/json", "X-Mine": "yes", "User-Agent": "me"},
    )
    asked = worker.next()
    assert (asked.method, asked.path, asked.body) == ("POST", "/hook?a=b", b'{"x": 1}')
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["x-mine"] == "yes"
    assert asked.headers["user-agent"] == "Google-Cloud-Tasks"
    assert asked.headers["x-cloudtasks-queuename"] == "orders"
    assert asked.headers["x-cloudtasks-taskname"] == "first"
    assert asked.headers["x-cloudtasks-taskretrycount"] == "0"
    assert asked.headers["x-cloudtasks-taskexecutioncount"] == "0"
    assert float(asked.headers["x-cloudtasks-tasketa"]) == desk.clock.now()
    assert "x-cloudtasks-taskpreviousresponse" not in asked.headers
    assert "x-cloudtasks-taskretryreason" not in asked.headers
    assert desk.tasks.settle()
    assert desk.gone(task.name)


@pytest.mark.parametrize("method", ["POST", "GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_every_method_is_sent(desk: Desk, worker: Worker, method: str) -> None:
    desk.task(desk.queue(), worker.url, http_method=method)
    assert worker.next().method == method


def test_the_headers_of_a_retry_tell_what_went_before(desk: Desk, worker: Worker) -> None:
    """As the service was seen to: server errors are no executions, the reason is empty."""
    statuses = (503, 404, 429, 500, 302)
    worker.answer(*statuses)
    desk.task(desk.queue(**retry(min_backoff=10, max_backoff=10)), worker.url)
    seen = []
    for _ in range(len(statuses) + 1):
        headers = worker.next().headers
        seen.append(
            tuple(
                headers.get(f"x-cloudtasks-{name}")
                for name in (
                    "taskretrycount",
                    "taskexecutioncount",
                    "taskpreviousresponse",
                    "taskretryreason",
                )
            )
        )
        assert desk.tasks.settle()
        desk.pass_time(10)
    assert seen == [
        ("0", "0", None, None),
        ("1", "0", "503", ""),
        ("2", "1", "404", ""),
        ("3", "2", "429", ""),
        ("4", "2", "500", ""),
        ("5", "3", "302", ""),
    ]


def test_a_task_waits_for_its_time(desk: Desk, worker: Worker) -> None:
    queue = desk.queue()
    when = desk.clock.now() + limits.SCHEDULE_SECONDS
    task = desk.task(queue, worker.url, schedule_time=at(when))
    assert task.schedule_time.timestamp() == when
    desk.pass_time(limits.SCHEDULE_SECONDS - 1)
    assert worker.idle
    desk.pass_time(1)
    assert float(worker.next().headers["x-cloudtasks-tasketa"]) == when
    assert desk.gone(task.name)


def test_a_time_in_the_past_is_now(desk: Desk, worker: Worker) -> None:
    task = desk.task(desk.queue(), worker.url, schedule_time=at(1))
    assert task.schedule_time.timestamp() == desk.clock.now()
    worker.next()


def test_failures_back_off_as_in_the_example_of_the_documentation(
    desk: Desk, worker: Worker
) -> None:
    waits = (10, 20, 40, 80, 160, 240, 300, 300)
    worker.answer(*[400] * len(waits))
    queue = desk.queue(**retry(min_backoff=10, max_backoff=300, max_doublings=3))
    task = desk.task(queue, worker.url)
    worker.next()
    assert desk.tasks.settle()
    for wait in waits:
        desk.pass_time(wait - 0.001)
        assert worker.idle
        desk.pass_time(0.001)
        worker.next()
    assert desk.gone(task.name)


def test_a_task_is_given_up_after_its_last_attempt(desk: Desk, worker: Worker) -> None:
    worker.answer(500, 500, 500)
    task = desk.task(desk.queue(**retry(max_attempts=3)), worker.url)
    assert desk.tasks.settle()
    desk.pass_time(3600)
    assert [worker.next().headers["x-cloudtasks-taskretrycount"] for _ in range(2)] == ["0", "1"]
    desk.pass_time(3600)
    worker.next()
    assert desk.gone(task.name)
    assert worker.idle


def test_attempts_and_duration_must_both_be_used_up(desk: Desk, worker: Worker) -> None:
    worker.answer(*[500] * 9)
    limits = {"max_attempts": 2, "max_retry_duration": 100, "min_backoff": 30, "max_backoff": 30}
    task = desk.task(desk.queue(**retry(**limits)), worker.url)
    assert desk.tasks.settle()
    for _ in range(3):
        desk.pass_time(30)
        assert not desk.gone(task.name)
    desk.pass_time(30)
    assert desk.gone(task.name)
    assert worker.asked.qsize() == 5


def test_a_task_may_be_retried_in_a_way_of_its_own(desk: Desk, worker: Worker) -> None:
    worker.answer(500)
    task = desk.task(desk.queue(), worker.url, **retry(max_attempts=1))
    worker.next()
    assert desk.tasks.settle()
    assert desk.gone(task.name)


def test_a_worker_that_says_when_to_come_back_is_left_alone_until_then(
    desk: Desk, worker: Worker
) -> None:
    date = email.utils.formatdate(desk.clock.now() + 170, usegmt=True)
    worker.answers.put(Answer(429, {"Retry-After": "120"}))
    worker.answers.put(Answer(503, {"Retry-After": date}))
    desk.task(desk.queue(), worker.url)
    worker.next()
    assert desk.tasks.settle()
    desk.pass_time(119)
    assert worker.idle
    desk.pass_time(1)
    worker.next()
    desk.pass_time(49)
    assert worker.idle
    desk.pass_time(1)
    worker.next()


def test_a_worker_that_does_not_answer_in_time_has_failed(desk: Desk, worker: Worker) -> None:
    worker.go_on.clear()
    queue = desk.queue(**retry(min_backoff=5, max_backoff=5))
    task = desk.task(queue, worker.url, dispatch_deadline=duration(15))
    worker.next()
    desk.clock.advance(14)
    assert desk.client.get_task(name=task.name).response_count == 0
    desk.pass_time(1)
    last = desk.client.get_task(name=task.name).last_attempt
    assert last.response_status.code == 4
    worker.go_on.set()
    desk.pass_time(5)
    headers = worker.next().headers
    assert headers["x-cloudtasks-taskpreviousresponse"] == "504"
    assert headers["x-cloudtasks-taskexecutioncount"] == "0"


def test_a_worker_that_is_not_there_has_failed(desk: Desk) -> None:
    task = desk.task(desk.queue(), "http://127.0.0.1:1/")
    assert desk.tasks.settle()
    shown = desk.client.get_task(name=task.name)
    assert (shown.dispatch_count, shown.response_count) == (1, 0)
    assert shown.last_attempt.response_status.code == 14


def test_a_redirect_is_followed_and_is_no_attempt_of_its_own(desk: Desk, worker: Worker) -> None:
    worker.answers.put(Answer(307, {"Location": "/there"}))
    worker.answers.put(Answer(303, {"Location": f"{worker.url}/elsewhere"}))
    task = desk.task(desk.queue(), worker.url, body=b"x")
    asked = [worker.next() for _ in range(3)]
    assert [(each.method, each.path, each.body) for each in asked] == [
        ("POST", "/", b"x"),
        ("POST", "/there", b"x"),
        ("GET", "/elsewhere", b""),
    ]
    assert desk.tasks.settle()
    assert desk.gone(task.name)


def test_redirects_without_end_are_a_failure(desk: Desk, worker: Worker) -> None:
    for _ in range(9):
        worker.answers.put(Answer(308, {"Location": "/again"}))
    task = desk.task(desk.queue(), worker.url)
    assert desk.tasks.settle()
    assert worker.asked.qsize() == 5
    assert desk.client.get_task(name=task.name).dispatch_count == 1


def test_a_token_is_not_sent_to_whom_a_worker_redirects(desk: Desk, worker: Worker) -> None:
    other = Worker()
    try:
        worker.answers.put(Answer(307, {"Location": other.url}))
        token = {"service_account_email": "robot@example.com"}
        desk.task(desk.queue(), worker.url, oidc_token=token)
        assert "authorization" in worker.next().headers
        assert "authorization" not in other.next().headers
    finally:
        other.stop()


def test_an_id_token_is_verified_by_googles_own_library(desk: Desk, worker: Worker) -> None:
    # That library looks at the real clock, so time must not stand far from it.
    desk.clock.advance(time.time() - desk.clock.now())
    token = {"service_account_email": "robot@example.com"}
    desk.task(desk.queue(), f"{worker.url}/hook", oidc_token=token)
    kind, _, bearer = worker.next().headers["authorization"].partition(" ")
    assert kind == "Bearer"
    claims = id_token.verify_token(
        bearer,
        google.auth.transport.requests.Request(),
        audience=f"{worker.url}/hook",
        certs_url=desk.tasks.certificates_url,
    )
    assert claims["iss"] == "https://accounts.google.com"
    assert claims["email"] == "robot@example.com"
    assert claims["email_verified"] is True
    assert claims["sub"] == claims["azp"]
    assert claims["exp"] - claims["iat"] == 3600


def test_an_access_token_is_for_the_whole_platform_unless_told(desk: Desk, worker: Worker) -> None:
    from base64 import urlsafe_b64decode

    token = {"service_account_email": "robot@example.com"}
    desk.task(desk.queue(), worker.url, oauth_token=token)
    payload = worker.next().headers["authorization"].removeprefix("Bearer local.")
    assert json.loads(urlsafe_b64decode(payload + "==")) == {
        "email": "robot@example.com",
        "scope": "https://www.googleapis.com/auth/cloud-platform",
    }


def test_a_paused_queue_dispatches_nothing_until_it_is_resumed(desk: Desk, worker: Worker) -> None:
    queue = desk.queue()
    assert desk.client.pause_queue(name=queue).state.name == "PAUSED"
    desk.task(queue, worker.url)
    desk.pass_time(3600)
    assert worker.idle
    assert desk.client.resume_queue(name=queue).state.name == "RUNNING"
    worker.next()


def test_a_task_can_be_run_by_hand_though_it_is_not_due_and_its_queue_is_paused(
    desk: Desk, worker: Worker
) -> None:
    worker.answer(500)
    queue = desk.queue(**retry(min_backoff=10, max_backoff=10))
    desk.client.pause_queue(name=queue)
    later = at(desk.clock.now() + 3600)
    task = desk.task(queue, worker.url, schedule_time=later)
    shown = desk.client.run_task(name=task.name)
    assert (shown.dispatch_count, shown.response_count) == (1, 0)
    worker.next()
    assert desk.tasks.settle()
    again = desk.client.get_task(name=task.name)
    assert again.schedule_time.timestamp() == desk.clock.now() + 10
    desk.client.run_task(name=task.name)
    assert worker.next().headers["x-cloudtasks-taskretrycount"] == "1"
    assert desk.tasks.settle()
    assert desk.gone(task.name)


def test_no_more_tasks_are_under_way_than_the_queue_allows(desk: Desk, worker: Worker) -> None:
    queue = desk.queue(rate_limits={"max_concurrent_dispatches": 2})
    worker.go_on.clear()
    for _ in range(5):
        desk.task(queue, worker.url)
    worker.next()
    worker.next()
    report = desk.tasks.report()["queues"]
    assert isinstance(report, dict)
    assert (report[queue]["running"], report[queue]["due"]) == (2, 3)
    worker.go_on.set()
    for _ in range(3):
        worker.next()


def test_no_more_tasks_are_dispatched_in_a_second_than_the_queue_allows(
    desk: Desk, worker: Worker
) -> None:
    queue = desk.queue(rate_limits={"max_dispatches_per_second": 2})
    burst = desk.client.get_queue(name=queue).rate_limits.max_burst_size
    for _ in range(burst + 5):
        desk.task(queue, worker.url)
    assert desk.tasks.settle()
    assert worker.asked.qsize() == burst
    desk.pass_time(0.5)
    assert worker.asked.qsize() == burst + 1
    desk.pass_time(1)
    assert worker.asked.qsize() == burst + 3
    desk.pass_time(100)
    assert worker.asked.qsize() == burst + 5


def test_what_is_deleted_or_purged_while_under_way_comes_no_more(
    desk: Desk, worker: Worker
) -> None:
    queue = desk.queue(**retry(min_backoff=1, max_backoff=1))
    worker.answer(500, 500)
    worker.go_on.clear()
    deleted = desk.task(queue, worker.url)
    desk.task(queue, worker.url)
    worker.next(), worker.next()
    desk.client.delete_task(name=deleted.name)
    purged = desk.client.purge_queue(name=queue)
    assert purged.purge_time.timestamp() == desk.clock.now()
    worker.go_on.set()
    desk.pass_time(3600)
    assert worker.idle
    assert list(desk.client.list_tasks(parent=queue)) == []


def test_a_task_that_is_31_days_old_is_gone(desk: Desk, worker: Worker) -> None:
    queue = desk.queue()
    desk.client.pause_queue(name=queue)
    task = desk.task(queue, worker.url)
    desk.pass_time(limits.RETENTION_SECONDS - 1)
    assert not desk.gone(task.name)
    desk.pass_time(1)
    assert desk.gone(task.name)
    desk.client.resume_queue(name=queue)
    assert worker.idle


def test_a_queue_can_send_its_tasks_elsewhere(desk: Desk, worker: Worker) -> None:
    port = int(worker.url.rsplit(":", 1)[1])
    queue = desk.queue(
        http_target={
            "uri_override": {
                "scheme": "HTTP",
                "host": "127.0.0.1",
                "port": port,
                "path_override": {"path": "/all"},
                "query_override": {"query_params": "k=v"},
            },
            "http_method": "PUT",
            "header_overrides": [{"header": {"key": "X-Mine", "value": "queue"}}],
            "oidc_token": {"service_account_email": "q@example.com", "audience": "them"},
        }
    )
    desk.task(queue, "https://example.com/one?x=y", headers={"x-mine": "task"}, body=b"kept")
    asked = worker.next()
    assert (asked.method, asked.path, asked.body) == ("PUT", "/all?k=v", b"kept")
    assert asked.headers["x-mine"] == "queue"
    assert asked.headers["host"] == f"127.0.0.1:{port}"
    assert "authorization" in asked.headers


def test_what_a_queue_overrides_is_taken_back_with_an_empty_update(
    desk: Desk, worker: Worker
) -> None:
    queue = desk.queue(http_target={"http_method": "PUT"})
    desk.client.update_queue(
        queue={"name": queue}, update_mask=field_mask_pb2.FieldMask(paths=["http_target"])
    )
    desk.task(queue, worker.url)
    assert worker.next().method == "POST"


def test_limits_that_are_lifted_let_go_what_is_waiting(desk: Desk, worker: Worker) -> None:
    queue = desk.queue(rate_limits={"max_concurrent_dispatches": 1})
    worker.go_on.clear()
    for _ in range(3):
        desk.task(queue, worker.url)
    worker.next()
    desk.client.update_queue(
        queue={"name": queue, "rate_limits": {"max_concurrent_dispatches": 3}},
        update_mask=field_mask_pb2.FieldMask(paths=["rate_limits"]),
    )
    worker.next(), worker.next()
    worker.go_on.set()


def test_a_queue_can_add_only_what_a_url_lacks(desk: Desk, worker: Worker) -> None:
    queue = desk.queue(
        http_target={
            "uri_override": {
                "host": "example.com",
                "path_override": {"path": "/all"},
                "query_override": {"query_params": "k=v"},
                "uri_override_enforce_mode": "IF_NOT_EXISTS",
            }
        }
    )
    desk.task(queue, f"{worker.url}/mine")
    assert worker.next().path == "/mine?k=v"


def test_the_inspection_endpoint_tells_what_is_there(desk: Desk, worker: Worker) -> None:
    queue = desk.queue()
    desk.task(queue, worker.url, schedule_time=at(desk.clock.now() + 60))
    with urllib.request.urlopen(desk.tasks.inspection_url, timeout=2) as response:
        report = json.load(response)
    assert report["queues"][queue]["scheduled"] == 1
    assert report["queues"][queue]["next"] == desk.clock.now() + 60
    assert report["memory"]["used"] > 0
    assert report["calls"] == {"CreateQueue OK": 1, "CreateTask OK": 1}
