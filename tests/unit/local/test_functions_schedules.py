"""When timers of Azure Functions are due."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswind_local.functions_host.schedules import Cron, InvalidSchedule, read_schedule


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("expression", "start", "due"),
    [
        ("0 */5 * * * *", "2026-01-01T00:00:00", "2026-01-01T00:05:00"),
        ("0 */5 * * * *", "2026-01-01T00:04:59.5", "2026-01-01T00:05:00"),
        ("0 0 * * * *", "2026-01-01T22:00:00", "2026-01-01T23:00:00"),
        ("0 30 9 * * 1-5", "2026-01-02T09:30:00", "2026-01-05T09:30:00"),
        ("0 30 9 * * Mon-Fri", "2026-01-02T10:00:00", "2026-01-05T09:30:00"),
        ("0 0 0 29 2 *", "2026-03-01T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 0 * feb,apr *", "2026-02-28T00:00:00", "2026-04-01T00:00:00"),
        ("5,8,10 * * * * *", "2026-01-01T00:00:08", "2026-01-01T00:00:10"),
        ("0 5-10 * * * *", "2026-01-01T00:10:00", "2026-01-01T01:05:00"),
        ("30 10/20 * * * *", "2026-01-01T00:10:30", "2026-01-01T00:30:30"),
        ("15 3 * * *", "2026-01-01T03:15:00", "2026-01-02T03:15:00"),
        # Unlike with cron, a day and a day of the week must both be right.
        ("0 0 0 13 * Fri", "2026-01-01T00:00:00", "2026-02-13T00:00:00"),
    ],
)
def test_the_next_time_is_that_of_the_documentation(expression: str, start: str, due: str) -> None:
    assert Cron(expression).after(at(start)) == at(due)


def test_a_time_span_is_counted_from_the_last_call() -> None:
    assert read_schedule("1.02:00:00", "UTC").after(at("2026-01-01T00:00:01")) == at(
        "2026-01-02T02:00:01"
    )


def test_the_time_zone_counts() -> None:
    assert Cron("0 0 9 * * *", "Europe/Berlin").after(at("2026-07-01T00:00:00")) == at(
        "2026-07-01T07:00:00"
    )


def test_an_hour_that_the_clocks_skip_is_passed_over() -> None:
    # On 29 March 2026 there is no half past two in Berlin.
    assert Cron("0 30 2 * * *", "Europe/Berlin").after(at("2026-03-28T12:00:00")) == at(
        "2026-03-30T00:30:00"
    )


def test_an_hour_that_the_clocks_repeat_counts_once() -> None:
    schedule = Cron("0 30 2 * * *", "Europe/Berlin")
    first = schedule.after(at("2026-10-24T12:00:00"))

    assert first == at("2026-10-25T00:30:00")
    assert schedule.after(first) == at("2026-10-26T01:30:00")


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("* * *", "3 fields"),
        ("60 * * * * *", "'60' is not in 0-59"),
        ("0 0 0 0 * *", "'0' is not in 1-31"),
        ("0 0 0 * * 7", "'7' is not in 0-6"),
        ("0 9-5 * * * *", "runs backwards"),
        ("0 */0 * * * *", "no step"),
        ("0 0 0 30 2 *", "never due"),
        ("00:00:00", "no time"),
        ("25:00:00", "hours end at 23"),
        ("@daily", "1 fields"),
    ],
)
def test_what_is_no_schedule_says_why(expression: str, fault: str) -> None:
    with pytest.raises(InvalidSchedule, match=fault):
        read_schedule(expression, "UTC")


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(InvalidSchedule, match="'Nowhere' is unknown"):
        read_schedule("0 0 * * * *", "Nowhere")


@given(st.text(st.sampled_from("0123456789*/-,: JanMof"), max_size=24))
def test_any_text_is_a_schedule_or_refused(text: str) -> None:
    try:
        schedule = read_schedule(text, "UTC")
    except InvalidSchedule:
        return
    assert schedule.after(at("2026-01-01T00:00:00")) > at("2026-01-01T00:00:00")


numbers = st.integers(0, 59).map(str)


@settings(max_examples=40, deadline=None)
@given(
    numbers | st.sampled_from(["*/7", "1-20/3"]),
    numbers | st.sampled_from(["*", "*/13", "10-12"]),
    st.sampled_from(["*", "3", "*/5", "22-23"]),
    st.integers(0, 3 * 86_400),
)
def test_no_time_is_missed_and_none_invented(
    second: str, minute: str, hour: str, ahead: int
) -> None:
    schedule = Cron(f"{second} {minute} {hour} * * *")
    start = at("2026-01-30T00:00:00") + ahead
    due = schedule.after(start)

    def matches(text: str, value: int, most: int) -> bool:
        span, _, step = text.partition("/")
        first, _, last = ("0-" + str(most) if span == "*" else span).partition("-")
        within = range(int(first), int(last or (most if step else first)) + 1, int(step or 1))
        return value in within

    moment = datetime.fromtimestamp(start, UTC)
    while True:
        moment += timedelta(seconds=1)
        if (
            matches(hour, moment.hour, 23)
            and matches(minute, moment.minute, 59)
            and matches(second, moment.second, 59)
        ):
            break
    assert due == moment.timestamp()
