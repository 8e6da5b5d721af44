"""A line over EventBridge and SQS, as a stack would lay it, for the bus contract."""

from __future__ import annotations

import calendar
import contextlib
import json
import os
import time
from typing import Any
from uuid import uuid4

import boto3

from crosswind.buses.later import unwrap
from crosswind.buses.routing import Binding, Routes
from crosswind.embedded.consumer import Received
from crosswind.ports import Bus, Delivery
from crosswind_aws.bus import EventBridgeBus
from crosswind_aws.deployment import Deployment
from crosswind_aws.filters import TARGET_INPUT, patterns
from crosswind_local.aws_sites import AwsSite

SCHEDULER_ROLE = "CROSSWIND_TEST_SCHEDULER_ROLE"
"""Environment variable: on a real account, the ARN of a role by which schedules send to queues."""


class AwsLine:
    """A bus, its rules, and a queue with dead letters for each group.

    Args:
        site: where AWS is.
        account: the id of the account.
        relayed: have no schedules, so that long delays go from queue to queue.
    """

    def __init__(self, site: AwsSite, account: str, *, relayed: bool = False) -> None:
        self.site = site
        self.visibility = 30.0
        self.max_receipts = 3
        self.sqs = boto3.client("sqs")
        self.events = boto3.client("events")
        self.scheduler = boto3.client("scheduler")
        region = self.sqs.meta.region_name
        name = f"crosswind-test-{uuid4().hex[:8]}"
        role = os.environ.get(SCHEDULER_ROLE, f"arn:aws:iam::{account}:role/crosswind-scheduler")
        self.deployment = Deployment(
            group="ops",
            table="none",
            bus=name,
            queues=f"arn:aws:sqs:{region}:{account}:{name}-",
            scheduler_role=None if relayed else role,
        )
        self._bindings: dict[str, tuple[Binding, ...]] = {}
        self._urls: dict[str, str] = {}
        self.events.create_event_bus(Name=name)
        self.bus: Bus = self._new_bus()

    def close(self) -> None:
        """Leave nothing behind."""
        for group in self._bindings:
            self._unbind(group)
        for url in self._urls.values():
            self.sqs.delete_queue(QueueUrl=url)
        self.events.delete_event_bus(Name=self.deployment.bus)

    def bind(self, group: str, *bindings: Binding) -> None:
        arn, bus = self.deployment.queue(group), self.deployment.bus
        self._lay(group)
        self._unbind(group)
        for n, pattern in enumerate(patterns(group, bindings)):
            self.events.put_rule(EventBusName=bus, Name=f"{group}-{n}", EventPattern=pattern)
            self.events.put_targets(
                EventBusName=bus,
                Rule=f"{group}-{n}",
                Targets=[{"Id": "queue", "Arn": arn, "InputPath": TARGET_INPUT}],
            )
        self._bindings[group] = bindings
        self.bus = self._new_bus()

    def _unbind(self, group: str) -> None:
        bus = self.deployment.bus
        for rule in self.events.list_rules(EventBusName=bus, NamePrefix=f"{group}-")["Rules"]:
            self.events.remove_targets(EventBusName=bus, Rule=rule["Name"], Ids=["queue"])
            self.events.delete_rule(EventBusName=bus, Name=rule["Name"])

    def receive(self, group: str, count: int = 1) -> list[Received]:
        return self._receive(self._urls[self.deployment.queue(group)], group, count)

    def receive_dead(self, group: str, count: int = 1) -> list[Received]:
        return self._receive(self._urls[self.deployment.dead_letters(group)], group, count)

    def ack(self, *received: Received) -> None:
        for item in received:
            url, handle = item.receipt[1].split(" ")
            with contextlib.suppress(self.sqs.exceptions.ReceiptHandleIsInvalid):
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)

    def hand_back(self, received: Received, after: float) -> None:
        url, handle = received.receipt[1].split(" ")
        with contextlib.suppress(self.sqs.exceptions.ReceiptHandleIsInvalid):
            self.sqs.change_message_visibility(
                QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=int(after)
            )

    def now(self) -> float:
        return self.site.now()

    def let_pass(self, seconds: float) -> None:
        self.site.let_pass(seconds)
        end = time.monotonic() + 5
        while self._is_scheduled() and time.monotonic() < end:
            time.sleep(0.05)

    def _new_bus(self) -> EventBridgeBus:
        routes = Routes((group, one) for group, wanted in self._bindings.items() for one in wanted)
        return EventBridgeBus(self.deployment, "crosswind.test", routes, clock=self.now)

    def _lay(self, group: str) -> None:
        """Create the queues of a group, unless they are there."""
        queue, dead = self.deployment.queue(group), self.deployment.dead_letters(group)
        if queue in self._urls:
            return
        redrive = {"deadLetterTargetArn": dead, "maxReceiveCount": self.max_receipts}
        allowed = {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue,
            },
        }
        own = {"RedrivePolicy": json.dumps(redrive), "Policy": json.dumps(allowed)}
        for arn, attributes in ((dead, {}), (queue, own)):
            created = self.sqs.create_queue(
                QueueName=arn.rpartition(":")[2], Attributes={**attributes}
            )
            self._urls[arn] = created["QueueUrl"]

    def _receive(self, url: str, group: str, count: int) -> list[Received]:
        found: list[Received] = []
        while len(found) < count:
            answer: Any = self.sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=min(count - len(found), 10),
                VisibilityTimeout=int(self.visibility),
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
                # An emulator is quick; a real queue may take its time.
                WaitTimeSeconds=0 if self.site.emulator else 5,
            )
            messages = answer.get("Messages", [])
            if not messages:
                break
            for message in messages:
                found += self._received(url, group, message)
        return found

    def _received(self, url: str, group: str, message: Any) -> list[Received]:
        body = message["Body"].encode()
        receipt = (0, f"{url} {message['ReceiptHandle']}")
        receipts = int(message["Attributes"]["ApproximateReceiveCount"])
        received = Received(Delivery(message["MessageId"], body, receipts), receipt)
        later = unwrap(json.loads(body))
        if later is None:
            return [received]
        if later.due <= self.now():
            return [received._replace(delivery=received.delivery._replace(body=later.event))]
        bus = self.bus
        assert isinstance(bus, EventBridgeBus)
        assert bus.send_later(group, message["MessageId"], later.event, later.due) is None
        self.ack(received)
        return []

    def _is_scheduled(self) -> bool:
        """Whether a schedule is due that has not run yet."""
        found = self.scheduler.list_schedules(NamePrefix="crosswind-")["Schedules"]
        for one in found:
            try:
                at = self.scheduler.get_schedule(Name=one["Name"])["ScheduleExpression"]
            except self.scheduler.exceptions.ResourceNotFoundException:
                continue  # it has run in the meantime
            if calendar.timegm(time.strptime(at, "at(%Y-%m-%dT%H:%M:%S)")) <= self.now():
                return True
        return False
