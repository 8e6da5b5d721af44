"""The entry point under AWS Lambda: one handler for every shape in which something arrives.

    from crosswind_aws.function import lambda_handler
    from ops import app

    handler = lambda_handler(app)

Arrivals from a queue are answered record by record (ReportBatchItemFailures): what was worked is
removed, what must come again is hidden for as long as it asks. Without a queue there is no such
answer; what must come again is sent to the group's queue, and where that fails the invocation
does, so that Lambda tries it again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from crosswind.buses.intake import Arrival, Intake, comes_again
from crosswind.buses.later import delay
from crosswind.engine.dispatch import Again, Engine
from crosswind.errors import CrosswindError, DeclarationError
from crosswind_aws.arrivals import Record, contents, shape
from crosswind_aws.bus import EventBridgeBus
from crosswind_aws.deployment import Deployment
from crosswind_aws.queues import Hiding
from crosswind_aws.store import DynamoStore
from crosswind_aws.telemetry import Telemetry

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from crosswind.actions import Performer
    from crosswind.app import App
    from crosswind.engine.settings import Settings
    from crosswind.fleet.declaration import Fleet
    from crosswind.ports import Store
    from crosswind.signals import Translated
    from crosswind_aws.door import Door


class NotWorked(CrosswindError):
    """What has arrived without a queue must come again, and only Lambda itself can see to it."""


def lambda_handler(
    app: App,
    *,
    fleet: Fleet | None = None,
    performers: Iterable[Performer] = (),
    settings: Settings | None = None,
    environ: Mapping[str, str] = os.environ,
    store: Store | None = None,
    bus: EventBridgeBus | None = None,
    clock: Callable[[], float] = time.time,
) -> Function:
    """The Lambda handler of an app's group.

    Args:
        app: the reactions; those of the group that is deployed are run.
        fleet: the declared fleet; without one every action is only observed.
        performers: who carries out actions and answers queries.
        settings: bounds and times of the engine, those of the app unless given.
        environ: says what is deployed around the function; see `Deployment`.
        store: state; the deployed table unless given.
        bus: where events go out; the deployed bus unless given.
        clock: seconds since the epoch.

    Raises:
        DeclarationError: what is deployed does not fit the app; lists every fault.
    """
    deployment = Deployment.from_env(environ)
    if deployment.group not in app.groups:
        raise DeclarationError(
            f"app {app.name} has no group {deployment.group}; it has {', '.join(app.groups)}"
        )
    bus = bus or EventBridgeBus.of(app, deployment, clock=clock)
    engine = Engine(
        app,
        store or DynamoStore(deployment.table),
        bus,
        fleet=fleet,
        performers=performers,
        settings=settings,
        clock=clock,
    )
    return Function(engine, bus, deployment)


class Function:
    """A Lambda handler: call it with an event and its context.

    Args:
        engine: works events.
        bus: where events go out.
        deployment: what is around it.
    """

    def __init__(self, engine: Engine, bus: EventBridgeBus, deployment: Deployment) -> None:
        self.engine = engine
        self.bus = bus
        self.deployment = deployment
        self.telemetry = Telemetry(deployment.group)
        self.intake = Intake(engine, bus, deployment.group, contents, _translate)
        self._door: Door | None = None

    def __call__(self, event: Any, context: LambdaContext) -> Any:
        """Take in what has arrived; the answer is that which its way of arrival expects."""
        self.telemetry.logger.append_keys(request=context.aws_request_id)
        arrived = shape(event)
        if arrived.request:
            return self._open_door().answer(event, context)
        until = self.intake.until(context.get_remaining_time_in_millis() / 1000)
        if arrived.queued:
            return self._work_queues(arrived.records, until)
        return self._work_unqueued(arrived.records, until)

    def _work_queues(self, records: list[Record], until: float) -> PartialItemFailureResponse:
        failed: dict[str, None] = {}
        for queue in dict.fromkeys(record.queue for record in records):
            dead = queue == self.deployment.dead_letters(self.deployment.group)
            here = [record for record in records if record.queue == queue]
            outcomes = self.intake.take(here, until, dead=dead)
            again = comes_again(outcomes)
            if again and queue is not None:
                self._hide(queue, here, again)
            failed |= dict.fromkeys(again)
            self.telemetry.report(outcomes)
        return {"batchItemFailures": [{"itemIdentifier": name} for name in failed]}

    def _hide(self, queue: str, records: list[Record], again: Mapping[str, Again]) -> None:
        """Let those records come again when they wish to, and not when the queue would."""
        hidings = [
            Hiding(record.receipt, delay(again[record.id].after, 0.0))
            for record in records
            if record.id in again
        ]
        for refused in self.bus.queues.hide(queue, hidings):
            # It comes again all the same, when its visibility lapses.
            self.telemetry.logger.warning("not hidden", extra={"detail": refused.reason})

    def _work_unqueued(self, records: list[Record], until: float) -> None:
        outcomes = self.intake.take(records, until)
        self.telemetry.report(outcomes)
        lost = self.intake.put_back(outcomes, _body)
        if lost:
            raise NotWorked("; ".join(lost))

    def _open_door(self) -> Door:
        if self._door is None:
            # Imported here: few functions have a URL, and a start should not wait for it.
            from crosswind_aws.door import Door

            self._door = Door(self.intake, self.telemetry)
        return self._door


def _body(record: Arrival) -> bytes:
    """A record as its group's queue would hold it."""
    return record.body.encode() if isinstance(record.body, str) else to_json(record.body)


def _translate(payload: Any) -> list[Translated]:
    # Imported here: most of what arrives is no notification.
    from crosswind_aws.signals import translate_each

    return translate_each(payload)
