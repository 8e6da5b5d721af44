"""The schedules of an app on the embedded default: ticks, each published once.

Every worker sends every tick; they carry the same id, so that one of them counts. What fell due
while no worker ran is not made up for: the latest tick is sent, as cloud schedulers do.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from crosswind.errors import DeclarationError, NotAccepted
from crosswind.ports import Bus, Message
from crosswind.records.identity import name_id
from crosswind_events import Event
from crosswind_events.catalogue.schedule import Tick

if TYPE_CHECKING:
    from crosswind.app import App, Schedule


class Scheduler:
    """Publishes the ticks of an app's schedules when they are due."""

    def __init__(self, app: App, bus: Bus, clock: Callable[[], float]) -> None:
        self.app = app
        self.bus = bus
        self.clock = clock
        self._next = {schedule.name: self._after(schedule, clock()) for schedule in app.schedules}

    def tick(self) -> None:
        """Publish what is due."""
        now = self.clock()
        for schedule in self.app.schedules:
            due = self._next[schedule.name]
            if due > now:
                continue
            following = self._after(schedule, now)
            if schedule.every is not None:
                due = following - schedule.every
            else:
                while (later := self._after(schedule, due)) <= now:
                    due = later
            try:
                self.bus.publish([self._message(schedule, due)])
            except NotAccepted:
                continue  # the bus is busy; it is still due when we look again
            self._next[schedule.name] = following

    def _after(self, schedule: Schedule, now: float) -> float:
        if schedule.every is not None:
            return (now // schedule.every + 1) * schedule.every
        start = datetime.fromtimestamp(now, ZoneInfo(schedule.tz))
        return float(_cron()(schedule.cron, start).__next__().timestamp())

    def _message(self, schedule: Schedule, due: float) -> Message:
        at = datetime.fromtimestamp(due, UTC)
        event = Event.of(
            Tick(schedule=schedule.name, due=at),
            id=name_id("tick", self.app.name, schedule.name, round(due, 3)),
            source=f"{self.app.source}/schedule",
            time=at,
            subject=schedule.name,
            extensions={"schedule": schedule.name},
        )
        attributes: dict[str, str | int | bool] = {
            "id": event.id,
            "source": event.source,
            "type": event.type,
            "subject": schedule.name,
            "schedule": schedule.name,
        }
        return Message(event.id, self.app.codec.encode(event), attributes)


def _cron() -> Any:
    try:
        from cronsim import CronSim
    except ModuleNotFoundError as error:
        if error.name != "cronsim":
            raise
        raise DeclarationError(
            "schedules with a cron line need cronsim: pip install 'crosswind[cli]'"
        ) from error
    return CronSim
