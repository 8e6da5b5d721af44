"""What becomes of the records that Lambda is handed."""

from __future__ import annotations

import json

import pytest

from contract.intake_contract import IntakeContract, summary
from contract.landing import GROUP, Place
from crosswind.records.identity import RUN, chain_id, chain_partition
from crosswind.records.record import Record as Run
from crosswind_aws.arrivals import Record, shape
from unit.aws.landings import AwsShapes, DelayingMemoryBus
from unit.aws.payloads import EVENT, MESSAGE, payload

CHAIN = chain_id("//probes.example.com/eu", EVENT)


def records(name: str) -> list[Record]:
    return shape(payload(name)).records


class TestIntakeOfAws(IntakeContract):
    @pytest.fixture
    def place(self) -> Place:
        return Place(AwsShapes(), lambda app: DelayingMemoryBus())


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

    assert {name[:4]: what for name, what in summary(outcomes).items()} == {
        "059f": "worked",
        "1d2f": "worked",
        "2e14": "rejected",
        "9f1d": "translated",
        "c80e": "worked",
    }
    assert not any(outcome.again for outcome in outcomes)
    assert place.seen == ["aws/us-east-1", "aws/us-west-2"]
    reasons = {name[:4]: reason for name, reason in place.parked().items()}
    assert set(reasons) == {"2e14", "c80e"}
    assert "region" in reasons["c80e"]


def test_a_notification_is_published_as_what_it_means(place: Place) -> None:
    (outcome,) = place.intake.take(records("sqs-health"), None)

    assert outcome.what == "translated"
    (event,) = place.bus.waiting()
    assert event["data"]["region"] == "aws/us-east-1"
    assert event["data"]["evidence"] == "provider"


def test_what_is_not_due_is_put_back_under_the_name_that_it_came_by(place: Place) -> None:
    (outcome,) = place.intake.take(records("sqs-later"), None)

    assert outcome.what == "relayed"
    assert isinstance(place.bus, DelayingMemoryBus)
    ((group, name, event, due),) = place.bus.later
    assert (group, name, due) == (GROUP, MESSAGE, 1_772_370_000.5)
    assert json.loads(event)["id"] == EVENT


def test_a_dead_letter_is_recorded_as_failed(place: Place) -> None:
    (outcome,) = place.intake.take(records("sqs-dead-letter"), None, dead=True)

    assert outcome.what == "buried"
    (item,) = place.store.scan(chain_partition(CHAIN), RUN)
    assert Run.decode(item.value).state == "failed"
