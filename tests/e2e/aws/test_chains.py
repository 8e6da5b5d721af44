"""Chains across the bus, the queues and the functions of a deployed app."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

from contract.aws_stack import eventually
from contract.proxy import Fault, FaultyProxy, Lose, Pass, Refuse, Say, Stall
from crosswind import Event
from crosswind.engine.dispatch import Engine
from crosswind.engine.emit import pack
from crosswind.ports import Message
from e2e.aws.conftest import DELIVERIES, VISIBILITY
from e2e.aws.desk import SOURCE, Desk
from e2e.aws.project.ops import Hopped, app

BUSY = Say(
    400,
    b'{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}',
    (("Content-Type", "application/x-amz-json-1.0"),),
)


def test_a_chain_of_several_hops_completes_and_reaches_the_other_group(desk: Desk) -> None:
    chain = desk.ask("1", hops=6)

    assert desk.ended(chain, "completed")
    assert eventually(lambda: "watch committed" in desk.states(chain))
    assert desk.states(chain) == {"ask committed": 1, "hop committed": 7, "watch committed": 1}
    assert eventually(desk.is_quiet)


def test_duplicates_change_nothing(desk: Desk) -> None:
    chain = desk.ask("1", times=5)
    desk.ask("1", times=3)

    assert desk.ended(chain, "completed")
    assert eventually(desk.is_quiet)
    assert desk.states(chain) == {"ask committed": 1, "hop committed": 4, "watch committed": 1}


def test_a_timer_arrives_after_its_delay(desk: Desk) -> None:
    begun = time.monotonic()
    chain = desk.ask("1", wrong="delay", at=2)

    assert desk.ended(chain, "completed")
    assert time.monotonic() - begun >= 2.0
    assert desk.states(chain)["hop committed"] == 4


def test_a_function_killed_in_mid_chain_loses_nothing_and_repeats_nothing(desk: Desk) -> None:
    chain = desk.ask("1", wrong="die once", at=2)

    assert desk.ended(chain, "completed")
    assert eventually(desk.is_quiet)
    assert desk.states(chain) == {"ask committed": 1, "hop committed": 4, "watch committed": 1}


def test_functions_killed_again_and_again_while_many_chains_run_lose_none(desk: Desk) -> None:
    chains = [desk.ask(f"{n}", hops=4) for n in range(12)]

    killed = 0
    for _ in range(4):
        time.sleep(random.uniform(0.2, 0.6))
        killed += desk.kill()

    assert killed > 0
    for chain in chains:
        assert desk.ended(chain, "completed")
    assert eventually(desk.is_quiet)
    for chain in chains:
        assert desk.states(chain) == {"ask committed": 1, "hop committed": 5, "watch committed": 1}


def test_a_handler_that_fails_is_retried_by_the_engine_and_ends_its_chain_as_failed(
    desk: Desk,
) -> None:
    chain = desk.ask("1", wrong="fail", at=1)

    assert desk.ended(chain, "failed")
    failed = [run for run in desk.runs(chain) if run.state == "failed"]
    assert [run.handler for run in failed] == ["hop"]
    assert len(failed[0].fails) == 5
    assert eventually(desk.is_quiet)


def test_a_message_that_kills_its_function_becomes_a_dead_letter_and_its_neighbours_complete(
    desk: Desk,
) -> None:
    poison = desk.ask("poison", wrong="die", at=2)
    good = [desk.ask(f"good {n}") for n in range(4)]

    for _ in range(4 * DELIVERIES):
        if eventually(lambda: desk.outcome(poison) is not None, 1.5):
            break
        desk.stack.site.let_pass(VISIBILITY)

    assert desk.outcome(poison) == "failed"
    (failed,) = [run for run in desk.runs(poison) if run.state == "failed"]
    assert "the bus gave it up" in str(failed)
    for chain in good:
        assert desk.ended(chain, "completed")


def test_an_event_that_no_handler_takes_becomes_a_dead_letter_and_is_parked(desk: Desk) -> None:
    stray = Event.of(
        Hopped(left=1), id="stray", source=SOURCE, time=datetime.now(UTC), extensions={}
    )
    out = pack(app, stray)
    body = out.body.replace(b"com.example.hopped.v1", b"com.example.other.v1")
    # Addressed to the group, as by a newer version of the app that is deployed no more.
    attributes = {**out.attributes, "group": "ops", "type": "com.example.other.v1"}
    desk.stack.publish(Message("stray", body, attributes))
    parking = Engine(app, desk.stack.store, desk.stack.bus).parking

    for _ in range(4 * DELIVERIES):
        if eventually(lambda: any(parking.list(1)), 1.0):
            break
        desk.stack.site.let_pass(VISIBILITY)

    (parked,) = parking.list(1)
    assert parked.type == "com.example.other.v1"
    assert "no handler takes it here" in parked.reason
    assert eventually(desk.is_quiet)


def test_a_database_that_is_busy_and_loses_answers_loses_nothing_and_repeats_nothing(
    deploy: Callable[..., Desk], proxy: FaultyProxy
) -> None:
    desk = deploy(AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
    rng = random.Random(7)
    faults: list[Fault] = [BUSY, BUSY, Lose(), Refuse(), Stall(3.2), *[Pass()] * 8]
    proxy.plan(rng.choices(faults, weights=[3, 3, 4, 3, 1, *[2] * 8], k=150))

    chains = [desk.ask(f"{n}", hops=4) for n in range(5)]

    for chain in chains:
        assert desk.ended(chain, "completed", 60)
    assert eventually(desk.is_quiet, 40)
    for chain in chains:
        assert desk.states(chain) == {"ask committed": 1, "hop committed": 5, "watch committed": 1}
