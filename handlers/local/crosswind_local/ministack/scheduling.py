"""EventBridge Scheduler as AWS documents it, in place of ministack's own sweep over its schedules.

Run by the launcher in ministack's environment: it imports nothing of this package. What ministack
1.5.33 leaves out, and a deployed app meets at once:

    keywords in the input       `<aws.scheduler.scheduled-time>` and its like arrive as they stand
    time zones                  cron and one-time schedules are read as UTC
    universal targets           `arn:aws:scheduler:::aws-sdk:sqs:sendMessage` sends nothing
    dead letters                what cannot be delivered is dropped
    stacks                      time zone, start and end of a schedule are lost in a template
    rates                       they begin an interval after the schedule was made, not at once

Everything else is left to ministack: schedules are its own, and what is due goes out by its own
delivery. Nothing is tried twice: what fails is a dead letter at once. Of several times that the
clock was moved past, the last alone is kept. A flexible window is none.

Sources: docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html,
.../managing-schedule-context-attributes.html, .../managing-targets-universal.html and
.../configuring-schedule-dlq.html.
"""

import importlib
import inspect
import json
import logging
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

LOG = logging.getLogger("crosswind.scheduling")

_AT = re.compile(r"\s*at\((.+)\)\s*")
_UNIVERSAL = re.compile(r"arn:aws[a-z-]*:scheduler:::aws-sdk:sqs:sendMessage", re.IGNORECASE)
_MOST = 5_000
"""Times of a schedule that are passed over at once; what is more is made up for by later looks."""

_EXPECTED = {
    "scheduler._tick_schedules": (),
    "scheduler._to_epoch": ("value",),
    "eventbridge._invoke_target": ("target", "event", "rule", "view"),
    "eventbridge._parse_rate_seconds": ("expr",),
    "eventbridge._parse_cron_fields": ("expr",),
    "eventbridge._cron_next_fire": ("fields", "after_dt"),
    "sqs._act_send_message": ("data", "qurl"),
    "sqs._queue_by_arn": ("arn",),
    "cloudformation.provisioners._scheduler_schedule_create": ("logical_id", "props", "stack_name"),
    "cloudformation.provisioners._scheduler_schedule_update": (
        "physical_id",
        "old_props",
        "new_props",
        "stack_name",
    ),
}
"""What is called of ministack, with its parameters."""

_NAMES = (
    "scheduler._schedules",
    "scheduler.get_account_id",
    "scheduler.get_region",
    "scheduler.set_request_account_id",
    "scheduler.set_request_region",
    "sqs._Err",
    "sqs._queues",
    "cloudformation.provisioners._RESOURCE_HANDLERS",
)
"""What else is used of it."""

_STACKED = ("ScheduleExpressionTimezone", "StartDate", "EndDate")
"""Properties of `AWS::Scheduler::Schedule` that its template loses."""


class Undelivered(Exception):
    """A target did not take what was sent, for this code and reason."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


class _Kept(NamedTuple):
    """What is known of a schedule: when it was made, and the last of its times that is done."""

    made: float
    done: float | None


def install() -> Callable[[], None]:
    """Take the place of ministack's sweep; returns the one that it is from now on.

    Raises:
        SystemExit: this ministack is not the one that this was written for; says what differs.
    """
    modules = {
        name: importlib.import_module(f"ministack.services.{name}")
        for name in ("scheduler", "eventbridge", "sqs", "cloudformation.provisioners")
    }
    faults = [
        f"{name}{_parameters(modules, name) or ' is missing'}"
        for name, expected in _EXPECTED.items()
        if _parameters(modules, name) != expected
    ]
    faults += [f"{name} is missing" for name in _NAMES if _found(modules, name) is None]
    if faults:
        raise SystemExit(f"ministack differs, another version? {'; '.join(faults)}")
    sweep = Sweep(modules["scheduler"], modules["eventbridge"], modules["sqs"])
    modules["scheduler"].__dict__["_tick_schedules"] = sweep
    _mend_stacks(modules["scheduler"], modules["cloudformation.provisioners"])
    return sweep


class Sweep:
    """One look at all schedules: whatever is due goes out.

    Args:
        scheduler, eventbridge, sqs: the modules of ministack.
    """

    def __init__(self, scheduler: Any, eventbridge: Any, sqs: Any) -> None:
        self._scheduler, self._eventbridge, self._sqs = scheduler, eventbridge, sqs
        self._kept: dict[Any, _Kept] = {}
        self._one_at_a_time = threading.Lock()

    def __call__(self) -> None:
        with self._one_at_a_time:
            now = time.time()
            schedules = self._scheduler._schedules._data
            for key, schedule in list(schedules.items()):
                try:
                    self._look(key, schedule, now)
                except Exception:
                    # One schedule that cannot be read must not stop the others.
                    LOG.exception("schedule %s", key)
            # Requests change the schedules meanwhile, so that they are not gone through here.
            for gone in [key for key in self._kept if key not in schedules]:
                del self._kept[gone]

    def _look(self, key: Any, schedule: Mapping[str, Any], now: float) -> None:
        if schedule.get("State") != "ENABLED":
            return
        once = _AT.fullmatch(schedule["ScheduleExpression"]) is not None
        end = self._scheduler._to_epoch(schedule.get("EndDate"))
        made = float(schedule["CreationDate"])
        kept = self._kept.get(key)
        if kept is None or kept.made != made:
            kept = _Kept(made, None)
        due = self._due(schedule, kept, now if end is None else min(now, end))
        if due is not None:
            self._kept[key] = _Kept(made, due)
            self._deliver(key, schedule, due)
        over = due is not None if once else end is not None and now > end
        if over and schedule.get("ActionAfterCompletion") == "DELETE":
            self._scheduler._schedules._data.pop(key, None)

    def _due(self, schedule: Mapping[str, Any], kept: _Kept, now: float) -> float | None:
        """The last time until now that is not done yet, in seconds since 1970."""
        expression = schedule["ScheduleExpression"]
        zone = ZoneInfo(schedule.get("ScheduleExpressionTimezone") or "UTC")
        given = self._scheduler._to_epoch(schedule.get("StartDate"))
        start = kept.made if given is None else given
        once = _AT.fullmatch(expression)
        if once is not None:
            at = datetime.fromisoformat(once[1].strip()).replace(tzinfo=zone).timestamp()
            return at if kept.done is None and at <= now else None
        seconds = self._eventbridge._parse_rate_seconds(expression)
        if seconds is not None:
            at = start + (now - start) // seconds * seconds
            return at if at >= start and (kept.done is None or at > kept.done) else None
        fields = self._eventbridge._parse_cron_fields(expression)
        if fields is None:
            raise ValueError(f"{expression!r} is no at, rate or cron")
        since = start if kept.done is None else max(start, kept.done)
        return self._last(fields, zone, since, now)

    def _last(self, fields: Any, zone: ZoneInfo, since: float, now: float) -> float | None:
        """The last time of a cron line after `since`, until now.

        It is looked for on the clock of the zone: an hour that comes twice counts once, and a time
        that there is not on a day is passed over.
        """
        found = None
        wall = datetime.fromtimestamp(since, zone).replace(tzinfo=UTC)
        for _ in range(_MOST):
            wall = self._eventbridge._cron_next_fire(fields, wall)
            if wall is None:
                break
            local = wall.replace(tzinfo=zone)
            at = local.timestamp()
            if at > now:
                break
            if at > since and _exists(local, zone):
                found = at
        return found

    def _deliver(self, key: Any, schedule: Mapping[str, Any], due: float) -> None:
        account, region, _ = key
        scheduler = self._scheduler
        before = scheduler.get_account_id(), scheduler.get_region()
        scheduler.set_request_account_id(account)
        scheduler.set_request_region(region)
        execution = secrets.token_hex(8)
        target = dict(schedule["Target"])
        if target.get("Input"):
            target["Input"] = filled(target["Input"], schedule["Arn"], due, execution)
        try:
            self._send(target, schedule, due)
        except Undelivered as undelivered:
            LOG.warning("%s: %s: %s", schedule["Arn"], undelivered.code, undelivered)
            self._bury(target, schedule, due, execution, undelivered)
        finally:
            scheduler.set_request_account_id(before[0])
            scheduler.set_request_region(before[1])

    def _send(self, target: dict[str, Any], schedule: Mapping[str, Any], due: float) -> None:
        arn = target["Arn"]
        if _UNIVERSAL.fullmatch(arn):
            self._send_message(target.get("Input") or "{}")
            return
        service = arn.split(":")[2]
        if service == "scheduler":
            raise Undelivered("UnsupportedTarget", f"no {arn} is carried out here")
        if service == "sqs" and self._sqs._queue_by_arn(arn) is None:
            raise Undelivered(
                "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist."
            )
        event = {
            "EventId": secrets.token_hex(16),
            "Source": "aws.scheduler",
            "DetailType": "Scheduled Event",
            "Detail": "{}",
            "Time": due,
            "Resources": [schedule["Arn"]],
            "Account": self._scheduler.get_account_id(),
            "Region": self._scheduler.get_region(),
        }
        self._eventbridge._invoke_target(target, event, schedule)

    def _send_message(self, given: str) -> None:
        """What a universal target asks of SQS."""
        try:
            asked = json.loads(given)
            self._sqs._act_send_message(asked, str(asked["QueueUrl"]))
        except self._sqs._Err as error:
            raise Undelivered(error.code, error.message) from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Undelivered(
                "ValidationException", f"no input for SendMessage: {error}"
            ) from error

    def _bury(
        self,
        target: Mapping[str, Any],
        schedule: Mapping[str, Any],
        due: float,
        execution: str,
        why: Undelivered,
    ) -> None:
        dead = self._sqs._queue_by_arn((target.get("DeadLetterConfig") or {}).get("Arn") or "")
        if dead is None:
            return
        told = {
            "ERROR_CODE": why.code,
            "ERROR_MESSAGE": str(why),
            "EXECUTION_ID": execution,
            "IS_PAYLOAD_TRUNCATED": "false",
            "RETRY_ATTEMPTS": "0",
            "SCHEDULED_TIME": stamp(due),
            "SCHEDULE_ARN": schedule["Arn"],
            "TARGET_ARN": target["Arn"],
        }
        url = next(url for url, queue in self._sqs._queues.items() if queue is dead)
        message = {
            "QueueUrl": url,
            "MessageBody": target.get("Input") or "{}",
            "MessageAttributes": {
                name: {"DataType": "String", "StringValue": value} for name, value in told.items()
            },
        }
        self._sqs._act_send_message(message, url)


def filled(text: str, arn: str, due: float, execution: str) -> str:
    """An input with its keywords replaced."""
    values = {
        "schedule-arn": arn,
        "scheduled-time": stamp(due),
        "execution-id": execution,
        "attempt-number": "1",
    }
    for name, value in values.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def stamp(at: float) -> str:
    """A time as Scheduler writes it, such as 2026-03-22T18:59:43Z."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _exists(local: datetime, zone: ZoneInfo) -> bool:
    """Whether clocks of a zone ever show this time; an hour is left out when summer begins."""
    back = local.astimezone(UTC).astimezone(zone)
    return abs(back.replace(tzinfo=None) - local.replace(tzinfo=None)) < timedelta(seconds=1)


def _found(modules: Mapping[str, Any], name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(modules[module], attribute, None)


def _parameters(modules: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    found = _found(modules, name)
    return None if found is None else tuple(inspect.signature(found).parameters)


def _mend_stacks(scheduler: Any, provisioners: Any) -> None:
    """Have stacks hand on what they lose of a schedule."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Scheduler::Schedule"]
    create, update = handlers["create"], handlers["update"]

    def keep(name: str, properties: Mapping[str, Any]) -> None:
        schedule = scheduler._schedules[f"{properties.get('GroupName', 'default')}/{name}"]
        schedule.update({one: properties[one] for one in _STACKED if one in properties})

    def created(logical_id: str, props: Mapping[str, Any], stack_name: str) -> Any:
        name, attributes = create(logical_id, props, stack_name)
        keep(name, props)
        return name, attributes

    def updated(physical_id: str, old_props: Any, new_props: Any, stack_name: str) -> Any:
        name, attributes = update(physical_id, old_props, new_props, stack_name)
        keep(name, new_props)
        return name, attributes

    handlers["create"], handlers["update"] = created, updated
