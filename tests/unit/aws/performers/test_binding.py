"""The performers of an account are all that an engine needs for the built-in chains."""

from __future__ import annotations

import pytest

from contract.performers_estate import fleet
from crosswind.chains.failover import failover_app
from crosswind.embedded.memory import MemoryStore
from crosswind.embedded.memory_bus import MemoryBus
from crosswind.engine.dispatch import Engine
from crosswind.errors import DeclarationError
from crosswind.fleet.operations import ReadRegister
from crosswind_aws.deployment import Deployment
from crosswind_aws.performers import Resources, deployed, performers
from crosswind_aws.performers.permissions import TABLES

WITHOUT_RIGHTS = {"telemetry.probe"}
"""Kinds that ask nothing of AWS."""


def test_every_kind_of_the_built_in_chains_has_a_performer() -> None:
    every = performers(Resources(), fleet(), store=MemoryStore())
    able = {kind for one in every for kind in (*one.performs, *one.answers)}

    for handler in failover_app().handlers:
        assert {*handler.acts, *handler.reads} <= able, handler.name


def test_no_kind_has_two_so_that_an_engine_takes_them() -> None:
    store = MemoryStore()
    every = performers(Resources(), fleet(), store=store)

    Engine(failover_app(), store, MemoryBus(), fleet=fleet(), performers=every)

    kinds = [kind for one in every for kind in (*one.performs, *one.answers)]
    assert len(kinds) == len(set(kinds))


def test_every_kind_that_reaches_aws_has_its_rights_in_a_table() -> None:
    kinds = {
        kind.kind
        for one in performers(Resources(), fleet())
        for kind in (*one.performs, *one.answers)
    }

    assert kinds - WITHOUT_RIGHTS == {kind for table in TABLES.values() for kind in table}


def test_a_deployed_function_keeps_its_register_in_its_own_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    told = Deployment(
        group="ops",
        table="crosswind-ops",
        bus="crosswind-ops",
        queues="arn:aws:sqs:eu-west-1:123456789012:crosswind-ops-",
    )

    every = deployed(Resources(), fleet(), told.to_env())

    kinds = {kind.kind for one in every for kind in one.performs}
    assert {"register.accept", "incident.open", "traffic.set-weights"} <= kinds


def test_where_nothing_is_deployed_they_can_be_made_and_say_so_once_they_are_asked() -> None:
    every = deployed(Resources(), fleet(), {})

    (register,) = [one for one in every if ReadRegister in one.answers]
    with pytest.raises(DeclarationError, match="CROSSWIND_TABLE is missing"):
        register.answer(ReadRegister(workload="chat"), 1.0)
