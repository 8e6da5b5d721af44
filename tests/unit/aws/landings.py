"""How AWS hands over, and a bus in memory behind which it stands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from contract.landing import GROUP, NOW
from crosswind.buses.contents import Content
from crosswind.buses.routing import Binding
from crosswind.embedded.memory_bus import MemoryBus
from crosswind.errors import NotAccepted
from crosswind.ports import Message
from crosswind.signals import Translated
from crosswind_aws.arrivals import Record, contents
from crosswind_aws.signals import translate_each
from crosswind_events.catalogue.region import RegionUnhealthy
from unit.aws.payloads import payload


class DelayingMemoryBus(MemoryBus):
    """The bus in memory, which can also send to one group later, as the bus of a cloud can."""

    def __init__(self) -> None:
        super().__init__(clock=lambda: NOW)
        self.later: list[tuple[str, str, bytes, float]] = []
        self.refuses: str | None = None
        self.bind(GROUP, [Binding(RegionUnhealthy.event_type)])

    def publish(self, messages: Sequence[Message]) -> None:
        if self.refuses is not None and messages:
            raise NotAccepted(messages, self.refuses)
        super().publish(messages)

    def send_later(self, group: str, name: str, event: bytes, due: float) -> str | None:
        if self.refuses is None:
            self.later.append((group, name, event, due))
        return self.refuses

    def refuse(self, reason: str) -> None:
        self.refuses = reason

    def waiting(self) -> list[Any]:
        sent = [json.loads(event) for _, _, event, due in self.later if due <= NOW]
        return sent + [json.loads(one.delivery.body) for one in self.receive(GROUP, 10)]

    def delayed(self) -> list[tuple[float, Any]]:
        return [(due, json.loads(event)) for _, _, event, due in self.later if due > NOW]


class AwsShapes:
    """How AWS hands over: all of it out of a queue."""

    def opens(self, body: Any, /) -> list[Content]:
        return contents(body)

    def translate(self, payload: Any, /) -> list[Translated]:
        return translate_each(payload)

    def holding(self, *bodies: bytes, name: str, receipts: int = 1) -> Record:
        whole = bodies[0] if len(bodies) == 1 else b"[%b]" % b",".join(bodies)
        return Record(name, whole.decode(), receipts)

    def trouble(self, region: str, name: str) -> Record:
        notice = self._health()
        notice["region"] = notice["detail"]["eventRegion"] = region.removeprefix("aws/")
        return Record(name, json.dumps(notice))

    def small_talk(self, name: str) -> Record:
        notice = {"version": "0", "detail-type": "EC2 Instance State-change", "source": "aws.ec2"}
        return Record(name, {**notice, "detail": {}})

    def nonsense(self, name: str) -> Record:
        return Record(name, json.dumps({**self._health(), "detail": 7}))

    def _health(self) -> Any:
        return json.loads(payload("sqs-health")["Records"][0]["body"])
