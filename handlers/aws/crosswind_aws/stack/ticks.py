"""Schedules of an app, as schedules of EventBridge Scheduler that send ticks to a group's queue.

A schedule of AWS runs at whole minutes. One that is wanted more often, or at other distances,
becomes several, each of which sends to the queue with a delay of its own:

    every 30 s    each minute, at once    |  each minute, 30 s later
    every 90 s    every third minute, at once  |  every third minute, 90 s later

What is sent is the tick itself; AWS fills in the time for which the schedule was set, and as the
tick's id derives from that alone, a schedule that is run twice makes one tick. A delayed tick says
that minute as well: it is at most a few seconds older than it should be, and never younger.

Sources: docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html (cron, rate, time
zones), .../managing-schedule-context-attributes.html (what is filled in), and
.../managing-targets-universal.html (a delay needs SendMessage itself as target).
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from crosswind.fleet.cron import read_cron
from crosswind.stacks.release import NotDeployable
from crosswind_aws.deployment import LONGEST_DELAY
from crosswind_events.catalogue.schedule import Tick

if TYPE_CHECKING:
    from crosswind.stacks.release import Timed

SCHEDULED: Final = "<aws.scheduler.scheduled-time>"
"""Where AWS puts the time for which a schedule was set, such as 2026-03-22T18:59:00Z."""

MOST: Final = 12
"""Schedules of AWS that one of an app may become: a tick every five seconds."""

_WEEKDAYS: Final = 7
_MONTHS: Final = 12
_HOURS: Final = 24
_DAYS: Final = 31
_MINUTE: Final = 60
_HOUR: Final = 3_600
_DAY: Final = 86_400


class Times(NamedTuple):
    """When something is due, as AWS says it.

    Attributes:
        expression: of the schedule.
        delays: seconds after it, one for each schedule that is needed.
    """

    expression: str
    delays: tuple[int, ...] = (0,)


def times(schedule: Timed) -> Times:
    """When a schedule is due.

    Raises:
        NotDeployable: AWS cannot do that; says what it can.
    """
    if schedule.every is not None:
        return _every(schedule.name, schedule.every)
    assert schedule.cron is not None, "a schedule has either"
    return Times(_cron(schedule.name, schedule.cron))


def tick(schedule: Timed, app: str, delay: int) -> str:
    """The event that a schedule sends, as it stands in the template."""
    event = {
        "specversion": "1.0",
        "id": f"tick {schedule.name} {SCHEDULED}" + (f" +{delay}" if delay else ""),
        "source": f"//crosswind/{app}/schedule",
        "type": Tick.event_type,
        "subject": schedule.name,
        "time": SCHEDULED,
        "datacontenttype": "application/json",
        "schedule": schedule.name,
        "data": {"schedule": schedule.name, "due": SCHEDULED},
    }
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def _every(name: str, every: float) -> Times:
    seconds = round(every)
    period = math.lcm(seconds, _MINUTE) if seconds == every and seconds else 0
    count = period // seconds if period else 0
    delays = tuple(n * seconds for n in range(count))
    if not 0 < count <= MOST or delays[-1] > LONGEST_DELAY:
        raise NotDeployable(
            f"schedule {name}: every={every:g} needs more schedules of AWS than the {MOST} that "
            "are allowed; use a whole number of minutes, or 5, 6, 10, 12, 15, 20 or 30 seconds"
        )
    return Times(_period(name, period, count), delays)


def _period(name: str, period: int, count: int) -> str:
    """A whole number of minutes: on the clock where that is even, as several must keep step."""
    minutes = period // _MINUTE
    if period == _HOUR:
        return "cron(0 * * * ? *)"
    if _HOUR % period == 0:
        return f"cron(0/{minutes} * * * ? *)" if minutes > 1 else "cron(* * * * ? *)"
    if period % _HOUR == 0 and _DAY % period == 0:
        return f"cron(0 0/{period // _HOUR} * * ? *)"
    if count == 1:
        return f"rate({minutes} minutes)"
    raise NotDeployable(
        f"schedule {name}: {count} ticks in {minutes} minutes do not keep step with the clock; use "
        "a whole number of minutes"
    )


def _cron(name: str, line: str) -> str:
    """Five fields as the six of AWS, in which one of the two kinds of day is `?`."""
    try:
        cron = read_cron(line)
    except ValueError as error:
        raise NotDeployable(f"schedule {name}: {line!r} {error}") from error
    by_month, by_week = len(cron.days) < _DAYS, len(cron.weekdays) < _WEEKDAYS
    if by_month and by_week:
        raise NotDeployable(
            f"schedule {name}: {line!r} restricts the day of the month and the day of the week, "
            "which AWS cannot do in one schedule; make two of it"
        )
    fields = (
        _listed(cron.minutes, _MINUTE),
        _listed(cron.hours, _HOURS),
        "?" if by_week else _listed(cron.days, _DAYS),
        _listed(cron.months, _MONTHS),
        # From 1 for Sunday, where a cron line counts from 0.
        _listed({day + 1 for day in cron.weekdays}, _WEEKDAYS) if by_week else "?",
        "*",
    )
    return f"cron({' '.join(fields)})"


def _listed(values: Collection[int], all_of_them: int) -> str:
    return "*" if len(values) == all_of_them else ",".join(map(str, sorted(values)))


def delayed(event: str, queue: str, delay: int) -> dict[str, Any]:
    """What is asked of SQS so that an event comes to a queue of the template some time later.

    Args:
        event: as `tick` makes it.
        delay: seconds.
    """
    asked = json.dumps(
        {"MessageBody": event, "DelaySeconds": delay, "QueueUrl": "${Queue}"},
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return {"Fn::Sub": [asked, {"Queue": {"Ref": queue}}]}
