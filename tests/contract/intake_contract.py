"""What becomes of what arrives, whatever the cloud; each supplies a place and inherits it.

What has no shape of its own on a cloud, such as a record of a topic, is specified with that cloud.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from contract.landing import GROUP, NOW, SOURCE, Place, changed
from crosswind.buses.contents import Content
from crosswind.buses.intake import Intake, Outcome, comes_again
from crosswind.buses.later import wrap
from crosswind.engine.dispatch import Again
from crosswind.ports import Delivery
from crosswind.records.identity import RUN, chain_id, chain_partition
from crosswind.records.record import Record as Run
from crosswind.testing import Fault, FaultPlan, On

KIND = "dev.crosswind.region.unhealthy.v1"


def summary(outcomes: list[Outcome]) -> dict[str, str]:
    return {outcome.record.id: outcome.what for outcome in outcomes}


def run_of(place: Place, name: str) -> Run:
    """The one run of the chain that an event has opened."""
    (item,) = place.memory.scan(chain_partition(chain_id(SOURCE, name)), RUN)
    return Run.decode(item.value)


class IntakeContract:
    """Specification of `crosswind.buses.intake` in the shapes of one cloud."""

    @pytest.fixture
    def place(self) -> Place:
        """A place to which nothing has come yet."""
        raise NotImplementedError("each cloud overrides this fixture")

    # What arrives

    def test_an_event_is_worked_and_told_with_its_chain(self, place: Place) -> None:
        arrival = place.shapes.holding(place.event("1"), name="a")

        (outcome,) = place.intake.take([arrival], None)

        assert place.seen == ["aws/us-east-1"]
        assert outcome == Outcome(arrival, "worked", KIND, chain_id(SOURCE, "1"))
        assert outcome.expected
        assert run_of(place, "1").state == "committed"

    def test_an_event_that_comes_twice_is_one_run(self, place: Place) -> None:
        for name in ("a", "b"):
            place.intake.take([place.shapes.holding(place.event("1"), name=name)], None)

        assert run_of(place, "1").state == "committed"

    def test_several_events_in_one_message_are_worked_each(self, place: Place) -> None:
        arrival = place.shapes.holding(
            place.event("1"), place.event("2", "aws/eu-west-1"), name="a"
        )

        outcomes = place.intake.take([arrival], None)

        assert [outcome.record.id for outcome in outcomes] == ["a", "a"]
        assert place.seen == ["aws/us-east-1", "aws/eu-west-1"]

    def test_bad_ones_do_not_touch_their_neighbours(self, place: Place) -> None:
        shapes = place.shapes
        bad = changed(place.event("bad"), data={"evidence": "probe", "reason": "x"})

        outcomes = place.intake.take(
            [
                shapes.holding(place.event("1"), name="a"),
                shapes.nonsense("b"),
                shapes.holding(bad, name="c"),
                shapes.trouble("aws/us-east-1", "d"),
                shapes.holding(place.event("2", "aws/us-west-2"), name="e"),
            ],
            None,
        )

        told = summary(outcomes)
        # Where an event is assembled from its parts it is known to be none before it is worked.
        assert told.pop("c") in ("worked", "rejected")
        assert told == {"a": "worked", "b": "rejected", "d": "translated", "e": "worked"}
        assert not any(outcome.again for outcome in outcomes)
        assert place.seen == ["aws/us-east-1", "aws/us-west-2"]
        assert set(place.parked()) == {"b", "c"}
        assert "undecodable" in place.parked()["c"]
        assert "region" in place.parked()["c"]

    # Notifications

    def test_a_notification_is_published_as_what_it_means(self, place: Place) -> None:
        (outcome,) = place.intake.take([place.shapes.trouble("aws/us-east-1", "a")], None)

        assert (outcome.what, outcome.detail) == ("translated", KIND)
        (event,) = place.bus.waiting()
        assert (event["data"]["region"], event["data"]["evidence"]) == ("aws/us-east-1", "provider")
        assert place.seen == []

    def test_a_notification_that_says_nothing_of_a_region_is_ignored_and_told(
        self, place: Place
    ) -> None:
        (outcome,) = place.intake.take([place.shapes.small_talk("a")], None)

        assert outcome.what == "ignored"
        assert outcome.detail
        assert not outcome.expected
        assert place.bus.waiting() == []

    def test_a_notification_that_the_bus_does_not_take_comes_again(self, place: Place) -> None:
        place.bus.refuse("closed")

        (outcome,) = place.intake.take([place.shapes.trouble("aws/us-east-1", "a")], None)

        assert outcome.again == Again("1 message(s) were not accepted by the bus: closed", 1.0)
        assert outcome.told() == {
            "message_id": "a",
            "receipts": 1,
            "detail": outcome.again.reason,
            "again_after": 1.0,
        }

    # Delays

    def test_what_is_not_due_is_put_back_for_what_is_left(self, place: Place) -> None:
        event = place.event("1")

        (outcome,) = place.intake.take(
            [place.shapes.holding(wrap(event, NOW + 30.5), name="a")], None
        )

        assert outcome.what == "relayed"
        assert place.seen == []
        ((at, body),) = place.bus.delayed()
        assert NOW + 30.5 <= at < NOW + 31.5
        assert body["id"] == "1"

    def test_what_is_due_is_worked(self, place: Place) -> None:
        arrival = place.shapes.holding(wrap(wrap(place.event("1"), NOW), NOW - 1), name="a")

        (outcome,) = place.intake.take([arrival], None)

        assert outcome.what == "worked"
        assert place.seen == ["aws/us-east-1"]
        assert place.bus.delayed() == []

    def test_what_cannot_be_put_back_comes_again(self, place: Place) -> None:
        place.bus.refuse("closed")
        arrival = place.shapes.holding(wrap(place.event("1"), NOW + 30), name="a")

        (outcome,) = place.intake.take([arrival], None)

        assert outcome.again == Again("it could not be delayed: closed", 1.0)

    # Dead letters

    def test_a_dead_letter_is_recorded_as_failed_and_its_handler_is_not_run(
        self, place: Place
    ) -> None:
        arrival = place.shapes.holding(place.event("1"), name="a", receipts=21)

        (outcome,) = place.intake.take([arrival], None, dead=True)

        assert outcome.what == "buried"
        assert place.seen == []
        assert run_of(place, "1").state == "failed"

    def test_a_dead_notification_is_translated_after_all(self, place: Place) -> None:
        (outcome,) = place.intake.take(
            [place.shapes.trouble("aws/us-east-1", "a")], None, dead=True
        )

        assert outcome.what == "translated"
        assert len(place.bus.waiting()) == 1

    def test_a_dead_letter_that_no_handler_takes_is_parked(self, place: Place) -> None:
        event = changed(place.event("1"), type="com.example.other.v1")

        (outcome,) = place.intake.take(
            [place.shapes.holding(event, name="a", receipts=21)], None, dead=True
        )

        assert outcome.what == "buried"
        assert "no handler takes it here" in place.parked()["a"]

    # Time

    @pytest.mark.parametrize("dead", [False, True], ids=["alive", "dead"])
    def test_what_cannot_be_begun_in_time_is_returned_unstarted(
        self, place: Place, dead: bool
    ) -> None:
        shapes = place.shapes
        arrivals = [
            shapes.holding(place.event("1"), name="a"),
            shapes.trouble("aws/us-east-1", "b"),
            shapes.nonsense("c"),
        ]

        outcomes = place.intake.take(arrivals, NOW, dead=dead)

        assert summary(outcomes) == dict.fromkeys("abc", "returned")
        assert {outcome.again and outcome.again.after for outcome in outcomes} == {0.0}
        assert (place.seen, place.parked(), place.bus.waiting()) == ([], {}, [])

    def test_a_run_is_begun_while_there_is_time_for_its_lease_or_for_half(
        self, place: Place
    ) -> None:
        lease = place.engine.settings.lease

        assert place.intake.until(10 * lease) == NOW + 9 * lease
        assert place.intake.until(lease) == NOW + lease / 2

    # Trouble

    @pytest.mark.parametrize(
        ("fault", "reason"),
        [("throttled", "the store is throttled"), ("lost", "the store is unreachable")],
    )
    @pytest.mark.parametrize("dead", [False, True], ids=["alive", "dead"])
    def test_a_store_in_trouble_returns_everything_and_loses_nothing(
        self, place: Place, fault: Fault, reason: str, dead: bool
    ) -> None:
        place.store.faults = FaultPlan(
            *[On(method, fault=fault, times=999) for method in ("read", "write")]
        )
        arrivals = [
            place.shapes.holding(place.event("1"), name="a"),
            place.shapes.nonsense("b"),
        ]

        outcomes = place.intake.take(arrivals, None, dead=dead)

        assert summary(outcomes) == {"a": "returned", "b": "returned"}
        assert all(one.again and one.again.reason.startswith(reason) for one in outcomes)
        place.store.faults = FaultPlan()
        place.intake.take(arrivals, None)
        assert run_of(place, "1").state == "committed"
        assert set(place.parked()) == {"b"}

    @pytest.mark.parametrize("dead", [False, True], ids=["alive", "dead"])
    def test_an_error_that_nobody_has_foreseen_is_one_message_s_and_spares_the_others(
        self, place: Place, dead: bool
    ) -> None:
        place.memory.breaks = chain_id(SOURCE, "1")
        arrivals = [
            place.shapes.holding(place.event(name, f"aws/{name}"), name=name, receipts=receipts)
            for name, receipts in (("1", 1), ("2", 3), ("3", 2))
        ]

        outcomes = place.intake.take(arrivals, None, dead=dead)

        (returned,) = [outcome for outcome in outcomes if outcome.again]
        assert returned.record.id == "1"
        assert returned.detail == "unexpected RecursionError: too deep"
        states = [run_of(place, name).state for name in ("2", "3")]
        assert states == ["failed" if dead else "committed"] * 2

    def test_what_breaks_while_it_is_opened_is_one_message_s(self, place: Place) -> None:
        def opens(body: object) -> list[Content]:
            raise RecursionError("too deep")

        arrival = place.shapes.holding(place.event("1"), name="a")
        intake = Intake(
            place.engine,
            place.bus,
            GROUP,
            opens,
            place.shapes.translate,
        )

        (outcome,) = intake.take([arrival], None)

        assert outcome.again == Again("unexpected RecursionError: too deep", 1.0)

    def test_each_of_a_batch_is_first_in_its_turn_when_the_batch_comes_again(
        self, place: Place
    ) -> None:
        firsts: list[str] = []
        for receipts in range(1, 5):
            batch = [
                place.shapes.holding(
                    place.event(f"{name}{receipts}", f"aws/{name}"), name=name, receipts=receipts
                )
                for name in "abc"
            ]
            place.intake.take(batch, None)
            firsts.append(place.seen[-3])

        assert firsts == ["aws/a", "aws/b", "aws/c", "aws/a"]

    def test_a_failing_handler_is_the_engine_s_affair_and_retried_by_it(self, place: Place) -> None:
        place.fails = "aws/us-east-1"

        (outcome,) = place.intake.take([place.shapes.holding(place.event("1"), name="a")], None)

        assert outcome.what == "worked"
        assert run_of(place, "1").state == "retrying"

    # Beside the work

    def test_what_is_entered_around_the_work_of_an_event_is_left_when_it_is_done(
        self, place: Place
    ) -> None:
        told: list[str] = []

        @contextmanager
        def around(delivery: Delivery) -> Iterator[None]:
            told.append(f"{delivery.id} begins after {len(place.seen)}")
            yield
            told.append(f"{delivery.id} ends after {len(place.seen)}")

        place.intake.around = around

        place.intake.take([place.shapes.holding(place.event("1"), name="a")], None)

        assert told == ["a begins after 0", "a ends after 1"]

    def test_a_copy_of_what_must_come_again_is_sent_where_nothing_else_brings_it(
        self, place: Place
    ) -> None:
        event = place.event("1")
        outcomes = place.intake.take(
            [
                place.shapes.holding(event, name="a"),
                place.shapes.trouble("aws/us-east-1", "b"),
            ],
            NOW,
        )
        assert set(comes_again(outcomes)) == {"a", "b"}
        outcomes = [one for one in outcomes if one.record.id == "a"]

        assert place.intake.put_back(outcomes, lambda record: event) == []

        assert [one["id"] for one in place.bus.waiting()] == ["1"]

    def test_what_need_not_come_again_is_not_sent(self, place: Place) -> None:
        outcomes = place.intake.take([place.shapes.holding(place.event("1"), name="a")], None)

        assert place.intake.put_back(outcomes, lambda record: b"") == []
        assert place.bus.waiting() == []

    def test_a_copy_that_the_bus_does_not_take_is_named_with_both_reasons(
        self, place: Place
    ) -> None:
        event = place.event("1")
        outcomes = place.intake.take([place.shapes.holding(event, name="a")], NOW)
        place.bus.refuse("closed")

        lost = place.intake.put_back(outcomes, lambda record: event)

        assert lost == ["a: there was no time left to start it; closed"]
