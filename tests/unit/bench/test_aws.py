"""What is compared on AWS is the same work."""

from __future__ import annotations

import json

from bench.aws.figures import BATCH
from bench.aws.records import bodies, decision, record
from bench.rounds import measure
from bench.serve import Took
from crosswind.buses.contents import Neutral
from crosswind_aws.arrivals import contents, shape
from crosswind_aws.deployment import BATCH as DEPLOYED
from crosswind_events import CATALOGUE, Codec


def test_the_bare_write_has_the_condition_and_the_bytes_of_a_decision() -> None:
    put = decision()
    assert put["ConditionExpression"] == "attribute_not_exists(pk)"
    assert put["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
    run = json.loads(put["Item"]["body"]["B"])
    assert run["state"] == "committed"
    assert len(run["out"]) == 1


def test_each_record_is_the_second_event_of_a_chain_of_its_own() -> None:
    several = [Codec(CATALOGUE).decode(body) for body in bodies(1, 3)]
    assert len({one.id for one in several}) == 3
    assert len({one.extensions["correlationid"] for one in several}) == 3
    assert {one.extensions["hop"] for one in several} == {1}


def test_a_record_is_what_a_queue_hands_over() -> None:
    (body,) = bodies(1, 1)
    arrived = shape({"Records": [record(body)]})
    assert arrived.queued
    (content,) = contents(arrived.records[0].body)
    assert isinstance(content, Neutral)
    assert content.chain == json.loads(body)["correlationid"]


def test_batches_are_as_large_as_those_of_a_stack() -> None:
    assert BATCH == DEPLOYED


class _Batches:
    """Takes a second for each batch."""

    def work(self, count: int) -> Took:
        return Took(1.0 * count, 2.0 * count)


def test_what_is_worked_ten_at_a_time_costs_a_tenth_each() -> None:
    measured = measure({"ten": _Batches(), "one": _Batches()}, rounds=2, work={"ten": 10})
    assert measured.ratios("ten", "one", "wall") == [0.1, 0.1]
    assert measured.median("ten", "processor") == 0.2
