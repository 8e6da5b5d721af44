"""A way onto the bus over HTTP, on a cloud that has nothing but the core."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from contract.landing import GROUP, NOW
from contract.second_cloud import PostBus, PostOffice, opener, translate
from crosswind import App, Context, Event
from crosswind.buses.door import Answer, Door
from crosswind.buses.intake import Intake
from crosswind.buses.routing import Routes, bindings
from crosswind.embedded.memory import MemoryStore
from crosswind.engine.dispatch import Engine
from crosswind_events.catalogue.region import RegionUnhealthy

STRUCTURED = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
BATCH = {"content-type": "application/cloudevents-batch+json"}
KIND = RegionUnhealthy.event_type


class House:
    """A door, and the office behind it."""

    def __init__(self) -> None:
        self.app = App("ops")

        @self.app.on(name="note")
        def note(event: Event[RegionUnhealthy], ctx: Context) -> None:
            return None

        self.office = PostOffice(lambda: NOW)
        bus = PostBus(self.office, Routes(bindings(self.app)))
        engine = Engine(self.app, MemoryStore(), bus, clock=lambda: NOW)
        self.door = Door(Intake(engine, bus, GROUP, opener(self.app.codec), translate))

    def event(self, name: str = "1") -> Event[Any]:
        data = RegionUnhealthy(region="aws/us-east-1", evidence="probe", reason="no answers")
        return Event.of(data, id=name, source="//a", time=datetime.fromtimestamp(NOW, UTC))

    @property
    def sent(self) -> list[Any]:
        return [json.loads(letter.body.data) for letter in self.office.letters]


@pytest.fixture
def house() -> House:
    return House()


def told(answer: Answer) -> Any:
    return json.loads(answer.body)


def test_a_structured_event_is_on_the_bus_when_it_is_answered(house: House) -> None:
    answer = house.door.answer(STRUCTURED, house.app.codec.encode(house.event()))

    assert (answer.status, told(answer)) == (202, {"accepted": ["1"]})
    assert (answer.accepted, answer.refused) == (1, 0)
    assert [event["id"] for event in house.sent] == ["1"]


def test_a_binary_event_is_known_by_its_headers_in_any_case(house: House) -> None:
    headers, body = house.app.codec.encode_binary(house.event())

    answer = house.door.answer({name.title(): value for name, value in headers.items()}, body)

    assert answer.status == 202
    assert [event["type"] for event in house.sent] == [KIND]


def test_of_a_batch_the_bad_one_alone_is_refused_with_its_faults(house: House) -> None:
    good = json.loads(house.app.codec.encode(house.event()))
    batch = json.dumps([good, {**good, "id": ""}, {**good, "id": "3"}])

    answer = house.door.answer(BATCH, batch.encode())

    assert answer.status == 400
    assert told(answer)["accepted"] == ["1", "3"]
    ((position, fault),) = [(r["record"], r["faults"][0]) for r in told(answer)["refused"]]
    assert (position, fault["where"]) == (1, "id")
    assert (answer.accepted, answer.refused) == (2, 1)


def test_a_notification_is_translated_and_one_that_says_nothing_is_told(house: House) -> None:
    down = {"notice": {"place": "aws/us-east-1", "state": "down", "id": "n", "at": NOW}}

    answer = house.door.answer({}, json.dumps(down).encode())
    nothing = house.door.answer({}, b'{"notice": {"state": "new prices"}}')

    assert (answer.status, told(answer)) == (202, {"accepted": ["n"]})
    assert (nothing.status, told(nothing)) == (
        202,
        {"accepted": [], "ignored": ["new prices says nothing of a region"]},
    )


@pytest.mark.parametrize("headers", [STRUCTURED, BATCH, {}, {"ce-specversion": "1.0"}])
def test_what_cannot_be_read_is_refused_with_its_faults(
    house: House, headers: dict[str, str]
) -> None:
    answer = house.door.answer(headers, b'{"notice": {}}')

    assert answer.status == 400
    assert told(answer)["refused"][0]["faults"]
    assert house.sent == []


def test_what_the_bus_does_not_take_is_to_be_sent_again(house: House) -> None:
    house.office.closed = "closed"

    answer = house.door.answer(STRUCTURED, house.app.codec.encode(house.event()))

    assert (answer.status, answer.headers) == (503, {"Retry-After": "1"})
    assert told(answer) == {"accepted": [], "again": ["1"], "reason": "closed"}
    assert (answer.accepted, answer.refused) == (0, 0)
