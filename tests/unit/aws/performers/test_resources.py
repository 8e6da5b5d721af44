"""What stands for a fleet is declared, and what is wrong with a declaration is said at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contract.performers_estate import EAST, EUROPE, fleet
from crosswind_aws.performers.declarations import faults, load_resources
from crosswind_aws.performers.resources import InvalidResources, Resources, aws_region
from unit.aws.performers.samples import CONTROLS, RECORDS, SERVICE, declared


def test_nothing_need_be_declared() -> None:
    assert list(Resources().targets()) == []


def test_every_fault_is_told_at_once() -> None:
    wrong = {
        "workloads": {
            "chat": {
                "traffic": {**RECORDS, "zone": "no zone", "record": "no record"},
                "regions": {EAST: {"endpoint": {**SERVICE, "cluster": ""}, "probe": "ftp://x"}},
            }
        },
        "channels": {"default": "not-an-arn"},
        "colour": "red",
    }

    with pytest.raises(InvalidResources) as raised:
        Resources.read(wrong)

    told = str(raised.value)
    for part in ("zone", "record", "cluster", "probe", "channels.default", "colour", "6 fault(s)"):
        assert part in told
    assert "no zone" not in told, "values are not repeated"


@pytest.mark.parametrize(
    ("traffic", "problem"),
    [
        ({**RECORDS, "identifiers": {EAST: "a", EUROPE: "a"}}, "same set identifier"),
        ({**RECORDS, "identifiers": {}}, "at least 1"),
        ({**RECORDS, "record": "*.example.com"}, "pattern"),
        ({**RECORDS, "service": "cloudflare"}, "'route53', 'arc'"),
        ({**CONTROLS, "endpoints": CONTROLS["endpoints"][:4]}, "at least 5"),
        ({**CONTROLS, "shares": {EAST: 1.0}}, "different regions"),
        ({**CONTROLS, "shares": {EAST: 0.0, EUROPE: 0.0}}, "no region has a share"),
    ],
)
def test_what_steers_traffic_is_looked_at(traffic: Any, problem: str) -> None:
    with pytest.raises(InvalidResources, match=problem):
        Resources.read(declared(traffic))


@pytest.mark.parametrize(
    "url",
    ["http://chat.example.com/", "https://", "https://user:word@example.com/", "https://x/#part"],
)
def test_a_probe_goes_over_tls_to_a_host_and_tells_nobody_a_password(url: str) -> None:
    with pytest.raises(InvalidResources, match="probe"):
        Resources.read(declared(regions={EAST: {"probe": url}}))


def test_only_regions_of_aws_have_resources_here() -> None:
    with pytest.raises(InvalidResources, match="gcp/us-central1"):
        Resources.read(declared(regions={"gcp/us-central1": {}}))
    with pytest.raises(ValueError, match="azure/westeurope"):
        aws_region("azure/westeurope")
    assert aws_region("aws/us-gov-west-1") == "us-gov-west-1"


class TestFiles:
    def test_a_file_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "aws.json"
        path.write_text(json.dumps(declared()))

        assert load_resources(path) == Resources.read(declared())

    def test_an_empty_file_declares_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "aws.yaml").write_text("# nothing yet\n")

        assert load_resources(tmp_path / "aws.yaml") == Resources()

    def test_a_fault_is_told_with_its_line(self, tmp_path: Path) -> None:
        path = tmp_path / "aws.yaml"
        path.write_text(
            "workloads:\n"
            "  chat:\n"
            "    traffic:\n"
            "      service: route53\n"
            "      zone: lower\n"
            "      record: chat.example.com\n"
            "      identifiers: {aws/us-east-1: east}\n"
            "    regions:\n"
            "      aws/us-east-1:\n"
            "        endpoint: {service: ecs, cluster: serving}\n"
        )

        with pytest.raises(InvalidResources) as raised:
            load_resources(path)

        told = str(raised.value)
        assert "2 faults" in told
        assert "aws.yaml:5: workloads.chat.traffic.zone" in told
        assert "aws.yaml:10: workloads.chat.regions.aws/us-east-1.endpoint.name" in told

    @pytest.mark.parametrize(
        ("content", "problem"),
        [(b"\xff\xfe", "not UTF-8"), (b"a: b: c", "aws.yaml:1"), (b"a: 1\na: 2\n", "aws.yaml:2")],
    )
    def test_what_is_no_document_is_refused(
        self, tmp_path: Path, content: bytes, problem: str
    ) -> None:
        (tmp_path / "aws.yaml").write_bytes(content)

        with pytest.raises(InvalidResources, match=problem):
            load_resources(tmp_path / "aws.yaml")

    def test_a_file_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidResources, match=r"none\.yaml cannot be read"):
            load_resources(tmp_path / "none.yaml")


class TestFitting:
    def test_resources_that_fit_have_no_faults(self) -> None:
        both = {EAST: {"endpoint": SERVICE}, EUROPE: {"endpoint": SERVICE}}

        assert list(faults(Resources.read(declared(regions=both)), fleet())) == []

    def test_records_of_a_critical_workload_are_a_fault(self) -> None:
        found = list(faults(Resources.read(declared()), fleet(tier="critical")))

        assert any("routing controls" in one for one in found)
        assert not any(
            "service: arc" in one
            for one in faults(Resources.read(declared(CONTROLS)), fleet(tier="critical"))
        )

    def test_what_is_missing_and_what_is_too_much_is_told(self) -> None:
        one = {**RECORDS, "identifiers": {EAST: "east"}}
        regions = {EAST: {"endpoint": SERVICE}, "aws/sa-east-1": {"endpoint": SERVICE}}
        wrong = declared(one, regions=regions)
        wrong["workloads"]["stray"] = {}

        found = "\n".join(faults(Resources.read(wrong), fleet()))

        assert f"nothing steers traffic to {EUROPE}" in found
        assert f"nothing is declared that serves in {EUROPE}" in found
        assert "workloads.chat.regions.aws/sa-east-1" in found
        assert "workloads.stray" in found
