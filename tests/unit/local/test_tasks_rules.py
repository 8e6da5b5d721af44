"""The small rules of the local Cloud Tasks: back-off, tokens, names, pages, masks, filters."""

import math
from typing import Any

import pytest
from google.cloud.tasks_v2 import types
from google.protobuf import field_mask_pb2
from hypothesis import given
from hypothesis import strategies as st

from crosswind_local import ServiceError
from crosswind_local.memory import Memory
from crosswind_local.tasks import filters, limits, masks, names, pages, queue_settings, statuses
from crosswind_local.tasks.bucket import Bucket
from crosswind_local.tasks.protocol import PAUSED, RUNNING
from crosswind_local.tasks.retry import Retry
from crosswind_local.tasks.tombstones import Tombstones

LOCATION = "projects/demo-project/locations/us-central1"
QUEUE = f"{LOCATION}/queues/orders"


def test_the_waits_are_those_of_the_documented_example() -> None:
    retry = Retry(min_backoff=10, max_backoff=300, max_doublings=3)
    waits = [retry.delay(failures) for failures in range(1, 9)]
    assert waits == [10, 20, 40, 80, 160, 240, 300, 300]


def test_without_doublings_the_wait_grows_by_the_same_step() -> None:
    retry = Retry(min_backoff=2, max_backoff=7, max_doublings=0)
    assert [retry.delay(failures) for failures in range(1, 6)] == [2, 4, 6, 7, 7]


@given(
    st.floats(0, 1e6),
    st.floats(0, 1e6),
    st.integers(0, 2**31 - 1),
    st.integers(1, 2**31 - 1),
)
def test_a_wait_is_never_above_its_bound_and_never_shrinks(
    least: float, more: float, doublings: int, failures: int
) -> None:
    retry = Retry(min_backoff=least, max_backoff=least + more, max_doublings=doublings)
    wait, after = retry.delay(failures), retry.delay(failures + 1)
    assert min(least, least + more) <= wait <= after <= least + more


@pytest.mark.parametrize(
    ("attempts", "duration", "made", "since", "over"),
    [
        (3, 0, 2, 1e9, False),
        (3, 0, 3, 0, True),
        (3, 60, 3, 59, False),
        (3, 60, 2, 60, False),
        (3, 60, 3, 60, True),
        (-1, 60, 1, 60, True),
        (-1, 0, 10**6, 1e9, False),
    ],
)
def test_both_limits_must_be_reached_where_both_are_set(
    attempts: int, duration: float, made: int, since: float, over: bool
) -> None:
    assert Retry(attempts, duration).exhausted(made, since) is over


def test_a_bucket_begins_full_and_fills_steadily() -> None:
    bucket = Bucket(rate=2, size=3, now=0)
    for _ in range(3):
        assert bucket.ready_at(0) == 0
        bucket.take(0)
    assert bucket.ready_at(0) == 0.5
    assert bucket.ready_at(0.25) == 0.5
    bucket.take(0.5)
    assert bucket.ready_at(0.5) == 1
    assert bucket.ready_at(100) == 100
    for _ in range(3):
        bucket.take(100)
    assert bucket.ready_at(100) == 100.5


def test_an_overloaded_worker_halves_the_rate_down_to_a_bound_and_successes_restore_it() -> None:
    bucket = Bucket(rate=1, size=1, now=0)
    bucket.take(0)
    bucket.slow_down(0)
    assert bucket.ready_at(0) == 2
    for _ in range(20):
        bucket.slow_down(0)
    assert bucket.ready_at(0) == 32
    for _ in range(20):
        bucket.speed_up(0)
    assert bucket.ready_at(0) == 1


def test_a_rate_that_is_next_to_nothing_is_never_ready() -> None:
    bucket = Bucket(rate=5e-324, size=1, now=0)
    bucket.take(0)
    bucket.slow_down(0)
    assert bucket.ready_at(1) == math.inf


def test_a_name_rests_for_its_time_and_its_memory_is_given_back() -> None:
    memory = Memory()
    stones = Tombstones(60, memory)
    stones.add("a", 0)
    stones.add("b", 30)
    assert stones.holds("a", 59.9)
    assert not stones.holds("a", 60)
    assert memory.used > 0
    stones.forget_old(90)
    assert memory.used == 0


def test_of_names_nobody_chose_only_the_last_are_remembered() -> None:
    memory = Memory()
    stones = Tombstones(60, memory, most=2)
    for name in "abc":
        stones.add(name, 0)
    assert [stones.holds(name, 1) for name in "abc"] == [False, True, True]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "orders",
        LOCATION,
        f"{LOCATION}/queues/",
        f"{LOCATION}/queues/under_score",
        f"{LOCATION}/queues/{'q' * 101}",
        f"{QUEUE}/tasks/x",
        f"{QUEUE}\n",
        "projects/p/locations/l/queues/ä",
    ],
)
def test_what_is_no_name_of_a_queue_is_refused(name: str) -> None:
    with pytest.raises(ServiceError, match="INVALID_ARGUMENT: Queue name must be formatted"):
        names.check_queue(name)


def test_the_longest_names_pass() -> None:
    names.check_queue(f"{LOCATION}/queues/{'q' * 100}")
    names.check_queue("projects/example.com:p-1/locations/l/queues/A-9")
    assert names.check_task(f"{QUEUE}/tasks/{'_' * 500}") == QUEUE


@pytest.mark.parametrize("task_id", ["", "a b", "t" * 501, "ü", "a/b"])
def test_what_is_no_name_of_a_task_is_refused(task_id: str) -> None:
    with pytest.raises(ServiceError, match="INVALID_ARGUMENT: Task ID"):
        names.check_task(f"{QUEUE}/tasks/{task_id}")


@given(st.sets(st.text("abc", min_size=1, max_size=4), max_size=20), st.integers(0, 7))
def test_pages_hold_every_name_once_and_in_order(there: set[str], size: int) -> None:
    seen: list[str] = []
    token = ""
    while True:
        shown, token = pages.page(there, size=size, token=token, most=5, of="x", now=0.0)
        assert len(shown) <= min(size or 5, 5)
        seen += shown
        if not token:
            break
    assert seen == sorted(there)


def test_a_page_token_is_good_for_two_hours_and_one_list() -> None:
    _, token = pages.page("ab", size=1, token="", most=9, of="list", now=0.0)

    def again(of: str, now: float) -> list[str]:
        return pages.page("ab", size=1, token=token, most=9, of=of, now=now)[0]

    assert again("list", limits.PAGE_TOKEN_SECONDS) == ["b"]
    with pytest.raises(ServiceError, match="expired"):
        again("list", limits.PAGE_TOKEN_SECONDS + 1.0)
    with pytest.raises(ServiceError, match="Invalid page_token"):
        again("other", 0.0)


@given(st.text())
def test_a_made_up_page_token_is_refused(token: str) -> None:
    if token:
        with pytest.raises(ServiceError, match="Invalid page_token"):
            pages.page("ab", size=1, token=token, most=9, of="list", now=0.0)


def queue(**settings: object) -> Any:
    resource = types.Queue.pb()(name=QUEUE, **settings)
    queue_settings.complete(resource)
    return resource


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("", True),
        ("state: RUNNING", True),
        ("state=PAUSED", False),
        ("state != PAUSED AND name:orders", True),
        (f'name = "{QUEUE}"', True),
        ("rate_limits.max_dispatches_per_second >= 500", True),
        ("rateLimits.maxDispatchesPerSecond < 500", False),
        ("retry_config.max_backoff <= 3600s AND retry_config.max_attempts = 100", True),
        ("retry_config.min_backoff > 1", False),
    ],
)
def test_a_filter_lets_pass_what_it_says(text: str, passes: bool) -> None:
    assert filters.parse(text)(queue()) is passes


@pytest.mark.parametrize(
    "text",
    ["state", "state=", "NOT state=RUNNING", "(state=RUNNING)", "a=b", "rate_limits=1",
     "state=A OR state=B", "state=A state=B", "state=A AND", "retry_config.max_attempts=x",
     "name.x=y", "http_target.header_overrides=1", "x" * 3_000],
)  # fmt: skip
def test_a_filter_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ServiceError, match="INVALID_ARGUMENT: Invalid filter"):
        filters.parse(text)


@given(st.text(alphabet='nameste=:<>!"()\\ .AND5ORu', max_size=60))
def test_any_text_is_a_filter_or_refused(text: str) -> None:
    try:
        matches = filters.parse(text)
    except ServiceError:
        return  # a refusal; whatever else is raised fails the test
    assert matches(queue()) in (True, False)


def changed(paths: list[str], **changes: object) -> Any:
    return masks.update(
        queue(),
        types.Queue.pb()(name=QUEUE, **changes),
        field_mask_pb2.FieldMask(paths=paths),
        mutable=queue_settings.MUTABLE,
        fixed=queue_settings.FIXED,
    )


def test_an_update_changes_what_the_mask_names_and_an_empty_mask_everything() -> None:
    rates = types.RateLimits.pb()(max_dispatches_per_second=7)
    only = changed(["rate_limits.max_dispatches_per_second"], rate_limits=rates)
    assert only.rate_limits.max_dispatches_per_second == 7
    assert only.rate_limits.max_concurrent_dispatches == 1_000
    whole = changed([], rate_limits=rates)
    assert whole.rate_limits.max_concurrent_dispatches == 0
    assert not whole.HasField("retry_config")


def test_what_is_output_only_is_left_alone_and_what_there_is_not_is_refused() -> None:
    same = changed(["state", "name"], state=PAUSED)
    assert same.state == RUNNING
    for path in ("nope", "rate_limits.nope", "name.x", "http_target.header_overrides.header", ""):
        with pytest.raises(ServiceError, match="INVALID_ARGUMENT: Invalid update_mask"):
            changed([path])


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (204, "OK(0): HTTP status code 204"),
        (404, "NOT_FOUND(5): HTTP status code 404"),
        (503, "UNAVAILABLE(14): HTTP status code 503"),
        (418, "UNKNOWN(2): HTTP status code 418"),
    ],
)
def test_a_status_has_its_code(status: int, message: str) -> None:
    assert statuses.describe(status) == message


@pytest.mark.parametrize(("rate", "size"), [(1, 10), (0.1, 10), (100, 20), (500, 100)])
def test_a_bucket_is_as_large_as_the_service_was_seen_to_make_it(rate: float, size: int) -> None:
    assert queue_settings.burst(rate) == size
