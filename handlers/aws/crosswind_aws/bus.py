"""Events over EventBridge, and delays over the queues of the groups that want them.

    due now                      PutEvents; rules with compiled filters send it to the queues
    due now, addressed           straight to the queue of its group
    due within 15 minutes        to the queues of the groups that want it, with DelaySeconds
    due later                    a one-time schedule that sends it to these queues; relayed from
                                 queue to queue where there can be none

A delayed event goes to the groups of the app that publishes it, as it is deployed: that is who
waits for timers. Other subscribers of the bus see what is due now. SQS knows no duplicates here
(no FIFO queue is used); the engine does.

Source: docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html (10 entries, partial
failures).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from crosswind.buses.batches import Refused, send
from crosswind.buses.later import delay, leg
from crosswind.buses.promises import accepted, check_taken
from crosswind.buses.routing import Routes, bindings
from crosswind.ports import Message
from crosswind_aws import clients
from crosswind_aws.deployment import LONGEST_DELAY
from crosswind_aws.queues import REQUEST, Posting, Queues

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

    from crosswind.app import App
    from crosswind_aws.deployment import Deployment
    from crosswind_aws.schedules import Schedules

SOURCE: Final = "crosswind."
"""What the `source` of every entry begins with; the name of the app follows."""

_FOR_NOW: Final = {"InternalException", "InternalFailure", "ThrottlingException"}
"""Codes of entries that are worth sending again."""


class EventBridgeBus:
    """Publishes to a bus of EventBridge; see `Bus` for its promises. Threads may share it.

    Args:
        deployment: the bus, the queues, and what long delays need.
        source: of the entries, `crosswind.` and the name of the app.
        routes: which groups want which events, for those that are delayed.
        clock: seconds since the epoch.
        events: a client of EventBridge; made when it is needed unless given.
        queues: the groups' queues.
        schedules: for delays beyond 15 minutes; made when they are needed unless given.
    """

    def __init__(
        self,
        deployment: Deployment,
        source: str,
        routes: Routes,
        *,
        clock: Callable[[], float] = time.time,
        events: EventBridgeClient | None = None,
        queues: Queues | None = None,
        schedules: Schedules | None = None,
    ) -> None:
        self.deployment = deployment
        self.source = source
        self.queues = queues or Queues()
        self._routes = routes
        self._clock = clock
        self._events = events
        self._schedules = schedules

    @classmethod
    def of(cls, app: App, deployment: Deployment, **given: Any) -> EventBridgeBus:
        """The bus of an app, as it is deployed."""
        return cls(deployment, SOURCE + app.name, Routes(bindings(app)), **given)

    def publish(self, messages: Sequence[Message]) -> None:
        """See `Bus.publish`."""
        taken, unfit = accepted(messages)
        now = self._clock()
        waiting = [m for m in taken if "group" in m.attributes or (m.due or now) > now]
        held = set(map(id, waiting))
        failed = self._put([message for message in taken if id(message) not in held])
        failed += self._send(waiting, now)
        check_taken(messages, failed, unfit)

    def send_later(self, group: str, name: str, event: bytes, due: float) -> str | None:
        """See `DelayingBus.send_later`; by its name the same event is scheduled once."""
        now = self._clock()
        if delay(due, now) > LONGEST_DELAY:
            if self._schedules is None:
                # Imported here: few events are due that late.
                from crosswind_aws.schedules import Schedules

                self._schedules = Schedules(self.deployment)
            if self._schedules.takes(event):
                return self._schedules.add(group, name, event, due)
        body, seconds = leg(event, due, now, LONGEST_DELAY)
        refused = self.queues.post([Posting(self.deployment.queue(group), body, seconds)])
        return refused[0].reason if refused else None

    def _put(self, messages: list[Message]) -> list[tuple[Message, str]]:
        entries: list[PutEventsRequestEntryTypeDef] = [
            {
                "EventBusName": self.deployment.bus,
                "Source": self.source,
                "DetailType": str(message.attributes["type"]),
                "Detail": message.body.decode(),
            }
            for message in messages
        ]
        sizes = [
            len(self.source) + len(str(message.attributes["type"]).encode()) + len(message.body)
            for message in messages
        ]
        refused = send(entries, sizes, REQUEST, self._ask)
        return [(messages[one.position], one.reason) for one in refused]

    def _ask(self, entries: list[PutEventsRequestEntryTypeDef]) -> list[Refused]:
        if self._events is None:
            self._events = clients.events()
        try:
            answer = self._events.put_events(Entries=entries)
        except (ClientError, BotoCoreError) as error:
            # The SDK has tried it often enough. What of it was taken is not known; it is said
            # again, and the engine knows duplicates.
            return [Refused(n, str(error), True) for n in range(len(entries))]
        if not answer["FailedEntryCount"]:
            return []
        return [
            Refused(n, f"{code}: {entry.get('ErrorMessage', '')}", code not in _FOR_NOW)
            for n, entry in enumerate(answer["Entries"])
            if (code := entry.get("ErrorCode"))
        ]

    def _send(self, messages: list[Message], now: float) -> list[tuple[Message, str]]:
        failed: list[tuple[Message, str]] = []
        postings: list[Posting] = []
        whose: list[Message] = []
        for message in messages:
            seconds = delay(message.due or now, now)
            for group in self._routes.groups(message.attributes):
                if seconds <= LONGEST_DELAY:
                    postings.append(Posting(self.deployment.queue(group), message.body, seconds))
                    whose.append(message)
                elif reason := self.send_later(group, message.id, message.body, message.due or now):
                    failed.append((message, reason))
        failed += [(whose[one.position], one.reason) for one in self.queues.post(postings)]
        return failed
