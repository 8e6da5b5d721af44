"""Schedules of an app, as those of EventBridge Scheduler."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from crosswind.stacks.release import NotDeployable, Timed
from crosswind_aws.stack import ticks
from crosswind_events import Codec
from crosswind_events.catalogue.schedule import Tick


def every(seconds: float) -> Timed:
    return Timed("look", "clock", None, seconds, "UTC")


def cron(line: str) -> Timed:
    return Timed("look", "clock", line, None, "UTC")


@pytest.mark.parametrize(
    ("seconds", "expression", "delays"),
    [
        (60, "cron(* * * * ? *)", (0,)),
        (30, "cron(* * * * ? *)", (0, 30)),
        (5, "cron(* * * * ? *)", tuple(range(0, 60, 5))),
        (90, "cron(0/3 * * * ? *)", (0, 90)),
        (300, "cron(0/5 * * * ? *)", (0,)),
        (3_600, "cron(0 * * * ? *)", (0,)),
        (7_200, "cron(0 0/2 * * ? *)", (0,)),
        (420, "rate(7 minutes)", (0,)),
        (172_800, "rate(2880 minutes)", (0,)),
    ],
)
def test_every_so_many_seconds(seconds: float, expression: str, delays: tuple[int, ...]) -> None:
    assert ticks.times(every(seconds)) == (expression, delays)


@pytest.mark.parametrize("seconds", [0.5, 1, 4, 7, 59, 61, 100.5, 1_001])
def test_what_needs_too_many_schedules_is_refused(seconds: float) -> None:
    with pytest.raises(NotDeployable, match="whole number of minutes"):
        ticks.times(every(seconds))


@pytest.mark.parametrize(
    ("line", "expression"),
    [
        ("0 2 * * *", "cron(0 2 * * ? *)"),
        ("*/15 * * * *", "cron(0,15,30,45 * * * ? *)"),
        ("0 9 * * MON-FRI", "cron(0 9 ? * 2,3,4,5,6 *)"),
        ("0 9 * * 0", "cron(0 9 ? * 1 *)"),
        ("0 9 * * 7", "cron(0 9 ? * 1 *)"),
        ("30 6 1 1,7 *", "cron(30 6 1 1,7 ? *)"),
    ],
)
def test_a_cron_line_of_five_fields_becomes_one_of_six(line: str, expression: str) -> None:
    assert ticks.times(cron(line)).expression == expression


@pytest.mark.parametrize("line", ["0 9 1 * MON", "0 9 */2 * 1-5"])
def test_days_of_both_kinds_are_refused_as_aws_cannot_have_them(line: str) -> None:
    with pytest.raises(NotDeployable, match="make two of it"):
        ticks.times(cron(line))


def test_a_line_that_is_none_is_refused_with_what_may_stand_there() -> None:
    with pytest.raises(NotDeployable, match="is no minute"):
        ticks.times(cron("60 * * * *"))


@pytest.mark.parametrize("delay", [0, 30])
def test_what_is_sent_is_a_tick_once_aws_has_filled_in_the_time(delay: int) -> None:
    template = ticks.tick(every(30), "ops", delay)
    if delay:
        (words, given) = ticks.delayed(template, "ClockQueue", delay)["Fn::Sub"]
        asked = json.loads(words.replace("${Queue}", "https://sqs.example.com/queue"))
        assert asked["DelaySeconds"] == delay
        assert given == {"Queue": {"Ref": "ClockQueue"}}
        template = asked["MessageBody"]
    sent = template.replace(ticks.SCHEDULED, "2026-03-22T18:59:00Z")
    event = Codec([Tick]).decode(sent)
    due = datetime(2026, 3, 22, 18, 59, tzinfo=UTC)
    assert event.data == Tick(schedule="look", due=due)
    assert event.time == due
    assert event.extensions["schedule"] == "look"


def test_ticks_of_one_minute_have_ids_of_their_own_and_a_repeated_one_has_the_same() -> None:
    first, second = (json.loads(ticks.tick(every(30), "ops", delay))["id"] for delay in (0, 30))
    assert first != second
    assert first == json.loads(ticks.tick(every(30), "ops", 0))["id"]
