"""What the documentation says of queues and tasks, as the official SDK sees it."""

import uuid
from typing import Any

import pytest
from google.api_core import exceptions
from google.protobuf import duration_pb2, field_mask_pb2, timestamp_pb2

from local.tasks.desk import URL, Office, refused

DAY = 86_400


def now_and(seconds: float) -> Any:
    stamp = timestamp_pb2.Timestamp()
    stamp.GetCurrentTime()
    stamp.seconds += int(seconds)
    return stamp


# Queues


def test_a_new_queue_runs_with_the_documented_defaults(office: Office) -> None:
    name = office.name()
    queue = office.client.create_queue(parent=office.location, queue={"name": name})
    assert queue == office.client.get_queue(name=name)
    assert queue.state.name == "RUNNING"
    assert queue.rate_limits.max_dispatches_per_second == 500
    assert queue.rate_limits.max_concurrent_dispatches == 1_000
    assert queue.retry_config.max_attempts == 100
    assert queue.retry_config.max_doublings == 16
    assert queue.retry_config.min_backoff.total_seconds() == 0.1
    assert queue.retry_config.max_backoff.total_seconds() == 3_600
    office.client.delete_queue(name=name)


def test_a_queue_there_already_is_not_created(office: Office) -> None:
    queue = office.queue()
    with refused(exceptions.AlreadyExists, "Queue already exists"):
        office.client.create_queue(parent=office.location, queue={"name": queue.name})


def test_the_name_of_a_deleted_queue_rests(office: Office) -> None:
    name = office.queue().name
    office.client.delete_queue(name=name)
    with refused(exceptions.NotFound, "Queue does not exist"):
        office.client.get_queue(name=name)
    with refused(exceptions.FailedPrecondition, "existed too recently"):
        office.client.create_queue(parent=office.location, queue={"name": name})


def test_what_a_queue_that_there_is_not_is_asked_is_not_found(office: Office) -> None:
    name = office.name()
    client = office.client
    for ask in (client.get_queue, client.pause_queue, client.resume_queue, client.purge_queue):
        with refused(exceptions.NotFound, "Queue does not exist"):
            ask(name=name)
    with refused(exceptions.NotFound, "Requested entity was not found"):
        client.delete_queue(name=name)
    with refused(exceptions.NotFound, "Queue does not exist"):
        office.task(name)


def test_an_update_changes_what_the_mask_names(office: Office) -> None:
    queue = office.queue(rate_limits={"max_dispatches_per_second": 5})
    updated = office.client.update_queue(
        queue={"name": queue.name, "rate_limits": {"max_concurrent_dispatches": 3}},
        update_mask=field_mask_pb2.FieldMask(paths=["rate_limits.max_concurrent_dispatches"]),
    )
    assert updated.rate_limits.max_concurrent_dispatches == 3
    assert updated.rate_limits.max_dispatches_per_second == 5
    assert updated.state.name == "PAUSED"


def test_an_update_of_a_queue_that_there_is_not_creates_it(office: Office) -> None:
    name = office.name()
    queue = office.client.update_queue(queue={"name": name})
    assert queue.state.name == "RUNNING"
    office.client.delete_queue(name=name)


def test_queues_are_listed_in_pages_and_by_filter(office: Office) -> None:
    names = sorted(office.queue().name for _ in range(3))
    running = office.client.resume_queue(name=names[0]).name
    listed = office.client.list_queues(request={"parent": office.location, "page_size": 2})
    assert [queue.name for queue in listed if queue.name in names] == names
    paused = office.client.list_queues(
        request={"parent": office.location, "filter": "state: PAUSED"}
    )
    there = [queue.name for queue in paused]
    assert running not in there
    assert set(names[1:]) <= set(there)


@pytest.mark.parametrize(
    "settings",
    [
        {"rate_limits": {"max_dispatches_per_second": 501}},
        {"rate_limits": {"max_dispatches_per_second": -1}},
        {"rate_limits": {"max_concurrent_dispatches": 5_001}},
        {"retry_config": {"max_attempts": -2}},
        {"retry_config": {"max_doublings": -1}},
        {
            "retry_config": {
                "min_backoff": duration_pb2.Duration(seconds=9),
                "max_backoff": duration_pb2.Duration(seconds=8),
            }
        },
        {"stackdriver_logging_config": {"sampling_ratio": 1.5}},
        {"http_target": {"uri_override": {"host": ""}}},
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(office: Office, settings: dict[str, Any]) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        office.queue(**settings)


@pytest.mark.parametrize("queue_id", ["", "under_score", "q" * 101])
def test_a_name_that_is_none_is_refused(office: Office, queue_id: str) -> None:
    with refused(exceptions.InvalidArgument, "Queue name must be formatted"):
        office.client.create_queue(
            parent=office.location, queue={"name": f"{office.location}/queues/{queue_id}"}
        )


# Tasks


def test_a_task_is_taken_in_and_shown(office: Office) -> None:
    queue = office.queue().name
    task = office.task(queue, headers={"X-Mine": "1", "Host": "other"}, body=b"content")
    assert task.name.startswith(f"{queue}/tasks/")
    assert task.view.name == "FULL"
    assert task.http_request.body == b"content"
    assert dict(task.http_request.headers) == {"X-Mine": "1", "User-Agent": "Google-Cloud-Tasks"}
    assert task.http_request.http_method.name == "POST"
    assert task.dispatch_deadline.total_seconds() == 600
    assert (task.dispatch_count, task.response_count) == (0, 0)
    assert task.create_time.microsecond == 0
    basic = office.client.get_task(name=task.name)
    assert basic.view.name == "BASIC"
    assert basic.http_request.body == b""
    (listed,) = office.client.list_tasks(request={"parent": queue, "response_view": "FULL"})
    assert listed == task


def test_the_name_of_a_task_guards_against_duplicates_also_when_it_is_gone(office: Office) -> None:
    queue = office.queue().name
    name = f"{queue}/tasks/order-1"
    office.task(queue, {"name": name})
    with pytest.raises(exceptions.AlreadyExists):
        office.task(queue, {"name": name})
    office.client.delete_task(name=name)
    with pytest.raises(exceptions.AlreadyExists):
        office.task(queue, {"name": name})
    with refused(exceptions.NotFound, "existed recently"):
        office.client.get_task(name=name)


def test_a_task_that_never_was_is_not_found(office: Office) -> None:
    name = f"{office.queue().name}/tasks/nope"
    for ask in (office.client.get_task, office.client.delete_task, office.client.run_task):
        with refused(exceptions.NotFound, "Requested entity was not found"):
            ask(name=name)


def test_a_task_is_named_in_its_queue(office: Office) -> None:
    queue = office.queue().name
    with refused(exceptions.InvalidArgument, "must be the same as the queue name"):
        office.task(queue, {"name": f"{queue}-other/tasks/x"})
    with refused(exceptions.InvalidArgument, 'Task ID "not valid" can contain'):
        office.task(queue, {"name": f"{queue}/tasks/not valid"})


def test_a_task_may_wait_for_30_days_and_no_more(office: Office) -> None:
    queue = office.queue().name
    when = now_and(30 * DAY - 60)
    task = office.task(queue, {"schedule_time": when})
    assert int(task.schedule_time.timestamp()) == when.seconds
    with pytest.raises(exceptions.InvalidArgument):
        office.task(queue, {"schedule_time": now_and(30 * DAY + 60)})


@pytest.mark.parametrize(
    ("seconds", "fits"), [(14, False), (15, True), (1800, True), (1801, False)]
)
def test_a_worker_is_given_15_seconds_to_half_an_hour(
    office: Office, seconds: int, fits: bool
) -> None:
    queue = office.queue().name
    deadline = {"dispatch_deadline": duration_pb2.Duration(seconds=seconds)}
    if fits:
        assert office.task(queue, deadline).dispatch_deadline.total_seconds() == seconds
    else:
        with pytest.raises(exceptions.InvalidArgument):
            office.task(queue, deadline)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"url": ""}, "HttpRequest.url is required"),
        ({"url": "example.com"}, "must start with 'http://' or 'https://'"),
        ({"url": "ftp://example.com"}, "must start with 'http://' or 'https://'"),
        ({"url": f"https://example.com/{'x' * 2_083}"}, "url"),
        ({"http_method": "GET", "body": b"x"}, "body"),
        ({"http_method": "DELETE", "body": b"x"}, "body"),
        ({"body": b"x" * 110_000}, "task"),
        ({"headers": {"X-Large": "x" * 81_920}}, "headers"),
        ({"oidc_token": {"service_account_email": ""}}, "service_account_email"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_request_that_cannot_be_sent_is_refused(
    office: Office, request_: dict[str, Any], message: str
) -> None:
    queue = office.queue().name
    with refused(exceptions.InvalidArgument, message):
        office.task(queue, **request_)


def test_a_purge_removes_every_task_and_says_when(office: Office) -> None:
    queue = office.queue().name
    names = {office.task(queue).name for _ in range(3)}
    assert {task.name for task in office.client.list_tasks(parent=queue)} == names
    assert "purge_time" not in office.client.get_queue(name=queue)
    assert office.client.purge_queue(name=queue).purge_time.timestamp() > 0


def test_tasks_are_listed_in_pages(office: Office) -> None:
    queue = office.queue().name
    names = {office.task(queue).name for _ in range(5)}
    pager = office.client.list_tasks(request={"parent": queue, "page_size": 2})
    pages = [[task.name for task in page.tasks] for page in pager.pages]
    assert all(len(page) <= 2 for page in pages)
    assert {name for page in pages for name in page} == names
    with pytest.raises(exceptions.InvalidArgument):
        list(office.client.list_tasks(request={"parent": queue, "page_token": "made up"}))


# Batches


def test_a_batch_creates_what_can_be_and_tells_what_cannot(office: Office) -> None:
    queue = office.queue().name
    good = {"parent": queue, "task": {"http_request": {"url": URL}}}
    bad = {"parent": queue, "task": {"http_request": {"url": "nope"}}}
    operation = office.client.batch_create_tasks(parent=queue, requests=[good, bad, good])
    assert len(operation.result(timeout=60).tasks) == 2
    assert operation.metadata.state.name == "PARTIALLY_SUCCEEDED"
    assert [(at, error.code) for at, error in operation.metadata.failed_requests.items()] == [
        (1, 3)
    ]
    assert len(list(office.client.list_tasks(parent=queue))) == 2


def test_a_batch_deletes_and_one_of_which_nothing_succeeds_is_aborted(office: Office) -> None:
    queue = office.queue().name
    names = [office.task(queue).name for _ in range(3)]
    request = {"parent": queue, "names": names, "request_id": str(uuid.uuid4())}
    deleted = office.client.batch_delete_tasks(request=request)
    deleted.result(timeout=60)
    assert deleted.metadata.state.name == "SUCCEEDED"
    # The same again is the same operation, not another that finds nothing.
    office.client.batch_delete_tasks(request=request).result(timeout=60)
    again = office.client.batch_delete_tasks(parent=queue, names=names)
    with refused(exceptions.Aborted, "None of the requests succeeded"):
        again.result(timeout=60)


# Not here, only in the service


@pytest.mark.needs("refusal")
def test_what_is_not_here_is_refused_and_says_so(office: Office) -> None:
    client, queue = office.client, office.queue().name
    app = {"app_engine_http_request": {"relative_uri": "/"}}
    with refused(exceptions.MethodNotImplemented, "App Engine targets"):
        client.create_task(parent=queue, task=app)
    with refused(exceptions.MethodNotImplemented, "app_engine_routing_override"):
        office.queue(app_engine_routing_override={"service": "x"})
    with refused(exceptions.MethodNotImplemented, "access policies"):
        client.get_iam_policy(resource=queue)
    with refused(exceptions.MethodNotImplemented, "encryption keys"):
        client.get_cmek_config(name=f"{office.location}/cmekConfig")
    with refused(exceptions.MethodNotImplemented, "locations"):
        client.list_locations({"name": "projects/demo-project"})
