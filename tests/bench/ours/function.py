"""What is deployed: the reaction behind a function that takes records as a queue hands them over.

It stands in the archive as it stands here; `bench.archives` puts it there.
"""

from __future__ import annotations

from typing import Any

from bench.ours.reaction import GROUP, SINK, RoomWanted, app
from crosswind.buses.routing import Binding
from crosswind.embedded.memory import MemoryStore
from crosswind.embedded.memory_bus import MemoryBus
from crosswind.engine.dispatch import Engine
from crosswind.ports import Delivery

bus = MemoryBus()
bus.bind(SINK, [Binding(RoomWanted.event_type)])
engine = Engine(app(), MemoryStore(), bus)


def run(event: dict[str, Any], context: object) -> bool:
    """Work each record; says whether one event came out for each."""
    deliveries = [Delivery(each["messageId"], each["body"].encode()) for each in event["Records"]]
    again = engine.handle_batch(deliveries, GROUP)
    return not again and bus.depth(SINK) == len(deliveries)
