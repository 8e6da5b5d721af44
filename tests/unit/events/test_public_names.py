"""The public API is a decision: what is exported, what is not, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import pytest

import crosswind_events
from crosswind_events import (
    Codec,
    Event,
    EventData,
    IncidentResolved,
    Raw,
    RegionUnhealthy,
    Tick,
    catalogue,
)

NAMES = [
    "ABSENT",
    "AnomalyDetected",
    "ApprovalRequested",
    "ApprovalSettled",
    "BranchFailed",
    "CATALOGUE",
    "ChainDeadline",
    "ChainStalled",
    "Codec",
    "DeadLettered",
    "Event",
    "EventData",
    "Extension",
    "Fault",
    "IncidentOpened",
    "IncidentResolved",
    "Instant",
    "InvalidEvent",
    "MAX_BATCH_BYTES",
    "MAX_EVENT_BYTES",
    "Native",
    "Part",
    "Raw",
    "Region",
    "RegionRecovered",
    "RegionUnhealthy",
    "RunResume",
    "Tick",
]


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout


def test_the_public_names_are_these() -> None:
    assert sorted(crosswind_events.__all__) == NAMES
    assert len(set(crosswind_events.__all__)) == len(crosswind_events.__all__)
    assert dir(crosswind_events) == sorted(crosswind_events.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(crosswind_events, name) is getattr(crosswind_events, name)


@pytest.mark.parametrize("module", [crosswind_events, catalogue])
def test_any_other_name_is_not(module: object) -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = module.Nothing  # type: ignore[attr-defined]  # what is tried here


def test_a_star_import_brings_the_public_names() -> None:
    assert (
        run("from crosswind_events import *; print(len(CATALOGUE) > 9, Tick.ends)") == "True None\n"
    )


def test_every_module_of_the_catalogue_is_in_it() -> None:
    from importlib import import_module
    from pkgutil import iter_modules

    names = {module.name for module in iter_modules(catalogue.__path__)}
    assert names == set(catalogue.MODULES)
    listed = [
        model
        for name in catalogue.MODULES
        for model in import_module(f"crosswind_events.catalogue.{name}").TYPES
    ]
    assert list(crosswind_events.CATALOGUE) == listed


def test_importing_the_package_loads_neither_the_catalogue_nor_what_is_heavy() -> None:
    program = (
        "import sys\nfrom pydantic import BaseModel, Field, SecretStr\n"
        "class A(BaseModel, defer_build=True):\n    x: int\n"
        "before = set(sys.modules)\nimport crosswind_events\n"
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))\n"
        "print('crosswind_events.catalogue' in sys.modules)"
    )
    new, catalogue_too = run(program).splitlines()
    assert new == "crosswind_events"
    assert catalogue_too == "False"


def test_importing_the_catalogue_builds_no_model() -> None:
    program = (
        "from crosswind_events import CATALOGUE\n"
        "print(sum(model.__pydantic_complete__ for model in CATALOGUE))"
    )
    assert run(program) == "0\n"


def test_a_codec_asks_for_the_rest_of_its_types_once_and_when_it_meets_an_unknown_one() -> None:
    asked: list[int] = []

    def rest() -> list[type[EventData]]:
        asked.append(len(asked))
        return [Tick, IncidentResolved]

    at = datetime(2030, 1, 31, 12, tzinfo=UTC)
    codec = Codec([RegionUnhealthy], rest=rest)
    unhealthy = RegionUnhealthy(region="aws/us-east-1", evidence="probe", reason="no answer")
    first = codec.encode(Event.of(unhealthy, id="1", source="/probes", time=at))
    second = codec.encode(Event.of(Tick(schedule="s", due=at), id="2", source="/s", time=at))
    unknown = second.replace(b"schedule.tick", b"schedule.tock")

    assert codec.decode(first).data == unhealthy
    assert asked == []
    assert isinstance(codec.decode(second).data, Tick)
    assert isinstance(codec.decode(unknown).data, Raw)
    headers, body = codec.encode_binary(codec.decode(second))
    assert codec.decode_binary(headers, body).data == codec.decode(second).data
    assert codec.types == (RegionUnhealthy, Tick, IncidentResolved)
    assert asked == [0]


def test_the_types_of_a_codec_are_all_of_them_even_before_one_is_met() -> None:
    assert Codec([RegionUnhealthy], rest=lambda: [Tick]).types == (RegionUnhealthy, Tick)
