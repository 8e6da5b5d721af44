"""Cron lines, as the library that sends ticks reads them, and as people write them wrongly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim, CronSimError
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswind.fleet.cron import read_cron

DAY = 86_400.0
BERLIN = ZoneInfo("Europe/Berlin")


def part(least: int, most: int) -> st.SearchStrategy[str]:
    number = st.integers(least, most)
    spans = st.sets(number, min_size=2, max_size=2).map(lambda ends: f"{min(ends)}-{max(ends)}")
    # Not over spans of one number: the library takes `1-1/2` for `1/2`.
    steps = st.tuples(st.sampled_from(["*"]) | spans, st.integers(1, 40)).map(
        lambda both: f"{both[0]}/{both[1]}"
    )
    one = st.just("*") | number.map(str) | spans | steps
    return st.lists(one, min_size=1, max_size=3).map(",".join) | one


LINES = st.tuples(
    part(0, 59), part(0, 23), part(1, 31), part(1, 12) | st.just("FEB"), part(0, 7) | st.just("fri")
).map(" ".join)


@settings(max_examples=200, deadline=None)
@given(LINES, st.integers(1_600_000_000, 2_000_000_000), st.integers(1, 40))
def test_a_line_falls_due_when_the_scheduler_would_send_its_tick(
    line: str, now: int, days: int
) -> None:
    try:
        before = CronSim(line, datetime.fromtimestamp(now + 1, UTC), reverse=True)
    except CronSimError:
        with pytest.raises(ValueError, match="never falls due"):
            read_cron(line)
        return
    due = next(before, None)
    known = due is not None and now - due.timestamp() <= days * DAY
    expected = due.timestamp() if due is not None and known else None
    assert read_cron(line).latest(now, days * DAY) == expected


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "is not a cron line; write minute, hour,"),
        ("0 18 * *", "is not a cron line; write minute, hour,"),
        ("0 0 18 * * 5", "is not a cron line; write minute, hour,"),
        ("* " * 200, "is not a cron line; write minute, hour,"),
        ("60 * * * *", "'60' is no minute; write numbers from 0 to 59, alone, as 1-5,"),
        ("0 24 * * *", "'24' is no hour; write numbers from 0 to 23"),
        ("0 0 0 * *", "'0' is no day of the month; write numbers from 1 to 31"),
        ("0 0 * 13 *", "'13' is no month; write numbers from 1 to 12 or JAN and so on"),
        ("0 0 * * FREITAG", "'FREITAG' is no day of the week; write numbers from 0 to 7 or SUN"),
        ("0 0 * * FRI-MON", "'FRI-MON' is no day of the week"),
        ("*/0 * * * *", "'*/0' is no minute"),
        ("1,,2 * * * *", "'' is no minute"),
        ("٣ * * * *", "'٣' is no minute"),
        ("0 0 L * *", "'L' is no day of the month"),
        ("0 0 30 2 *", "is a cron line that never falls due"),
    ],
)
def test_what_is_no_line_says_which_field_and_what_may_stand_there(line: str, reason: str) -> None:
    with pytest.raises(ValueError, match="cron line") as caught:
        read_cron(line)
    assert reason in str(caught.value)


def berlin(year: int, month: int, day: int, hour: int, minute: int) -> float:
    return datetime(year, month, day, hour, minute, tzinfo=BERLIN).timestamp()


def test_a_line_follows_the_clock_of_its_time_zone() -> None:
    evening = read_cron("0 18 * * FRI")
    friday = berlin(2026, 7, 3, 18, 0)
    assert datetime.fromtimestamp(friday, UTC).hour == 16
    assert evening.latest(friday, DAY, BERLIN) == friday
    assert evening.latest(friday - 1, DAY, BERLIN) is None
    assert evening.latest(friday + DAY, DAY, BERLIN) == friday
    assert evening.latest(friday + DAY + 1, DAY, BERLIN) is None


def test_a_time_that_the_clock_skips_counts_as_when_it_would_have_been() -> None:
    # On this night the clock goes from 02:00 to 03:00.
    half_past_two = read_cron("30 2 * * *")
    assert half_past_two.latest(berlin(2026, 3, 29, 4, 0), DAY / 8, BERLIN) == (
        berlin(2026, 3, 29, 3, 30)
    )


def test_a_time_that_the_clock_shows_twice_counts_the_first_time() -> None:
    # On this night the clock goes from 03:00 back to 02:00.
    half_past_two = read_cron("30 2 * * *")
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()
    for later in (timedelta(minutes=1), timedelta(hours=1, minutes=1), timedelta(hours=5)):
        now = first + later.total_seconds()
        assert half_past_two.latest(now, DAY / 2, BERLIN) == first
