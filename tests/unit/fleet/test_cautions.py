"""What a valid fleet is cautioned about, and what editors are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from crosswind.errors import FleetInvalid
from crosswind.fleet.declaration import Fleet, Slo
from crosswind.fleet.load import parse_fleet, read_fleet
from crosswind.fleet.schema import fleet_schema
from unit.fleet.fleets import document, fleet, workload

FIXTURES = Path(__file__).parents[2] / "fixtures" / "fleet"
NOW = 1_800_000_000.0
KINDS = (
    "incident.open",
    "incident.resolve",
    "notify.send",
    "endpoint.scale",
    "register.accept",
    "register.advance",
    "register.mark",
    "register.release",
    "traffic.set-weights",
)


def test_every_caution_has_its_line_and_says_what_to_write_instead() -> None:
    read = read_fleet(FIXTURES / "cautions.yaml")
    expected = (FIXTURES / "cautions.txt").read_text().splitlines()
    assert [line.removeprefix(f"{FIXTURES}/") for line in read.cautions(NOW, KINDS)] == expected


def test_where_no_kinds_are_known_none_is_cautioned_about() -> None:
    found = [*read_fleet(FIXTURES / "cautions.yaml").cautions(NOW)]
    assert found
    assert not any("kind of action" in line for line in found)


def test_the_example_of_the_repository_needs_no_caution() -> None:
    example = Path(__file__).parents[3] / "examples" / "failover" / "fleet.yaml"
    assert [*read_fleet(example).cautions(NOW, KINDS)] == []


OPEN_SLO = {
    "apiVersion": "openslo/v1",
    "kind": "SLO",
    "metadata": {"name": "chat-slo", "displayName": "Chat"},
    "spec": {
        "service": "chat",
        "indicatorRef": "chat-good",
        "timeWindow": [
            {
                "duration": "1Q",
                "calendar": {"startTime": "2026-01-01 00:00:00", "timeZone": "UTC"},
                "isRolling": False,
            }
        ],
        "budgetingMethod": "Occurrences",
        "objectives": [
            {"displayName": "answered", "target": 0.99},
            {"displayName": "answered at all", "targetPercent": 99.95},
            {"displayName": "fast", "op": "lte", "value": 800, "target": 0.95},
            {"op": "lt", "value": 900, "targetPercent": 95},
        ],
    },
}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ({}, Slo()),
        ({"availability": 0.99, "window": "7d"}, Slo(availability=0.99, window=604_800)),
        (OPEN_SLO, Slo(availability=0.9995, latency_ms=800, window=90 * 86_400)),
        (OPEN_SLO["spec"], Slo(availability=0.9995, latency_ms=800, window=90 * 86_400)),
        ({"objectives": [{"target": 0.9}]}, Slo(availability=0.9)),
        (
            {"objectives": [{"op": "lte", "value": 5.5, "target": 0.95}]},
            Slo(availability=0.999, latency_ms=5.5),
        ),
    ],
)
def test_a_promise_may_be_written_as_openslo_writes_it(written: Any, read: Slo) -> None:
    declared = document(workloads={"chat": workload(slo=written)})
    Draft202012Validator(fleet_schema()).validate(declared)
    assert Fleet.model_validate(declared).workloads["chat"].slo == read


def test_two_ways_to_write_one_promise_are_one_declaration() -> None:
    one = fleet(workloads={"chat": workload(slo={"availability": 0.9})})
    other = fleet(workloads={"chat": workload(slo={"objectives": [{"targetPercent": 90}]})})
    assert one.digest == other.digest


@pytest.mark.parametrize(
    "wrong",
    [
        {"regions": {"us-east": {"jurisdiction": "US"}}},
        {"probes": {"every": 0}},
        {"probes": {"every": "soon"}},
        {"freezes": [{"name": "sale", "begins": "2026-12-20"}]},
        {"workloads": {"chat": workload(slo={"objectives": []})}},
    ],
)
def test_an_editor_underlines_what_is_wrong_in_form(wrong: dict[str, Any]) -> None:
    assert list(Draft202012Validator(fleet_schema()).iter_errors(document(**wrong)))


def test_every_field_says_in_an_editor_what_it_means() -> None:
    schema = fleet_schema()
    parts = {"Fleet": schema, **schema["$defs"]}
    silent = {
        f"{name}.{field}"
        for name, part in parts.items()
        if not name.startswith("OpenSlo")  # described by its own specification
        for field, one in part["properties"].items()
        if not one.get("description")
    }
    assert silent == set()
    assert "Attributes:" not in str(schema)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ({"availabilty": 0.9}, "slo.availabilty: is not known here; did you mean 'availability'?"),
        (
            {"objectives": [{"target": 0.95, "op": "lte"}]},
            "slo.objectives[0]: a mapping of 2 gives only one of op and value; write both",
        ),
        ({"kind": "SLI", "spec": {"objectives": []}}, "slo.kind: is \"SLI\"; write 'SLO'"),
    ],
)
def test_a_promise_in_neither_shape_is_told_where_it_stands(written: Any, reason: str) -> None:
    text = json.dumps(document(workloads={"chat": workload(slo=written)}))
    with pytest.raises(FleetInvalid) as caught:
        parse_fleet(text, "fleet.json")
    assert f"workloads.chat.{reason}" in str(caught.value)
