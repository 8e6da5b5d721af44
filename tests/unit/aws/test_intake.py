"""What becomes of the records that arrive."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crosswind.engine.dispatch import Again
from crosswind.errors import NotAccepted, StoreError, Throttled, Unreachable
from crosswind.ports import Delivery, Message
from crosswind.records.identity import RUN, chain_id, chain_partition
from crosswind.records.record import Record as Run
from crosswind_aws.arrivals import Record, shape
from crosswind_aws.intake import Outcome, patience
from unit.aws.conftest import GROUP, Place
from unit.aws.payloads import EVENT, MESSAGE, NOW, SECOND, payload

CHAIN = chain_id("//probes.example.com/eu", EVENT)


def records(name: str) -> list[Record]:
    return shape(payload(name)).records


def summary(outcomes: list[Outcome]) -> dict[str, str]:
    return {outcome.record.id[:4]: outcome.what for outcome in outcomes}


def parked(place: Place) -> dict[str, str]:
    """What was parked, by message, and why."""
    return {one.message[:4]: one.reason for one in place.engine.parking.list()}


def waiting(place: Place) -> list[Any]:
    """The events that wait for the group."""
    return [json.loads(one.delivery.body) for one in place.bus.receive(GROUP, 10)]


@pytest.mark.parametrize(
    "name",
    ["sqs-event", "sqs-eventbridge", "sqs-sns-event", "sns-event", "eventbridge-event"],
)
def test_an_event_is_worked_whatever_its_shape_and_told_with_its_chain(
    place: Place, name: str
) -> None:
    (outcome,) = place.intake.take(records(name), None)

    assert place.seen == ["aws/us-east-1"]
    assert (outcome.what, outcome.chain, outcome.again) == ("worked", CHAIN, None)
    assert outcome.type == "dev.crosswind.region.unhealthy.v1"


def test_one_event_in_several_shapes_is_one_run(place: Place) -> None:
    place.intake.take(records("sqs-event"), None)
    (first,) = place.store.scan(chain_partition(CHAIN), RUN)

    outcomes = place.intake.take(
        [*records("sqs-eventbridge"), *records("sqs-sns-event"), *records("sns-event")], None
    )

    assert {outcome.what for outcome in outcomes} == {"worked"}
    assert place.store.scan(chain_partition(CHAIN), RUN) == [first]


def test_bad_records_do_not_touch_their_neighbours(place: Place) -> None:
    outcomes = place.intake.take(records("sqs-mixed"), None)

    assert summary(outcomes) == {
        "059f": "worked",
        "1d2f": "worked",
        "2e14": "rejected",
        "9f1d": "translated",
        "c80e": "worked",
    }
    assert not any(outcome.again for outcome in outcomes)
    assert place.seen == ["aws/us-east-1", "aws/us-west-2"]
    reasons = parked(place)
    assert set(reasons) == {"2e14", "c80e"}
    assert "region" in reasons["c80e"]


def test_a_notification_is_published_as_what_it_means(place: Place) -> None:
    (outcome,) = place.intake.take(records("sqs-health"), None)

    assert outcome.what == "translated"
    (event,) = waiting(place)
    assert event["data"]["region"] == "aws/us-east-1"
    assert event["data"]["evidence"] == "provider"
    assert place.seen == []


def test_a_notification_that_says_nothing_of_a_region_is_ignored_and_told(place: Place) -> None:
    notice = {"version": "0", "detail-type": "EC2 Instance State-change", "source": "aws.ec2"}

    (outcome,) = place.intake.take([Record("1", {**notice, "detail": {}})], None)

    assert outcome.what == "ignored"
    assert outcome.detail
    assert waiting(place) == []


def test_a_notification_that_the_bus_does_not_take_comes_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(messages: list[Message]) -> None:
        raise NotAccepted(messages, "busy")

    monkeypatch.setattr(place.bus, "publish", refuse)

    (outcome,) = place.intake.take(records("sqs-health"), None)

    assert outcome.again == Again("1 message(s) were not accepted by the bus: busy", 1.0)


class TestDelays:
    def test_what_is_not_due_is_put_back_for_what_is_left(self, place: Place) -> None:
        (outcome,) = place.intake.take(records("sqs-later"), None)

        assert outcome.what == "relayed"
        ((group, name, event, due),) = place.bus.later
        assert (group, name, due) == (GROUP, MESSAGE, 1_772_370_000.5)
        assert json.loads(event)["id"] == EVENT
        assert place.seen == []

    def test_what_is_due_is_worked(self, place: Place) -> None:
        (record,) = records("sqs-later")
        assert isinstance(record.body, str)
        due = record._replace(body=record.body.replace("1772370000.5", str(NOW)))

        (outcome,) = place.intake.take([due], None)

        assert outcome.what == "worked"
        assert place.seen == ["aws/us-east-1"]
        assert place.bus.later == []

    def test_what_cannot_be_put_back_comes_again(self, place: Place) -> None:
        place.bus.refuses = "busy"

        (outcome,) = place.intake.take(records("sqs-later"), None)

        assert outcome.again == Again("it could not be delayed: busy", 1.0)


class TestDeadLetters:
    def test_a_dead_letter_is_recorded_as_failed_and_its_handler_is_not_run(
        self, place: Place
    ) -> None:
        (outcome,) = place.intake.take(records("sqs-dead-letter"), None, dead=True)

        assert outcome.what == "buried"
        assert place.seen == []
        (item,) = place.store.scan(chain_partition(CHAIN), RUN)
        run = Run.decode(item.value)
        assert run.state == "failed"

    def test_a_dead_notification_is_translated_after_all(self, place: Place) -> None:
        (outcome,) = place.intake.take(records("sqs-health"), None, dead=True)

        assert outcome.what == "translated"
        assert len(waiting(place)) == 1

    def test_what_no_handler_takes_is_parked(self, place: Place) -> None:
        event = {**json.loads(str(records("sqs-event")[0].body)), "type": "com.example.other.v1"}

        (outcome,) = place.intake.take([Record("1", json.dumps(event), 21)], None, dead=True)

        assert outcome.what == "buried"
        assert "no handler takes it here" in parked(place)["1"]


class TestTime:
    def test_what_cannot_be_begun_in_time_is_returned_unstarted(self, place: Place) -> None:
        outcomes = place.intake.take(records("sqs-mixed"), NOW)

        assert {outcome.what for outcome in outcomes} == {"returned"}
        assert all(outcome.again and outcome.again.after == 0.0 for outcome in outcomes)
        assert place.seen == []
        assert parked(place) == {}

    def test_dead_letters_too_are_left_for_the_next_time(self, place: Place) -> None:
        (outcome,) = place.intake.take(records("sqs-dead-letter"), NOW, dead=True)

        assert outcome.what == "returned"

    @pytest.mark.parametrize(
        ("after", "receipts", "seconds"),
        [
            (0.0, 1, 0.0),
            (5.0, 3, 5.0),
            (1.0, 4, 1.0),
            (1.0, 8, 16.0),
            (60.0, 8, 60.0),
            (1, 99, 300),
        ],
    )
    def test_a_message_that_fails_long_is_tried_less_and_less_often(
        self, after: float, receipts: int, seconds: float
    ) -> None:
        assert patience(after, receipts) == seconds

    def test_all_deliveries_of_a_message_outlast_half_an_hour_without_a_store(self) -> None:
        assert sum(patience(1.0, receipts) for receipts in range(1, 20)) > 1_800


class TestTrouble:
    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (Throttled("slow down"), "the store is throttled: slow down"),
            (Unreachable("no answer"), "the store is unreachable: no answer"),
            (StoreError("no table"), "unexpected StoreError: no table"),
        ],
    )
    @pytest.mark.parametrize("dead", [False, True], ids=["alive", "dead"])
    def test_a_store_in_trouble_returns_every_record_and_loses_none(
        self,
        place: Place,
        monkeypatch: pytest.MonkeyPatch,
        error: Exception,
        reason: str,
        dead: bool,
    ) -> None:
        def fail(*args: object) -> None:
            raise error

        monkeypatch.setattr(place.store, "read", fail)
        monkeypatch.setattr(place.store, "write", fail)

        outcomes = place.intake.take(
            [*records("sqs-event"), *records("sqs-mixed")[1:2]], None, dead=dead
        )

        assert [o.again.reason for o in outcomes if o.again] == [reason] * 2

    def test_an_error_that_nobody_has_foreseen_is_one_record_s_and_spares_the_others(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        work = place.engine.work

        def break_down(delivery: Delivery, group: str) -> Again | None:
            if EVENT.encode() in delivery.body:
                raise RecursionError("too deep")
            return work(delivery, group)

        monkeypatch.setattr(place.engine, "work", break_down)

        outcomes = place.intake.take(records("sqs-mixed"), None)

        returned = [outcome for outcome in outcomes if outcome.again]
        assert [outcome.record.id[:4] for outcome in returned] == ["059f"]
        assert returned[0].detail == "unexpected RecursionError: too deep"
        assert place.seen == ["aws/us-west-2"]

    def test_each_record_of_a_batch_is_first_in_its_turn_when_the_batch_comes_again(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        firsts: list[str] = []

        def note(deliveries: list[Delivery], group: str, until: float | None) -> dict[str, Again]:
            firsts.append(deliveries[0].id)
            return {}

        monkeypatch.setattr(place.engine, "handle_batch", note)
        (record,) = records("sqs-event")
        for receipts in range(1, 5):
            batch = [record._replace(id=name, receipts=receipts) for name in "abc"]
            place.intake.take(batch, None)

        assert firsts == ["a", "b", "c", "a"]

    def test_a_failing_handler_is_the_engine_s_affair_and_retried_by_it(self, place: Place) -> None:
        place.breaks = "aws/us-east-1"

        (outcome,) = place.intake.take(records("sqs-event"), None)

        assert outcome.what == "worked"
        assert waiting(place) == []


def test_several_events_in_one_record_are_worked_each(place: Place) -> None:
    bodies = [json.loads(str(records(name)[0].body)) for name in ("sqs-event", "sqs-event")]
    bodies[1] = {
        **bodies[1],
        "id": SECOND,
        "data": {**bodies[1]["data"], "region": "aws/eu-west-1"},
    }

    outcomes = place.intake.take([Record("1", json.dumps(bodies))], None)

    assert [outcome.record.id for outcome in outcomes] == ["1", "1"]
    assert place.seen == ["aws/us-east-1", "aws/eu-west-1"]
