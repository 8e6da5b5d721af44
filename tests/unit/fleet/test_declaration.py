"""What a declaration says, and how it is asked."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from crosswind.fleet.declaration import (
    AlertMapping,
    FailoverPolicy,
    Fleet,
    Limit,
    Mode,
    RegionSpec,
    WorkloadSpec,
)
from crosswind.fleet.quantities import Seconds
from unit.fleet.fleets import CENTRAL, EAST, EUROPE, OHIO, document, fleet, placement, workload


def spec(**changes: Any) -> WorkloadSpec:
    return WorkloadSpec.model_validate(workload(**changes))


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (0, 0.0),
        (1.5, 1.5),
        ("500ms", 0.5),
        ("90s", 90.0),
        ("1.5m", 90.0),
        ("2h", 7200.0),
        ("1d", 86_400.0),
    ],
)
def test_a_duration_is_seconds_or_an_amount_with_its_unit(
    written: float | str, seconds: float
) -> None:
    assert TypeAdapter(Seconds).validate_python(written) == seconds


@pytest.mark.parametrize("written", ["", "5", "5 m", "-1s", "1w", "m", True, None, -1, "367d"])
def test_anything_else_is_no_duration(written: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Seconds).validate_python(written)


def test_a_declaration_is_frozen_and_knows_no_other_fields() -> None:
    declared = fleet()
    with pytest.raises(ValidationError, match="frozen"):
        declared.name = "other"  # type: ignore[misc]  # this is what is tested
    with pytest.raises(ValidationError, match="Extra inputs"):
        fleet(nmae="test")


def test_the_digest_names_the_content_and_not_the_order_of_writing() -> None:
    one = fleet()
    turned = dict(reversed(document().items()))
    assert Fleet.model_validate(turned).digest == one.digest
    assert len(one.digest) == 64
    assert fleet(probes={"every": 31}).digest != one.digest


def test_a_fleet_comes_back_from_its_json_as_the_same_declaration() -> None:
    one = fleet(
        limits=[{"limit": "money", "per": "1d", "most": 5}],
        alerts=[{"match": "*", "workload": "chat", "region": EAST}],
        modes={"kinds": {"endpoint.*": "act"}},
    )
    other = Fleet.model_validate_json(one.model_dump_json())
    assert other == one
    assert other.digest == one.digest


MODES = {
    "default": "propose",
    "kinds": {"traffic.set-weights": "act", "traffic.*": "observe", "deep.er.*": "act"},
    "workloads": {
        "chat": {
            "default": "observe",
            "kinds": {"endpoint.scale": "act", "endpoint.*": "propose"},
        },
        "search": {"kinds": {"endpoint.*": "act"}},
    },
}


@pytest.mark.parametrize(
    ("name", "kind", "mode"),
    [
        ("chat", "endpoint.scale", "act"),
        ("chat", "endpoint.deploy", "propose"),
        ("chat", "traffic.set-weights", "observe"),
        ("search", "endpoint.scale", "act"),
        ("search", "traffic.set-weights", "act"),
        ("search", "traffic.drain", "observe"),
        ("search", "notify.send", "propose"),
        (None, "traffic.set-weights", "act"),
        (None, "deep.er.still", "act"),
        (None, "deep.still", "propose"),
        ("unheard-of", "single", "propose"),
    ],
)
def test_the_most_specific_mode_wins(name: str | None, kind: str, mode: Mode) -> None:
    declared = fleet(workloads={"chat": workload(), "search": workload()}, modes=MODES)
    assert declared.mode_for(name, kind) == mode


def test_nothing_is_done_unless_a_mode_says_so() -> None:
    assert fleet().mode_for("chat", "traffic.set-weights") == "observe"


def test_limits_are_found_by_their_name() -> None:
    limits = [
        {"limit": "money", "per": "1d", "most": 5},
        {"limit": "regions-off", "per": 60, "most": 1, "workload": "chat"},
        {"limit": "money", "per": "1h", "most": 1, "workload": "chat"},
    ]
    assert fleet(limits=limits).limits_for("money") == (
        Limit(limit="money", per=86_400.0, most=5.0),
        Limit(limit="money", per=3600.0, most=1.0, workload="chat"),
    )


def test_the_workloads_of_a_region_come_in_the_order_of_their_tiers() -> None:
    declared = fleet(
        workloads={
            "zeta": workload(tier="critical"),
            "alpha": workload(tier="batch"),
            "beta": workload(),
            "only-europe": workload(
                tier="critical", regions={EUROPE: placement(weight=1, replicas=3, quota=3)}
            ),
        }
    )
    assert declared.workloads_in(EAST) == ("zeta", "beta", "alpha")
    assert declared.workloads_in(EUROPE) == ("only-europe", "zeta", "beta", "alpha")
    assert declared.workloads_in(OHIO) == ()
    assert declared.declared_replicas(EAST) == 6
    assert declared.declared_replicas(OHIO) == 0


def test_residency_admits_what_it_names_and_members_of_the_union() -> None:
    anywhere, union, states = spec(), spec(residency=["EU"]), spec(residency=["US", "DE"])
    assert anywhere.may_reside("BR")
    assert union.may_reside("EU")
    assert union.may_reside("NL")
    assert not union.may_reside("CH")
    assert states.may_reside("DE")
    assert not states.may_reside("NL")
    assert not states.may_reside("EU")


def test_weights_of_evidence_that_are_not_given_keep_their_default() -> None:
    policy = FailoverPolicy.model_validate({"weights": {"probe": 3}})
    assert policy.weights == {
        "provider": 1.0,
        "alarm": 1.0,
        "probe": 3.0,
        "telemetry": 1.0,
        "operator": 2.0,
    }
    with pytest.raises(ValidationError):
        FailoverPolicy.model_validate({"weights": [1]})


@pytest.mark.parametrize(
    ("failover", "vantages", "needed"),
    [
        ({}, ["home"], 1.0),
        ({}, ["us", "eu"], 2.0),
        ({}, ["us", "eu", "asia"], 2.0),
        ({"recovery_quorum": 3}, ["home"], 3.0),
        ({"weights": {"probe": 0.5}}, ["us", "eu"], 1.0),
        ({"weights": {"probe": 0}}, ["us", "eu"], 2.0),
    ],
)
def test_recovery_takes_two_observers_or_what_the_probes_come_to(
    failover: dict[str, Any], vantages: list[str], needed: float
) -> None:
    declared = fleet(failover=failover, probes={"vantages": vantages})
    assert declared.recovery_quorum == needed


def test_an_alarm_is_admitted_by_its_name_and_by_all_labels_asked_for() -> None:
    mapping = AlertMapping(match="chat-*-5[0-9]x", workload="chat", labels={"team": "speech"})
    assert mapping.admits("chat-east-50x", {"team": "speech", "tier": "1"})
    assert not mapping.admits("chat-east-50x", {"team": "search"})
    assert not mapping.admits("chat-east-50x", {})
    assert not mapping.admits("CHAT-east-50x", {"team": "speech"})


def test_the_declared_state_of_a_workload_is_its_shares_and_replicas() -> None:
    assert spec().weights == {EAST: 0.5, CENTRAL: 0.5, EUROPE: 0.0}
    assert spec().replicas == {EAST: 2, CENTRAL: 2, EUROPE: 0}


def test_numbers_are_numbers_and_not_what_could_be_read_as_one() -> None:
    for wrong in ("3", True, float("nan"), float("inf")):
        with pytest.raises(ValidationError):
            RegionSpec.model_validate({"jurisdiction": "US", "price": wrong})
    with pytest.raises(ValidationError):
        RegionSpec.model_validate({"jurisdiction": "US", "quota": 3.0})


def test_the_models_need_pydantic_only() -> None:
    code = (
        "import sys, crosswind.fleet.declaration\n"
        "heavy = {'yaml', 'asyncio', 'sqlite3', 'http', 'difflib'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
