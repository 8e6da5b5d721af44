"""What every bus promises; inherited by one test class per bus, which supplies a line.

`BusContract` holds for all. `DuplicateContract` is for a bus that drops a message whose id it
still holds, and `OrderContract` for one that delivers the earliest first.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from contract.lines import Line
from crosswind.buses.routing import Binding
from crosswind.embedded.consumer import Received
from crosswind.errors import NotAccepted
from crosswind.handlers import Where
from crosswind.limits import MAX_EVENT_BYTES, message_bytes
from crosswind.ports import Delivery, Message

UNHEALTHY = "dev.crosswind.region.unhealthy.v1"
RECOVERED = "dev.crosswind.region.recovered.v1"
SUBJECT = "aws/us-east-1"


def message(
    name: str,
    kind: str = UNHEALTHY,
    *,
    subject: str | None = SUBJECT,
    due: float | None = None,
    padding: int = 0,
    **extensions: str | int | bool,
) -> Message:
    """A message of which body and attributes agree."""
    attributes: dict[str, str | int | bool] = {
        "id": name,
        "source": "//crosswind/test",
        "type": kind,
        **({} if subject is None else {"subject": subject}),
        **extensions,
    }
    event = {
        "specversion": "1.0",
        "time": "2024-01-01T00:00:00Z",
        **attributes,
        "data": {"padding": "x" * padding},
    }
    return Message(name, json.dumps(event).encode(), attributes, due)


def sized(name: str, size: int) -> Message:
    """A message of exactly this size, as the neutral limit counts it."""
    return message(name, padding=size - message_bytes(message(name)))


def ids(received: list[Received]) -> list[str]:
    """The ids of the events; a bus may number its messages as it likes."""
    return [json.loads(item.delivery.body)["id"] for item in received]


def says(delivery: Delivery) -> Any:
    """What a delivery says; a bus may write its JSON in another way."""
    return json.loads(delivery.body)


def lapse(line: Line) -> None:
    """Let every lease lapse."""
    line.let_pass(line.visibility + 0.5)


class _LineTests:
    @pytest.fixture
    def line(self) -> Any:
        """The `Line` under test, or a generator of one; nothing is bound and nothing waits."""
        raise NotImplementedError("each bus under test overrides this fixture")

    @pytest.fixture
    def bound(self, line: Line) -> Line:
        """The line with group `ops` wanting `UNHEALTHY`."""
        line.bind("ops", Binding(UNHEALTHY))
        return line


class BusContract(_LineTests):
    """Specification of `crosswind.ports.Bus` and of what a group receives."""

    # Routing

    def test_a_message_arrives_as_it_was_published(self, bound: Line) -> None:
        sent = message("1", hop=3)

        bound.bus.publish([sent])

        (received,) = bound.receive("ops", 2)
        assert says(received.delivery) == json.loads(sent.body)
        assert received.delivery.receipts == 1

    def test_each_group_that_wants_an_event_receives_it_once(self, line: Line) -> None:
        line.bind("ops", Binding(UNHEALTHY))
        line.bind("audit", Binding(RECOVERED), Binding(UNHEALTHY))
        line.bind("budget", Binding(RECOVERED))

        line.bus.publish([message("1")])

        assert ids(line.receive("ops", 2)) == ["1"]
        assert ids(line.receive("audit", 2)) == ["1"]
        assert line.receive("budget") == []

    def test_what_one_group_has_done_another_still_has_to_do(self, line: Line) -> None:
        line.bind("ops", Binding(UNHEALTHY))
        line.bind("audit", Binding(UNHEALTHY))
        line.bus.publish([message("1")])

        line.ack(*line.receive("ops"))

        assert ids(line.receive("audit")) == ["1"]

    def test_an_event_that_nobody_wants_is_taken_and_goes_nowhere(self, bound: Line) -> None:
        bound.bus.publish([message("1", RECOVERED)])

        assert bound.receive("ops") == []

    def test_an_addressed_event_goes_to_its_group_alone(self, line: Line) -> None:
        line.bind("ops", Binding(UNHEALTHY, Where(subject="nothing like it")))
        line.bind("audit", Binding(UNHEALTHY))

        line.bus.publish([message("1", group="ops")])

        assert ids(line.receive("ops")) == ["1"]
        assert line.receive("audit") == []

    @pytest.mark.parametrize(
        ("subject", "passes"),
        [
            ("aws/us-east-1", True),
            ("aws/", True),
            ("gcp/us-central1", False),
            ("was/aws/", False),
            ("AWS/us-east-1", False),
            (None, False),
        ],
    )
    def test_a_filter_by_subject_admits_its_prefix(
        self, line: Line, subject: str | None, passes: bool
    ) -> None:
        line.bind("ops", Binding(UNHEALTHY, Where(subject="aws/")))

        line.bus.publish([message("1", subject=subject)])

        assert ids(line.receive("ops")) == (["1"] if passes else [])

    @pytest.mark.parametrize("value", ["aws", 7, True], ids=["text", "integer", "boolean"])
    def test_a_filter_by_extension_admits_the_equal(
        self, line: Line, value: str | int | bool
    ) -> None:
        line.bind("ops", Binding(UNHEALTHY, Where(extensions=(("place", value),))))

        line.bus.publish(
            [message("none"), message("equal", place=value), message("other", place="gcp")]
        )

        assert ids(line.receive("ops", 2)) == ["equal"]

    def test_a_filter_demands_all_that_it_names(self, line: Line) -> None:
        where = Where(subject="aws/", extensions=(("place", "aws"), ("simulated", True)))
        line.bind("ops", Binding(UNHEALTHY, where))

        line.bus.publish(
            [
                message("all", place="aws", simulated=True),
                message("no subject", subject=None, place="aws", simulated=True),
                message("one extension", place="aws"),
            ]
        )

        assert ids(line.receive("ops", 2)) == ["all"]

    def test_one_of_several_filters_suffices_and_two_do_not_double(self, line: Line) -> None:
        line.bind(
            "ops",
            Binding(UNHEALTHY, Where(subject="aws/")),
            Binding(UNHEALTHY, Where(extensions=(("place", "gcp"),))),
        )

        line.bus.publish(
            [
                message("first"),
                message("second", subject="gcp/us-central1", place="gcp"),
                message("both", place="gcp"),
                message("neither", subject="gcp/us-central1"),
            ]
        )

        assert sorted(ids(line.receive("ops", 4))) == ["both", "first", "second"]

    def test_a_new_binding_replaces_the_old(self, bound: Line) -> None:
        bound.bind("ops", Binding(RECOVERED))

        bound.bus.publish([message("1", UNHEALTHY), message("2", RECOVERED)])

        assert ids(bound.receive("ops", 2)) == ["2"]

    # Publishing

    def test_nothing_at_all_may_be_published(self, bound: Line) -> None:
        bound.bus.publish([])

        assert bound.receive("ops") == []

    def test_many_messages_are_published_at_once(self, bound: Line) -> None:
        names = [f"{n:03}" for n in range(300)]

        bound.bus.publish([message(name) for name in names])

        assert sorted(ids(bound.receive("ops", 301))) == names

    def test_more_bytes_than_one_request_holds_are_published_at_once(self, bound: Line) -> None:
        names = [f"{n}" for n in range(9)]

        bound.bus.publish([sized(name, MAX_EVENT_BYTES) for name in names])

        assert sorted(ids(bound.receive("ops", 10))) == names

    def test_what_is_too_large_is_named_exactly_and_all_else_is_taken(self, bound: Line) -> None:
        small = [message("1"), message("2")]
        large = [sized("large 1", MAX_EVENT_BYTES + 1), sized("large 2", 2 * MAX_EVENT_BYTES)]

        with pytest.raises(NotAccepted, match="'large 1' has 240001 bytes") as error:
            bound.bus.publish([large[0], small[0], large[1], small[1]])

        assert error.value.messages == tuple(large)
        assert sorted(ids(bound.receive("ops", 3))) == ["1", "2"]

    def test_what_cannot_be_routed_is_named_exactly_and_all_else_is_taken(
        self, bound: Line
    ) -> None:
        bad = [
            message("")._replace(id=""),
            Message("typeless", b"{}", {}),
            Message("type of no text", b"{}", {"type": 1}),
            message("to nobody", group=""),
            message("to a number", group=7),
            message("never", due=float("nan")),
            message("half", subject="\ud800"),
        ]

        with pytest.raises(NotAccepted, match="and 2 more") as error:
            bound.bus.publish([*bad, message("good")])

        assert error.value.messages == tuple(bad)
        assert ids(bound.receive("ops", 2)) == ["good"]

    # Delays

    def test_a_delayed_message_arrives_when_it_is_due_and_not_before(self, bound: Line) -> None:
        bound.bus.publish([message("1", due=bound.now() + 60)])

        bound.let_pass(59)
        assert bound.receive("ops") == []
        bound.let_pass(1)
        assert ids(bound.receive("ops")) == ["1"]

    @pytest.mark.parametrize("due", [0.0, -1.0, 1_000_000.5])
    def test_a_due_time_that_is_past_means_now(self, bound: Line, due: float) -> None:
        bound.bus.publish([message("1", due=due)])

        assert ids(bound.receive("ops")) == ["1"]

    def test_what_is_due_now_does_not_wait_for_what_is_due_later(self, bound: Line) -> None:
        bound.bus.publish([message("later", due=bound.now() + 3600), message("now")])

        assert ids(bound.receive("ops", 2)) == ["now"]

    # Acknowledgement

    def test_an_acknowledged_message_never_comes_again(self, bound: Line) -> None:
        bound.bus.publish([message("1"), message("2")])

        bound.ack(*bound.receive("ops", 2))

        lapse(bound)
        assert bound.receive("ops") == []

    def test_nobody_else_receives_what_somebody_is_working_on(self, bound: Line) -> None:
        bound.bus.publish([message("1")])
        bound.receive("ops")

        bound.let_pass(bound.visibility / 2)

        assert bound.receive("ops") == []

    def test_what_is_not_acknowledged_comes_again_and_is_counted(self, bound: Line) -> None:
        bound.bus.publish([message("1")])

        for receipts in range(1, bound.max_receipts + 1):
            (received,) = bound.receive("ops")
            assert received.delivery.receipts == receipts
            lapse(bound)

    def test_what_is_handed_back_comes_again_after_the_time_asked_for(self, bound: Line) -> None:
        bound.bus.publish([message("1")])
        (received,) = bound.receive("ops")

        bound.hand_back(received, 5)

        bound.let_pass(4)
        assert bound.receive("ops") == []
        bound.let_pass(1)
        (again,) = bound.receive("ops")
        assert again.delivery == received.delivery._replace(receipts=2)

    def test_what_is_handed_back_may_come_again_at_once(self, bound: Line) -> None:
        bound.bus.publish([message("1")])
        (received,) = bound.receive("ops")

        bound.hand_back(received, 0)

        assert ids(bound.receive("ops")) == ["1"]

    def test_an_acknowledgement_too_late_does_not_take_it_from_another(self, bound: Line) -> None:
        bound.bus.publish([message("1")])
        (lost,) = bound.receive("ops")
        lapse(bound)
        bound.receive("ops")

        bound.ack(lost)

        lapse(bound)
        assert ids(bound.receive("ops")) == ["1"]

    def test_a_message_handed_back_too_late_stays_with_another(self, bound: Line) -> None:
        bound.bus.publish([message("1")])
        (lost,) = bound.receive("ops")
        lapse(bound)
        (held,) = bound.receive("ops")

        bound.hand_back(lost, 0)

        assert bound.receive("ops") == []
        bound.ack(held)
        lapse(bound)
        assert bound.receive("ops") == []

    # Dead letters

    def test_what_is_never_acknowledged_becomes_a_dead_letter(self, bound: Line) -> None:
        sent = message("1")
        bound.bus.publish([sent])

        self._exhaust(bound)

        assert bound.receive("ops") == []
        (dead,) = bound.receive_dead("ops")
        assert says(dead.delivery) == json.loads(sent.body)

    def test_handing_back_counts_as_receiving(self, bound: Line) -> None:
        bound.bus.publish([message("1")])

        for _ in range(bound.max_receipts):
            (received,) = bound.receive("ops")
            bound.hand_back(received, 0)

        assert bound.receive("ops") == []
        assert ids(bound.receive_dead("ops")) == ["1"]

    def test_a_dead_letter_keeps_nobody_waiting(self, bound: Line) -> None:
        bound.bus.publish([message("dead")])
        self._exhaust(bound)
        bound.bus.publish([message("alive")])

        assert ids(bound.receive("ops", 2)) == ["alive"]

    def test_an_acknowledged_dead_letter_is_gone(self, bound: Line) -> None:
        bound.bus.publish([message("1")])
        self._exhaust(bound)
        bound.receive("ops")

        bound.ack(*bound.receive_dead("ops"))

        lapse(bound)
        assert bound.receive_dead("ops") == []

    def test_a_dead_letter_comes_again_until_it_is_acknowledged(self, bound: Line) -> None:
        bound.bus.publish([message("1")])
        self._exhaust(bound)
        bound.receive("ops")

        for _ in range(bound.max_receipts + 2):
            assert ids(bound.receive_dead("ops")) == ["1"]
            assert bound.receive_dead("ops") == []
            lapse(bound)
        (dead,) = bound.receive_dead("ops")
        bound.hand_back(dead, 0)
        assert ids(bound.receive_dead("ops")) == ["1"]

    def test_groups_have_dead_letters_of_their_own(self, line: Line) -> None:
        line.bind("ops", Binding(UNHEALTHY))
        line.bind("audit", Binding(UNHEALTHY))
        line.bus.publish([message("1")])
        self._exhaust(line)
        line.receive("ops")

        assert line.receive_dead("audit") == []
        assert ids(line.receive("audit")) == ["1"]

    def _exhaust(self, line: Line) -> None:
        for _ in range(line.max_receipts):
            assert line.receive("ops")
            lapse(line)


class OrderContract(_LineTests):
    """For a bus that delivers in the order in which messages are due."""

    def test_messages_arrive_in_the_order_in_which_they_are_due(self, bound: Line) -> None:
        now = bound.now()
        bound.bus.publish([message(f"{n}", due=now + n) for n in (3, 1, 4, 2, 5)])
        bound.let_pass(5)

        assert ids(bound.receive("ops", 5)) == ["1", "2", "3", "4", "5"]

    def test_messages_due_at_once_arrive_in_the_order_of_publishing(self, bound: Line) -> None:
        names = [f"{n}" for n in range(20)]
        bound.bus.publish([message(name) for name in names])

        assert ids(bound.receive("ops", 20)) == names

    def test_the_limit_takes_the_earliest(self, bound: Line) -> None:
        bound.bus.publish([message(name) for name in "abc"])

        assert ids(bound.receive("ops", 2)) == ["a", "b"]
        assert ids(bound.receive("ops", 2)) == ["c"]

    def test_what_comes_again_takes_its_turn(self, bound: Line) -> None:
        bound.bus.publish([message("first")])
        (first,) = bound.receive("ops")
        bound.let_pass(1)
        bound.bus.publish([message("second")])
        bound.let_pass(1)
        bound.hand_back(first, 0)

        assert ids(bound.receive("ops", 2)) == ["second", "first"]


class DuplicateContract(_LineTests):
    """For a bus that drops a message whose id it still holds."""

    def test_a_message_published_twice_arrives_once(self, bound: Line) -> None:
        bound.bus.publish([message("1"), message("1")])
        bound.bus.publish([message("1")])

        assert ids(bound.receive("ops", 2)) == ["1"]

    def test_a_duplicate_does_not_hasten_a_delayed_message(self, bound: Line) -> None:
        bound.bus.publish([message("1", due=bound.now() + 60)])
        bound.bus.publish([message("1")])

        assert bound.receive("ops") == []

    def test_a_duplicate_of_what_is_being_worked_on_is_dropped(self, bound: Line) -> None:
        bound.bus.publish([message("1")])
        (received,) = bound.receive("ops")

        bound.bus.publish([message("1")])

        bound.ack(received)
        lapse(bound)
        assert bound.receive("ops") == []

    def test_a_redrive_has_a_number_and_is_no_duplicate(self, bound: Line) -> None:
        bound.bus.publish([message("1"), message("1")._replace(id="1#1")])

        assert sorted(one.delivery.id for one in bound.receive("ops", 2)) == ["1", "1#1"]

    def test_a_duplicate_for_one_group_is_news_to_another(self, bound: Line) -> None:
        bound.bus.publish([message("1")])
        bound.bind("audit", Binding(UNHEALTHY))

        bound.bus.publish([message("1")])

        assert ids(bound.receive("ops", 2)) == ["1"]
        assert ids(bound.receive("audit", 2)) == ["1"]

    def test_a_message_republished_after_it_was_done_is_delivered(self, bound: Line) -> None:
        bound.bus.publish([message("1")])
        bound.ack(*bound.receive("ops"))

        bound.bus.publish([message("1")])

        assert ids(bound.receive("ops", 2)) == ["1"]
